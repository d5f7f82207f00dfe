//! Tasks as components of a manifest.

use std::borrow::Cow;

use super::Imported;
use super::draft::{Draft, Task};
use super::files::is_glob;
use super::loss::{Code, Losses, Place};
use super::names::Names;
use super::order::Graph;
use crate::spec::forms::Text;
use crate::spec::manifest::{Check, ComponentDef};
use crate::text::terminal_safe;

/// Longest text for SPEC.md, in bytes.
const LONGEST_SPECIFICATION: usize = 1024 * 1024;

/// Makes components of the tasks, and puts the report in order.
pub(super) fn components(draft: Draft, names: &Names, graph: &Graph, mut losses: Losses) -> Imported {
    let mut escaped = Escaped::default();
    let ids: Vec<&str> = graph.nodes.iter().map(|task| names.id(&draft.tasks, *task)).collect();
    let mut components = Vec::with_capacity(graph.nodes.len());
    for (node, &number) in graph.nodes.iter().enumerate() {
        let task = &draft.tasks[number];
        let Some(id) = names.component(number) else { continue };
        let mut component = ComponentDef::new(id.clone());
        write_set(task, &mut component);
        component.depends_on = graph.dependencies[node].iter().map(|other| ids[*other as usize].to_owned()).collect();
        component.complexity = task.complexity;
        component.purpose = escaped.text(&task.purpose, task.place);
        component.notes = escaped.text(&task.notes.join("\n\n"), task.place);
        component.checks =
            task.checks.iter().filter_map(|run| escaped.text(run, task.place)).map(Check::from).collect();
        components.push(component);
    }
    let gotchas = draft.gotchas.iter().filter_map(|text| escaped.text(text, Place::default())).collect();
    if let Some(place) = escaped.first {
        let message = format!("control characters in {} texts", escaped.count);
        losses.changed(Code::Control, place, message, "written as escapes");
    }
    let specification = specification(&draft.specification, &mut losses);
    let command = |run: Option<String>| run.map(|run| Check::from(Text::from(run)));
    Imported {
        components,
        gotchas,
        test_command: command(draft.test_command),
        lint_command: command(draft.lint_command),
        specification,
        losses: losses.into_sorted(),
    }
}

/// One file that was read out of a text is what the component is about; files that were listed are all that it may write.
fn write_set(task: &Task, component: &mut ComponentDef) {
    match task.files.as_slice() {
        [only] if !task.states_files() && !is_glob(&only.path) => component.file = Some(only.path.clone()),
        files => component.files = files.iter().map(|file| file.path.clone()).collect(),
    }
}

fn specification(texts: &[String], losses: &mut Losses) -> Option<String> {
    let text = texts.iter().map(|text| text.trim()).collect::<Vec<_>>().join("\n\n");
    if text.len() > LONGEST_SPECIFICATION {
        let message = format!("plan.md and spec.md have {} bytes", text.len());
        losses.dropped(Code::Cut, Place::default(), message, "not copied to SPEC.md");
        return None;
    }
    (!text.is_empty()).then(|| format!("{text}\n"))
}

/// Texts without what could steer a terminal.
#[derive(Default)]
struct Escaped {
    count: usize,
    first: Option<Place>,
}

impl Escaped {
    fn text(&mut self, text: &str, place: Place) -> Option<Text> {
        let text = text.trim().replace("\r\n", "\n");
        if text.is_empty() {
            return None;
        }
        if let Cow::Owned(safe) = terminal_safe(&text) {
            self.count += 1;
            self.first.get_or_insert(place);
            return Some(Text::from(safe));
        }
        Some(Text::from(text))
    }
}
