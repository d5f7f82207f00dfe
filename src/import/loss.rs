//! What could not be taken over as it stood: where, and what was done about it.

use serde::{Serialize, Serializer};

/// What kind of loss it is. The codes are stable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Code {
    /// Two tasks have one id.
    DuplicateId,
    /// An id that no directory and branch could carry.
    RenamedId,
    /// A task without an id of its own.
    MadeId,
    /// A key that a JSON object has twice.
    DuplicateKey,
    /// A dependency on what is not there.
    Dangling,
    /// A task that depends on itself.
    SelfDependency,
    /// Tasks that wait for each other.
    Cycle,
    /// A name that several tasks or places go by.
    Ambiguous,
    /// A sentence about order that is not understood.
    UnclearOrder,
    /// Order that the dialect means and does not write down for each task.
    DerivedOrder,
    /// Nothing says what depends on what.
    NoOrder,
    /// Tests that are tasks of their own.
    OwnTests,
    /// Tasks that write the same file at the same time.
    SameFile,
    /// A path at which there is nothing.
    MissingPath,
    /// A path that no write set can have.
    BadPath,
    /// A task that names no file.
    NoFile,
    /// Files that were found in prose.
    FileFromProse,
    /// A task that is done.
    Done,
    /// A task that is not to be done any more.
    Cancelled,
    /// A state that components do not have.
    Status,
    /// A field that manifests do not have.
    NoHome,
    /// A value that is not understood, or read as another.
    Value,
    /// Text that belongs to no task.
    Text,
    /// A list item or table that is no task.
    NotATask,
    /// A text that was shortened.
    Cut,
    /// Control characters.
    Control,
    /// A command that was found in the text.
    Command,
    /// No command is clearly stated.
    NoCommand,
    /// Something that its author left open.
    Open,
}

impl Code {
    /// The code, as it is printed.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::DuplicateId => "I101",
            Self::RenamedId => "I102",
            Self::MadeId => "I103",
            Self::DuplicateKey => "I104",
            Self::Dangling => "I201",
            Self::SelfDependency => "I202",
            Self::Cycle => "I203",
            Self::Ambiguous => "I204",
            Self::UnclearOrder => "I205",
            Self::DerivedOrder => "I206",
            Self::NoOrder => "I207",
            Self::OwnTests => "I208",
            Self::SameFile => "I301",
            Self::MissingPath => "I302",
            Self::BadPath => "I303",
            Self::NoFile => "I304",
            Self::FileFromProse => "I305",
            Self::Done => "I401",
            Self::Cancelled => "I402",
            Self::Status => "I403",
            Self::NoHome => "I501",
            Self::Value => "I502",
            Self::Text => "I503",
            Self::NotATask => "I504",
            Self::Cut => "I505",
            Self::Control => "I506",
            Self::Command => "I601",
            Self::NoCommand => "I602",
            Self::Open => "I603",
        }
    }
}

impl Serialize for Code {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

/// What became of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Effect {
    /// It is not in the manifest.
    Dropped,
    /// It is in the manifest as something else.
    Changed,
    /// It is in the manifest as it stood, and should be looked at.
    Kept,
}

/// A line of one of the sources.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Place {
    /// Which source, by its number in the order.
    pub source: usize,
    /// Which line, from 1.
    pub line: usize,
}

/// One thing that could not be taken over as it stood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Loss {
    /// Where it stands.
    pub place: Place,
    /// What kind it is.
    pub code: Code,
    /// What became of it.
    pub effect: Effect,
    /// What was found: a lowercase fragment.
    pub message: String,
    /// What was done about it: a lowercase fragment.
    pub action: String,
}

/// Collects losses.
#[derive(Debug, Default)]
pub(super) struct Losses(Vec<Loss>);

impl Losses {
    pub(super) fn dropped(&mut self, code: Code, place: Place, message: impl Into<String>, action: impl Into<String>) {
        self.push(code, Effect::Dropped, place, message.into(), action.into());
    }

    pub(super) fn changed(&mut self, code: Code, place: Place, message: impl Into<String>, action: impl Into<String>) {
        self.push(code, Effect::Changed, place, message.into(), action.into());
    }

    pub(super) fn kept(&mut self, code: Code, place: Place, message: impl Into<String>, action: impl Into<String>) {
        self.push(code, Effect::Kept, place, message.into(), action.into());
    }

    fn push(&mut self, code: Code, effect: Effect, place: Place, message: String, action: String) {
        self.0.push(Loss { place, code, effect, message, action });
    }

    /// All of them, in the order of the files.
    pub(super) fn into_sorted(self) -> Vec<Loss> {
        let mut losses = self.0;
        losses.sort_by_key(|loss| (loss.place, loss.code));
        losses
    }
}
