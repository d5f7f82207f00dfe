//! The directory that all components share, where there is no version control to ask: what steps changed is seen by
//! digests. Nothing is undone, since nobody can tell a step's changes from the user's, but what those did who may only
//! read; what files held before is kept in `state/objects`.

mod pruning;
mod reading;
mod standing;
mod writing;

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

pub use reading::{Reader, begin_checks, begin_reading, end_checks, unless_it_meddled};
pub use writing::{Began, begin, compare};

use super::job::Job;
use crate::ids::{AttemptId, Digest, Subject};
use crate::spec::manifest::ComponentDef;
use crate::spec::writeset::{WriteSet, fixed_directory};
use crate::tree::digests::{Look, Objects, Scope, Snapshot, Step};
use standing::Standing;

/// What cco knows of the directory.
#[derive(Debug)]
pub struct Common {
    dir: PathBuf,
    objects: Objects,
    look: Mutex<Look>,
    standing: Mutex<Standing>,
    /// Rounds of checks that were begun.
    checks: AtomicU64,
}

impl Common {
    /// The directory `dir`; what is remembered of it is below `objects`. `anew` says that nothing that an earlier run left
    /// there counts; of a run that died, `in_flight` were at work.
    pub fn new(dir: PathBuf, objects: PathBuf, anew: bool, in_flight: Vec<AttemptId>) -> Self {
        let writers = in_flight.into_iter().filter(|attempt| attempt.step.writes()).map(|attempt| attempt.on);
        let standing = Standing::new(objects.join("standing"), anew, writers.collect());
        Self {
            dir,
            objects: Objects::new(objects),
            look: Mutex::default(),
            standing: Mutex::new(standing),
            checks: AtomicU64::new(0),
        }
    }

    fn look(&self) -> MutexGuard<'_, Look> {
        self.look.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn standing(&self) -> MutexGuard<'_, Standing> {
        self.standing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// All files.
    fn whole(&self) -> io::Result<Snapshot> {
        self.look().snapshot(&self.dir, &Scope::whole(), now())
    }

    /// The name of the tree that a check runs on; none where it is too large to be told.
    pub fn tree(&self) -> Option<String> {
        self.whole().ok().map(|whole| Step::name(whole.id()))
    }

    /// The files that are a subject's own, of the run itself those of all.
    fn own(&self, job: &Job, on: &Subject) -> io::Result<Snapshot> {
        let mut paths = Vec::new();
        let mut globs: BTreeMap<String, Vec<WriteSet>> = BTreeMap::new();
        let definitions: &[ComponentDef] = match (job.definition_of(on), on) {
            (Some(definition), _) => std::slice::from_ref(definition),
            (None, Subject::Run) => &job.manifest.components,
            (None, Subject::Component(_)) => &[],
        };
        let mut add = |pattern: &str| {
            let Ok(set) = WriteSet::new([pattern]) else { return };
            let Some(text) = set.patterns().next().map(str::to_owned) else { return };
            match fixed_directory(&text) {
                _ if text.starts_with("..") => {}
                None => paths.push(PathBuf::from(text)),
                Some(fixed) => {
                    // A pattern always means the file of its own spelling, too.
                    paths.push(PathBuf::from(&text));
                    globs.entry(fixed.to_owned()).or_default().push(set);
                }
            }
        };
        definitions.iter().flat_map(ComponentDef::write_patterns).for_each(&mut add);
        definitions.iter().flat_map(|definition| &definition.tests).for_each(|pattern| add(pattern));
        job.granted_within(on).iter().for_each(|path| add(path));
        let tests = definitions.iter().any(|definition| !definition.tests.is_empty());
        // Tests are often given by globs that mean those of all.
        let alone = |path: &Path| match job.index_of(on) {
            Some(at) if tests => job.owners().owns_alone(at, path),
            Some(_) | None => true,
        };
        let meant: Vec<_> = globs
            .into_iter()
            .map(|(prefix, sets)| (PathBuf::from(prefix), move |path: &Path| sets.iter().any(|set| set.matches(path))))
            .collect();
        let globs = meant.iter().map(|(prefix, meant)| (prefix.clone(), meant as &dyn Fn(&Path) -> bool)).collect();
        let mut own = self.look().snapshot(&self.dir, &Scope { paths, globs }, now())?;
        own.0.retain(|path, _| alone(path));
        Ok(own)
    }

    /// Files that were changed from `since` on, as far as their times tell.
    fn touched(&self, since: SystemTime) -> io::Result<Vec<PathBuf>> {
        use std::os::unix::fs::MetadataExt as _;
        let since = since.duration_since(SystemTime::UNIX_EPOCH).map_err(io::Error::other)?;
        let seconds = i64::try_from(since.as_secs()).map_err(io::Error::other)?;
        let files = self.whole()?.0.into_keys();
        let touched = files.filter(|path| {
            let about = fs_err::symlink_metadata(self.dir.join(path));
            about.is_ok_and(|about| (about.ctime(), about.ctime_nsec()) >= (seconds, i64::from(since.subsec_nanos())))
        });
        Ok(touched.collect())
    }

    /// What the files of a subject were when work on it began: they are that now if `begins`.
    fn base(&self, on: &Subject, begins: Option<&Snapshot>) -> io::Result<Snapshot> {
        let note = self.objects.beside(&format!("{}{on}", pruning::BASE));
        match begins {
            Some(own) if own.0.is_empty() => {
                remove(&note)?;
                Ok(Snapshot::default())
            }
            Some(own) => {
                let digest = self.objects.put_snapshot(&self.dir, own)?;
                crate::fsx::write_atomic(&note, digest.to_string().as_bytes())?;
                Ok(own.clone())
            }
            None => match fs_err::read_to_string(&note) {
                Ok(text) => self.objects.snapshot(&text.trim().parse::<Digest>().map_err(io::Error::other)?),
                Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Snapshot::default()),
                Err(error) => Err(error),
            },
        }
    }

    fn checks_begun(&self) -> u64 {
        self.checks.load(Ordering::SeqCst)
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "the shell: how old a file's times are, decides whether these can be trusted"
)]
fn now() -> SystemTime {
    SystemTime::now()
}

fn remove(path: &Path) -> io::Result<()> {
    match fs_err::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        Ok(()) | Err(_) => Ok(()),
    }
}
