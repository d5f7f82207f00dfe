//! What has to hold of a component: by the plan of today, on what landed.

use super::account::{Account, Landing, Progress};
use super::case::Ran;
use super::claim::{Claim, Item, Standing, Waiver};
use super::facts::{Branch, Facts};
use super::landing::{Place, bound_to, changes, command, on_branch, reviewer};
use super::ledger::Ledger;
use crate::ids::Subject;
use crate::lifecycle::event::Proof;
use crate::plan::graph::Index;
use crate::plan::{Leg, Plan};

/// The component at an index, with what stands behind it. `whole` is how far the checks of the whole hold: they stand for
/// a component that has none of its own.
pub(super) fn component(plan: &Plan, ledger: &Ledger, facts: &Facts, at: Index, whole: Standing) -> Item {
    let id = plan.component(at).id.clone();
    let on = Subject::from(id);
    let none = Account::default();
    let account = ledger.accounts.get(&on).unwrap_or(&none);
    let last = account.landings.last();
    let landed = account.landings.iter().rev().find_map(|landing| landing.commit.clone());
    let waivers: Vec<Waiver> = ledger.waivers.iter().filter(|waiver| waiver.on == on).cloned().collect();
    let mut claims: Vec<Claim> = progress(account, facts, &on).into_iter().collect();
    if matches!(account.progress, Progress::Waiting | Progress::Skipped) && account.landings.is_empty() {
        return with_gaps(Item::new(on, landed, claims, waivers), account);
    }
    let validates = plan.legs(at).contains(&Leg::Validate);
    if validates {
        let place = place(ledger, last);
        for &check in &plan.component(at).checks {
            let check = plan.check(check);
            claims.push(command(ledger, facts, &on, check, ran(ledger, account, &check.name), place));
        }
    }
    match &facts.branch {
        Some(branch) => claims.extend(by_git(plan, ledger, branch, &on, account, validates)),
        None => claims.extend(without_git(plan, ledger, facts, &on, account, validates)),
    }
    let own = validates && (!plan.component(at).checks.is_empty() || plan.reviewers > 0);
    if !own {
        claims.push(by_the_whole(whole));
    }
    let mut item = with_gaps(Item::new(on, landed, claims, waivers), account);
    if let (Some(branch), Subject::Component(id)) = (&facts.branch, &item.on.clone()) {
        for touched in branch.touched.iter().filter(|touched| touched.owners.contains(id)) {
            let why = format!("`{}` is not as it was checked", touched.path);
            item.lower("landed", Standing::Contradicted, why);
        }
    }
    item
}

/// What the records claim and do not show is said, however far it is.
pub(super) fn with_gaps(mut item: Item, account: &Account) -> Item {
    for (what, why) in &account.gaps {
        item.lower(what, Standing::Contradicted, why.clone());
    }
    item
}

/// What keeps it from being done, if anything does.
fn progress(account: &Account, facts: &Facts, on: &Subject) -> Option<Claim> {
    let unproven = |why: String| Some(Claim::not("complete", Standing::Unproven, why));
    match &account.progress {
        Progress::Waiting => unproven("nothing of it was begun".to_owned()),
        Progress::Open => unproven("it is not done".to_owned()),
        Progress::Asking(question) => unproven(format!("it waits for an answer to {question}")),
        Progress::Failed(reason) => unproven(format!("it was given up: {reason}")),
        Progress::Skipped => unproven("it was left out".to_owned()),
        Progress::Complete(proof) => {
            if let Some(why) = facts.stale.get(on) {
                return unproven(why.clone());
            }
            let waived = *proof == Proof::Waived;
            waived.then(|| Claim::not("complete", Standing::Waived, "it rests on what a person took as it is"))
        }
    }
}

/// The run of a command that counts.
fn ran<'a>(ledger: &Ledger, account: &'a Account, name: &str) -> Option<&'a Ran> {
    match account.landings.last() {
        Some(landing) => landing.check(name),
        None if !ledger.has_git() => account.full.as_ref()?.check(name),
        None => None,
    }
}

fn place<'a>(ledger: &Ledger, last: Option<&'a Landing>) -> Place<'a> {
    match last {
        Some(landing) => Place::Tree(&landing.tree, "what landed"),
        None if !ledger.has_git() => Place::Directory,
        None => Place::Nowhere,
    }
}

fn by_git(
    plan: &Plan,
    ledger: &Ledger,
    branch: &Branch,
    on: &Subject,
    account: &Account,
    validates: bool,
) -> Vec<Claim> {
    let Some(last) = account.landings.last() else {
        let why = "the records do not say how its work came onto the branch";
        return vec![Claim::not("landed", Standing::Unproven, why)];
    };
    let mut claims = Vec::new();
    if validates {
        for number in 0..plan.reviewers {
            let bound = |change: &_| bound_to(branch, last, &last.onto, change);
            claims.push(reviewer(ledger, on, number, last.full.as_deref(), &bound));
        }
    }
    let bound = |landing: &Landing, change: &_| bound_to(branch, landing, &landing.onto, change);
    claims.push(changes(ledger, on, &account.landings, &bound));
    claims.push(on_branch(branch, ledger.base(), &account.landings));
    claims
}

/// Without git reviewers and change checks leave nothing that could be bound; the digest of its files is all there is.
fn without_git(
    plan: &Plan,
    ledger: &Ledger,
    facts: &Facts,
    on: &Subject,
    account: &Account,
    validates: bool,
) -> Vec<Claim> {
    let mut claims = Vec::new();
    if validates {
        let bound = |_: &_| super::facts::Carry::Unknown("there is no git".to_owned());
        claims.extend((0..plan.reviewers).map(|one| reviewer(ledger, on, one, account.full.as_deref(), &bound)));
    }
    let Subject::Component(id) = on else { return claims };
    claims.push(match (account.product, facts.products.get(id)) {
        (Some(then), Some(now)) if then == *now => {
            let mut claim = Claim::proven("files");
            claim.why.push("its own files are as its last step left them".to_owned());
            claim
        }
        (Some(_), Some(_)) => {
            Claim::not("files", Standing::Contradicted, "its own files are not as its last step left them")
        }
        _ => Claim::not("files", Standing::Unproven, "how its last step left its files is not on record"),
    });
    claims
}

/// Where a component is not validated by itself, the whole is.
fn by_the_whole(whole: Standing) -> Claim {
    match whole {
        Standing::Proven => Claim::proven("whole"),
        Standing::Waived => Claim::not("whole", whole, "it is proven with the whole, which is waived"),
        Standing::Unproven => Claim::not("whole", whole, "it is proven with the whole, which is not"),
        Standing::Contradicted => Claim::not("whole", whole, "it is proven with the whole, which is contradicted"),
    }
}
