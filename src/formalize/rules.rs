//! What a draft must hold beyond what every manifest must: it is to be run without a person having read it.
//!
//! | code | what |
//! | --- | --- |
//! | F001 | no component |
//! | F002 | a write set that holds files of the spec itself |
//! | F003 | a context for what is no component, or a second one |
//! | F004 | a context file that the draft names itself |
//! | F005 | a context, or the whole, that is too long |

use std::collections::HashSet;
use std::path::Path;

use serde_json::Value;

use super::draft::names_default_context;
use super::event::{Draft, Problem};
use super::report::DraftReport;
use crate::diagnostic::{self, Diagnostic, Severity, visible};
use crate::ids::{ComponentId, Digest, check_name};
use crate::spec::load::MAX_BYTES;
use crate::spec::writeset::WriteSet;

/// The longest context of a component, in bytes: a prompt takes an eighth of it.
pub const LONGEST_CONTEXT: usize = 64 * 1024;
/// How many diagnostics are recorded, and handed back.
const RECORDED: usize = 100;

/// Files of a spec that no component may write.
const OF_THE_SPEC: [&str; 6] =
    ["manifest.json", "SPEC.md", "CONTEXT.md", "brainstorm/MISSION.md", "components/a.md", "state/journal.jsonl"];

/// All that these rules have against a draft. `spec_in_work` is the way from the work directory to the spec's, where
/// the spec lies in it.
pub fn judge(report: &DraftReport, text: &str, spec_in_work: Option<&Path>) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    if text.len() as u64 > MAX_BYTES {
        let message = format!("the manifest would have {} bytes; the limit is {MAX_BYTES} (16 MiB)", text.len());
        found.push(Diagnostic::error("F005", message).help("divide the work into several specs"));
    }
    let components = components(report);
    if components.is_empty() {
        let none = Diagnostic::error("F001", "the manifest has no component").at("/components");
        found.push(none.help("a component is a part of the work with a write set of its own"));
    }
    for (index, component) in components.iter().enumerate() {
        if let Some(spec) = spec_in_work {
            found.extend(writes_the_spec(index, component, spec));
        }
        if let Some(named) = component.get("context_file").and_then(Value::as_str)
            && !component.as_object().is_some_and(names_default_context)
        {
            let message = format!("the draft names the context file `{}`", visible(named));
            let named = Diagnostic::error("F004", message).at_key(format!("/components/{index}/context_file"));
            found.push(named.help("leave the field out, and put the text into `contexts`: cco writes the file"));
        }
    }
    contexts(report, components, &mut found);
    found
}

fn components(report: &DraftReport) -> &[Value] {
    report.manifest.get("components").and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

/// F002.
fn writes_the_spec(index: usize, component: &Value, spec: &Path) -> Option<Diagnostic> {
    let files = component.get("files").and_then(Value::as_array).into_iter().flatten();
    let patterns = component.get("file").into_iter().chain(files).filter_map(Value::as_str);
    // What is no pattern has its own error.
    let sets = patterns.filter_map(|pattern| Some((pattern, WriteSet::new([pattern]).ok()?)));
    let (pattern, file) = sets
        .flat_map(|(pattern, set)| {
            OF_THE_SPEC.iter().map(|file| spec.join(file)).find(|file| set.matches(file)).map(|file| (pattern, file))
        })
        .next()?;
    let message = format!(
        "`{}` holds `{}`, which is a file of the spec itself",
        visible(pattern),
        visible(&file.display().to_string())
    );
    let diagnostic = Diagnostic::error("F002", message).at(format!("/components/{index}"));
    Some(diagnostic.help("narrow the write set: no component changes what says how it is run"))
}

/// F003, F005.
fn contexts(report: &DraftReport, components: &[Value], found: &mut Vec<Diagnostic>) {
    let ids: HashSet<&str> = components.iter().filter_map(|component| component.get("id")?.as_str()).collect();
    let mut seen = HashSet::new();
    for (index, context) in report.contexts.iter().enumerate() {
        // Its place is beside the manifest, so it has none within.
        let id = context.component.as_str();
        if !ids.contains(id) || check_name(id).is_err() {
            let message = format!("`contexts[{index}]` is for `{}`, which is no component", visible(&short(id)));
            found.push(Diagnostic::error("F003", message).help("`component` is the id of a component"));
        } else if !seen.insert(id) {
            let message = format!("`contexts[{index}]` is a second one for `{}`", visible(id));
            found.push(Diagnostic::error("F003", message).help("make one of the two"));
        }
        let bytes = context.text.len();
        if bytes > LONGEST_CONTEXT {
            let message = format!("`contexts[{index}]` has {bytes} bytes; the limit is {LONGEST_CONTEXT} (64 KiB)");
            found.push(Diagnostic::error("F005", message).help("say what cannot be seen from the code"));
        }
    }
}

fn short(text: &str) -> String {
    const CHARACTERS: usize = 80;
    text.chars().take(CHARACTERS).collect()
}

/// The files that a draft's contexts become: the component, and the text without control characters.
pub fn context_files(report: &DraftReport) -> Vec<(ComponentId, String)> {
    let file = |context: &super::report::ContextText| {
        let text: String = context.text.chars().filter(|c| matches!(c, '\n' | '\t') || !c.is_control()).collect();
        let id = ComponentId::new(&context.component).ok()?;
        Some((id, format!("{}\n", text.trim_end()))).filter(|(_, text)| !text.trim().is_empty())
    };
    report.contexts.iter().filter_map(file).collect()
}

/// What is recorded of a draft with these diagnostics.
pub fn verdict(report: &DraftReport, text: &str, diagnostics: &[Diagnostic]) -> Draft {
    let mut shown: Vec<&Diagnostic> = diagnostics.iter().collect();
    // Errors first: what is cut off is what weighs least.
    shown.sort_by_key(|diagnostic| diagnostic.severity);
    let problems: Vec<Problem> = shown.iter().take(RECORDED).map(|diagnostic| Problem::from(*diagnostic)).collect();
    Draft {
        summary: report.summary.clone(),
        assumptions: report.assumptions.clone(),
        components: u32::try_from(components(report).len()).unwrap_or(u32::MAX),
        manifest: Digest::of(text.as_bytes()),
        valid: diagnostics.iter().all(|diagnostic| diagnostic.severity != Severity::Error),
        more: u32::try_from(diagnostics.len().saturating_sub(problems.len())).unwrap_or(u32::MAX),
        problems,
    }
}

/// The diagnostics of a draft as they are handed back to who made it, a line or more each, of at most `limit` bytes.
pub fn handed_back(draft: &Draft, limit: usize) -> String {
    let mut out = String::new();
    let (mut told, all) = (0, draft.problems.len() + draft.more as usize);
    for problem in &draft.problems {
        let place = problem.path.as_deref().map_or_else(String::new, |path| format!(" at {path}"));
        let mut line = format!("{} {}{place}: {}\n", weight(problem), problem.code, problem.message);
        problem.help.iter().for_each(|help| line.push_str(&format!("  help: {help}\n")));
        if out.len() + line.len() > limit {
            break;
        }
        out.push_str(&diagnostic::visible(&line));
        told += 1;
    }
    if told < all {
        out.push_str(&format!("and {} more of the same kinds\n", all - told));
    }
    out
}

/// How bad a problem is, in a word.
pub fn weight(problem: &Problem) -> &'static str {
    match problem.severity {
        super::event::Weight::Error => "error",
        super::event::Weight::Warning => "warning",
        super::event::Weight::Note => "note",
    }
}
