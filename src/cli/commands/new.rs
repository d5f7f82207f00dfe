//! Creates a spec.

use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::cli::App;
use crate::cli::args::{self, Format};
use crate::cli::error::{CliError, ExitStatus};
use crate::context::marked;
use crate::spec::scaffold::{Content, Scaffold, ScaffoldError};
use crate::text::printable;

/// Creates a spec and prints its directory.
pub fn execute(app: &App, args: args::New) -> Result<ExitStatus, CliError> {
    let wanted = Wanted::new(app, &args.project, &args.name, args.work_dir.as_deref());
    let path = wanted.scaffold(app, Content::default(), |scaffold| scaffold.create())?;
    let spec = wanted.reference(&path);
    match app.printer.format() {
        Format::Json => app.printer.document(&Created { spec: &spec, path: &path })?,
        Format::Text => app.printer.answer(&format!("{}\n", path.display()))?,
    }
    app.printer.note(format!("created `{spec}`"));
    app.printer.help(format!(
        "describe the components in `{}`, then `cco validate {spec}`",
        path.join("manifest.json").display()
    ));
    wanted.warn(app);
    Ok(ExitStatus::Done)
}

/// A spec that a command is to create.
pub(super) struct Wanted<'a> {
    project: &'a str,
    name: &'a str,
    /// The code that is worked on.
    pub(super) work_dir: PathBuf,
}

impl<'a> Wanted<'a> {
    /// One that works on `work_dir`, without it on the current directory.
    pub(super) fn new(app: &App, project: &'a str, name: &'a str, work_dir: Option<&Path>) -> Self {
        let cwd = &app.environment.cwd;
        let given = work_dir.map_or_else(|| cwd.clone(), |dir| app.environment.expand(dir, cwd));
        Self { project, name, work_dir: fs_err::canonicalize(&given).unwrap_or(given) }
    }

    /// Does something with its scaffold.
    pub(super) fn scaffold<T>(
        &self,
        app: &App,
        content: Content<'_>,
        act: impl FnOnce(&Scaffold<'_>) -> Result<T, ScaffoldError>,
    ) -> Result<T, CliError> {
        let catalog = app.catalog()?;
        let context = marked::replace(CONTEXT.as_bytes(), "Nothing yet.");
        let scaffold = Scaffold {
            store: catalog.root(),
            project: self.project,
            name: self.name,
            work_dir: &self.work_dir,
            created: app.environment.started,
            schema: &super::schema::text(),
            context: &String::from_utf8_lossy(&context),
            content,
        };
        Ok(act(&scaffold)?)
    }

    /// How the spec that was made in `path` is called.
    pub(super) fn reference(&self, path: &Path) -> String {
        let dir_name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        format!("{}/{dir_name}", self.project)
    }

    /// Warns where there is nothing to work on yet.
    pub(super) fn warn(&self, app: &App) {
        if !self.work_dir.is_dir() {
            let shown = self.work_dir.to_string_lossy();
            app.printer.warning(format!("the work directory `{}` does not exist", printable(&shown)));
        }
    }
}

/// What CONTEXT.md holds at first, beside the block that is kept by cco.
const CONTEXT: &str = "\
# Context

What stands outside the block below is yours: it is kept, and goes into every prompt.
";

/// The JSON document.
#[derive(Serialize)]
struct Created<'a> {
    spec: &'a str,
    path: &'a Path,
}
