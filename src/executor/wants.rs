//! Files that an agent asks for beside its write set: what the manifest, the repository and the disk say against each.

use std::borrow::Cow;
use std::path::{Component, Path, PathBuf};

use super::job::Job;
use super::owners::Breach;
use crate::ids::{AttemptId, Subject};
use crate::lifecycle::granting::Want;
use crate::spec::writeset;
use crate::tamper;
use crate::text::{elide_end, plural, printable};

/// So many files are looked at and told of one by one; an agent that asks for more has not seen what the work is.
const ASKED: usize = 40;
/// Columns of a path in what a person is asked.
const WIDTH: usize = 200;

/// What is asked for, each file with what speaks against it. The files are looked for where the attempt worked.
pub fn wants(job: &Job, attempt: &AttemptId, asked: &[String]) -> Vec<Want> {
    let dir = place(job, &attempt.on);
    let want = |text: &String| match path_of(text, &dir) {
        Ok(path) => {
            let refused = against(job, &attempt.on, &dir, Path::new(&path));
            Want { path, refused }
        }
        Err(why) => Want { path: elide_end(&printable(text), WIDTH).into_owned(), refused: Some(why) },
    };
    let asked: Vec<&String> = asked.iter().filter(|text| !text.trim().is_empty()).collect();
    let (told, left) = asked.split_at(ASKED.min(asked.len()));
    let left = (!left.is_empty()).then(|| Want {
        path: plural(left.len(), "more file"),
        refused: Some(format!("more than {ASKED} files are not looked at")),
    });
    told.iter().copied().map(want).chain(left).collect()
}

/// The work directory in which a subject's agents see it.
fn place(job: &Job, on: &Subject) -> PathBuf {
    let worktree = job.tree.repository().and_then(|repository| repository.worktree(on).ok().flatten());
    worktree.map_or_else(|| job.work_dir.clone(), |worktree| worktree.dir().to_owned())
}

/// The file relative to the work directory; agents like to name whole paths of their own place.
fn path_of(text: &str, dir: &Path) -> Result<String, String> {
    let text = text.trim();
    if matches!(printable(text), Cow::Owned(_)) {
        return Err("its name has characters that do not show".to_owned());
    }
    let own = Path::new(text).strip_prefix(dir).ok().and_then(Path::to_str);
    let path = writeset::clean(own.unwrap_or(text)).map_err(|_| "it lies outside of the work directory".to_owned())?;
    // A file may be called `[id].ts`; one that is not there was not meant by that.
    let glob = path.contains(['*', '?', '[', '{']) && is_absent(&dir.join(&path));
    match path.as_str() {
        "" => Err("that is the whole work directory".to_owned()),
        _ if glob || text.ends_with('/') || dir.join(&path).is_dir() => Err("only single files are given".to_owned()),
        _ => Ok(path),
    }
}

fn is_absent(path: &Path) -> bool {
    fs_err::symlink_metadata(path).is_err()
}

/// Why a file may not be given; none where it is nobody's and decides nothing.
fn against(job: &Job, on: &Subject, dir: &Path, path: &Path) -> Option<String> {
    let is_git = |part: Component<'_>| part.as_os_str().eq_ignore_ascii_case(".git");
    if path.components().any(is_git) {
        return Some("nobody may change what is git's".to_owned());
    }
    if let Ok(spec) = job.paths.dir().strip_prefix(&job.work_dir)
        && path.starts_with(spec)
    {
        return Some("only cco writes in the directory of the spec".to_owned());
    }
    if leads_out(dir, path) {
        return Some("it leads out of the work directory by a link".to_owned());
    }
    if is_broken(dir, path) {
        return Some("it is, or lies behind, a link that leads nowhere".to_owned());
    }
    if job.scripts.iter().any(|script| path.as_os_str().eq_ignore_ascii_case(script)) {
        return Some("a check names it".to_owned());
    }
    if path.to_str().is_some_and(tamper::is_settings) {
        return Some("it says how checks work".to_owned());
    }
    if is_obeyed(path) {
        return Some("agents or tools do what it says".to_owned());
    }
    match breach(job, on, path)? {
        Breach::NotOwn => None,
        Breach::Outside => Some("it lies outside of the work directory".to_owned()),
        Breach::Others(id) => Some(format!("it belongs to `{id}`")),
        Breach::Protected => Some("it is protected".to_owned()),
    }
}

fn breach(job: &Job, on: &Subject, path: &Path) -> Option<Breach> {
    match job.index_of(on) {
        Some(at) => job.owners().breach(at, path),
        None => job.owners().breach_of_run(path),
    }
}

/// Whether the nearest directory above a file that there is, is somewhere else.
fn leads_out(dir: &Path, path: &Path) -> bool {
    let Ok(root) = fs_err::canonicalize(dir) else { return false };
    let there = dir.join(path).ancestors().find_map(|above| fs_err::canonicalize(above).ok());
    there.is_some_and(|there| !there.starts_with(root))
}

/// Whether a link on the way to a file, or the file itself, cannot be followed: nobody can say where writing would end.
fn is_broken(dir: &Path, path: &Path) -> bool {
    let mut links = path.ancestors().filter(|above| !above.as_os_str().is_empty()).map(|above| dir.join(above));
    links.any(|it| {
        fs_err::symlink_metadata(&it).is_ok_and(|about| about.is_symlink()) && fs_err::canonicalize(&it).is_err()
    })
}

/// Whether agents, shells or tools do what a file says although nobody names it to them.
fn is_obeyed(path: &Path) -> bool {
    const NAMES: [&str; 8] =
        [".cco.toml", "CLAUDE.md", "AGENTS.md", ".npmrc", ".envrc", "conftest.py", "sitecustomize.py", "build.rs"];
    path.components().any(|part| part.as_os_str().eq_ignore_ascii_case(".claude"))
        || path.file_name().is_some_and(|name| NAMES.iter().any(|known| name.eq_ignore_ascii_case(known)))
}
