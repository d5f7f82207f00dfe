//! What the agent is told.

use super::log::manifest_file;
use super::{Desk, Input};
use crate::agent::prompt::{DocumentPart, DraftPart};
use crate::agent::{PromptInput, Role};
use crate::formalize::ROUNDS;
use crate::formalize::next::Ask;
use crate::formalize::rules::handed_back;
use crate::formalize::state::State;
use crate::ids::Step;
use crate::lifecycle::subject::Why;

/// The longest that one document may be in a prompt, in bytes.
const DOCUMENT: usize = 48 * 1024;
/// What all of them may take, in bytes; the rest is named by path.
const DOCUMENTS: usize = 160 * 1024;
/// The longest that the manifest may be, in bytes.
const MANIFEST: usize = 16 * 1024;
/// What the diagnostics of a draft may take, in bytes.
const PROBLEMS: usize = 24 * 1024;

/// The template and its input for a call.
pub fn brief(desk: &Desk, state: &State, ask: &Ask) -> (Role, PromptInput) {
    let drafting = ask.attempt.step == Step::Draft;
    let draft = state.last_draft().filter(|_| drafting).map(|(attempt, draft)| DraftPart {
        path: manifest_file(&desk.paths, attempt).display().to_string(),
        problems: handed_back(draft, PROBLEMS),
        left: ROUNDS.saturating_sub(state.drafts().len()),
    });
    // In a further round the conversation may have been cut off before it was told what was found: it is told again.
    let role = match (ask.resumed, ask.why, &draft) {
        (true, _, Some(_)) => Role::Redraft,
        (true, Some(Why::NoAnswer), None) => Role::NoAnswer,
        (true, Some(Why::TimedOut), None) => Role::TimedOut,
        (true, _, None) => Role::Interrupted,
        (false, _, _) if drafting => Role::Formalize,
        (false, _, _) => Role::Readiness,
    };
    let reason = match (role, ask.why) {
        (Role::Redraft, Some(why)) => reason(why).to_owned(),
        _ => String::new(),
    };
    let (documents, mut read) = documents(&desk.input, &desk.paths.dir().display().to_string());
    read.push(desk.paths.dir().display().to_string());
    let input = PromptInput {
        project: desk.input.project().to_owned(),
        documents,
        manifest: capped(&desk.input.manifest, MANIFEST),
        read,
        draft,
        reason,
        ..PromptInput::default()
    };
    (role, input)
}

fn reason(why: Why) -> &'static str {
    match why {
        Why::Interrupted => "The step was cut off from outside, not by you.",
        Why::NoAnswer => {
            "The step ended without an answer that can be used; only a call of `StructuredOutput` is read."
        }
        Why::TimedOut => "The step was ended by a time limit. Go on in smaller pieces.",
        // Who drafts needs no files; the words are for the day that somebody does.
        Why::Granted => "The step asked for files.",
        Why::Trouble => "The server or the process failed in the middle of the step.",
    }
}

/// The documents as far as they fit, and the paths of those of which something is missing.
fn documents(input: &Input, dir: &str) -> (Vec<DocumentPart>, Vec<String>) {
    let (mut parts, mut read, mut room) = (Vec::new(), Vec::new(), DOCUMENTS);
    for (name, text) in &input.documents {
        let part = capped(text.trim(), DOCUMENT.min(room));
        room -= part.len().min(room);
        if part.len() < text.trim().len() {
            read.push(format!("{dir}/{name}"));
        }
        parts.push(DocumentPart { name: name.clone(), text: part });
    }
    (parts, read)
}

/// `text` in about `limit` bytes, with a sign where something is missing.
fn capped(text: &str, limit: usize) -> String {
    if text.len() <= limit { text.to_owned() } else { format!("{}…", &text[..text.floor_char_boundary(limit)]) }
}
