//! What is told about an import.

use serde::Serialize;
use serde_json::value::RawValue;

use super::Written;
use super::sources::Sources;
use crate::cli::App;
use crate::cli::args::{self, Format};
use crate::cli::commands::validate;
use crate::cli::error::CliError;
use crate::diagnostic::DiagnosticJson;
use crate::import::{Code, Dialect, Effect, Imported, Loss};
use crate::spec::load;
use crate::text::{plural, terminal_safe};

/// How many losses are shown as text.
const MOST: usize = 500;

/// Everything that is told.
pub(super) struct Report<'a> {
    from: Dialect,
    sources: &'a Sources,
    imported: &'a Imported,
    /// What `cco validate` says of the manifest.
    checked: load::Report,
    /// What was written; nothing in a dry run.
    pub(super) written: Option<Written>,
}

impl<'a> Report<'a> {
    /// The report of an import; of a dry run where nothing was written.
    pub(super) fn new(
        args: &args::Import,
        sources: &'a Sources,
        imported: &'a Imported,
        checked: load::Report,
        written: Option<Written>,
    ) -> Self {
        Self { from: args.from, sources, imported, checked, written }
    }

    /// Whether the manifest can be run.
    pub(super) fn is_valid(&self) -> bool {
        self.checked.spec.is_some()
    }

    /// Prints it. In a dry run the manifest is the answer, and the report goes beside it.
    pub(super) fn show(&self, app: &App) -> Result<(), CliError> {
        match (app.printer.format(), &self.written) {
            (Format::Json, _) => app.printer.document(&self.document()),
            (Format::Text, Some(_)) => app.printer.answer(&self.text()),
            (Format::Text, None) => {
                app.printer.answer(self.checked.source.text())?;
                app.printer.say(self.text().trim_end());
                Ok(())
            }
        }
    }

    fn text(&self) -> String {
        let mut text = String::new();
        let losses = &self.imported.losses;
        for loss in losses.iter().take(MOST) {
            text.push_str(&self.line(loss));
        }
        if losses.len() > MOST {
            text.push_str(&format!("{} more; `--json` has them all\n", losses.len() - MOST));
        }
        let count = |effect: Effect| losses.iter().filter(|loss| loss.effect == effect).count();
        text.push_str(&format!(
            "{}; {} dropped, {} changed, {} kept to be looked at\n\n",
            plural(self.imported.components.len(), "component"),
            count(Effect::Dropped),
            count(Effect::Changed),
            count(Effect::Kept),
        ));
        text.push_str(&validate::text(&self.checked));
        text
    }

    /// One loss, on one line.
    fn line(&self, loss: &Loss) -> String {
        let file = self.sources.name(loss.place.source);
        let place = if loss.place.line == 0 { file.to_owned() } else { format!("{file}:{}", loss.place.line) };
        let effect = match loss.effect {
            Effect::Dropped => "dropped",
            Effect::Changed => "changed",
            Effect::Kept => "kept",
        };
        let line = format!("{place}: {effect}[{}]: {}; {}", loss.code.as_str(), loss.message, loss.action);
        format!("{}\n", terminal_safe(&line).replace('\n', " "))
    }

    fn document(&self) -> Document<'_> {
        let written = self.written.as_ref();
        Document {
            from: self.from.name(),
            spec: written.map(|written| written.reference.as_str()),
            path: written.map(|written| written.dir.display().to_string()),
            kept: written.and_then(|written| Some(written.kept.as_ref()?.display().to_string())),
            dry_run: written.is_none(),
            valid: self.is_valid(),
            components: self.imported.components.len(),
            losses: self.imported.losses.iter().map(|loss| self.loss(loss)).collect(),
            problems: self.checked.diagnostics.iter().map(|problem| problem.to_json(&self.checked.source)).collect(),
            // It was just written as JSON, so it is some.
            manifest: written
                .is_none()
                .then(|| RawValue::from_string(self.checked.source.text().to_owned()).ok())
                .flatten(),
        }
    }

    fn loss<'l>(&'l self, loss: &'l Loss) -> LossJson<'l> {
        LossJson {
            code: loss.code,
            effect: loss.effect,
            file: self.sources.name(loss.place.source),
            line: (loss.place.line > 0).then_some(loss.place.line),
            message: &loss.message,
            action: &loss.action,
        }
    }
}

/// The JSON document.
#[derive(Serialize)]
struct Document<'a> {
    from: &'a str,
    spec: Option<&'a str>,
    path: Option<String>,
    kept: Option<String>,
    dry_run: bool,
    valid: bool,
    components: usize,
    losses: Vec<LossJson<'a>>,
    problems: Vec<DiagnosticJson<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    manifest: Option<Box<RawValue>>,
}

/// A loss for programs. Fields are only ever added.
#[derive(Serialize)]
struct LossJson<'a> {
    code: Code,
    effect: Effect,
    file: &'a str,
    line: Option<usize>,
    message: &'a str,
    action: &'a str,
}
