//! The votes of a plan: the known gates with their options, and the manifest's own.

use std::sync::Arc;

use super::{GateAct, GatePlan, Mode, OptionPlan};
use crate::spec::manifest::{GateAction, GateOption, GateWhen, Manifest, RiskLevel, VotingGate};

/// How many agents vote unless the manifest says otherwise.
const VOTERS: u8 = 3;
/// The share of the weight that decides unless the manifest says otherwise.
const THRESHOLD: f64 = 2.0 / 3.0;
/// The gate on how to go on when the same issue comes again.
pub(super) const STRATEGY: &str = "fix_strategy";
/// The gate that comes last.
const PRODUCTION: &str = "production_ready";

/// An option: its name, what it does, and how that is told to voters.
type Known = (&'static str, GateAct, &'static str);

struct KnownGate {
    name: &'static str,
    before: bool,
    question: &'static str,
    options: &'static [Known],
}

const STRATEGY_OPTIONS: &[Known] = &[
    ("FIX_IN_PLACE", GateAct::FixInPlace, "the work stays as it is, and the next fix follows your reasons"),
    (
        "REFACTOR",
        GateAct::Refactor,
        "the work is taken back to before its implementation and made anew, in a new conversation that knows your reasons",
    ),
    ("ESCALATE", GateAct::Escalate, "a person is asked"),
];

/// The known gates of the whole, in the order in which they are held.
const KNOWN: [KnownGate; 4] = [
    KnownGate {
        name: "impact_strategy",
        before: true,
        question: "How shall this change reach those who use the code today?",
        options: &[
            ("BACKWARD_COMPATIBLE", GateAct::Decide, "nothing that exists may break"),
            ("COORDINATED_ROLLOUT", GateAct::Decide, "what breaks is changed together with all its users"),
            ("INCREMENTAL_MIGRATION", GateAct::Decide, "old and new live side by side until all have moved"),
            ("REDESIGN_NEEDED", GateAct::Escalate, "the plan is not fit for this; a person is asked"),
        ],
    },
    KnownGate {
        name: "test_adequacy",
        before: false,
        question: "Would the tests of this work notice if it broke?",
        options: &[
            ("ADEQUATE", GateAct::Proceed, "the work goes on"),
            ("NEEDS_MORE", GateAct::Fix, "what you miss becomes a fix round"),
            ("WEAK", GateAct::Fix, "the tests prove little; what you miss becomes a fix round"),
        ],
    },
    KnownGate {
        name: "doc_quality",
        before: false,
        question: "Can somebody who did not write this work use and maintain it by its documentation?",
        options: &[
            ("READY", GateAct::Proceed, "the work goes on"),
            ("GAPS", GateAct::Fix, "what is missing becomes a fix round"),
            ("INACCURATE", GateAct::Fix, "what is wrong becomes a fix round"),
        ],
    },
    KnownGate {
        name: PRODUCTION,
        before: false,
        question: "Is this work ready to be used in production?",
        options: &[
            ("READY", GateAct::Proceed, "the run completes"),
            ("NEEDS_WORK", GateAct::Fix, "your concerns become a fix round"),
            ("RISKY", GateAct::Escalate, "a person is asked"),
        ],
    },
];

/// The votes on the whole: those that the manifest names, and `production_ready` in full mode and at high risk; before
/// the components first, `production_ready` last.
pub(super) fn of_the_whole(manifest: &Manifest, mode: Mode) -> Vec<GatePlan> {
    let named = &manifest.execution.voting_gates;
    let demanding = mode == Mode::Full || manifest.risk() >= RiskLevel::High;
    let wanted = |known: &&KnownGate| {
        named.iter().any(|gate| gate.name == known.name) || (known.name == PRODUCTION && demanding)
    };
    let known = KNOWN.iter().filter(wanted).map(|known| known_gate(known, named));
    let own = named.iter().filter(|gate| !VotingGate::KNOWN.contains(&gate.name.as_str())).map(own_gate);
    let mut gates: Vec<GatePlan> = known.chain(own).collect();
    gates.sort_by_key(|gate| (!gate.before, &*gate.name == PRODUCTION));
    gates
}

/// The vote on how to mend, which always exists.
pub(super) fn strategy(manifest: &Manifest) -> GatePlan {
    let gate = KnownGate {
        name: STRATEGY,
        before: false,
        question: "The same issue was found again, and the last fix did not bring the work nearer. How shall it go on?",
        options: STRATEGY_OPTIONS,
    };
    known_gate(&gate, &manifest.execution.voting_gates)
}

fn known_gate(known: &KnownGate, named: &[VotingGate]) -> GatePlan {
    let option = |&(name, act, meaning): &Known| OptionPlan { name: Arc::from(name), act, meaning: meaning.to_owned() };
    let named = named.iter().find(|gate| gate.name == known.name);
    GatePlan {
        name: Arc::from(known.name),
        before: known.before,
        question: known.question.to_owned(),
        options: known.options.iter().map(option).collect(),
        voters: named.map_or(VOTERS, voters),
        threshold: named.and_then(|gate| gate.threshold).unwrap_or(THRESHOLD),
        models: named.map(|gate| gate.models.clone()).unwrap_or_default(),
    }
}

fn own_gate(gate: &VotingGate) -> GatePlan {
    let option = |option: &GateOption| {
        let (act, meaning) = match option.action.unwrap_or_default() {
            GateAction::Proceed => (GateAct::Proceed, "the work goes on"),
            GateAction::Fix => (GateAct::Fix, "your concerns become a fix round"),
            GateAction::Escalate => (GateAct::Escalate, "a person is asked"),
        };
        OptionPlan { name: Arc::from(option.name.as_str()), act, meaning: meaning.to_owned() }
    };
    GatePlan {
        name: Arc::from(gate.name.as_str()),
        before: gate.when == Some(GateWhen::Before),
        question: gate.question.as_ref().map_or_else(|| gate.name.clone(), |text| text.as_str().to_owned()),
        options: gate.options.iter().map(option).collect(),
        voters: voters(gate),
        threshold: gate.threshold.unwrap_or(THRESHOLD),
        models: gate.models.clone(),
    }
}

fn voters(gate: &VotingGate) -> u8 {
    gate.voters.map_or(VOTERS, |voters| u8::try_from(voters.get()).unwrap_or(VOTERS))
}
