//! What is left of specs, as one document and for people.

use std::fmt::Write as _;

use serde::Serialize;

use crate::text::{one_line, plural, printable, size};

/// The document.
#[derive(Debug, Default, Serialize)]
pub(super) struct Report {
    /// Those that left anything.
    pub(super) specs: Vec<Spec>,
    /// What all that is listed takes on disk.
    pub(super) bytes: u64,
    /// What of it was removed.
    pub(super) freed: u64,
}

/// What one spec left.
#[derive(Debug, Serialize)]
pub(super) struct Spec {
    /// `project/name-hash`.
    pub(super) spec: String,
    pub(super) status: Status,
    /// Why it cannot be looked at, where it cannot.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) why: Option<String>,
    /// The directory of its worktrees.
    pub(super) dir: String,
    /// The user's checkout; null where there is none any more.
    pub(super) repository: Option<String>,
    pub(super) worktrees: Vec<Worktree>,
    /// What is beside the worktrees and is none: what was set aside, or put there by somebody.
    pub(super) others: Vec<Other>,
    pub(super) refs: Vec<Ref>,
    pub(super) branch: Option<Branch>,
}

/// How a spec stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Status {
    /// All is complete.
    Complete,
    /// Not all is.
    Incomplete,
    /// A run lives: it is not looked at.
    Live,
    /// Its directory is gone.
    Gone,
    /// It cannot be told whose worktrees these are.
    Unknown,
    /// Its manifest or journal cannot be read.
    Unreadable,
}

/// Whether something goes.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Fate {
    /// Whether it was removed.
    pub(super) removed: bool,
    /// Why it stays; null: `-y` removes it.
    pub(super) stays: Option<String>,
    /// Whether that it stays is as it should be.
    #[serde(skip)]
    pub(super) expected: bool,
}

impl Fate {
    /// It goes when it is asked for.
    pub(super) fn goes() -> Self {
        Self { removed: false, stays: None, expected: true }
    }

    /// It stays, though it was asked for.
    pub(super) fn stays(why: impl Into<String>) -> Self {
        Self { removed: false, stays: Some(why.into()), expected: false }
    }

    /// It stays, and nobody would want it otherwise without saying so.
    pub(super) fn kept(why: impl Into<String>) -> Self {
        Self { expected: true, ..Self::stays(why) }
    }

    fn note(&self) -> String {
        match (&self.stays, self.removed) {
            (Some(why), _) => format!("stays: {}", one_line(why)),
            (None, true) => "removed".to_owned(),
            (None, false) => String::new(),
        }
    }
}

#[derive(Debug, Serialize)]
pub(super) struct Worktree {
    /// The component, `@run`, or the name of one in which nobody works.
    pub(super) of: String,
    pub(super) path: String,
    pub(super) bytes: u64,
    /// The commit that is checked out; null where only half of it is there.
    pub(super) head: Option<String>,
    /// Whether it holds changes that no commit holds.
    pub(super) uncommitted: bool,
    /// Whether it holds files that git ignores.
    pub(super) ignored: bool,
    #[serde(flatten)]
    pub(super) fate: Fate,
}

#[derive(Debug, Serialize)]
pub(super) struct Other {
    pub(super) path: String,
    pub(super) bytes: u64,
    #[serde(flatten)]
    pub(super) fate: Fate,
}

#[derive(Debug, Serialize)]
pub(super) struct Ref {
    /// The whole name, `refs/cco/…`.
    pub(super) name: String,
    pub(super) commit: String,
    #[serde(flatten)]
    pub(super) fate: Fate,
}

#[derive(Debug, Serialize)]
pub(super) struct Branch {
    pub(super) name: String,
    pub(super) tip: String,
    /// Whether the branch that the user has checked out holds it.
    pub(super) merged: bool,
    #[serde(flatten)]
    pub(super) fate: Fate,
}

impl Spec {
    /// Nothing of a spec yet.
    pub(super) fn new(spec: String, status: Status, dir: String) -> Self {
        let (worktrees, others, refs) = (Vec::new(), Vec::new(), Vec::new());
        Self { spec, status, why: None, dir, repository: None, worktrees, others, refs, branch: None }
    }

    /// Whether it left anything.
    pub(super) fn is_empty(&self) -> bool {
        self.fates().next().is_none()
    }

    pub(super) fn fates(&self) -> impl Iterator<Item = &Fate> {
        let worktrees = self.worktrees.iter().map(|it| &it.fate);
        let others = self.others.iter().map(|it| &it.fate);
        let refs = self.refs.iter().map(|it| &it.fate);
        worktrees.chain(others).chain(refs).chain(self.branch.iter().map(|it| &it.fate))
    }

    /// What takes room, with whether it goes.
    fn sizes(&self) -> impl Iterator<Item = (u64, &Fate)> {
        let worktrees = self.worktrees.iter().map(|it| (it.bytes, &it.fate));
        worktrees.chain(self.others.iter().map(|it| (it.bytes, &it.fate)))
    }
}

impl Report {
    /// Adds what a spec left, if it left anything or cannot be looked at.
    pub(super) fn add(&mut self, spec: Spec) {
        self.bytes += spec.sizes().map(|(bytes, _)| bytes).sum::<u64>();
        self.freed += spec.sizes().filter(|(_, fate)| fate.removed).map(|(bytes, _)| bytes).sum::<u64>();
        if !spec.is_empty() || spec.why.is_some() {
            self.specs.push(spec);
        }
    }

    /// How many things would go, and were not removed yet.
    pub(super) fn to_go(&self) -> usize {
        self.fates().filter(|fate| fate.stays.is_none() && !fate.removed).count()
    }

    /// Whether something stays that was to go.
    pub(super) fn is_left(&self) -> bool {
        self.fates().any(|fate| !fate.expected)
    }

    fn fates(&self) -> impl Iterator<Item = &Fate> {
        self.specs.iter().flat_map(Spec::fates)
    }

    /// For people.
    pub(super) fn text(&self) -> String {
        let mut out = String::new();
        for spec in &self.specs {
            section(&mut out, spec);
        }
        if self.specs.is_empty() {
            out.push_str("nothing is left\n");
        }
        let removed = self.fates().filter(|fate| fate.removed).count();
        if removed > 0 {
            let _ = writeln!(out, "{} removed, {} freed", plural(removed, "item"), size(self.freed));
        }
        out
    }
}

fn section(out: &mut String, spec: &Spec) {
    let status = match spec.status {
        Status::Complete => "complete",
        Status::Incomplete => "not complete",
        Status::Live => "a run lives",
        Status::Gone => "the spec is gone",
        Status::Unknown => "nobody knows whose",
        Status::Unreadable => "cannot be read",
    };
    let bytes: u64 = spec.sizes().map(|(bytes, _)| bytes).sum();
    let size_of_all = if bytes > 0 { format!("; {}", size(bytes)) } else { String::new() };
    let _ = writeln!(out, "{}: {status}{size_of_all}", printable(&spec.spec));
    if let Some(why) = &spec.why {
        let _ = writeln!(out, "  {}", one_line(why));
    }
    let mut line = |what: &str, rest: String, fate: &Fate| {
        let note = fate.note();
        let _ = writeln!(out, "{}", format!("  {what:<8}  {rest}  {note}").trim_end());
    };
    for it in &spec.worktrees {
        line("worktree", format!("{}  {}  {}", it.of, size(it.bytes), printable(&it.path)), &it.fate);
    }
    for it in &spec.others {
        line("other", format!("{}  {}", size(it.bytes), printable(&it.path)), &it.fate);
    }
    for it in &spec.refs {
        line("ref", format!("{}  {}", it.name, it.commit.get(..12).unwrap_or(&it.commit)), &it.fate);
    }
    if let Some(it) = &spec.branch {
        let merged = if it.merged { "merged" } else { "not merged" };
        line("branch", format!("{}  {}  {merged}", it.name, it.tip.get(..12).unwrap_or(&it.tip)), &it.fate);
    }
}
