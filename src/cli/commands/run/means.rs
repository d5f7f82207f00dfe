//! What agents work with: models, permissions.

use crate::agent::allow_program;
use crate::cli::App;
use crate::cli::opened::Opened;
use crate::cli::settings::Settings;
use crate::executor::Models;
use crate::spec::load::Spec;
use crate::spec::manifest::RiskLevel;

/// Which model does what: the closest wins. At high and critical risk the strong model does everything.
pub fn models(spec: &Spec, settings: &Settings) -> Models {
    let manifest = &spec.manifest;
    let agent = &manifest.agent;
    let strong = settings.strong_model.value.clone().unwrap_or_else(|| agent.strong_model().to_owned());
    let default = match manifest.risk() {
        RiskLevel::Low | RiskLevel::Medium => agent.model().to_owned(),
        RiskLevel::High | RiskLevel::Critical => agent.model.clone().unwrap_or_else(|| strong.clone()),
    };
    let mut roles = settings.models.value.clone().unwrap_or_default();
    for (role, model) in agent.models.iter() {
        roles.entry(role.to_owned()).or_insert_with(|| model.to_owned());
    }
    let of = |component: &crate::spec::manifest::ComponentDef| Some((component.id.clone(), component.model.clone()?));
    Models {
        usual: settings.model.value.clone().unwrap_or(default),
        strong,
        roles,
        components: manifest.components.iter().filter_map(of).collect(),
    }
}

/// What writers may run: the programs that checks and setup start with, and what the manifest allows.
pub fn allowed(opened: &Opened) -> Vec<String> {
    let manifest = &opened.spec.manifest;
    let commands = opened.plan.checks.iter().map(|check| check.run.as_str());
    let commands = commands.chain(manifest.execution.setup.iter().map(|text| text.as_str()));
    let plain =
        |word: &&str| word.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-' | '/' | '+'));
    let mut rules: Vec<String> =
        commands.filter_map(|run| run.split_whitespace().next()).filter(plain).map(allow_program).collect();
    rules.extend(manifest.agent.allow.iter().map(ToString::to_string));
    rules.sort();
    rules.dedup();
    rules
}

/// Whether the user's own settings let agents do anything. Then the run says so.
pub fn bypasses(app: &App, opened: &Opened) -> bool {
    let bypass = opened.settings.bypass_permissions.value.unwrap_or(false);
    if bypass {
        app.printer.warning("your settings let agents do anything without asking (`bypass_permissions`)");
    }
    bypass
}
