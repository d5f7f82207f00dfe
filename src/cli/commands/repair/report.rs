//! What is told of a journal: the document, and the same for people.

use std::fmt::Write as _;

use serde::{Serialize, Serializer};

use super::Found;
use super::found::FoundReport;
use crate::cli::commands::status::phase;
use crate::cli::opened::Opened;
use crate::ids::{AttemptId, ComponentId};
use crate::text::{cost, one_line, plural, size};

/// The document.
#[derive(Serialize)]
pub struct Report<'a> {
    spec: &'a str,
    journal: String,
    condition: Condition,
    /// How many records can be saved; all of them, where there is no damage.
    records: u64,
    /// How many events those hold.
    events: u64,
    /// A last line that was never written to its end, where there is no damage.
    torn: Option<Line>,
    damage: Option<Damaged>,
    /// How the components stand by the records that can be saved.
    components: Vec<Component<'a>>,
    lost: Option<Losses<'a>>,
    /// Whether there is something that a run could go on from.
    can_be_saved: bool,
    /// Where the records were written that can be saved; null once they are in place.
    pub saved: Option<String>,
    /// Where the damaged journal is, now that it was replaced.
    pub aside: Option<String>,
    /// What git tells, where no records can be saved.
    pub git: Option<FoundReport<'a>>,
}

/// What a journal is worth.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum Condition {
    Missing,
    Whole,
    Torn,
    Damaged,
}

#[derive(Serialize)]
struct Line {
    line: u64,
    bytes: u64,
}

#[derive(Serialize)]
struct Damaged {
    line: u64,
    what: String,
}

#[derive(Serialize)]
struct Component<'a> {
    id: &'a ComponentId,
    phase: &'static str,
    /// Whether it is not complete by what can be saved, and was by what is lost.
    lost: bool,
}

/// What stands behind the records that can be saved.
#[derive(Serialize)]
struct Losses<'a> {
    bytes: u64,
    lines: u64,
    /// Lines that read well; what follows is what they tell, and it cannot be trusted.
    readable: u64,
    #[serde(serialize_with = "as_texts")]
    steps: &'a [AttemptId],
    cost_usd: f64,
    cost_unknown: u32,
    answers: Vec<&'a str>,
}

fn as_texts<S: Serializer>(steps: &&[AttemptId], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(steps.iter().map(ToString::to_string))
}

impl<'a> Report<'a> {
    /// Of a spec that was never run.
    pub fn missing(opened: &'a Opened) -> Self {
        Self {
            spec: &opened.reference,
            journal: opened.paths.journal().display().to_string(),
            condition: Condition::Missing,
            records: 0,
            events: 0,
            torn: None,
            damage: None,
            components: Vec::new(),
            lost: None,
            can_be_saved: false,
            saved: None,
            aside: None,
            git: None,
        }
    }

    /// Of a journal that was taken apart.
    pub fn new(opened: &'a Opened, found: &'a Found) -> Self {
        let Found { salvage, state, events, untrusted, lost, .. } = found;
        let damage = salvage.damage.as_ref().map(|what| Damaged { line: salvage.line(), what: what.to_string() });
        let torn = salvage.torn.as_ref().map(|torn| Line { line: torn.line, bytes: torn.bytes });
        let component = |at| {
            let (id, state) = (&opened.plan.component(at).id, state.component(at));
            Component { id, phase: phase(state), lost: !state.is_complete() && lost.completed.contains(id) }
        };
        Self {
            condition: match (&damage, &torn) {
                (Some(_), _) => Condition::Damaged,
                (None, Some(_)) => Condition::Torn,
                (None, None) => Condition::Whole,
            },
            records: salvage.records,
            events: *events,
            torn,
            components: (0..state.run_index()).map(component).collect(),
            lost: damage.is_some().then(|| Losses {
                bytes: untrusted.bytes,
                lines: untrusted.lines,
                readable: untrusted.readable,
                steps: &lost.steps,
                cost_usd: lost.cost.usd,
                cost_unknown: lost.cost.unknown,
                answers: lost.answers.iter().map(String::as_str).collect(),
            }),
            can_be_saved: found.is_worth_saving(),
            damage,
            ..Self::missing(opened)
        }
    }

    /// Whether a run can go on with the journal as it is now.
    pub fn is_in_order(&self) -> bool {
        match &self.git {
            Some(git) => git.aside.is_some(),
            None => self.condition != Condition::Damaged || self.aside.is_some(),
        }
    }

    /// What can be done next, with what commands call the spec by.
    pub fn ways(&self, spec: &str) -> Vec<String> {
        let fresh = || format!("`cco run {spec} --fresh` sets it aside, whole, and starts over");
        if let Some(git) = &self.git {
            let fresh = git.aside.is_none().then(fresh);
            return git.way(spec).into_iter().chain(fresh).collect();
        }
        match (self.condition, &self.aside) {
            (Condition::Missing | Condition::Whole | Condition::Torn, _) => Vec::new(),
            (Condition::Damaged, Some(_)) => vec![format!("`cco run {spec}` goes on from there")],
            (Condition::Damaged, None) => {
                let apply =
                    "puts in place what can be saved; what is damaged goes to `state/history/`, and commits stay";
                let apply = self.can_be_saved.then(|| format!("`cco repair {spec} --apply` {apply}"));
                apply.into_iter().chain([fresh()]).collect()
            }
        }
    }

    /// The document for people.
    pub fn text(&self) -> String {
        let mut out = format!("{}: ", self.spec);
        let records = plural(self.records as usize, "record");
        // Writing to a String cannot fail.
        let _ = match (self.condition, &self.torn, &self.damage) {
            (Condition::Missing, ..) if self.git.is_some() => writeln!(out, "there is no journal"),
            (Condition::Missing, ..) => writeln!(out, "there is no journal yet"),
            (_, _, Some(damage)) => {
                writeln!(out, "the journal is damaged in line {}: {}", damage.line, one_line(&damage.what))
            }
            (_, Some(torn), None) => writeln!(
                out,
                "the journal is in order ({records}); line {} was never written to its end ({}), and the next run cuts it off",
                torn.line,
                size(torn.bytes)
            ),
            (_, None, None) => writeln!(out, "the journal is in order ({records})"),
        };
        if self.condition == Condition::Damaged {
            self.damaged(&mut out);
        }
        if let Some(git) = &self.git {
            git.text(&mut out);
        }
        out
    }

    fn damaged(&self, out: &mut String) {
        if self.can_be_saved {
            let records = plural(self.records as usize, "record");
            let complete = self.components.iter().filter(|component| component.phase == "complete").count();
            let all = plural(self.components.len(), "component");
            let _ = writeln!(out, "the {records} before it can be saved: {complete} of {all} complete");
            let width = self.components.iter().map(|component| component.id.as_str().len()).max().unwrap_or(0);
            for Component { id, phase, lost } in &self.components {
                let was = if *lost { "complete in what is lost" } else { "" };
                let row = format!("  {:width$}  {phase:<10}  {was}", id.as_str());
                let _ = writeln!(out, "{}", row.trim_end());
            }
        } else {
            let _ = writeln!(out, "nothing can be saved: no run had begun before it");
        }
        if let Some(lost) = &self.lost {
            lost.text(out);
        }
        if let Some(saved) = &self.saved {
            let _ = writeln!(out, "saved beside it as `{saved}`; nothing was changed");
        }
        if let Some(aside) = &self.aside {
            let _ = writeln!(out, "put in place; what was there is in `{aside}`");
        }
    }
}

impl Losses<'_> {
    fn text(&self, out: &mut String) {
        let _ = writeln!(
            out,
            "lost: {} ({}); {} of them can be read and cannot be trusted, since each checksum stands on the one before",
            plural(self.lines as usize, "line"),
            size(self.bytes),
            self.readable,
        );
        if !self.steps.is_empty() {
            let steps: Vec<String> = self.steps.iter().map(ToString::to_string).collect();
            let spent = cost(self.cost_usd, self.cost_unknown > 0);
            let _ = writeln!(out, "  steps that had ended ({spent}): {}", steps.join(", "));
        }
        if !self.answers.is_empty() {
            let _ = writeln!(out, "  your answers to: {}", self.answers.join(", "));
        }
    }
}
