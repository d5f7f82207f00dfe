//! What an agent is told: the state and the manifest, cut to what this step needs, stable parts first.

use crate::agent::prompt::{CheckPart, ComponentPart, CutOff, DependencyPart, GatePart, IssuePart, OptionPart};
use crate::agent::{PromptInput, Role};
use crate::context::marked;
use crate::fsx;
use crate::ids::{Step, Subject};
use crate::lifecycle::event::Issue;
use crate::lifecycle::next::Launch;
use crate::lifecycle::report::Dispute;
use crate::lifecycle::sameness;
use crate::lifecycle::state::RunState;
use crate::lifecycle::subject::{Phase, SubjectState, Why};
use crate::plan::graph::Index;
use crate::plan::{CheckIndex, CheckPlan, OptionPlan};
use crate::spec::manifest::{ComponentComplexity, ComponentDef};

use super::job::Job;

/// The longest that one item may be in a prompt, in bytes.
const ITEM: usize = 8 * 1024;
/// What dependencies may take of a prompt together, in bytes; further ones are named by path.
const DEPENDENCIES: usize = 16 * 1024;
/// Decisions and blockers of other components, at most.
const LINES: usize = 40;

/// The template and its input for a launch. The component's context file is read later, off the loop.
pub fn brief(job: &Job, state: &RunState, launch: &Launch, resume: Option<Why>) -> (Role, PromptInput) {
    let role = match resume {
        Some(Why::Interrupted | Why::Trouble) => Role::Interrupted,
        Some(Why::NoAnswer) => Role::NoAnswer,
        Some(Why::TimedOut) => Role::TimedOut,
        Some(Why::Granted) => Role::Granted,
        None => Role::of(&launch.attempt.step).expect("only agent steps have briefs"),
    };
    let subject = state.subject(&launch.attempt.on).expect("a launch is of a subject of the plan");
    let mut input = PromptInput {
        project: job.manifest.project.clone(),
        gotchas: job.manifest.gotchas.iter().map(|text| text.as_str().to_owned()).collect(),
        guidance: subject.guidance.iter().map(ToString::to_string).collect(),
        read: vec![job.paths.dir().display().to_string()],
        ..PromptInput::default()
    };
    input.decisions = state.decisions().to_vec();
    input.granted = job.granted_to(&launch.attempt.on);
    if matches!(&subject.phase, Phase::Working(work) if work.cut_off) {
        // Where each step ends in a commit, there is one to go back to.
        input.cut_off = Some(if job.tree.repository().is_some() { CutOff::PutBack } else { CutOff::Left });
    }
    add_matter(&mut input, job, subject, &launch.attempt.step);
    match &launch.attempt.on {
        Subject::Component(id) => {
            let at = job.plan.index(id).expect("a launch is of a component of the plan");
            let definition = &job.manifest.components[at as usize];
            let mut part = component_part(job, definition);
            part.files.extend(input.granted.iter().cloned());
            input.component = Some(part);
            input.spec = excerpt(job, Some(definition));
            input.checks = check_parts(job, &job.plan.component(at).checks);
            add_others(job, state, at, &mut input);
        }
        Subject::Run => {
            input.spec = excerpt(job, None);
            input.checks = check_parts(job, &job.plan.final_checks);
        }
    }
    (role, input)
}

/// From which side each reviewer looks, in turn (DESIGN 5.2).
const REVIEW_LENSES: [&str; 4] = [
    "correctness: does it do what the component is for, on every input and after every failure",
    "interfaces and integration: does it fit what it builds on, and what builds on it",
    "tests: would they notice if the work broke",
    "security: what can somebody who means harm do with it",
];
/// From which side each voter looks, in turn.
const VOTE_LENSES: [&str; 3] = [
    "what is true of the code as it is",
    "what it will cost to keep and to change",
    "what can go wrong, and who is hurt by it",
];

/// What this very step is about, beyond its component.
fn add_matter(input: &mut PromptInput, job: &Job, subject: &SubjectState, step: &Step) {
    let fixing = subject.fixing.as_deref();
    match step {
        Step::Fix => {
            let Some(fixing) = fixing else { return };
            input.issues = fixing.issues.iter().map(issue_part).collect();
            input.history.clone_from(&fixing.tried);
            input.advice.clone_from(&fixing.advice);
        }
        // After a vote to make it anew.
        Step::Implement if subject.refactored => {
            let Some(fixing) = fixing else { return };
            input.history.clone_from(&fixing.tried);
            input.advice.clone_from(&fixing.advice);
        }
        Step::Review(reviewer) => {
            input.lens = REVIEW_LENSES[usize::from(*reviewer) % REVIEW_LENSES.len()].to_owned();
            let Some(fixing) = fixing else { return };
            let reviewed = fixing.issues.iter().filter(|issue| issue.source.starts_with("review:"));
            input.issues = reviewed.map(issue_part).collect();
            let dispute = |dispute: &Dispute| format!("{}: {}", dispute.issue, dispute.reason);
            input.disputes = fixing.disputes.iter().map(dispute).collect();
        }
        Step::Vote { gate, voter } => {
            input.gate = gate_part(job, subject, gate, *voter);
            let Some(fixing) = fixing else { return };
            input.issues = fixing.issues.iter().map(issue_part).collect();
            input.history.clone_from(&fixing.tried);
        }
        Step::Resolve => {
            let conflicts = subject.delivery.as_ref().map_or(&[][..], |delivery| &delivery.conflicts);
            input.subject = conflicts.join("\n");
        }
        Step::Skeleton
        | Step::Implement
        | Step::Revise
        | Step::Check(_)
        | Step::Compare
        | Step::Integrate
        | Step::Readiness
        | Step::Draft => {}
    }
}

/// The question of a vote, with the options that are open to it.
fn gate_part(job: &Job, subject: &SubjectState, gate: &str, voter: u8) -> Option<GatePart> {
    let plan = job.plan.gate(gate)?;
    let Phase::Voting(poll) = &subject.phase else { return None };
    let offered = plan.options.iter().filter(|option| poll.options.contains(&option.name));
    let option = |option: &OptionPlan| OptionPart { name: option.name.to_string(), action: option.meaning.clone() };
    Some(GatePart {
        name: gate.to_owned(),
        question: plan.question.clone(),
        options: offered.map(option).collect(),
        lens: VOTE_LENSES[usize::from(voter) % VOTE_LENSES.len()].to_owned(),
        earlier: poll.earlier.clone(),
    })
}

fn issue_part(issue: &Issue) -> IssuePart {
    IssuePart {
        id: sameness::id_of(issue),
        severity: issue.severity,
        source: issue.source.clone(),
        file: issue.file.clone(),
        line: issue.line,
        text: capped(&issue.text, ITEM),
        suggested_fix: issue.suggested_fix.clone(),
    }
}

fn component_part(job: &Job, definition: &ComponentDef) -> ComponentPart {
    let text = |text: &Option<crate::spec::forms::Text>| text.as_ref().map_or("", |text| text.as_str()).to_owned();
    let complexity = match definition.complexity() {
        ComponentComplexity::Low => "low",
        ComponentComplexity::Medium => "medium",
        ComponentComplexity::High => "high",
    };
    ComponentPart {
        id: definition.id.to_string(),
        purpose: text(&definition.purpose),
        files: definition
            .write_patterns()
            .chain(definition.tests.iter().map(String::as_str))
            .map(str::to_owned)
            .collect(),
        notes: text(&definition.notes),
        complexity: complexity.to_owned(),
        require_tests: job.manifest.requires_tests(definition),
        context: String::new(),
    }
}

/// The user's part of a component's context file, for its prompt.
pub fn context_text(job: &Job, definition: &ComponentDef) -> std::io::Result<String> {
    let contents = match fsx::read_regular(&job.context_file(definition), fsx::LARGEST_TEXT) {
        Ok(contents) => contents,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(String::new()),
        Err(error) => return Err(error),
    };
    Ok(capped(String::from_utf8_lossy(&marked::outside(&contents)).trim(), ITEM))
}

/// The sections that name the component, else what SPEC.md says to all.
fn excerpt(job: &Job, definition: Option<&ComponentDef>) -> String {
    let section = definition.and_then(|definition| job.specification.section(&definition.id));
    let text = section.unwrap_or_else(|| job.specification.general()).trim();
    let mut out = capped(text, ITEM);
    if out.len() < text.len() {
        out.push_str(&format!("\n\n(The rest is in `{}`.)", job.paths.spec_md().display()));
    }
    if !job.context.is_empty() {
        out.push_str(&format!("\n\n{}", capped(&job.context, ITEM)));
    }
    out
}

fn check_parts(job: &Job, checks: &[CheckIndex]) -> Vec<CheckPart> {
    let part = |check: &CheckPlan| CheckPart { name: check.name.to_string(), command: check.run.clone() };
    checks.iter().map(|&check| part(job.plan.check(check))).collect()
}

/// What the transitive dependencies said, nearest first, and what they decided.
fn add_others(job: &Job, state: &RunState, at: Index, input: &mut PromptInput) {
    let mut room = DEPENDENCIES;
    for below in job.plan.graph.ancestry(at) {
        let Some(report) = &state.component(below).report else { continue };
        let id = job.plan.component(below).id.to_string();
        let part = DependencyPart {
            summary: capped(&report.summary, ITEM),
            interfaces: report.interfaces.iter().map(|text| capped(text, ITEM)).collect(),
            id: id.clone(),
        };
        let size = part.summary.len() + part.interfaces.iter().map(String::len).sum::<usize>();
        if size > room {
            let id = &job.plan.component(below).id;
            input.read.push(job.paths.component_md(id).display().to_string());
        } else {
            room -= size;
            input.dependencies.push(part);
        }
        let named = |text: &String| format!("{} ({id})", capped(text, ITEM));
        input.decisions.extend(report.decisions.iter().map(named));
        input.blockers.extend(report.blockers.iter().map(named));
    }
    input.decisions.truncate(LINES);
    input.blockers.truncate(LINES);
}

/// `text` in at most `limit` bytes, with a sign where something is missing.
fn capped(text: &str, limit: usize) -> String {
    if text.len() <= limit {
        return text.to_owned();
    }
    let mut end = limit;
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    format!("{}…", &text[..end])
}
