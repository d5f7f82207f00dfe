//! Rules about ids and what depends on what.

use std::collections::HashMap;

use super::super::cycles::{self, Cycles};
use super::super::manifest::ComponentDef;
use super::super::nearest::nearest;
use super::Ground;
use crate::diagnostic::{Diagnostic, visible};

/// For at most so many unknown dependencies the nearest id is looked for: each search looks at all ids.
const MOST_SUGGESTIONS: usize = 20;
/// Cycles with more components than this are shown with their middle left out.
const LONGEST_SHOWN: usize = 12;

/// Runs the rules of this file; answers with the dependencies as indices, each once, ascending.
pub(super) fn judge(ground: &Ground<'_>, found: &mut Vec<Diagnostic>) -> Vec<Vec<u32>> {
    let components = &ground.manifest.components;
    duplicate_ids(components, found);
    let dependencies = dependencies(components, found);
    let cycles = cycles::find(&dependencies);
    spell_cycles(components, &cycles, found);
    if cycles.is_empty() {
        implied_dependencies(components, &dependencies, found);
    }
    dependencies
}

/// E013: ids are unique ignoring case, as file systems may not tell case apart.
fn duplicate_ids(components: &[ComponentDef], found: &mut Vec<Diagnostic>) {
    let mut first: HashMap<String, usize> = HashMap::with_capacity(components.len());
    for (index, component) in components.iter().enumerate() {
        let id = component.id.as_str();
        let earlier = *first.entry(id.to_ascii_lowercase()).or_insert(index);
        if earlier == index {
            continue;
        }
        let same = if components[earlier].id == component.id { "" } else { " but for case" };
        found.push(
            Diagnostic::error("E013", format!("two components have the id `{id}`{same}"))
                .at(format!("/components/{index}/id"))
                .label(format!("/components/{earlier}/id"), "first used here")
                .help("give one of them another id"),
        );
    }
}

/// E012, E014, W105: each dependency is another component, named once. Answers with indices; a self dependency stays out of
/// them, as it has its own message.
fn dependencies(components: &[ComponentDef], found: &mut Vec<Diagnostic>) -> Vec<Vec<u32>> {
    let index: HashMap<&str, u32> =
        components.iter().enumerate().rev().map(|(i, c)| (c.id.as_str(), i as u32)).collect();
    let mut suggestions = 0;
    let mut all = Vec::with_capacity(components.len());
    for (number, component) in components.iter().enumerate() {
        let mut own = Vec::with_capacity(component.depends_on.len());
        for (position, name) in component.depends_on.iter().enumerate().filter(|(_, name)| !name.is_empty()) {
            let place = || format!("/components/{number}/depends_on/{position}");
            if *name == component.id.as_str() {
                let message = format!("`{name}` depends on itself");
                found.push(Diagnostic::error("E014", message).at(place()).help("remove it"));
                continue;
            }
            let Some(&dependency) = index.get(name.as_str()) else {
                let meant = (suggestions < MOST_SUGGESTIONS)
                    .then(|| {
                        nearest(
                            name,
                            components.iter().map(|c| c.id.as_str()).filter(|id| *id != component.id.as_str()),
                        )
                    })
                    .flatten();
                suggestions += 1;
                found.push(unknown_dependency(component, name, meant).at(place()));
                continue;
            };
            if own.contains(&dependency) {
                found.push(Diagnostic::warning("W105", format!("`{name}` is listed twice")).at(place()));
            } else {
                own.push(dependency);
            }
        }
        own.sort_unstable();
        all.push(own);
    }
    all
}

fn unknown_dependency(component: &ComponentDef, name: &str, meant: Option<&str>) -> Diagnostic {
    let message = format!("`{}` depends on `{}`, which is no component", component.id, visible(name));
    let diagnostic = Diagnostic::error("E012", message);
    match meant {
        Some(meant) => diagnostic.help(format!("did you mean `{meant}`?")),
        None => diagnostic.help("add the component, or remove the dependency"),
    }
}

/// E015: every cycle spelled out as a path.
fn spell_cycles(components: &[ComponentDef], cycles: &Cycles, found: &mut Vec<Diagnostic>) {
    for path in &cycles.paths {
        let id = |node: &u32| components[*node as usize].id.as_str();
        let names: Vec<&str> = path.iter().chain(path.first()).map(id).collect();
        let spelled = if names.len() <= LONGEST_SHOWN {
            names.join(" -> ")
        } else {
            let (head, tail) = (&names[..6], &names[names.len() - 4..]);
            let hidden = names.len() - head.len() - tail.len();
            format!("{} -> … {hidden} more … -> {}", head.join(" -> "), tail.join(" -> "))
        };
        let message = format!("{} components depend on each other in a circle: {spelled}", path.len());
        let first = path.first().copied().unwrap_or_default();
        found.push(
            Diagnostic::error("E015", message)
                .at(format!("/components/{first}/depends_on"))
                .help("remove one of these dependencies, or make one component of two"),
        );
    }
    if cycles.more > 0 {
        found.push(Diagnostic::error("E015", format!("there are {} more cycles", cycles.more)).at_key("/components"));
    }
}

/// W105: a dependency that another one brings with it.
fn implied_dependencies(components: &[ComponentDef], dependencies: &[Vec<u32>], found: &mut Vec<Diagnostic>) {
    let edges: usize = dependencies.iter().map(Vec::len).sum();
    for (node, implied, through) in cycles::implied(dependencies, 100_000 + 20 * edges) {
        let component = &components[node as usize];
        let name = components[implied as usize].id.as_str();
        let position = component.depends_on.iter().position(|id| id == name).unwrap_or_default();
        let through = &components[through as usize].id;
        let message = format!("`{}` need not name `{name}`: it comes with `{through}`", component.id);
        found.push(Diagnostic::warning("W105", message).at(format!("/components/{node}/depends_on/{position}")));
    }
}
