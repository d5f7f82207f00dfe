//! What git and the disk show of what the records name.

use std::io::Read as _;
use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};

use crate::cli::App;
use crate::cli::commands::run::work_environment;
use crate::cli::error::CliError;
use crate::cli::opened::Opened;
use crate::executor::{Owners, product_in};
use crate::ids::{Digest, Subject};
use crate::plan::graph::Index;
use crate::process::RUN_MARK;
use crate::proof::{Branch, Carry, Facts, Known, Ledger, Log, Passage, Touched, Wanted};
use crate::spec::manifest::ComponentDef;
use crate::tree::{Commitment, Git, History, TreeError};

/// How much of an output is read at a time, in bytes.
const CHUNK: usize = 64 * 1024;

/// Git for a proof. Its calls carry a mark of their own: a run that begins meanwhile ends what earlier runs left.
pub fn git(app: &App, opened: &Opened) -> Git {
    let mark = format!("verify-{}", opened.mark());
    Git::new(work_environment(app, opened).check, (RUN_MARK.into(), mark.into()))
}

/// Adds what git and the disk show.
///
/// # Errors
/// Git is missing, or cannot read the repository.
pub fn look(app: &App, opened: &Opened, ledger: &Ledger, facts: &mut Facts) -> Result<(), CliError> {
    let wanted = ledger.wanted();
    for attempt in &wanted.logs {
        let log = digest(&opened.paths.log(attempt)).map_err(CliError::environment)?;
        facts.logs.insert(attempt.clone(), log.map_or(Log::Gone, Log::Is));
    }
    let manifest = &opened.spec.manifest;
    match ledger.run().map(|run| run.tree.branch()) {
        Some(Some((branch, base))) => {
            let history = History::open(&git(app, opened), &opened.spec.work_dir).map_err(CliError::environment)?;
            let mut seen = Branch { name: branch.to_owned(), ..Branch::default() };
            if let Some(history) = history {
                let owners = owners(opened, ledger);
                let read = Looking { history, opened, base, owners }.at(&mut seen, &wanted, ledger.head());
                read.map_err(CliError::environment)?;
            }
            facts.branch = Some(seen);
        }
        Some(None) => {
            let owners = owners(opened, ledger);
            let of = |(at, one): (Index, &ComponentDef)| {
                (one.id.clone(), product_in(&opened.spec.work_dir, one, &owners.granted_to(at)))
            };
            facts.products = (0..).zip(&manifest.components).map(of).collect();
        }
        None => {}
    }
    Ok(())
}

/// Whose the files are, those included that were given to somebody.
fn owners(opened: &Opened, ledger: &Ledger) -> Owners {
    let owners = Owners::new(&opened.spec.manifest);
    let run = opened.plan.components.len() as Index;
    owners.grant(ledger.granted().filter_map(|(path, on)| match on {
        Subject::Component(id) => Some((path, opened.plan.index(id)?)),
        Subject::Run => Some((path, run)),
    }));
    owners
}

/// The digest of a whole file, as the checks' outputs have theirs; none where there is no such file.
fn digest(path: &Path) -> std::io::Result<Option<Digest>> {
    let mut file = match fs_err::File::open(path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        file => file?,
    };
    let (mut hash, mut chunk) = (Sha256::new(), vec![0; CHUNK]);
    loop {
        match file.read(&mut chunk)? {
            0 => return Ok(Some(Digest::from_sha256(hash))),
            n => hash.update(&chunk[..n]),
        }
    }
}

/// A repository that is looked into.
struct Looking<'a> {
    history: History,
    opened: &'a Opened,
    base: &'a str,
    owners: Owners,
}

impl Looking<'_> {
    fn at(&self, seen: &mut Branch, wanted: &Wanted, head: Option<&str>) -> Result<(), TreeError> {
        let history = &self.history;
        seen.tip = history.tip(&seen.name)?;
        let base = history.commit(self.base)?;
        if let (Some(tip), true) = (&seen.tip, base.is_some()) {
            let commits = history.since(self.base, tip)?;
            seen.on_branch = commits.keys().cloned().collect();
            seen.commits = commits.into_iter().map(|(id, commit)| (id, known(commit))).collect();
        }
        seen.commits.extend(base.map(|base| (self.base.to_owned(), known(base))));
        for id in wanted.commits.iter().chain(&seen.tip) {
            if !seen.commits.contains_key(id)
                && let Some(commit) = history.commit(id)?
            {
                seen.commits.insert(id.clone(), known(commit));
            }
        }
        for passage in &wanted.passages {
            seen.carried.insert(passage.clone(), self.carry(passage)?);
        }
        if let (Some(tip), Some(head)) = (&seen.tip, head.filter(|head| Some(*head) != seen.tip.as_deref())) {
            seen.touched = self.touched(head, tip)?;
        }
        Ok(())
    }

    /// Whether what was checked is what landed, by patch ids.
    fn carry(&self, passage: &Passage) -> Result<Carry, TreeError> {
        let Some(landed) = self.history.patch_id(&passage.from, &passage.to, &[])? else {
            return Ok(Carry::Unknown("git cannot compare its commits".to_owned()));
        };
        if landed == passage.patch {
            return Ok(Carry::Same);
        }
        let made_anew = self.made_anew();
        if made_anew.is_empty() {
            return Ok(Carry::Other);
        }
        // What a command makes anew at a merge is another text, and nobody's work.
        let checked = self.history.patch_id(&passage.base, &passage.tree, &made_anew)?;
        let landed = self.history.patch_id(&passage.from, &passage.to, &made_anew)?;
        if checked.is_none() || checked != landed {
            return Ok(Carry::Other);
        }
        Ok(Carry::SameBut(made_anew.iter().map(|path| path.display().to_string()).collect()))
    }

    fn made_anew(&self) -> Vec<PathBuf> {
        let shared = self.opened.spec.manifest.shared_files();
        shared.iter().filter(|file| file.regenerate.is_some()).map(|file| PathBuf::from(&file.path)).collect()
    }

    /// The files that somebody changed on the branch, and whose they are.
    fn touched(&self, head: &str, tip: &str) -> Result<Vec<Touched>, TreeError> {
        let manifest = &self.opened.spec.manifest;
        let paths = self.history.differing(head, tip)?.unwrap_or_default();
        let touched = |path: PathBuf| {
            let of = manifest.components.iter().enumerate().filter(|(at, _)| self.owners.owns(*at as Index, &path));
            let owners = of.map(|(_, component)| component.id.clone()).collect();
            Touched { path: path.to_string_lossy().into_owned(), owners }
        };
        Ok(paths.into_iter().map(touched).collect())
    }
}

fn known(commit: Commitment) -> Known {
    Known { tree: commit.tree, parents: commit.parents }
}
