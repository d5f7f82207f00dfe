//! The semantic rules: what no schema can say. One function a rule, each with a stable code.
//!
//! | code | what |
//! | --- | --- |
//! | E001–E007 | reading, limits, JSON, duplicates, types, missing and unknown fields (not rules: `load`, `schema`) |
//! | E010, E011 | a name, an id that cannot be carried by files and branches |
//! | E012–E015 | unknown dependency, duplicate id, self dependency, cycle |
//! | E016–E019 | no write set, a path that leads out, a missing context file, a bad glob |
//! | E020–E024 | unknown gate, gate without options, a check name twice, an empty command, a number out of range |
//! | W101–W110 | overlap, few reviewers, tests without command, unchecked component, implied dependency, `.claude`, no work directory, quality without command, unknown field, id read as another |
//! | N201–N203 | the old default, a name that paths spell differently, rules not checked |

mod commands;
mod gates;
mod graph;
mod paths;

use std::path::Path;

use super::load::MAX_COMPONENTS;
use super::manifest::{Manifest, safe_name};
use crate::diagnostic::{Diagnostic, visible};
use crate::ids::check_name;

/// What the rules look at.
pub struct Ground<'a> {
    /// The manifest.
    pub manifest: &'a Manifest,
    /// The spec directory.
    pub spec_dir: &'a Path,
    /// The directory that is worked on.
    pub work_dir: &'a Path,
}

impl Ground<'_> {
    /// Whether the manifest was written for this program, not for the one before it.
    fn strict(&self) -> bool {
        self.manifest.schema.is_some()
    }
}

/// Runs all rules. Answers with the problems, and the dependencies of each component as indices.
pub fn judge(ground: &Ground<'_>) -> (Vec<Diagnostic>, Vec<Vec<u32>>) {
    let count = ground.manifest.components.len();
    if count > MAX_COMPONENTS {
        let message = format!("there are {count} components; the limit is {MAX_COMPONENTS}");
        return (vec![Diagnostic::error("E002", message).at_key("/components")], Vec::new());
    }
    let mut found = Vec::new();
    names(ground, &mut found);
    parallel(ground, &mut found);
    let dependencies = graph::judge(ground, &mut found);
    paths::judge(ground, &dependencies, &mut found);
    gates::judge(ground, &mut found);
    commands::judge(ground, &mut found);
    (found, dependencies)
}

/// E006, E010, N202: the names that the spec's directories are made of.
fn names(ground: &Ground<'_>, found: &mut Vec<Diagnostic>) {
    for (key, name) in [("name", &ground.manifest.name), ("project", &ground.manifest.project)] {
        let path = format!("/{key}");
        let Err(why) = check_name(name) else { continue };
        let safe = safe_name(name);
        if name.is_empty() {
            found.push(super::schema::missing_field("", key));
        } else if ground.strict() || name.contains(char::is_control) {
            let message = format!("the {key} `{}` {why}", visible(name));
            found.push(Diagnostic::error("E010", message).at(path).help(format!("for example `{safe}`")));
        } else {
            let message = format!("the {key} `{}` is `{safe}` in paths", visible(name));
            found.push(Diagnostic::note("N202", message).at(path));
        }
    }
    if ground.manifest.work_dir.is_empty() {
        found.push(super::schema::missing_field("", "work_dir"));
    }
}

/// Whether `parallel_components: false` is only what the program before this one wrote into every manifest.
pub(super) fn old_default(manifest: &Manifest) -> bool {
    manifest.schema.is_none() && manifest.execution.parallel_components == Some(false)
}

/// N201.
fn parallel(ground: &Ground<'_>, found: &mut Vec<Diagnostic>) {
    if old_default(ground.manifest) {
        let message = "`parallel_components: false` is an old default and counts as absent";
        let note = Diagnostic::note("N201", message).at("/execution/parallel_components");
        found.push(note.help("to have one component at a time, give the manifest its `$schema` too"));
    }
}

/// A list of names for a message: the first few, and how many more.
fn some<'a>(names: impl ExactSizeIterator<Item = &'a str>) -> String {
    const SHOWN: usize = 5;
    let count = names.len();
    let mut text = names.take(SHOWN).map(|name| format!("`{}`", visible(name))).collect::<Vec<_>>().join(", ");
    if count > SHOWN {
        text.push_str(&format!(" and {} more", count - SHOWN));
    }
    text
}
