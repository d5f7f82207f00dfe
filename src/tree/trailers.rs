//! What the commits of cco tell of themselves, in the last paragraph of their messages: enough to find work again when
//! its records are lost. Pure: text in, facts out.
//!
//! Who lands work signs in the user's name, so that nothing of a commit but its trailers says that it is cco's. The last
//! of them is therefore a seal over the others and over what the commit holds and follows: words that somebody wrote by
//! hand, or took along into another commit (an amended one, one picked elsewhere, a squash), are told from cco's own.
//! Like the checksums of the journal it is made against accidents, not against who computes it anew.

use super::commit::{TRAILER, landing_message};
use crate::ids::{AttemptId, ComponentId, Digest, Subject};

/// The spec, as `project/name-hash`.
const SPEC: &str = "Cco-Spec";
/// Whose work it is.
const COMPONENT: &str = "Cco-Component";
/// The commit that the integration branch began at.
const BASE: &str = "Cco-Base";
/// The commit of the component's own history whose tree landed.
const TIP: &str = "Cco-Tip";
/// The digest of what the work was made from.
pub(super) const INPUT: &str = "Cco-Input";
/// Who did the work, where that was not claude.
const AGENT: &str = "Cco-Agent";
/// The agent that says what a scenario tells it to.
const SIMULATED: &str = "simulated";
/// The commit of the branch that the work contradicted, until an agent resolved it.
const RESOLVED: &str = "Cco-Resolved";
/// Whose work on the branch that was.
const WITH: &str = "Cco-Conflict-With";
/// A file in which it did.
const FILE: &str = "Cco-Conflict-File";
const SEAL: &str = "Cco-Seal";

/// A conflict with the branch that an agent resolved.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Resolved {
    /// The commit of the branch.
    pub commit: String,
    /// The components that had changed these files there; somebody without a name may have too.
    pub with: Vec<ComponentId>,
    /// The files, relative to the work directory.
    pub files: Vec<String>,
}

/// A commit on the integration branch, as it is about to be made.
#[derive(Debug, Clone, Copy)]
pub struct Landing<'a> {
    /// The spec, as `project/name-hash`.
    pub spec: &'a str,
    /// The attempt that brings it there.
    pub attempt: &'a AttemptId,
    /// What its last writer said.
    pub summary: &'a str,
    /// The commit that the branch began at.
    pub base: &'a str,
    /// The commit that it follows.
    pub onto: &'a str,
    /// The commit whose tree it has.
    pub tip: &'a str,
    /// That tree.
    pub tree: &'a str,
    /// The digest of what the work was made from; none of the run itself.
    pub input: Option<Digest>,
    /// Whether the agent was simulated.
    pub simulated: bool,
    /// The conflicts that were resolved on its way.
    pub resolved: &'a [Resolved],
}

impl Landing<'_> {
    /// Its message.
    pub fn message(&self) -> String {
        let mut message = landing_message(self.spec, self.attempt, self.summary);
        let mut line = |name: &str, value: &str| message.push_str(&format!("{name}: {value}\n"));
        line(BASE, self.base);
        line(TIP, self.tip);
        if let Some(input) = self.input {
            line(INPUT, &input.to_string());
        }
        if self.simulated {
            line(AGENT, SIMULATED);
        }
        for resolved in self.resolved {
            line(RESOLVED, &resolved.commit);
            resolved.with.iter().for_each(|id| line(WITH, id.as_str()));
            resolved.files.iter().for_each(|file| line(FILE, &quoted(file)));
        }
        let seal = seal(last_paragraph(&message), self.onto, self.tree);
        message.push_str(&format!("{SEAL}: {seal}\n"));
        message
    }
}

/// What a landing tells that is as cco made it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LandingTold {
    /// The attempt that brought it there.
    pub attempt: AttemptId,
    /// The commit that the branch began at.
    pub base: String,
    /// The commit whose tree it has.
    pub tip: String,
    /// The digest of what the work was made from; none of the run itself.
    pub input: Option<Digest>,
    /// Whether the agent was simulated.
    pub simulated: bool,
    /// The conflicts that were resolved on its way.
    pub resolved: Vec<Resolved>,
}

/// Why a commit that claims to be a landing of this spec is not believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NoLanding {
    /// It has no seal.
    #[error("its trailers have no seal: somebody wrote them by hand, or an older cco did")]
    Unsealed,
    /// The seal is of other words or of another commit.
    #[error("its trailers are not those of this commit: it was changed, or they were taken from another one")]
    Broken,
    /// What it says has no meaning.
    #[error("its trailers cannot be read")]
    Unclear,
}

/// Reads the landing that a commit with this message, tree and parents is; none where it does not claim to be one of
/// `spec`.
///
/// # Errors
/// Why it is not believed.
pub fn landing_told(
    spec: &str,
    message: &str,
    tree: &str,
    parents: &[String],
) -> Result<Option<LandingTold>, NoLanding> {
    let paragraph = last_paragraph(message);
    let one = |name| values(paragraph, name).next();
    let (Some(on), Some(attempt)) = (one(COMPONENT), one(TRAILER)) else { return Ok(None) };
    if one(SPEC) != Some(spec) {
        return Ok(None);
    }
    let (body, last) = paragraph.trim_end().rsplit_once('\n').ok_or(NoLanding::Unsealed)?;
    let sealed = value(last, SEAL).ok_or(NoLanding::Unsealed)?;
    let [onto] = parents else { return Err(NoLanding::Broken) };
    if sealed != seal(body, onto, tree).to_string() {
        return Err(NoLanding::Broken);
    }
    let attempt: AttemptId = parse_attempt(attempt).ok_or(NoLanding::Unclear)?;
    if attempt.on.to_string() != on {
        return Err(NoLanding::Unclear);
    }
    let input = one(INPUT).map(|text| text.parse().map_err(|_| NoLanding::Unclear)).transpose()?;
    let (Some(base), Some(tip)) = (one(BASE), one(TIP)) else { return Err(NoLanding::Unclear) };
    let resolved = resolved(body).ok_or(NoLanding::Unclear)?;
    let simulated = one(AGENT) == Some(SIMULATED);
    Ok(Some(LandingTold { attempt, base: base.to_owned(), tip: tip.to_owned(), input, simulated, resolved }))
}

/// What a commit of a component's own history tells.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct StepTold {
    /// The spec.
    pub spec: Option<String>,
    /// Whose it is.
    pub on: Option<Subject>,
    /// The step whose work it is; none of merges and of what the user changed.
    pub attempt: Option<AttemptId>,
    /// The digest of what it was made from.
    pub input: Option<Digest>,
    /// Whether it is a merge in whose files the marks of a conflict stand.
    pub conflicts: bool,
}

/// Reads what a commit of a component's own history tells; what it does not tell is none.
pub fn step_told(message: &str) -> StepTold {
    let paragraph = last_paragraph(message);
    let one = |name| values(paragraph, name).next();
    let attempt = one(TRAILER).and_then(parse_attempt);
    let named = one(COMPONENT).and_then(|text| text.parse().ok());
    StepTold {
        spec: one(SPEC).map(str::to_owned),
        on: named.or_else(|| Some(attempt.as_ref()?.on.clone())),
        input: one(INPUT).and_then(|text| text.parse().ok()),
        attempt,
        conflicts: one(super::merge::CONFLICTS).is_some(),
    }
}

/// `auth.implement-1`; the name of a component and that of a check can hold dots and dashes.
fn parse_attempt(text: &str) -> Option<AttemptId> {
    let (rest, n) = text.rsplit_once('-')?;
    let (on, step) = rest.rsplit_once('.')?;
    Some(AttemptId { on: on.parse().ok()?, step: step.parse().ok()?, n: n.parse().ok()? })
}

fn resolved(body: &str) -> Option<Vec<Resolved>> {
    let mut all: Vec<Resolved> = Vec::new();
    for line in body.lines() {
        if let Some(commit) = value(line, RESOLVED) {
            all.push(Resolved { commit: commit.to_owned(), ..Resolved::default() });
        } else if let Some(id) = value(line, WITH) {
            all.last_mut()?.with.push(ComponentId::new(id).ok()?);
        } else if let Some(file) = value(line, FILE) {
            all.last_mut()?.files.push(unquoted(file)?);
        }
    }
    Some(all)
}

fn seal(paragraph: &str, onto: &str, tree: &str) -> Digest {
    Digest::of_parts(&[b"cco landing 1", paragraph.as_bytes(), onto.as_bytes(), tree.as_bytes()])
}

/// A path in a line of its own: in quotes where it would not be read back as it is.
fn quoted(path: &str) -> String {
    let plain =
        !path.is_empty() && !path.starts_with('"') && path.trim() == path && !path.chars().any(char::is_control);
    if plain { path.to_owned() } else { serde_json::Value::from(path).to_string() }
}

fn unquoted(text: &str) -> Option<String> {
    if text.starts_with('"') { serde_json::from_str(text).ok() } else { Some(text.to_owned()) }
}

/// Only the last paragraph: what is above can be somebody else's words.
fn last_paragraph(message: &str) -> &str {
    let message = message.trim_end_matches(['\n', '\r', ' ']);
    message.rfind("\n\n").map_or("", |at| &message[at + 2..])
}

fn values<'m>(paragraph: &'m str, name: &'static str) -> impl Iterator<Item = &'m str> {
    paragraph.lines().filter_map(move |line| value(line, name))
}

fn value<'m>(line: &'m str, name: &str) -> Option<&'m str> {
    line.strip_prefix(name)?.strip_prefix(": ")
}
