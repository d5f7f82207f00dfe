//! `run -n`: what would run, in which order, with what; and why the rest would not. Starts nothing.

use std::fmt::Write as _;

use serde::Serialize;

use super::together::Together;
use super::{allowed, indices, wants_json};
use crate::cli::App;
use crate::cli::args;
use crate::cli::commands::moved::{self, Moved};
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
    /// Where the integration branch is, if that is not where cco left it; null: it is.
    branch_moved: Option<Moved>,
    steps: Vec<Planned>,
    /// Why the whole is validated again although every component is up to date; null: it is not.
    whole: Option<String>,
    /// What may run together; null where that was not asked.
    together: Option<Together>,
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
    let moved = if args.fresh { None } else { moved::look(app, opened, &state) };
    let adopted: Vec<Event> = moved.as_ref().and_then(Moved::event).into_iter().collect();
    foresee(app, &mut state, |_| adopted)?;
    let mut reasons = foresee(app, &mut state, |state| reconcile::redo(state, &redo, None))?;
    reasons.extend(foresee(app, &mut state, reconcile::stale)?);
    if moved.as_ref().and_then(Moved::event).is_some() {
        reasons.push((Subject::Run, "the branch goes on: validated again".to_owned()));
    }
    let together = Some(Together::of(opened, &todo(opened, &state)));
    let forecast = Forecast { branch_moved: moved, together, ..forecast(opened, &state, &reasons) };
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

/// What is to be done, in order.
fn todo(opened: &Opened, state: &RunState) -> Vec<Index> {
    let plan = &opened.plan;
    let is_due = |at: &Index| plan.selected(*at) && !state.component(*at).is_complete();
    let mut todo: Vec<Index> = plan.graph.order().iter().copied().filter(is_due).collect();
    if plan.schedule == Schedule::Levels {
        todo.sort_by_key(|&at| plan.graph.level(at));
    }
    todo
}

fn forecast(opened: &Opened, state: &RunState, reasons: &[(Subject, String)]) -> Forecast {
    let plan = &opened.plan;
    let ordered = todo(opened, state);
    let steps: Vec<Planned> = ordered.iter().map(|&at| planned(opened, state, at, reasons)).collect();
    let whole = whole(opened, state, &steps, reasons);
    let calls = Calls::of(opened, &ordered, &steps, whole.is_some());
    Forecast {
        branch_moved: None,
        whole,
        together: None,
        spec: opened.reference.clone(),
        mode: plan.mode.as_str(),
        schedule: match plan.schedule {
            Schedule::Free => "each component as soon as its dependencies are complete",
            Schedule::Levels => "level by level",
            Schedule::Serial => "one component at a time",
        },
        jobs: plan.policy.jobs,
        up_to_date: plan.components.len() - ordered.len(),
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

/// Why the whole is judged again although nothing is to be done with any component.
fn whole(opened: &Opened, state: &RunState, steps: &[Planned], reasons: &[(Subject, String)]) -> Option<String> {
    let due = steps.is_empty() && opened.plan.only.is_none() && state.run().is_some() && state.completed().is_none();
    let why = reasons.iter().find(|(on, _)| *on == Subject::Run).map(|(_, why)| why.clone());
    due.then(|| why.unwrap_or_else(|| standing(state.run_work())))
}

/// How many agents a run asks.
struct Calls {
    least: u64,
    most: u64,
}

impl Calls {
    /// At least: every step once, every reviewer once, every vote once. At most: with every fix round that the budgets
    /// allow, each judged by all reviewers, and a vote of two rounds in each fix loop and on each gate.
    fn of(opened: &Opened, ordered: &[Index], steps: &[Planned], whole_is_due: bool) -> Self {
        let plan = &opened.plan;
        if steps.is_empty() && !whole_is_due {
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
    if let Some(moved) = &forecast.branch_moved {
        let _ = writeln!(out, "{moved}");
    }
    for (at, planned) in forecast.steps.iter().enumerate() {
        let way: Vec<&str> = planned.steps.iter().map(String::as_str).collect();
        let checks =
            if planned.checks.is_empty() { String::new() } else { format!("; checks: {}", planned.checks.join(", ")) };
        let way = if way.is_empty() { "validate".to_owned() } else { way.join(", ") };
        let _ =
            writeln!(out, "{:>4}. {} (level {}): {way}{checks}  [{}]", at + 1, planned.id, planned.level, planned.why);
    }
    out.extend(forecast.together.as_ref().map(Together::text));
    if let Some(why) = &forecast.whole {
        let _ = writeln!(out, "the whole: validate  [{why}]");
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
