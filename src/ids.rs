//! The names that cross room borders: validated once, then trusted.

use std::fmt;
use std::marker::PhantomData;
use std::str::FromStr;
use std::sync::Arc;

use serde::de::Visitor;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sha2::{Digest as _, Sha256};

/// Longest name or id in bytes.
pub const MAX_NAME: usize = 64;

/// Why a text is no name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// Nothing was given.
    #[error("is empty")]
    Empty,
    /// More than [`MAX_NAME`] bytes.
    #[error("is longer than {MAX_NAME} characters")]
    TooLong,
    /// The first character is no letter or digit.
    #[error("must begin with a letter or a digit")]
    Start,
    /// A character outside `[A-Za-z0-9._-]`.
    #[error("has the character {0:?}; use letters, digits, '.', '_' and '-'")]
    Character(char),
    /// `..`, a trailing `.` or `.lock`: no file or ref could carry it safely.
    #[error("must not contain '..' nor end in '.' or '.lock'")]
    Unsafe,
}

/// Checks a name or id: `[A-Za-z0-9][A-Za-z0-9._-]{0,63}`, no `..`, no trailing `.` or `.lock`.
pub fn check_name(text: &str) -> Result<(), NameError> {
    let first = text.chars().next().ok_or(NameError::Empty)?;
    if text.len() > MAX_NAME {
        return Err(NameError::TooLong);
    }
    if let Some(bad) = text.chars().find(|c| !matches!(c, 'A'..='Z' | 'a'..='z' | '0'..='9' | '.' | '_' | '-')) {
        return Err(NameError::Character(bad));
    }
    if !first.is_ascii_alphanumeric() {
        return Err(NameError::Start);
    }
    if text.contains("..") || text.ends_with('.') || text.ends_with(".lock") {
        return Err(NameError::Unsafe);
    }
    Ok(())
}

/// The id of a component, as the manifest spells it. Cheap to clone.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ComponentId(Arc<str>);

impl ComponentId {
    /// The id, if `text` is a valid name.
    pub fn new(text: &str) -> Result<Self, NameError> {
        check_name(text)?;
        Ok(Self(Arc::from(text)))
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ComponentId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What a record speaks of: a component, or the run itself (the pseudo-component `@run`).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Subject {
    /// A node of the graph.
    Component(ComponentId),
    /// Level checks and the final validation, with their own fix loop.
    Run,
}

impl Subject {
    /// How the run itself is written where a component's id stands otherwise; no id can begin with `@`.
    pub const RUN: &'static str = "@run";

    /// The id, or `@run`.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Component(id) => id.as_str(),
            Self::Run => Self::RUN,
        }
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Subject {
    type Err = NameError;
    fn from_str(text: &str) -> Result<Self, NameError> {
        if text == Self::RUN { Ok(Self::Run) } else { ComponentId::new(text).map(Self::Component) }
    }
}

/// One kind of work with a durable result.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Step {
    /// Interfaces and stubs, so that others can build on them.
    Skeleton,
    /// The work itself.
    Implement,
    /// The definition changed after the work was done.
    Revise,
    /// Issues of a validation are to be mended.
    Fix,
    /// A merge conflict is to be resolved.
    Resolve,
    /// One reviewer, by lens number.
    Review(u8),
    /// One voter of a gate.
    Vote {
        /// The gate's name.
        gate: Arc<str>,
        /// Which voter.
        voter: u8,
    },
    /// A check command, by name.
    Check(Arc<str>),
    /// cco itself looks at what somebody else left in the tree.
    Compare,
    /// cco itself brings the work onto the integration branch.
    Integrate,
    /// Whether a brainstorm is ready to become a manifest is judged.
    Readiness,
    /// A manifest is drafted from a brainstorm.
    Draft,
}

impl Step {
    /// Whether the step may change the work tree.
    pub fn writes(&self) -> bool {
        match self {
            Self::Skeleton | Self::Implement | Self::Revise | Self::Fix | Self::Resolve => true,
            Self::Review(_)
            | Self::Vote { .. }
            | Self::Check(_)
            | Self::Compare
            | Self::Integrate
            | Self::Readiness
            | Self::Draft => false,
        }
    }

    /// Whether an agent does it (else a command, or cco itself).
    pub fn by_agent(&self) -> bool {
        !matches!(self, Self::Check(_)) && !self.by_cco()
    }

    /// Whether cco does it itself, without an agent or a command of the manifest.
    pub fn by_cco(&self) -> bool {
        matches!(self, Self::Compare | Self::Integrate)
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Skeleton => f.write_str("skeleton"),
            Self::Implement => f.write_str("implement"),
            Self::Revise => f.write_str("revise"),
            Self::Fix => f.write_str("fix"),
            Self::Resolve => f.write_str("resolve"),
            Self::Review(lens) => write!(f, "review:{lens}"),
            Self::Vote { gate, voter } => write!(f, "vote:{gate}:{voter}"),
            Self::Check(name) => write!(f, "check:{name}"),
            Self::Compare => f.write_str("compare"),
            Self::Integrate => f.write_str("integrate"),
            Self::Readiness => f.write_str("readiness"),
            Self::Draft => f.write_str("draft"),
        }
    }
}

/// A text that is no step.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no step")]
pub struct NoStep(String);

impl FromStr for Step {
    type Err = NoStep;
    fn from_str(text: &str) -> Result<Self, NoStep> {
        let no = || NoStep(text.to_owned());
        Ok(match text {
            "skeleton" => Self::Skeleton,
            "implement" => Self::Implement,
            "revise" => Self::Revise,
            "fix" => Self::Fix,
            "resolve" => Self::Resolve,
            "compare" => Self::Compare,
            "integrate" => Self::Integrate,
            "readiness" => Self::Readiness,
            "draft" => Self::Draft,
            _ => match text.split_once(':').ok_or_else(no)? {
                ("review", lens) => Self::Review(lens.parse().map_err(|_| no())?),
                ("check", name) if !name.is_empty() => Self::Check(Arc::from(name)),
                ("vote", rest) => {
                    let (gate, voter) = rest.rsplit_once(':').ok_or_else(no)?;
                    Self::Vote { gate: Arc::from(gate), voter: voter.parse().map_err(|_| no())? }
                }
                _ => return Err(no()),
            },
        })
    }
}

/// One try of one step: `auth.implement-1`, `@run.check:tests-2`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct AttemptId {
    /// Whose step.
    pub on: Subject,
    /// Which step.
    pub step: Step,
    /// Counted from 1 within the subject and step, never used twice.
    pub n: u32,
}

impl AttemptId {
    /// The stem of the attempt's files under `runs/`: the display form with `:` made safe for every file system.
    pub fn file_stem(&self) -> String {
        self.to_string().replace(':', "-")
    }
}

impl fmt::Display for AttemptId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}-{}", self.on, self.step, self.n)
    }
}

/// The first 128 bits of a SHA-256, written as 32 hex digits: enough to tell contents apart, half the bytes in memory.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Digest([u8; 16]);

impl Digest {
    /// The digest of `bytes`.
    pub fn of(bytes: &[u8]) -> Self {
        Self::of_parts(&[bytes])
    }

    /// The digest of several parts, each preceded by its length, so that no two lists of parts collide by concatenation.
    pub fn of_parts(parts: &[&[u8]]) -> Self {
        let mut hash = Sha256::new();
        for part in parts {
            hash.update((part.len() as u64).to_le_bytes());
            hash.update(part);
        }
        Self::from_sha256(hash)
    }

    /// The digest of everything that was fed to `hash`.
    pub fn from_sha256(hash: Sha256) -> Self {
        let mut short = [0; 16];
        short.copy_from_slice(&hash.finalize()[..16]);
        Self(short)
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Digest {
    type Err = &'static str;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let bytes = text.as_bytes();
        if bytes.len() != 32 {
            return Err("a digest has 32 hex digits");
        }
        let mut out = [0; 16];
        for (slot, pair) in out.iter_mut().zip(bytes.chunks_exact(2)) {
            let digit = |b: u8| (b as char).to_digit(16).ok_or("a digest has hex digits only");
            *slot = (digit(pair[0])? * 16 + digit(pair[1])?) as u8;
        }
        Ok(Self(out))
    }
}

/// Parses a borrowed text without copying it first: replay reads hundreds of thousands of these.
struct FromText<T>(PhantomData<T>);

impl<T> Visitor<'_> for FromText<T>
where
    T: FromStr,
    T::Err: fmt::Display,
{
    type Value = T;
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text")
    }
    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<T, E> {
        text.parse().map_err(|error| E::custom(format_args!("`{text}`: {error}")))
    }
}

/// Serialises through `Display` and parses through `FromStr`: the on-disk form is the form people read.
macro_rules! text_form {
    ($type:ty) => {
        impl Serialize for $type {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }
        impl<'de> Deserialize<'de> for $type {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                deserializer.deserialize_str(FromText(PhantomData))
            }
        }
    };
}

impl FromStr for ComponentId {
    type Err = NameError;
    fn from_str(text: &str) -> Result<Self, NameError> {
        Self::new(text)
    }
}

text_form!(ComponentId);
text_form!(Subject);
text_form!(Step);
text_form!(Digest);

impl From<ComponentId> for Subject {
    fn from(id: ComponentId) -> Self {
        Self::Component(id)
    }
}
