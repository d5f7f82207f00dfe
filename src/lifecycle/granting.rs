//! Files that an agent asks for beside its write set: given where they are nobody's, else a person is asked.

use super::event::{Cause, Event};
use super::settle::Settlement;
use super::state::{Illegal, RunState};
use super::subject::{Phase, Why};
use crate::ids::Subject;
use crate::plan::graph::Index;

/// How often one step is given files: who asks for more and more has not seen what the work is.
const GRANTS: u8 = 3;
/// So many files are given at once: whoever needs more needs another component.
const FILES: usize = 20;

/// A file that an agent asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Want {
    /// The file, relative to the work directory; as the agent wrote it where it cannot be given.
    pub path: String,
    /// Why the manifest does not let it be given; none where nothing speaks against it.
    pub refused: Option<String>,
}

impl Settlement<'_> {
    /// Gives a subject the files that nothing speaks against, and lets its step go on; asks a person about all others.
    pub(super) fn grant_or_ask(&mut self, at: Index, wants: Vec<Want>) -> Result<(), Illegal> {
        let rounds = match &self.state.component_or_run(at).phase {
            Phase::Working(work) => work.grants,
            _ => GRANTS,
        };
        let mut given: Vec<String> = Vec::new();
        let mut refused = Vec::new();
        for Want { path, refused: why } in wants {
            let why = why.or_else(|| self.state.not_free(at, &path)).or_else(|| {
                let new = !given.contains(&path);
                let often = (rounds >= GRANTS).then(|| format!("this step was given files {GRANTS} times already"));
                let many =
                    (new && given.len() >= FILES).then(|| format!("more than {FILES} files are not given at once"));
                often.or(many)
            });
            match why {
                Some(why) => refused.push(format!("`{path}` ({why})")),
                None if given.contains(&path) => {}
                None => given.push(path),
            }
        }
        let told = given.iter().map(|path| format!("`{path}`")).collect::<Vec<_>>().join(", ");
        if !given.is_empty() {
            let on = self.state.name(at);
            self.emit(Event::FilesGranted { on, files: given })?;
            if refused.is_empty() {
                return Ok(());
            }
        }
        let mut question = match refused.is_empty() {
            true => {
                "the agent says that it needs files that are not its own, and names none; see its summary".to_owned()
            }
            false => format!("the agent needs files that it cannot simply be given: {}", refused.join(", ")),
        };
        if !told.is_empty() {
            question.push_str(&format!("; it was given {told}"));
        }
        question.push_str(
            "\nName them in `files` or `shared_files` of the manifest for the next run, or answer `retry` and say how to do \
             without",
        );
        self.escalate(at, Cause::NeedsFiles, question)
    }
}

impl RunState {
    /// Why a file cannot be given to a subject by what was given before.
    fn not_free(&self, at: Index, path: &str) -> Option<String> {
        let of = *self.granted.get(path)?;
        Some(if of == at { "it has that one already".to_owned() } else { format!("it was given to {}", self.name(of)) })
    }

    /// From here on the files are the subject's own, and its step goes on in the conversation that asked for them.
    ///
    /// Who had one of them before had left the manifest when it was given again, whether it is back by now or not.
    pub(super) fn take_grant(&mut self, event: &Event, on: &Subject, files: &[String]) -> Result<(), Illegal> {
        let index = self.index(event, on)?;
        let Phase::Working(work) = &mut self.at_mut(index).phase else {
            return Err(Self::illegal(event, "no agent step is under way"));
        };
        work.grants = work.grants.saturating_add(1);
        if let Some((_, why)) = &mut work.resume {
            *why = Why::Granted;
        }
        self.granted.extend(files.iter().map(|path| (path.as_str().into(), index)));
        Ok(())
    }
}
