//! Worktrees whose spec is gone.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use anyhow::Context as _;

use super::left::{Left, Of, Wish, judge_files};
use super::report::{Spec, Status};
use crate::cli::App;
use crate::cli::commands::look;
use crate::cli::error::CliError;
use crate::cli::opened::mark;
use crate::journal::SpecPaths;
use crate::process::orphans;
use crate::spec::catalog::Entry;
use crate::tree::{remove_beside, remove_if_empty, signed};

/// Looks through the worktrees of all specs for those of none of `entries`. A directory says itself whose it is: a spec
/// kept elsewhere, or in another store, is not gone.
pub(super) fn find(app: &App, entries: &[Entry], wish: Wish) -> Result<Vec<Spec>, CliError> {
    let state = app.environment.state_dir().context("there is no home directory").map_err(CliError::environment)?;
    let root = state.join("worktrees");
    let known: BTreeSet<PathBuf> = entries.iter().map(|entry| root.join(entry.reference())).collect();
    let mut found = Vec::new();
    for project in directories(&root) {
        for dir in directories(&project).into_iter().filter(|dir| !known.contains(dir)) {
            found.extend(one(app, &root, &dir, wish)?);
        }
    }
    Ok(found)
}

fn one(app: &App, root: &Path, dir: &Path, wish: Wish) -> Result<Option<Spec>, CliError> {
    let shown = dir.strip_prefix(root).unwrap_or(dir).display().to_string();
    let named = |status, spec| Spec::new(spec, status, dir.display().to_string());
    let signed = signed(dir);
    let Some(path) = signed.spec else {
        let mut spec = named(Status::Unknown, shown);
        judge_files(&mut spec, dir, "an older cco made it, which did not say for which spec", wish);
        return finish(spec, dir, wish).map(Some);
    };
    let paths = SpecPaths::new(&path);
    // It is kept elsewhere; or it is gone, and its run lives on.
    if paths.manifest().exists() || !orphans::find(&mark(&paths)).is_empty() {
        return Ok(None);
    }
    let reference = reference(&path).unwrap_or(shown);
    let mut spec = named(Status::Gone, reference.clone());
    let repository = match &signed.work_dir {
        Some(work_dir) => look::repository_of_gone(app, dir, work_dir, &reference).map_err(|it| it.error.to_string()),
        None => Err("it does not say which repository it belongs to".to_owned()),
    };
    let repository = match repository {
        Ok(repository) => repository,
        Err(why) => {
            judge_files(&mut spec, dir, &why, wish);
            return finish(spec, dir, wish).map(Some);
        }
    };
    let looked = Left::look(&repository, dir).and_then(|left| {
        left.judge(&mut spec, Of::Gone, wish)?;
        if wish.remove { left.remove(&mut spec) } else { Ok(()) }
    });
    // One that cannot be cleared keeps no other from being.
    if let Err(error) = looked {
        spec.why = Some(error.error.to_string());
    }
    Ok(Some(spec))
}

/// Removes the whole directory, where that is what goes.
fn finish(mut spec: Spec, dir: &Path, wish: Wish) -> Result<Spec, CliError> {
    for other in spec.others.iter_mut().filter(|other| wish.remove && other.fate.stays.is_none()) {
        remove_beside(dir).map_err(CliError::environment)?;
        other.fate.removed = true;
        remove_if_empty(dir);
    }
    Ok(spec)
}

/// `project/name-hash`, by the directory of the spec.
fn reference(path: &Path) -> Option<String> {
    let (name, project) = (path.file_name()?.to_str()?, path.parent()?.file_name()?.to_str()?);
    Some(format!("{project}/{name}"))
}

fn directories(dir: &Path) -> Vec<PathBuf> {
    let entries = fs_err::read_dir(dir).into_iter().flatten().flatten();
    let mut found: Vec<PathBuf> =
        entries.filter(|entry| entry.file_type().is_ok_and(|it| it.is_dir())).map(|entry| entry.path()).collect();
    found.sort();
    found
}
