//! Makes a spec of the tasks that another tool wrote, and says what could not be taken over as it stood.

mod report;
mod sources;

use std::io;
use std::path::{Path, PathBuf};

use anyhow::anyhow;
use serde_json::{Map, Value, json};

use super::new::Wanted;
use crate::cli::App;
use crate::cli::args;
use crate::cli::error::{CliError, ExitStatus};
use crate::fsx;
use crate::import::document::{self, Settled};
use crate::import::{self, Dialect, ImportError, Imported, Order};
use crate::spec::catalog::Entry;
use crate::spec::load::{self, MANIFEST, MAX_BYTES};
use crate::spec::scaffold::Content;
use crate::spec::writeset::WriteSet;
use crate::text::{plural, printable};
use report::Report;
use sources::Sources;

/// Imports, or shows what would be imported.
pub fn execute(app: &App, args: args::Import) -> Result<ExitStatus, CliError> {
    if args.tag.is_some() && args.from != Dialect::Taskmaster {
        return Err(CliError::usage("`--tag` is for `--from taskmaster`: nothing else has tags"));
    }
    WriteSet::new(args.write_set.iter().map(String::as_str))
        .map_err(|error| CliError::usage(format!("`--write-set`: {}", printable(&error.to_string()))))?;
    let target = Target::find(app, &args)?;
    let sources = Sources::read(app, &args)?;
    let base = target.base(app, &args)?;
    let work_dir = target.work_dir(app, &base);
    let imported = read(&args, &sources, Settled::of(&base), &work_dir)?;
    let text = document::text(base, &imported).map_err(CliError::internal)?;
    if text.len() as u64 > MAX_BYTES {
        let message = format!("the manifest would have {} bytes; the limit is {MAX_BYTES} (16 MiB)", text.len());
        return Err(
            CliError::new(ExitStatus::InvalidSpec, anyhow!(message)).hint("divide the tasks into smaller files")
        );
    }
    let (checked, written) = if args.dry_run {
        (load::check_text(target.dir(), text), None)
    } else {
        let written = target.write(app, &text, &imported)?;
        (load::check(&written.dir), Some(written))
    };
    let report = Report::new(&args, &sources, &imported, checked, written);
    report.show(app)?;
    target.advise(app, &report, &imported);
    Ok(if report.is_valid() { ExitStatus::Done } else { ExitStatus::Incomplete })
}

fn read(args: &args::Import, sources: &Sources, settled: Settled, work_dir: &Path) -> Result<Imported, CliError> {
    let is_there = work_dir.is_dir();
    // A path may be a link to nowhere, and is there all the same.
    let exists = |path: &str| !is_there || work_dir.join(path).symlink_metadata().is_ok();
    let order = Order {
        dialect: args.from,
        sources: &sources.list(),
        tag: args.tag.as_deref(),
        with_done: args.with_done,
        write_set: &args.write_set,
        settled,
        work_dir: work_dir.to_str(),
        exists: &exists,
    };
    import::import(&order).map_err(refused)
}

/// The files are not what they should be.
fn refused(error: ImportError) -> CliError {
    let hint = match &error {
        ImportError::SeveralTags { .. } | ImportError::NoSuchTag { .. } => Some("name one with `--tag TAG`"),
        ImportError::NotJson { .. } | ImportError::NotTaskmaster { .. } | ImportError::NoTasks { .. } => {
            Some("is `--from` right? it takes speckit, taskmaster, markdown")
        }
        ImportError::NotText { .. } | ImportError::TooDeep { .. } | ImportError::TooMany(_) | ImportError::TooDense => {
            None
        }
    };
    let usage = matches!(error, ImportError::SeveralTags { .. } | ImportError::NoSuchTag { .. });
    let error = CliError::new(if usage { ExitStatus::Usage } else { ExitStatus::InvalidSpec }, error);
    match hint {
        Some(hint) => error.hint(hint),
        None => error,
    }
}

/// Where the components go.
enum Target<'a> {
    New(Wanted<'a>),
    /// The spec, and the bytes of its manifest.
    Into(Box<Entry>, Vec<u8>),
}

/// What was written.
pub(super) struct Written {
    /// `project/name-hash`.
    reference: String,
    /// The spec directory.
    dir: PathBuf,
    /// The manifest that was there before.
    kept: Option<PathBuf>,
}

impl<'a> Target<'a> {
    fn find(app: &App, args: &'a args::Import) -> Result<Self, CliError> {
        let Some(into) = &args.into else {
            // clap asks for both where there is no `--into`.
            let (project, name) =
                (args.project.as_deref().unwrap_or_default(), args.name.as_deref().unwrap_or_default());
            return Ok(Self::New(Wanted::new(app, project, name, args.work_dir.as_deref())));
        };
        let entry = app.find_spec(Some(into))?;
        if !args.replace && !args.dry_run {
            let message = format!("`{}` has a manifest", entry.reference());
            return Err(CliError::usage(message)
                .hint("`--replace` puts the import in its place and keeps the old one beside it; `-n` shows it"));
        }
        let bytes = fsx::read_regular(&entry.path.join(MANIFEST), MAX_BYTES).map_err(CliError::environment)?;
        Ok(Self::Into(Box::new(entry), bytes))
    }

    /// The manifest without what is imported.
    fn base(&self, app: &App, args: &args::Import) -> Result<Map<String, Value>, CliError> {
        match self {
            Self::New(wanted) => {
                let mut base = wanted.scaffold(app, Content::default(), |scaffold| scaffold.manifest())?;
                let comment = format!("Made by `cco import --from {}`.", args.from.name());
                base.insert("$comment".to_owned(), json!(comment));
                Ok(base)
            }
            Self::Into(entry, bytes) => serde_json::from_slice(bytes).map_err(|error| {
                let manifest = entry.path.join(MANIFEST);
                let message = format!("`{}` is not a JSON object: {error}", printable(&manifest.to_string_lossy()));
                CliError::new(ExitStatus::InvalidSpec, anyhow!(message))
                    .hint("mend it, or import into a new spec with `--project` and `--name`")
            }),
        }
    }

    fn work_dir(&self, app: &App, base: &Map<String, Value>) -> PathBuf {
        match self {
            Self::New(wanted) => wanted.work_dir.clone(),
            Self::Into(entry, _) => {
                let named = base.get("work_dir").and_then(Value::as_str).unwrap_or_default();
                load::resolve_work_dir(&entry.path, named, app.environment.home.as_deref())
            }
        }
    }

    /// The spec directory; nowhere yet for a new one.
    fn dir(&self) -> &Path {
        match self {
            Self::New(_) => Path::new(""),
            Self::Into(entry, _) => &entry.path,
        }
    }

    fn write(&self, app: &App, text: &str, imported: &Imported) -> Result<Written, CliError> {
        match self {
            Self::New(wanted) => {
                let content = Content {
                    manifest: Some(text),
                    specification: imported.specification.as_deref(),
                    ..Content::default()
                };
                let dir = wanted.scaffold(app, content, |scaffold| scaffold.create())?;
                Ok(Written { reference: wanted.reference(&dir), dir, kept: None })
            }
            Self::Into(entry, old) => {
                let manifest = entry.path.join(MANIFEST);
                // Someone's editor may have been faster; what was not read was not imported into.
                let now = fsx::read_regular(&manifest, MAX_BYTES).map_err(CliError::environment)?;
                if now != *old {
                    let message = format!("`{}` changed in the meantime", printable(&manifest.to_string_lossy()));
                    return Err(CliError::environment(anyhow!(message)).hint("import again"));
                }
                let kept = keep(&manifest, old).map_err(CliError::environment)?;
                fsx::write_atomic(&manifest, text.as_bytes()).map_err(CliError::environment)?;
                Ok(Written { reference: entry.reference(), dir: entry.path.clone(), kept: Some(kept) })
            }
        }
    }

    /// Says what was done and what to do next.
    fn advise(&self, app: &App, report: &Report<'_>, imported: &Imported) {
        if let Self::New(wanted) = self {
            wanted.warn(app);
        }
        if let (Self::Into(..), Some(_)) = (self, &imported.specification) {
            app.printer.note("SPEC.md of the spec stays as it is: plan.md and spec.md are not copied");
        }
        let Some(written) = &report.written else { return };
        let (spec, components) = (&written.reference, plural(imported.components.len(), "component"));
        match &written.kept {
            None => app.printer.note(format!("created `{spec}` with {components}")),
            Some(kept) => {
                let kept = kept.to_string_lossy();
                app.printer.note(format!("`{spec}` has {components} now; the old manifest is `{}`", printable(&kept)));
            }
        }
        let manifest = written.dir.join(MANIFEST);
        app.printer.help(if report.is_valid() {
            format!("`cco run {spec} -n` shows what would run")
        } else {
            format!("mend `{}`, then `cco validate {spec}`", printable(&manifest.to_string_lossy()))
        });
    }
}

/// Writes the old manifest beside the new one, under the first name that is free.
fn keep(manifest: &Path, old: &[u8]) -> io::Result<PathBuf> {
    let mut number = 1;
    loop {
        let path = manifest.with_file_name(format!("manifest.old-{number}.json"));
        match fsx::write_new(&path, old) {
            Ok(_) => return Ok(path),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => number += 1,
            Err(error) => return Err(error),
        }
    }
}
