//! Whose files a step that starts again gets back as the last commit has them: its own, and nothing of others.

use super::job::Job;
use crate::ids::{AttemptId, Subject};
use crate::spec::manifest::ComponentDef;
use crate::spec::writeset::{PatternError, WriteSet};

/// Puts back what a try that cannot be gone on with left half written; gives the note that says so, if there was
/// anything. `others` are writing, or may have left something half written themselves.
pub fn put_back(job: &Job, attempt: &AttemptId, others: &[Subject]) -> Option<String> {
    let put_back = match Ownership::new(job, &attempt.on, others) {
        Ok(own) => job.tree.put_back(&job.plan.spec, attempt, |path| own.has(path)).map_err(|error| error.to_string()),
        Err(error) => Err(error.to_string()),
    };
    match put_back {
        Ok(None) => None,
        Ok(Some(done)) => Some(format!(
            "{} that this try left half written: put back to the last commit, and kept as `{}`",
            crate::text::plural(done.files, "file"),
            done.kept
        )),
        Err(error) => Some(format!("what this try left is still in the tree, since it cannot be put back: {error}")),
    }
}

/// What a component may write that nobody else does.
pub struct Ownership {
    files: WriteSet,
    tests: WriteSet,
    /// What those own who are writing.
    taken: WriteSet,
    /// What any other component owns: tests are often given by globs that mean those of all.
    foreign: WriteSet,
}

impl Ownership {
    /// What `on` owns while `others` write.
    ///
    /// # Errors
    /// A pattern of the manifest is none.
    pub fn new(job: &Job, on: &Subject, others: &[Subject]) -> Result<Self, PatternError> {
        let (own, rest): (Vec<&ComponentDef>, Vec<&ComponentDef>) = match on {
            Subject::Component(id) => job.manifest.components.iter().partition(|component| component.id == *id),
            // What mends the whole may write what all may.
            Subject::Run => (job.manifest.components.iter().collect(), Vec::new()),
        };
        let taken: Vec<&ComponentDef> =
            others.iter().filter(|other| *other != on).filter_map(|other| job.definition_of(other)).collect();
        Ok(Self {
            files: WriteSet::new(files(&own))?,
            tests: WriteSet::new(tests(&own))?,
            taken: WriteSet::new(files(&taken).chain(tests(&taken)))?,
            foreign: WriteSet::new(files(&rest).chain(tests(&rest)))?,
        })
    }

    /// Whether a path, counted from the work directory, is its own.
    pub fn has(&self, path: &str) -> bool {
        // The agent writes a file under a name of its own beside it, and renames it then.
        let path = path.split_once(".tmp.").map_or(path, |(file, _)| file).as_ref();
        !self.taken.matches(path)
            && (self.files.matches(path) || (self.tests.matches(path) && !self.foreign.matches(path)))
    }
}

fn files<'a>(of: &'a [&'a ComponentDef]) -> impl Iterator<Item = &'a str> {
    of.iter().flat_map(|component| component.write_patterns())
}

fn tests<'a>(of: &'a [&'a ComponentDef]) -> impl Iterator<Item = &'a str> {
    of.iter().flat_map(|component| &component.tests).map(String::as_str)
}
