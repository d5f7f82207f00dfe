//! Rules about checks and what makes a quality enforceable.

use super::super::manifest::{Check, ComponentDef, Manifest, When};
use super::super::schema::missing_field;
use super::{Ground, some};
use crate::diagnostic::{Diagnostic, visible};

/// Runs the rules of this file.
pub(super) fn judge(ground: &Ground<'_>, found: &mut Vec<Diagnostic>) {
    let manifest = ground.manifest;
    for (at, check) in commands_of(manifest) {
        command(at, check, found);
    }
    for (index, component) in manifest.components.iter().enumerate() {
        checks(index, component, found);
    }
    numbers(manifest, found);
    files(manifest, found);
    quality(manifest, found);
    tests(manifest, found);
    unchecked(manifest, found);
}

/// The checks of the whole, with their JSON pointers.
pub(super) fn commands_of(manifest: &Manifest) -> impl Iterator<Item = (&'static str, &Check)> {
    let quality = &manifest.quality;
    [
        ("/quality/lint_command", &quality.lint_command),
        ("/quality/test_command", &quality.test_command),
        ("/quality/coverage_command", &quality.coverage_command),
        ("/quality/security_command", &quality.security_command),
        ("/validation_command", &manifest.validation_command),
    ]
    .into_iter()
    .filter_map(|(at, check)| Some((at, check.as_ref()?)))
}

/// E022: the checks of a component have names of their own, as evidence goes by them.
fn checks(index: usize, component: &ComponentDef, found: &mut Vec<Diagnostic>) {
    for (number, check) in component.checks.iter().enumerate() {
        let at = format!("/components/{index}/checks/{number}");
        command(&at, check, found);
        let Some(name) = &check.name else { continue };
        if component.checks[..number].iter().any(|earlier| earlier.name.as_ref() == Some(name)) {
            let message = format!("two checks of `{}` have the name `{}`", component.id, visible(name));
            found.push(Diagnostic::error("E022", message).at(format!("{at}/name")));
        }
    }
}

/// E023, E024: a check runs something, for some time.
fn command(at: &str, check: &Check, found: &mut Vec<Diagnostic>) {
    if check.run.trim().is_empty() {
        found.push(
            Diagnostic::error("E023", "a check without a command").at(at).help("remove it, or give it a command"),
        );
    }
    if check.timeout.is_some_and(|timeout| timeout.0.is_zero()) {
        found.push(Diagnostic::error("E024", "`timeout` must be more than 0").at(format!("{at}/timeout")));
    }
    if let Some(bad) = check.env.keys().find(|key| key.is_empty() || key.contains(['=', '\0'])) {
        let message = format!("`{}` is no name of an environment variable", visible(bad));
        found.push(Diagnostic::error("E024", message).at(format!("{at}/env")));
    }
}

/// E024: budgets and timeouts of nothing.
fn numbers(manifest: &Manifest, found: &mut Vec<Diagnostic>) {
    let execution = &manifest.execution;
    let mut wrong = |key: &str| {
        let message = format!("`{key}` must be more than 0");
        found.push(Diagnostic::error("E024", message).at(format!("/execution/{key}")));
    };
    if execution.budget_usd.is_some_and(|budget| budget <= 0.0) {
        wrong("budget_usd");
    }
    for (key, timeout) in [("step_timeout", execution.step_timeout), ("idle_timeout", execution.idle_timeout)] {
        if timeout.is_some_and(|timeout| timeout.0.is_zero()) {
            wrong(key);
        }
    }
}

/// E006: files that are listed have a path, gates a name.
fn files(manifest: &Manifest, found: &mut Vec<Diagnostic>) {
    let execution = &manifest.execution;
    let copied = execution.copy.iter().enumerate().map(|(n, file)| ("copy", n, "path", file.path.is_empty()));
    let shared = execution.shared_files.iter().flatten().enumerate();
    let shared = shared.map(|(n, file)| ("shared_files", n, "path", file.path.is_empty()));
    let gates = execution.voting_gates.iter().enumerate();
    let gates = gates.map(|(n, gate)| ("voting_gates", n, "name", gate.name.is_empty()));
    for (list, index, key, _) in copied.chain(shared).chain(gates).filter(|(.., empty)| *empty) {
        found.push(missing_field(&format!("/execution/{list}/{index}"), key));
    }
}

/// W108: a quality that was asked for by hand and that nothing measures.
fn quality(manifest: &Manifest, found: &mut Vec<Diagnostic>) {
    let quality = &manifest.quality;
    let asked = [
        ("coverage_target", "coverage_command", quality.coverage_target.is_some(), &quality.coverage_command),
        ("lint_required", "lint_command", quality.lint_required == Some(true), &quality.lint_command),
        ("security_scan", "security_command", quality.security_scan == Some(true), &quality.security_command),
    ];
    for (wish, key, _, _) in asked.into_iter().filter(|(_, _, asked, command)| *asked && command.is_none()) {
        let message = format!("`{wish}` cannot be enforced: there is no `{key}`");
        let warning = Diagnostic::warning("W108", message).at_key(format!("/quality/{wish}"));
        found.push(warning.help(format!("add `quality.{key}`")));
    }
}

/// W103: tests are required, and nothing runs them.
fn tests(manifest: &Manifest, found: &mut Vec<Diagnostic>) {
    if manifest.quality.test_command.is_some() {
        return;
    }
    let untested = manifest.components.iter().filter(|c| manifest.requires_tests(c) && c.checks.is_empty());
    let untested: Vec<&str> = untested.map(|c| c.id.as_str()).collect();
    if untested.is_empty() {
        return;
    }
    let message = format!("tests are required, but no command runs those of {}", some(untested.iter().copied()));
    let warning = Diagnostic::warning("W103", message).at_key("/execution/require_tests");
    found.push(warning.help("add `quality.test_command`, or `checks` to the components"));
}

/// W104: nothing checks a component before the end, so that others build on what may be broken.
fn unchecked(manifest: &Manifest, found: &mut Vec<Diagnostic>) {
    let early = |check: &Check| check.when != Some(When::End);
    let quality = &manifest.quality;
    if [&quality.lint_command, &quality.test_command].into_iter().flatten().any(early) {
        return;
    }
    let unchecked: Vec<&str> =
        manifest.components.iter().filter(|c| !c.checks.iter().any(early)).map(|c| c.id.as_str()).collect();
    if unchecked.is_empty() {
        return;
    }
    let message = format!("no command checks {} before the end", some(unchecked.iter().copied()));
    let warning = Diagnostic::warning("W104", message).at_key("/components");
    found.push(warning.help("add `checks` to them, or `quality.test_command` or `quality.lint_command`"));
}
