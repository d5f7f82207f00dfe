//! Rules about votes.

use super::super::manifest::VotingGate;
use super::super::nearest::nearest;
use super::Ground;
use crate::diagnostic::{Diagnostic, visible};
use crate::ids::check_name;

/// Runs the rules of this file.
pub(super) fn judge(ground: &Ground<'_>, found: &mut Vec<Diagnostic>) {
    for (index, gate) in ground.manifest.execution.voting_gates.iter().enumerate() {
        let at = format!("/execution/voting_gates/{index}");
        found.extend(unusable(gate).map(|diagnostic| diagnostic.at(at.clone())));
        options(gate, &at, found);
        if gate.threshold.is_some_and(|share| !(share > 0.0 && share <= 1.0)) {
            let message = "`threshold` must be more than 0 and at most 1";
            found.push(Diagnostic::error("E024", message).at(format!("{at}/threshold")));
        }
    }
    reviewers(ground, found);
}

/// E006, E020, E021: a gate is a known one, or has a name, a question's options.
fn unusable(gate: &VotingGate) -> Option<Diagnostic> {
    if VotingGate::KNOWN.contains(&gate.name.as_str()) || (gate.name.is_empty() && gate.options.is_empty()) {
        return None;
    }
    let name = visible(&gate.name);
    // One that says more than its name is meant to be the user's own.
    let own = gate.question.is_some() || gate.when.is_some();
    if own || !gate.options.is_empty() {
        if gate.options.is_empty() {
            let diagnostic = Diagnostic::error("E021", format!("the gate `{name}` has no options"));
            return Some(diagnostic.help(
                "for example `\"options\": [{\"name\": \"READY\"}, {\"name\": \"RISKY\", \"action\": \"escalate\"}]`",
            ));
        }
        let why = check_name(&gate.name).err()?;
        return Some(Diagnostic::error("E010", format!("the name of the gate `{name}` {why}")));
    }
    let diagnostic = Diagnostic::error("E020", format!("unknown gate `{name}`"));
    Some(match nearest(&gate.name, VotingGate::KNOWN) {
        Some(meant) => diagnostic.help(format!("did you mean `{meant}`?")),
        None => diagnostic.help(format!(
            "known gates: {}; a gate of your own is an object with `options`",
            VotingGate::KNOWN.join(", ")
        )),
    })
}

/// E006, E022: options have names, each its own.
fn options(gate: &VotingGate, at: &str, found: &mut Vec<Diagnostic>) {
    for (index, option) in gate.options.iter().enumerate() {
        let at = format!("{at}/options/{index}");
        if option.name.is_empty() {
            found.push(super::super::schema::missing_field(&at, "name"));
        } else if gate.options[..index].iter().any(|earlier| earlier.name == option.name) {
            let message = format!("the option `{}` is given twice", visible(&option.name));
            found.push(Diagnostic::error("E022", message).at(format!("{at}/name")));
        }
    }
}

/// W102: fewer reviewers than the risk calls for.
fn reviewers(ground: &Ground<'_>, found: &mut Vec<Diagnostic>) {
    let (Some(given), risk) = (ground.manifest.execution.reviewers, ground.manifest.risk()) else { return };
    if given.get() < risk.reviewers() {
        let message = format!("{} reviewer(s) are fewer than the {} of this risk level", given.get(), risk.reviewers());
        let warning = Diagnostic::warning("W102", message).at("/execution/reviewers");
        found.push(warning.help("remove `reviewers` to have as many as the risk calls for"));
    }
}
