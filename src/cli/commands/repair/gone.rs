//! A spec whose directory is gone: what the repository of the current directory tells of it, and how to go on. Nothing is
//! written: what was to be done is in no commit.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;
use std::time::Duration;

use serde::Serialize;

use crate::agent::AgentEnv;
use crate::cli::App;
use crate::cli::args::Format;
use crate::cli::error::{CliError, ExitStatus};
use crate::ids::Subject;
use crate::process::RUN_MARK;
use crate::tree::{Git, Place, Repository, Told};

/// How much of a commit's id is shown.
const SHORT: usize = 12;

/// The document.
#[derive(Serialize)]
struct Document {
    specs: Vec<Spec>,
}

#[derive(Serialize)]
struct Spec {
    spec: String,
    /// Where its directory was, or would be.
    directory: String,
    repository: String,
    branch: String,
    /// The commit of the branch; null where there is no such branch.
    tip: Option<String>,
    /// Where the branch began, as what landed says.
    base: Option<String>,
    /// What landed and what did not, by component.
    components: Vec<Component>,
    /// All that is kept below `refs/cco/<spec>/`.
    kept: Vec<Ref>,
    not_believed: Vec<Item>,
}

#[derive(Serialize, Default)]
struct Component {
    id: String,
    /// The commits by which its work landed.
    landed: Vec<String>,
    /// The last commit of its work that the branch does not hold.
    tip: Option<String>,
}

#[derive(Serialize)]
struct Ref {
    name: String,
    commit: String,
}

#[derive(Serialize)]
struct Item {
    what: String,
    why: String,
}

/// Tells of the specs that `reference` can mean (of all, without one) and that only the repository knows; none where it
/// knows none.
///
/// # Errors
/// Git's own.
pub fn tell(app: &App, reference: Option<&str>) -> Result<Option<ExitStatus>, CliError> {
    let vars = app.environment.vars.iter().map(|(name, value)| (name.clone(), value.clone()));
    let git = Git::new(AgentEnv::new(vars, &[], Duration::ZERO).check, (RUN_MARK.into(), "repair".into()));
    let here = &app.environment.cwd;
    // Where there is no repository nothing is known; which spec is not found is said by who asked.
    let Ok(all) = Repository::specs_kept(&git, here) else { return Ok(None) };
    let mut specs = Vec::new();
    for name in all.into_iter().filter(|name| reference.is_none_or(|asked| means(asked, name))) {
        let directory = app.catalog()?.root().join(&name);
        if !directory.join("manifest.json").exists() {
            specs.push(Spec::look(app, &git, here, name, &directory)?);
        }
    }
    if specs.is_empty() {
        return Ok(None);
    }
    let document = Document { specs };
    match app.printer.format() {
        Format::Json => app.printer.document(&document)?,
        Format::Text => {
            app.printer.answer(&document.specs.iter().map(Spec::text).collect::<Vec<_>>().join("\n"))?;
        }
    }
    for spec in &document.specs {
        let Spec { spec, directory, branch, .. } = spec;
        app.printer.help(format!(
            "put `manifest.json` and `SPEC.md` back into `{directory}`, as they were; then `cco repair {spec}` goes on \
             from there, and no agent is asked again for what is written"
        ));
        app.printer.help(format!("without them the work is what `git log {branch}` shows"));
    }
    Ok(Some(ExitStatus::Incomplete))
}

/// Whether somebody who says `asked` can mean a spec: its name, with or without the hash.
fn means(asked: &str, spec: &str) -> bool {
    let without_hash = spec.rsplit_once('-').map_or(spec, |(name, _)| name);
    asked == spec || asked == without_hash
}

impl Spec {
    fn look(app: &App, git: &Git, here: &Path, spec: String, directory: &Path) -> Result<Self, CliError> {
        let state = app.environment.state_dir().unwrap_or_default();
        let branch = format!("cco/{}", spec.rsplit('/').next().unwrap_or(&spec));
        let place = Place {
            work_dir: here.to_owned(),
            worktrees: state.join("worktrees").join(&spec),
            branch: branch.clone(),
            known_base: None,
            base: None,
            after_crash: false,
        };
        let repository = Repository::look(git.clone(), &place, &spec).map_err(CliError::environment)?;
        let told = repository.told().map_err(CliError::environment)?;
        let kept = repository.kept().map_err(CliError::environment)?;
        let known = told.clone().unwrap_or_default();
        let item = |it: crate::tree::Untold| Item { what: it.what, why: it.why };
        Ok(Self {
            spec,
            directory: directory.display().to_string(),
            repository: here.display().to_string(),
            branch,
            tip: told.as_ref().map(|told| told.tip.clone()),
            base: told.filter(|told| !told.landed.is_empty()).map(|told| told.base),
            components: components(&known),
            kept: kept.into_iter().map(|kept| Ref { name: kept.name, commit: kept.commit }).collect(),
            not_believed: known.not_believed.into_iter().map(item).collect(),
        })
    }

    fn text(&self) -> String {
        let mut out =
            format!("{}: `{}` holds no spec any more, but git tells of its work\n", self.spec, self.directory);
        // Writing to a String cannot fail.
        let _ = match (&self.tip, &self.base) {
            (Some(tip), Some(base)) => {
                writeln!(out, "branch `{}` at {}, begun at {}", self.branch, short(tip), short(base))
            }
            (Some(tip), None) => writeln!(out, "branch `{}` at {}; nothing landed on it", self.branch, short(tip)),
            (None, _) => writeln!(out, "there is no branch `{}` here; the manifest can name another", self.branch),
        };
        let width = self.components.iter().map(|component| component.id.len()).max().unwrap_or(0);
        for Component { id, landed, tip } in &self.components {
            let place = match (landed.last(), tip) {
                (_, Some(tip)) => format!("not on the branch: {}", short(tip)),
                (Some(landed), None) => format!("landed as {}", short(landed)),
                (None, None) => String::new(),
            };
            let _ = writeln!(out, "  {id:width$}  {place}");
        }
        for Item { what, why } in &self.not_believed {
            let _ = writeln!(out, "not believed: {what}: {why}");
        }
        let _ = writeln!(out, "{} below `refs/cco/{}/`", crate::text::plural(self.kept.len(), "ref"), self.spec);
        out.push_str("lost: the manifest, SPEC.md and all records: no commit holds them\n");
        out
    }
}

fn components(told: &Told) -> Vec<Component> {
    let mut all: BTreeMap<&Subject, Component> = BTreeMap::new();
    let new = |on: &Subject| Component { id: on.to_string(), ..Component::default() };
    for landing in &told.landed {
        let on = &landing.told.attempt.on;
        all.entry(on).or_insert_with(|| new(on)).landed.push(landing.commit.clone());
    }
    for tip in &told.tips {
        all.entry(&tip.on).or_insert_with(|| new(&tip.on)).tip = Some(tip.last.clone());
    }
    all.into_values().collect()
}

fn short(id: &str) -> &str {
    id.get(..SHORT).unwrap_or(id)
}
