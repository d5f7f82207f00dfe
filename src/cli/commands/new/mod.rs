//! Creates a spec: its directory, what was detected of the work directory, and the ways to go on.

mod look;
mod starter;

use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::cli::App;
use crate::cli::args::{self, Format};
use crate::cli::error::{CliError, ExitStatus};
use crate::cli::help;
use crate::cli::opened::shell_word;
use crate::context::marked;
use crate::detect::Detected;
use crate::spec::scaffold::{Content, Scaffold, ScaffoldError};
use crate::text::printable;

/// Creates a spec and prints its directory.
pub fn execute(app: &App, args: args::New) -> Result<ExitStatus, CliError> {
    let mut wanted = Wanted::new(app, "", &args.name, args.work_dir.as_deref());
    let detected = Detected::of(&look::at(&wanted.work_dir));
    wanted.project = match args.project.as_deref().or(detected.project.as_deref()) {
        Some(project) => project,
        None => {
            return Err(CliError::usage("the work directory does not tell the project's name")
                .hint("name it: `--project PROJECT`"));
        }
    };
    let proposal = detected.proposal();
    let starter = starter::of(&detected, &proposal);
    let content = Content { starter: Some(&starter), ..Content::default() };
    let path = wanted.scaffold(app, content, |scaffold| scaffold.create())?;
    let spec = wanted.reference(&path);
    match app.printer.format() {
        Format::Json => {
            let detected = starter::Document::new(&detected, &proposal);
            app.printer.document(&Created { spec: &spec, path: &path, detected })?;
        }
        Format::Text => app.printer.answer(&format!("{}\n", path.display()))?,
    }
    app.printer.note(format!("created `{spec}`"));
    if wanted.work_dir.is_dir() {
        for line in starter::said(&detected, &proposal) {
            app.printer.note(line);
        }
    }
    for remark in &detected.remarks {
        app.printer.warning(remark);
    }
    wanted.warn(app);
    wanted.warn_without_git(app);
    let called = app.short(&app.find_spec(Some(&path.display().to_string()))?)?;
    app.printer.note(doors(app, &wanted, &detected, &path, &called));
    Ok(ExitStatus::Done)
}

/// The ways to components, the one that fits best first.
fn doors(app: &App, wanted: &Wanted<'_>, detected: &Detected, path: &Path, called: &str) -> String {
    let mut doors = Vec::new();
    for tasks in &detected.tasks {
        let file = wanted.work_dir.join(&tasks.path);
        let file = file.strip_prefix(&app.environment.cwd).unwrap_or(&file).display().to_string();
        let command =
            format!("cco import --from {} {} --into {called} --replace", tasks.kind.name(), shell_word(&file));
        doors.push((format!("take the tasks of `{}`", tasks.path), command));
    }
    if help::has("spec") {
        doors.push(("think it through with Claude".to_owned(), format!("cco spec {called}")));
    }
    if detected.tasks.is_empty() {
        let command = format!("cco import --from markdown PLAN.md --into {called} --replace");
        doors.push(("take tasks that are written".to_owned(), command));
    }
    let manifest = shell_word(&path.join("manifest.json").display().to_string());
    doors.push(("write the components".to_owned(), format!("${{EDITOR:-vi}} {manifest}")));
    let width = doors.iter().map(|(what, _)| what.len()).max().unwrap_or_default();
    let lines: Vec<String> = doors.iter().map(|(what, command)| format!("  {what:width$}  {command}")).collect();
    format!("next, one of:\n{}\nthen `cco validate {called}`", lines.join("\n"))
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

    /// Warns where agents would have no tree of their own.
    fn warn_without_git(&self, app: &App) {
        if self.work_dir.is_dir() && !self.work_dir.ancestors().any(|dir| dir.join(".git").exists()) {
            let shown = shell_word(&self.work_dir.to_string_lossy());
            app.printer.warning(format!(
                "`{}` is in no git repository, so agents would work in it directly; `git init {shown}` and a first commit \
                 give each component a worktree of its own",
                printable(&self.work_dir.to_string_lossy())
            ));
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
    detected: starter::Document<'a>,
}
