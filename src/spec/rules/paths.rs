//! Rules about files: write sets, context files, the work directory.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use super::super::cycles;
use super::super::manifest::{ComponentDef, Manifest};
use super::super::writeset::{self, PatternError, WriteSet, clean, fixed_directory};
use super::{Ground, some};
use crate::diagnostic::{Diagnostic, visible};

/// At most so many places where write sets meet are shown.
const MOST_OVERLAPS: usize = 20;

/// Runs the rules of this file.
pub(super) fn judge(ground: &Ground<'_>, dependencies: &[Vec<u32>], found: &mut Vec<Diagnostic>) {
    let there = work_dir(ground, found);
    let mut fence = there.then(|| Fence::new(ground.work_dir)).flatten();
    for (path, text) in paths_of(ground.manifest) {
        if let Some(diagnostic) = leads_out(text, ground, fence.as_mut()) {
            found.push(diagnostic.at(path.pointer()));
        }
    }
    for (index, component) in ground.manifest.components.iter().enumerate() {
        if component.write_patterns().next().is_none() {
            found.push(no_write_set(index, component));
        }
        found.extend(context_file(ground, index, component));
    }
    overlaps(ground.manifest, dependencies, found);
}

/// W106, W107: where the work is done. Answers whether the directory is there.
fn work_dir(ground: &Ground<'_>, found: &mut Vec<Diagnostic>) -> bool {
    let shown = ground.work_dir.display().to_string();
    if ground.work_dir.iter().any(|part| part == ".claude") {
        let message = format!("the work directory `{}` is under `.claude`", visible(&shown));
        let warning = Diagnostic::warning("W106", message).at("/work_dir");
        found.push(warning.help("agents are not allowed to write there; work somewhere else"));
    }
    let there = ground.work_dir.is_dir();
    if !there {
        let message = format!("the work directory `{}` does not exist", visible(&shown));
        found.push(Diagnostic::warning("W107", message).at("/work_dir").help("`cco run` needs it"));
    }
    there
}

/// Where a path stands in the manifest; the pointer is only built for those that are wrong.
enum At<'a> {
    Component(usize, &'a str, Option<usize>),
    Execution(&'a str, usize, &'a str),
    Check(usize, usize, &'a str),
    Command(&'a str, &'a str),
}

impl At<'_> {
    fn pointer(&self) -> String {
        match self {
            Self::Component(index, field, None) => format!("/components/{index}/{field}"),
            Self::Component(index, field, Some(element)) => format!("/components/{index}/{field}/{element}"),
            Self::Execution(field, element, rest) => format!("/execution/{field}/{element}{rest}"),
            Self::Check(index, check, field) => format!("/components/{index}/checks/{check}/{field}"),
            Self::Command(command, field) => format!("{command}/{field}"),
        }
    }
}

/// Every path of the manifest that counts from the work directory.
fn paths_of(manifest: &Manifest) -> impl Iterator<Item = (At<'_>, &str)> {
    let components = manifest.components.iter().enumerate().flat_map(|(index, component)| {
        let lists = [("files", &component.files), ("tests", &component.tests), ("protected", &component.protected)];
        let listed = lists.into_iter().flat_map(move |(field, list)| {
            list.iter().enumerate().map(move |(n, path)| (At::Component(index, field, Some(n)), path.as_str()))
        });
        let checks = component.checks.iter().enumerate().flat_map(move |(n, check)| {
            let dir = check.dir.as_deref().map(|path| (At::Check(index, n, "dir"), path));
            dir.into_iter().chain(check.junit.as_deref().map(|path| (At::Check(index, n, "junit"), path)))
        });
        component
            .file
            .as_deref()
            .map(|path| (At::Component(index, "file", None), path))
            .into_iter()
            .chain(listed)
            .chain(checks)
    });
    let execution = &manifest.execution;
    let lists = [("warm", &execution.warm), ("protected", &execution.protected)];
    let plain = lists.into_iter().flat_map(|(field, list)| {
        list.iter().enumerate().map(move |(n, path)| (At::Execution(field, n, ""), path.as_str()))
    });
    let copied =
        execution.copy.iter().enumerate().map(|(n, file)| (At::Execution("copy", n, "/path"), file.path.as_str()));
    let shared = execution.shared_files.iter().flatten().enumerate();
    let shared = shared.map(|(n, file)| (At::Execution("shared_files", n, "/path"), file.path.as_str()));
    let commands = super::commands::commands_of(manifest).flat_map(|(pointer, check)| {
        let dir = check.dir.as_deref().map(|path| (At::Command(pointer, "dir"), path));
        dir.into_iter().chain(check.junit.as_deref().map(|path| (At::Command(pointer, "junit"), path)))
    });
    components.chain(plain).chain(copied).chain(shared).chain(commands).filter(|(_, path)| !path.is_empty())
}

/// E017, E019: a path that is absolute, leads out of the work directory (through a symlink too), or is no glob.
fn leads_out(path: &str, ground: &Ground<'_>, fence: Option<&mut Fence>) -> Option<Diagnostic> {
    if path.contains(char::is_control) {
        return Some(Diagnostic::error("E017", format!("`{}` has control characters", visible(path))));
    }
    if let Err(why) = WriteSet::new([path]) {
        return Some(match why {
            PatternError::Syntax(..) => Diagnostic::error("E019", visible(&why.to_string())),
            PatternError::Absolute(_) | PatternError::Escapes(_) | PatternError::TooLong => {
                let diagnostic = Diagnostic::error("E017", visible(&why.to_string()));
                let inside = Path::new(path).strip_prefix(ground.work_dir).ok();
                diagnostic.help(match inside {
                    Some(inside) => format!("write `{}`", visible(&inside.display().to_string())),
                    None => "all files that are worked on lie in the work directory".to_owned(),
                })
            }
        });
    }
    let outside = fence?.outside(path)?;
    let message = format!(
        "`{}` leads out of the work directory through a symlink, to `{}`",
        visible(path),
        visible(&outside.display().to_string())
    );
    Some(Diagnostic::error("E017", message).help("all files that are worked on lie in the work directory"))
}

/// Knows which paths lead out of a directory by symlinks. Asks the file system once for each directory.
struct Fence {
    /// Without symlinks.
    root: PathBuf,
    directories: HashMap<String, Standing>,
}

/// What a path is.
#[derive(Clone)]
enum Standing {
    Missing,
    Inside,
    Outside(PathBuf),
}

impl Fence {
    fn new(root: &Path) -> Option<Self> {
        Some(Self { root: root.canonicalize().ok()?, directories: HashMap::new() })
    }

    /// Where `path` really is, if that is outside. Of a glob its fixed directory is looked at.
    fn outside(&mut self, path: &str) -> Option<PathBuf> {
        let path = clean(path).ok()?;
        let path = fixed_directory(&path).unwrap_or(&path);
        let directories = path.match_indices('/').map(|(end, _)| &path[..end]);
        for directory in directories {
            if !self.directories.contains_key(directory) {
                let ground = self.look(directory);
                self.directories.insert(directory.to_owned(), ground);
            }
            match self.directories.get(directory)? {
                Standing::Missing => return None,
                Standing::Inside => {}
                Standing::Outside(place) => return Some(place.clone()),
            }
        }
        match self.look(path) {
            Standing::Outside(place) => Some(place),
            Standing::Missing | Standing::Inside => None,
        }
    }

    fn look(&self, path: &str) -> Standing {
        let full = self.root.join(path);
        match full.symlink_metadata() {
            Err(_) => Standing::Missing,
            Ok(about) if !about.is_symlink() => Standing::Inside,
            // A link to nowhere still shows where a write would go.
            Ok(_) => {
                let target =
                    full.canonicalize().or_else(|_| full.read_link().map(|to| full.with_file_name("").join(to)));
                match target {
                    Ok(target) if !target.starts_with(&self.root) => Standing::Outside(target),
                    Ok(_) | Err(_) => Standing::Inside,
                }
            }
        }
    }
}

/// E016.
fn no_write_set(index: usize, component: &ComponentDef) -> Diagnostic {
    Diagnostic::error("E016", format!("`{}` has neither `file` nor `files`", component.id))
        .at(format!("/components/{index}"))
        .help("say which files it may change: `\"files\": [\"src/…\"]`")
}

/// E017, E018: a context file that was named is there, in the spec directory.
fn context_file(ground: &Ground<'_>, index: usize, component: &ComponentDef) -> Option<Diagnostic> {
    let named = component.context_file.as_deref()?;
    let at = format!("/components/{index}/context_file");
    let path = super::super::load::resolve_work_dir(ground.spec_dir, named, None);
    if !path.starts_with(super::super::load::resolve_work_dir(ground.spec_dir, "", None)) {
        let message = format!("the context file `{}` is outside of the spec directory", visible(named));
        return Some(Diagnostic::error("E017", message).at(at));
    }
    if path.is_file() {
        return None;
    }
    let diagnostic = Diagnostic::error("E018", format!("the context file `{}` does not exist", visible(named))).at(at);
    Some(diagnostic.help("it counts from the spec directory; write it, or remove the field"))
}

/// W101: components that may change the same files, though neither waits for the other.
fn overlaps(manifest: &Manifest, dependencies: &[Vec<u32>], found: &mut Vec<Diagnostic>) {
    let components = &manifest.components;
    // What is no pattern has its own error and is in nobody's set here.
    let sets: Vec<WriteSet> =
        components.iter().map(|c| WriteSet::new(c.write_patterns()).unwrap_or_default()).collect();
    let shared = manifest.shared_files();
    let shared = WriteSet::new(shared.iter().map(|file| file.path.as_str())).unwrap_or_default();
    let mut order = cycles::Order::new(dependencies);
    let meeting = writeset::overlaps(&sets).into_iter().filter(|overlap| !shared.matches(Path::new(&overlap.path)));
    let racing: Vec<_> = meeting.filter(|overlap| !order.is_chain(&overlap.sets)).collect();
    for overlap in racing.iter().take(MOST_OVERLAPS) {
        let names = some(overlap.sets.iter().map(|&set| components[set].id.as_str()));
        let last = overlap.sets.last().copied().unwrap_or_default();
        let field = if components[last].files.is_empty() { "file" } else { "files" };
        found.push(
            Diagnostic::warning("W101", format!("{names} may all change `{}`", visible(&overlap.path)))
                .at(format!("/components/{last}/{field}"))
                .help("let one depend on the other, or list the file in `execution.shared_files`"),
        );
    }
    if racing.len() > MOST_OVERLAPS {
        let more = racing.len() - MOST_OVERLAPS;
        found.push(Diagnostic::warning("W101", format!("write sets meet at {more} more places")).at_key("/components"));
    }
}
