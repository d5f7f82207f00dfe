//! What has to hold of the whole: its commands, reviewers and votes, on the tree that the branch has.

use std::collections::HashSet;

use super::account::{Account, Landing, Progress};
use super::carry::carried;
use super::claim::{Claim, Item, Standing};
use super::component::with_gaps;
use super::facts::{Branch, Carry, Facts};
use super::landing::{Place, bound_to, changes, command, on_branch, reviewer, short};
use super::ledger::Ledger;
use crate::ids::Subject;
use crate::lifecycle::event::{Change, GateAct};
use crate::plan::{CheckIndex, Plan};

/// The commands that the whole is proven by: without those that only components have which were left out.
pub(super) fn required(plan: &Plan, ledger: &Ledger) -> Vec<CheckIndex> {
    let skipped = |on: &Subject| ledger.accounts.get(on).is_some_and(|account| account.progress == Progress::Skipped);
    let of = |out: bool| {
        let components = plan.components.iter().filter(move |one| skipped(&one.id.clone().into()) == out);
        components.flat_map(|component| component.checks.iter().copied()).collect::<HashSet<_>>()
    };
    let (left_out, kept) = (of(true), of(false));
    let needed =
        |check: &&CheckIndex| !left_out.contains(check) || kept.contains(check) || plan.level_checks.contains(check);
    plan.final_checks.iter().filter(needed).copied().collect()
}

/// The whole, with what stands behind it; and how far its checks hold, which stand for components without their own.
pub(super) fn whole(plan: &Plan, ledger: &Ledger, facts: &Facts) -> (Item, Standing) {
    let none = Account::default();
    let account = ledger.accounts.get(&Subject::Run).unwrap_or(&none);
    let mut checks = checks(plan, ledger, facts, account);
    if checks.is_empty() {
        checks.push(Claim::not("checks", Standing::Unproven, "nothing checks the whole"));
    }
    checks.extend(facts.branch.as_ref().map(|branch| at_the_tip(ledger, branch)));
    let own = with_gaps(Item::new(Subject::Run, None, checks, Vec::new()), account);
    let stands = own.standing;
    let landed = account.landings.iter().rev().find_map(|landing| landing.commit.clone());
    let mut claims: Vec<Claim> = complete(ledger, facts, account).into_iter().collect();
    claims.extend(own.claims);
    claims.extend(gates(plan, ledger));
    if let Some(branch) = facts.branch.as_ref().filter(|_| !account.landings.is_empty()) {
        let from = ledger.base().unwrap_or_default();
        let bound = |landing: &Landing, change: &Change| bound_to(branch, landing, from, change);
        claims.push(changes(ledger, &Subject::Run, &account.landings, &bound));
        claims.push(on_branch(branch, ledger.base(), &account.landings));
    }
    (Item::new(Subject::Run, landed, claims, ledger.waivers.clone()), stands)
}

fn checks(plan: &Plan, ledger: &Ledger, facts: &Facts, account: &Account) -> Vec<Claim> {
    let case = account.full.as_deref();
    let tree = facts.branch.as_ref().and_then(|branch| Some(&*branch.commits.get(branch.tip.as_ref()?)?.tree));
    let place = match (tree, ledger.has_git()) {
        (Some(tree), _) => Place::Tree(tree, "the branch"),
        (None, true) => Place::Nowhere,
        (None, false) => Place::Directory,
    };
    let on = Subject::Run;
    let commands = required(plan, ledger).into_iter().map(|check| {
        let check = plan.check(check);
        command(ledger, facts, &on, check, case.and_then(|case| case.check(&check.name)), place)
    });
    let bound = |change: &Change| match (&facts.branch, tree) {
        (Some(branch), Some(tree)) => bound_to_tip(ledger, branch, change, tree),
        _ => Carry::Unknown("there is no git".to_owned()),
    };
    let seats = (0..plan.reviewers).map(|number| reviewer(ledger, &on, number, case, &bound));
    commands.chain(seats).collect()
}

/// Whether a change that a reviewer of the whole judged is all that the branch has.
fn bound_to_tip(ledger: &Ledger, branch: &Branch, change: &Change, tree: &str) -> Carry {
    if *change.tree == *tree {
        return Carry::Same;
    }
    match (ledger.base(), &branch.tip) {
        (Some(base), Some(tip)) if ledger.head.as_ref() == Some(tip) => carried(branch, change, base, tip, tree),
        _ => Carry::Other,
    }
}

/// That the branch is where the records say.
fn at_the_tip(ledger: &Ledger, branch: &Branch) -> Claim {
    let known = ledger.head.as_deref().unwrap_or_default();
    match &branch.tip {
        None => Claim::not("branch", Standing::Unproven, format!("there is no branch `{}` any more", branch.name)),
        Some(tip) if tip == known => {
            let mut claim = Claim::proven("branch");
            if ledger.adopted {
                claim.why.push(format!("its commit {} is the user's own", short(tip)));
            }
            claim
        }
        Some(tip) => {
            let (is, was) = (short(tip), short(known));
            let why = format!("the branch `{}` is at {is}, and no record knows of it: the last is {was}", branch.name);
            let mut claim = Claim::not("branch", Standing::Contradicted, why);
            let others = branch.touched.iter().filter(|touched| touched.owners.is_empty());
            for touched in others {
                claim.lower(Standing::Contradicted, format!("`{}` is not as it was checked", touched.path));
            }
            claim
        }
    }
}

fn complete(ledger: &Ledger, facts: &Facts, account: &Account) -> Option<Claim> {
    let unproven = |why: String| Some(Claim::not("complete", Standing::Unproven, why));
    if let Some(why) = &facts.illegal {
        return Some(Claim::not("complete", Standing::Contradicted, why.clone()));
    }
    if let Progress::Asking(question) = &account.progress {
        return unproven(format!("it waits for an answer to {question}"));
    }
    if ledger.completed.is_none() {
        return unproven("the whole is not complete".to_owned());
    }
    facts.stale.get(&Subject::Run).and_then(|why| unproven(why.clone()))
}

/// That each vote was held and lets the work go on.
fn gates(plan: &Plan, ledger: &Ledger) -> Vec<Claim> {
    let of = |name: &std::sync::Arc<str>| {
        let what = format!("gate:{name}");
        let Some(settled) = ledger.gates.get(name) else {
            return Claim::not(what, Standing::Unproven, "no vote of it is on record that counts for this");
        };
        match (&settled.by, settled.act) {
            (Some(by), _) => Claim::not(what, Standing::Waived, format!("{by} chose: {}", settled.option)),
            (None, GateAct::Proceed | GateAct::Decide) => {
                let mut claim = Claim::proven(what);
                claim.why.push(format!("the voters chose {} (record {})", settled.option, settled.record));
                claim
            }
            (None, GateAct::Fix | GateAct::Escalate) => {
                Claim::not(what, Standing::Unproven, format!("the voters chose {}", settled.option))
            }
        }
    };
    plan.gates.iter().map(|gate| of(&gate.name)).collect()
}
