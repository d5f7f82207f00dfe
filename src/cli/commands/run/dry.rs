//! `run -n`: what would run, in which order, with what; and why the rest would not. Starts nothing.

use std::fmt::Write as _;

use serde::Serialize;

use super::{allowed, indices, wants_json};
use crate::cli::App;
use crate::cli::args;
use crate::cli::error::{CliError, ExitStatus};
use crate::cli::opened::Opened;
use crate::ids::Subject;
use crate::lifecycle::event::{Event, Redo, StaleReason};
use crate::lifecycle::reconcile;
use crate::lifecycle::state::RunState;
use crate::lifecycle::subject::{Phase, SubjectState};
use crate::plan::graph::Index;
use crate::plan::{Leg, Schedule};
use crate::text::plural;

/// What a run would do.
#[derive(Serialize)]
struct Forecast {
    spec: String,
    mode: &'static str,
    schedule: &'static str,
    jobs: u32,
    steps: Vec<Planned>,
    up_to_date: usize,
    calls_at_least: u64,
    calls_at_most: u64,
    checks: Vec<Command>,
    allow: Vec<String>,
}

/// What would be done with one component.
#[derive(Serialize)]
struct Planned {
    id: String,
    level: u32,
    why: String,
    steps: Vec<String>,
    checks: Vec<String>,
}

/// A check command.
#[derive(Serialize)]
struct Command {
    name: String,
    run: String,
}

/// Prints the forecast.
pub fn execute(app: &App, opened: &Opened, args: &args::Run) -> Result<ExitStatus, CliError> {
    let mut state = if args.fresh { RunState::new(opened.plan.clone()) } else { opened.read_state(|_| ())? };
    let redo = indices(opened, &args.redo)?;
    let mut reasons = foresee(app, &mut state, |state| reconcile::redo(state, &redo, None))?;
    reasons.extend(foresee(app, &mut state, reconcile::stale)?);
    let forecast = forecast(opened, &state, &reasons);
    if wants_json(app) {
        app.printer.document(&forecast)?;
    } else {
        app.printer.answer(&text(&forecast))?;
    }
    Ok(ExitStatus::Done)
}

/// Applies what the beginning of a run would record, in memory alone; gives the reasons.
fn foresee(
    app: &App,
    state: &mut RunState,
    find: impl FnOnce(&RunState) -> Vec<Event>,
) -> Result<Vec<(Subject, String)>, CliError> {
    let events = find(state);
    for event in &events {
        state.apply(event, app.environment.started).map_err(CliError::internal)?;
    }
    Ok(events.iter().filter_map(reason).collect())
}

fn forecast(opened: &Opened, state: &RunState, reasons: &[(Subject, String)]) -> Forecast {
    let plan = &opened.plan;
    let todo: Vec<Index> = plan
        .graph
        .order()
        .iter()
        .copied()
        .filter(|&at| plan.selected(at) && !state.component(at).is_complete())
        .collect();
    let mut ordered = todo.clone();
    if plan.schedule == Schedule::Levels {
        ordered.sort_by_key(|&at| plan.graph.level(at));
    }
    let steps: Vec<Planned> = ordered.iter().map(|&at| planned(opened, state, at, reasons)).collect();
    let calls = Calls::of(opened, &ordered, &steps);
    Forecast {
        spec: opened.reference.clone(),
        mode: plan.mode.as_str(),
        schedule: match plan.schedule {
            Schedule::Free => "each component as soon as its dependencies are complete",
            Schedule::Levels => "level by level",
            Schedule::Serial => "one component at a time",
        },
        jobs: plan.policy.jobs,
        up_to_date: plan.components.len() - todo.len(),
        calls_at_least: calls.least,
        calls_at_most: calls.most,
        steps,
        checks: plan
            .checks
            .iter()
            .map(|check| Command { name: check.name.to_string(), run: check.run.clone() })
            .collect(),
        allow: allowed(opened),
    }
}

/// How many agents a run asks.
struct Calls {
    least: u64,
    most: u64,
}

impl Calls {
    /// At least: every step once, every reviewer once, every vote once. At most: with every fix round that the budgets
    /// allow, each judged by all reviewers, and a vote of two rounds in each fix loop and on each gate.
    fn of(opened: &Opened, ordered: &[Index], steps: &[Planned]) -> Self {
        let plan = &opened.plan;
        if steps.is_empty() {
            return Self { least: 0, most: 0 };
        }
        let reviewers = u64::from(plan.reviewers);
        let judged = |at: &Index| plan.legs(*at).iter().filter(|leg| matches!(leg, Leg::Validate | Leg::Light)).count();
        let validations: u64 = ordered.iter().map(|at| judged(at) as u64).sum();
        let whole = u64::from(plan.only.is_none() && (reviewers > 0 || !plan.final_checks.is_empty()));
        let levels = if plan.level_checks.is_empty() { 0 } else { u64::from(plan.graph.depth()) };
        let ballots: u64 = plan.gates.iter().map(|gate| u64::from(gate.voters)).sum();
        let writing: u64 = steps.iter().map(|planned| planned.steps.len() as u64).sum();
        let least = writing + reviewers * (validations + whole) + ballots;
        let rounds = u64::from(plan.policy.max_fix_attempts) * 3;
        let loops = validations + levels + whole;
        let strategy = if rounds == 0 { 0 } else { 2 * u64::from(plan.strategy.voters) };
        Self { least, most: least + loops * (rounds * (1 + reviewers) + strategy) + 2 * ballots }
    }
}

/// The agent calls that a run needs at least, and at most with every fix that its budgets allow.
pub fn calls(opened: &Opened, state: &RunState) -> (u64, u64) {
    let forecast = forecast(opened, state, &[]);
    (forecast.calls_at_least, forecast.calls_at_most)
}

fn planned(opened: &Opened, state: &RunState, at: Index, reasons: &[(Subject, String)]) -> Planned {
    let plan = &opened.plan;
    let component = plan.component(at);
    let on = Subject::Component(component.id.clone());
    let reason = reasons.iter().find(|(subject, _)| *subject == on).map(|(_, why)| why.clone());
    let subject = state.component(at);
    Planned {
        id: component.id.to_string(),
        level: plan.graph.level(at),
        why: reason.unwrap_or_else(|| standing(subject)),
        steps: steps(opened, at, subject),
        checks: component.checks.iter().map(|&check| plan.check(check).name.to_string()).collect(),
    }
}

fn steps(opened: &Opened, at: Index, subject: &SubjectState) -> Vec<String> {
    use crate::lifecycle::subject::Todo;
    match &subject.phase {
        Phase::Waiting(Todo::Validate) => Vec::new(),
        Phase::Waiting(Todo::Revise) => vec!["revise".to_owned()],
        Phase::Waiting(Todo::Fresh)
        | Phase::Working(_)
        | Phase::Validating(_)
        | Phase::Voting(_)
        | Phase::Asking(_)
        | Phase::Complete(_)
        | Phase::Failed
        | Phase::Skipped => {
            let legs = opened.plan.legs(at).iter().skip(usize::from(subject.leg));
            let step = |leg: &Leg| match leg {
                Leg::Step(step) => Some(step.to_string()),
                Leg::Light | Leg::Validate => None,
            };
            legs.filter_map(step).collect()
        }
    }
}

fn standing(subject: &SubjectState) -> String {
    match &subject.phase {
        Phase::Waiting(_) if subject.stuck_dependencies > 0 => "blocked by a dependency".to_owned(),
        Phase::Waiting(_) => "not started".to_owned(),
        Phase::Working(work) => format!("{} under way", work.step),
        Phase::Validating(_) => "validation under way".to_owned(),
        Phase::Voting(poll) => format!("the vote `{}` under way", poll.gate),
        Phase::Asking(question) => format!("waits for the answer to {}", question.id),
        Phase::Complete(_) => "complete".to_owned(),
        Phase::Failed => "failed".to_owned(),
        Phase::Skipped => "skipped".to_owned(),
    }
}

fn reason(event: &Event) -> Option<(Subject, String)> {
    let Event::WentStale { on, why, redo, .. } = event else { return None };
    let why = match why {
        StaleReason::Input => "its definition changed".to_owned(),
        StaleReason::Checks => "its checks changed".to_owned(),
        StaleReason::Dependency(id) => format!("files of `{id}` changed"),
        StaleReason::Asked => "asked for with --redo".to_owned(),
    };
    let what = match redo {
        Redo::Revise => "revised",
        Redo::Validate => "validated again",
        Redo::All => "made anew",
    };
    Some((on.clone(), format!("{why}: {what}")))
}

fn text(forecast: &Forecast) -> String {
    let mut out = String::new();
    let _ = writeln!(
        out,
        "{}: {} mode, {}, {} at once",
        forecast.spec,
        forecast.mode,
        forecast.schedule,
        plural(forecast.jobs as usize, "agent")
    );
    for (at, planned) in forecast.steps.iter().enumerate() {
        let way: Vec<&str> = planned.steps.iter().map(String::as_str).collect();
        let checks =
            if planned.checks.is_empty() { String::new() } else { format!("; checks: {}", planned.checks.join(", ")) };
        let way = if way.is_empty() { "validate".to_owned() } else { way.join(", ") };
        let _ =
            writeln!(out, "{:>4}. {} (level {}): {way}{checks}  [{}]", at + 1, planned.id, planned.level, planned.why);
    }
    let _ = writeln!(out, "{} up to date", plural(forecast.up_to_date, "component"));
    let _ = writeln!(out, "{} to {} agent calls", forecast.calls_at_least, forecast.calls_at_most);
    for check in &forecast.checks {
        let _ = writeln!(out, "check {}: {}", check.name, check.run.replace('\n', "; "));
    }
    if !forecast.allow.is_empty() {
        let _ = writeln!(out, "agents may run: {}", forecast.allow.join(" "));
    }
    out.push_str("nothing was started; the same without `-n` runs it\n");
    out
}
