//! package.json: only scripts that exist become commands.

use serde_json::{Map, Value};

use super::ecosystem::short;
use super::{Found, Kind, Place};

const MARKER: &str = "package.json";
/// Scripts that look at code without running it.
const LINTS: [&str; 4] = ["lint", "typecheck", "type-check", "check-types"];

/// The package that stands here.
pub(super) fn of(place: &Place<'_>, remarks: &mut Vec<String>) -> Option<Found> {
    place.has(MARKER).then_some(())?;
    let package = package(place, remarks);
    let manager = Manager::of(place);
    let scripts = package.as_ref().and_then(|package| package.get("scripts")?.as_object());
    let mut usable = |name: &str| scripts.is_some_and(|scripts| is_usable(place, scripts, name, remarks));
    let lints: Vec<String> = LINTS.into_iter().filter(|name| usable(name)).map(|name| manager.script(name)).collect();
    let test = usable("test").then(|| manager.test().to_owned());
    let has_packages = ["dependencies", "devDependencies"].into_iter().any(|key| {
        let listed = package.as_ref().and_then(|package| package.get(key)?.as_object());
        listed.is_some_and(|listed| !listed.is_empty())
    });
    Some(Found {
        kind: Kind::JavaScript,
        marker: place.path(MARKER),
        dir: place.dir.to_owned(),
        lint: (!lints.is_empty()).then(|| lints.join(" && ")),
        test,
        setup: has_packages.then(|| manager.install().to_owned()),
    })
}

/// What the package is called, without its scope.
pub(super) fn name(place: &Place<'_>) -> Option<String> {
    let package = package(place, &mut Vec::new())?;
    let name = package.get("name")?.as_str()?;
    Some(name.rsplit('/').next().unwrap_or(name).to_owned())
}

fn package(place: &Place<'_>, remarks: &mut Vec<String>) -> Option<Map<String, Value>> {
    let text = place.text_or_remark(MARKER, remarks)?;
    match serde_json::from_str(text.trim_start_matches('\u{feff}')) {
        Ok(package) => Some(package),
        Err(error) => {
            let why = short(&error.to_string());
            remarks.push(format!("`{}` is not a JSON object, so its scripts are not known: {why}", place.path(MARKER)));
            None
        }
    }
}

/// Whether a script is there and comes to an end by itself.
fn is_usable(place: &Place<'_>, scripts: &Map<String, Value>, name: &str, remarks: &mut Vec<String>) -> bool {
    let Some(script) = scripts.get(name).and_then(Value::as_str) else { return false };
    // What `npm init` writes.
    if script.trim().is_empty() || script.contains("no test specified") {
        remarks.push(format!("the script `{name}` of `{}` tests nothing: not taken", place.path(MARKER)));
        return false;
    }
    let watches = |word: &str| matches!(word, "--watch" | "--watchAll" | "--watch=true" | "watch");
    if script.split_whitespace().any(watches) {
        remarks.push(format!("the script `{name}` of `{}` watches and does not end: not taken", place.path(MARKER)));
        return false;
    }
    true
}

/// The program that installs packages, known by its lock file.
enum Manager {
    Npm { locked: bool },
    Pnpm,
    Yarn { old: bool },
    Bun,
}

impl Manager {
    fn of(place: &Place<'_>) -> Self {
        if place.has("pnpm-lock.yaml") {
            Self::Pnpm
        } else if place.has("yarn.lock") {
            // Yarn 2 and later keep their settings there; the first one refuses `--immutable`.
            Self::Yarn { old: !place.has(".yarnrc.yml") }
        } else if place.first(&["bun.lock", "bun.lockb"]).is_some() {
            Self::Bun
        } else {
            Self::Npm { locked: place.first(&["package-lock.json", "npm-shrinkwrap.json"]).is_some() }
        }
    }

    fn script(&self, name: &str) -> String {
        let program = match self {
            Self::Npm { .. } => "npm",
            Self::Pnpm => "pnpm",
            Self::Yarn { .. } => "yarn",
            Self::Bun => "bun",
        };
        format!("{program} run {name}")
    }

    fn test(&self) -> &'static str {
        match self {
            Self::Npm { .. } => "npm test",
            Self::Pnpm => "pnpm test",
            Self::Yarn { .. } => "yarn test",
            // `bun test` is bun's own runner, not the script.
            Self::Bun => "bun run test",
        }
    }

    fn install(&self) -> &'static str {
        match self {
            Self::Npm { locked: true } => "npm ci",
            Self::Npm { locked: false } => "npm install --no-package-lock",
            Self::Pnpm => "pnpm install --frozen-lockfile",
            Self::Yarn { old: true } => "yarn install --frozen-lockfile",
            Self::Yarn { old: false } => "yarn install --immutable",
            Self::Bun => "bun install --frozen-lockfile",
        }
    }
}
