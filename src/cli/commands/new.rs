//! Creates a spec.

use std::path::Path;

use serde::Serialize;

use crate::cli::App;
use crate::cli::args::{self, Format};
use crate::cli::error::{CliError, ExitStatus};
use crate::context::marked;
use crate::spec::scaffold::Scaffold;
use crate::text::printable;

/// Creates a spec and prints its directory.
pub fn execute(app: &App, args: args::New) -> Result<ExitStatus, CliError> {
    let cwd = &app.environment.cwd;
    let given = args.work_dir.as_deref().map_or_else(|| cwd.clone(), |dir| app.environment.expand(dir, cwd));
    let work_dir = fs_err::canonicalize(&given).unwrap_or(given);
    let catalog = app.catalog()?;
    let path = Scaffold {
        store: catalog.root(),
        project: &args.project,
        name: &args.name,
        work_dir: &work_dir,
        created: app.environment.started,
        schema: &super::schema::text(),
        context: &String::from_utf8_lossy(&marked::replace(CONTEXT.as_bytes(), "Nothing yet.")),
    }
    .create()?;

    let dir_name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let spec = format!("{}/{dir_name}", args.project);
    match app.printer.format() {
        Format::Json => app.printer.document(&Created { spec: &spec, path: &path })?,
        Format::Text => app.printer.answer(&format!("{}\n", path.display()))?,
    }
    app.printer.note(format!("created `{spec}`"));
    app.printer.help(format!(
        "describe the components in `{}`, then `cco validate {spec}`",
        path.join("manifest.json").display()
    ));
    if !work_dir.is_dir() {
        app.printer.warning(format!("the work directory `{}` does not exist", printable(&work_dir.to_string_lossy())));
    }
    Ok(ExitStatus::Done)
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
