//! Shows what specs left beside their work (worktrees, kept commits, branches), and removes it where that is asked for.

mod gone;
mod left;
mod report;

use std::path::PathBuf;
use std::sync::Arc;

use super::look;
use super::run::{runtime, this_program, work_environment};
use crate::cli::App;
use crate::cli::args::{self, Format};
use crate::cli::error::{CliError, ExitStatus};
use crate::cli::opened::Opened;
use crate::cli::secrets;
use crate::cli::settings::Layer;
use crate::executor::{TearDown, end_strays};
use crate::ids::Subject;
use crate::journal::SpecPaths;
use crate::plan::resolve::Choices;
use crate::process::Supervisor;
use crate::spec::catalog::Entry;
use crate::spec::load;
use left::{Left, Of, Wish};
use report::{Report, Spec, Status};

/// Shows what is left, and removes it.
pub fn execute(app: &App, args: args::Clean) -> Result<ExitStatus, CliError> {
    let wish = Wish { remove: args.yes, force: args.force, branch: args.branch };
    let mut report = Report::default();
    if args.all {
        let entries = app.catalog()?.list(None)?;
        for entry in &entries {
            report.add(one_of_all(app, entry, wish)?);
        }
        for spec in gone::find(app, &entries, wish)? {
            report.add(spec);
        }
    } else {
        let entry = app.find_spec(args.spec.reference())?;
        report.add(one(app, &entry, wish, false)?);
    }
    match app.printer.format() {
        Format::Json => app.printer.document(&report)?,
        Format::Text => app.printer.answer(&report.text())?,
    }
    if !wish.remove && report.to_go() > 0 {
        app.printer.help("nothing was removed; with `--yes` all goes that does not say that it stays");
    }
    Ok(if wish.remove && report.is_left() { ExitStatus::Incomplete } else { ExitStatus::Done })
}

/// As [`one`] among many: a spec that cannot be looked at is said to be so, and keeps no other from being looked at.
fn one_of_all(app: &App, entry: &Entry, wish: Wish) -> Result<Spec, CliError> {
    let unread = |status, why: String| {
        let mut spec = Spec::new(entry.reference(), status, String::new());
        spec.why = Some(why);
        Ok(spec)
    };
    if load::check(&entry.path).spec.is_none() {
        return unread(Status::Unreadable, format!("its manifest is invalid; `cco validate {}`", app.called(entry)?));
    }
    match one(app, entry, wish, true) {
        Err(error) if error.exit == ExitStatus::Locked => unread(Status::Live, "it is left alone".to_owned()),
        Err(error) => unread(Status::Unreadable, error.error.to_string()),
        looked => looked,
    }
}

/// What a spec left. One that is not finished can be `spared` whatever is forced.
fn one(app: &App, entry: &Entry, wish: Wish, spared: bool) -> Result<Spec, CliError> {
    let (paths, reference) = (SpecPaths::new(&entry.path), entry.reference());
    // Also for a look: what a live run works on changes under it, and looking writes into git's own notes.
    let _lock = look::hold(app, &paths, &reference, "clean")?;
    let opened = app.open(Some(&entry.path.display().to_string()), Layer::default(), Choices::default())?;
    let state = opened.read_state(|_| {})?;
    let dir = opened.worktrees(app)?;
    let finished = look::is_finished(&state);
    let status = if finished { Status::Complete } else { Status::Incomplete };
    let mut spec = Spec::new(reference, status, dir.display().to_string());
    if look::is_shared(&opened, &state) && !dir.exists() {
        return Ok(spec);
    }
    let repository = look::repository(app, &opened, &state)?;
    let left = Left::look(&repository, &dir)?;
    let of = if spared && !finished { Of::Spared } else { Of::There(&state, finished) };
    left.judge(&mut spec, of, wish)?;
    if wish.remove {
        // What a dead run left may be writing there still.
        runtime()?.block_on(end_strays(&opened.mark()));
        tear_down(app, &opened, left.going(&spec))?;
        left.remove(&mut spec)?;
    }
    Ok(spec)
}

/// Runs what the manifest says is to be run before a worktree goes. What fails there is told, and keeps nothing.
fn tear_down(app: &App, opened: &Opened, going: Vec<(&Subject, PathBuf)>) -> Result<(), CliError> {
    let commands = opened.spec.manifest.execution.teardown.iter().map(|text| text.as_str().to_owned());
    let commands: Vec<String> = commands.collect();
    if commands.is_empty() || going.is_empty() {
        return Ok(());
    }
    let mark = Arc::from(format!("{}-clean", opened.mark()));
    let tear_down = TearDown {
        plan: opened.plan.clone(),
        commands,
        env: work_environment(app, opened),
        runs: opened.paths.runs().to_owned(),
        redactor: Arc::new(secrets::redactor(app, Some(&opened.spec))?),
        supervisor: Supervisor::new(this_program()?, mark).map_err(CliError::environment)?,
    };
    runtime()?.block_on(async {
        for (on, dir) in going {
            for command in tear_down.run(on, &dir).await {
                app.printer.warning(format!("the teardown command `{command}` of {on} failed; its log is in `runs/`"));
            }
        }
        tear_down.supervisor.finish().await;
    });
    Ok(())
}
