//! What is told of a state that git lets rebuild: its part of the document, and the same for people.

use std::fmt::Write as _;

use serde::Serialize;

use super::rebuild::Rebuild;
use crate::cli::opened::Opened;
use crate::ids::Subject;
use crate::lifecycle::event::FoundWork;
use crate::text::{one_line, plural};

/// How many commits are named one by one.
const NAMED: usize = 20;
/// How much of a commit's id is shown.
const SHORT: usize = 12;

/// What git tells.
#[derive(Serialize)]
pub struct FoundReport<'a> {
    branch: &'a str,
    /// The commit of the branch.
    tip: &'a str,
    /// Where the branch began.
    base: &'a str,
    components: Vec<Component>,
    /// What claims to be this spec's and is not believed: a commit, or a ref below `refs/cco/<spec>/`.
    not_believed: Vec<Item<'a>>,
    /// What is believed and not taken up.
    not_taken_up: Vec<Item<'a>>,
    /// The commits on the branch that are not cco's.
    others: &'a [String],
    /// Whether there is something that a run could go on from.
    can_be_rebuilt: bool,
    /// Below which refs what was in the way is kept, now that it is rebuilt.
    pub aside: Option<String>,
}

#[derive(Serialize)]
struct Component {
    id: String,
    /// The commits by which its work landed.
    landed: Vec<String>,
    /// The last commit of its work that the branch does not hold.
    tip: Option<String>,
    /// What the next run does with it.
    next: &'static str,
}

#[derive(Serialize)]
struct Item<'a> {
    what: String,
    why: &'a str,
}

impl<'a> FoundReport<'a> {
    /// Of what git tells.
    pub fn new(opened: &'a Opened, rebuild: &'a Rebuild) -> Self {
        let Rebuild { told, outlook, branch } = rebuild;
        let plan = &opened.plan;
        let of = |on: &Subject| outlook.rebuilt.work.iter().find(|work| work.on == *on);
        let planned = plan.components.iter().map(|component| {
            let on = Subject::from(component.id.clone());
            Component::new(&on, of(&on), Some(component.input))
        });
        let known = |on: &Subject| matches!(on, Subject::Component(id) if plan.index(id).is_some());
        let rest = outlook.rebuilt.work.iter().filter(|work| !known(&work.on));
        let rest = rest.map(|work| Component::new(&work.on, Some(work), None));
        let left = outlook.left.iter().map(|(on, why)| Item { what: on.to_string(), why });
        Self {
            branch,
            tip: &told.tip,
            base: &told.base,
            components: planned.chain(rest).collect(),
            not_believed: told.not_believed.iter().map(|it| Item { what: it.what.clone(), why: &it.why }).collect(),
            not_taken_up: left.collect(),
            others: &told.others,
            can_be_rebuilt: rebuild.is_worth_it(),
            aside: None,
        }
    }

    /// What can be done next, with what commands call the spec by.
    pub fn way(&self, spec: &str) -> Option<String> {
        match (&self.aside, self.can_be_rebuilt) {
            (Some(_), _) => Some(format!("`cco run {spec}` goes on from there, and makes all checks again")),
            (None, true) => {
                let why = "takes up what git tells; no agent is asked again for what is written";
                Some(format!("`cco repair {spec} --apply` {why}"))
            }
            (None, false) => None,
        }
    }

    /// The same for people.
    pub fn text(&self, out: &mut String) {
        // Writing to a String cannot fail.
        let _ =
            writeln!(out, "git tells: branch `{}` at {}, begun at {}", self.branch, short(self.tip), short(self.base));
        let width = self.components.iter().map(|component| component.id.len()).max().unwrap_or(0);
        for component in &self.components {
            let row = format!("  {:width$}  {:<32}  {}", component.id, component.place(), component.next);
            let _ = writeln!(out, "{}", row.trim_end());
        }
        if !self.others.is_empty() {
            let _ = writeln!(out, "{} on the branch that are not cco's", plural(self.others.len(), "commit"));
        }
        for (title, items) in [("not believed:", &self.not_believed), ("not taken up:", &self.not_taken_up)] {
            if items.is_empty() {
                continue;
            }
            let _ = writeln!(out, "{title}");
            for Item { what, why } in items.iter().take(NAMED) {
                let _ = writeln!(out, "  {}: {}", one_line(what), one_line(why));
            }
            if items.len() > NAMED {
                let _ = writeln!(out, "  and {} more", items.len() - NAMED);
            }
        }
        let _ = writeln!(
            out,
            "lost: verdicts and evidence, answers and waivers, votes, costs, what agents said; nothing counts as proven \
             until it is checked again"
        );
        let _ = match &self.aside {
            Some(aside) => writeln!(out, "taken up; what was in the way is kept below `{aside}` and `state/history/`"),
            None => writeln!(out, "nothing was changed"),
        };
    }
}

impl Component {
    fn new(on: &Subject, work: Option<&FoundWork>, input: Option<crate::ids::Digest>) -> Self {
        let landed: Vec<String> =
            work.iter().flat_map(|work| &work.landed).map(|landing| landing.commit.to_string()).collect();
        let tip = work.and_then(|work| work.tip.as_ref());
        let written = !landed.is_empty() || tip.is_some_and(|tip| tip.implemented.is_some());
        let edited = work.is_some_and(|work| work.input != input);
        let next = match (on, input, written) {
            (Subject::Run, ..) => "validated with the whole",
            (_, None, _) => "no more in the manifest: its files stay",
            (_, Some(_), true) if edited => "its definition changed since: revised, then validated",
            (_, Some(_), true) => "written; compared and validated again",
            (_, Some(_), false) if tip.is_some() => "only a skeleton: begun again from there",
            (_, Some(_), false) => "to be made",
        };
        Self { id: on.to_string(), landed, tip: tip.map(|tip| tip.last.to_string()), next }
    }

    fn place(&self) -> String {
        match (self.landed.last(), &self.tip) {
            (_, Some(tip)) => format!("not on the branch: {}", short(tip)),
            (Some(landed), None) => format!("landed as {}", short(landed)),
            (None, None) => "nothing".to_owned(),
        }
    }
}

fn short(id: &str) -> &str {
    id.get(..SHORT).unwrap_or(id)
}
