//! What the claims of a component and of the whole have in common: commands, reviewers, changes, and where the work is.

use super::account::Landing;
use super::carry::carried;
use super::case::{Case, Ran, Seat, first_line};
use super::claim::{Basis, Claim, Kept, Standing};
use super::facts::{Branch, Carry, Facts};
use super::ledger::Ledger;
use crate::ids::{Step, Subject};
use crate::lifecycle::event::{Change, Issue};
use crate::plan::CheckPlan;
use crate::text::plural;

/// The digits by which commits and trees are called.
const SHORT: usize = 10;

/// What a command is to have run on.
#[derive(Debug, Clone, Copy)]
pub(super) enum Place<'a> {
    /// This tree, which is called so.
    Tree(&'a str, &'a str),
    /// Whatever was in the work directory: there is no git.
    Directory,
    /// It is not known where the work is.
    Nowhere,
}

/// That a command passed on the tree that counts.
pub(super) fn command(
    ledger: &Ledger,
    facts: &Facts,
    on: &Subject,
    check: &CheckPlan,
    ran: Option<&Ran>,
    place: Place<'_>,
) -> Claim {
    let what = format!("check:{}", check.name);
    let Some(ran) = ran else {
        return Claim::not(what, Standing::Unproven, "no run of it is on record that counts for this");
    };
    let kept = facts.kept(&ran.attempt, ran.evidence.output);
    let mut claim = Claim::proven(what).resting_on(Basis::command(ran, kept));
    if ran.evidence.argv.last() != Some(&check.run) {
        let other = ran.evidence.argv.last().map_or("", |command| first_line(command));
        claim.lower(Standing::Unproven, format!("what ran was another command: `{other}`"));
    }
    if ran.verdict != crate::lifecycle::event::Verdict::Pass {
        not_passed(&mut claim, ledger, on, &ran.issues);
    }
    match (place, ran.evidence.tree.as_deref()) {
        (Place::Tree(tree, _), Some(seen)) if seen == tree => {}
        (Place::Tree(tree, called), Some(seen)) => {
            let why = format!("it ran on the tree {}, and {called} has the tree {}", short(seen), short(tree));
            claim.lower(Standing::Contradicted, why);
        }
        (Place::Tree(..) | Place::Directory, None) | (Place::Directory, Some(_)) => {
            claim.lower(Standing::Unproven, "without git nothing binds its run to the files that there are");
        }
        (Place::Nowhere, _) => claim.lower(Standing::Unproven, "it is not known which tree it had to run on"),
    }
    match kept {
        Some(Kept::Differs) => {
            let why = format!("the output that is kept of {} is not the one that was recorded", ran.attempt);
            claim.lower(Standing::Contradicted, why);
        }
        Some(Kept::Gone) if claim.standing == Standing::Proven => {
            claim.why.push(format!("the output of {} is gone, so that only its record speaks", ran.attempt));
        }
        Some(Kept::Gone | Kept::Same) | None => {}
    }
    claim
}

/// What did not pass holds as far as somebody took it as it is.
fn not_passed(claim: &mut Claim, ledger: &Ledger, on: &Subject, issues: &[Issue]) {
    let open: Vec<&Issue> = issues.iter().filter(|issue| !ledger.is_waived(on, issue)).collect();
    if let Some(issue) = open.first() {
        claim.lower(Standing::Unproven, format!("it did not pass: {}", first_line(&issue.text)));
        return;
    }
    let inherited = |issue: &&Issue| ledger.inherited.iter().any(|known| known.fingerprint == issue.fingerprint);
    if !issues.is_empty() && issues.iter().all(|issue| inherited(&issue)) {
        let what = plural(issues.len(), "failure");
        claim.why.push(format!("{what} of it were there before any work: {}", first_line(&issues[0].text)));
    } else {
        let what = issues.first().map_or("nothing of it was said", |issue| first_line(&issue.text));
        claim.lower(Standing::Waived, format!("taken as it is: {what}"));
    }
}

/// That a reviewer judged what landed and found nothing that is open.
pub(super) fn reviewer(
    ledger: &Ledger,
    on: &Subject,
    number: u8,
    case: Option<&Case>,
    bound: &dyn Fn(&Change) -> Carry,
) -> Claim {
    let what = Step::Review(number).to_string();
    match case.and_then(|case| case.review(number)) {
        None => Claim::not(what, Standing::Unproven, "no answer of it is on record that counts for this"),
        Some(Seat::Lost { why, .. }) => {
            let taken = ledger.waivers.iter().flat_map(|waiver| &waiver.issues).any(|issue| issue.source == what);
            let standing = if taken { Standing::Waived } else { Standing::Unproven };
            Claim::not(what, standing, format!("it could not be asked: {}", first_line(why)))
        }
        Some(Seat::Reviewed { attempt, record, issues, change }) => {
            let mut claim = Claim::proven(what).resting_on(Basis::change(attempt, *record, change.as_ref()));
            for issue in issues.iter().filter(|issue| issue.severity.blocks()) {
                not_passed(&mut claim, ledger, on, std::slice::from_ref(issue));
            }
            bind(&mut claim, change.as_ref(), "what it judged", bound);
            claim
        }
    }
}

/// That what landed was checked for what it may touch and for weakened tests.
pub(super) fn changes(
    ledger: &Ledger,
    on: &Subject,
    landings: &[Landing],
    bound: &dyn Fn(&Landing, &Change) -> Carry,
) -> Claim {
    let mut claim = Claim::proven("change");
    for landing in landings {
        let Some(commit) = &landing.commit else { continue };
        match &landing.change {
            None => claim
                .lower(Standing::Unproven, format!("no change check of what landed as {} is on record", short(commit))),
            Some(seen) => {
                claim = claim.resting_on(Basis::change(&seen.attempt, seen.record, seen.change.as_ref()));
                bind(&mut claim, seen.change.as_ref(), "what was checked", &|change| bound(landing, change));
            }
        }
        for issue in landing.full.iter().flat_map(|case| &case.findings) {
            not_passed(&mut claim, ledger, on, std::slice::from_ref(issue));
        }
    }
    claim
}

fn bind(claim: &mut Claim, change: Option<&Change>, what: &str, bound: &dyn Fn(&Change) -> Carry) {
    let Some(change) = change else {
        claim.lower(Standing::Unproven, "it was recorded without the change that it was made on");
        return;
    };
    match bound(change) {
        Carry::Same => {}
        Carry::SameBut(files) if claim.standing == Standing::Proven => {
            claim.why.push(format!("but for what a command made anew at the merge: {}", files.join(", ")));
        }
        Carry::SameBut(_) => {}
        Carry::Other => {
            claim.lower(Standing::Unproven, format!("{what} is another change than the one that landed"));
        }
        Carry::Unknown(why) => {
            claim.lower(Standing::Unproven, format!("whether {what} is what landed cannot be told: {why}"));
        }
    }
}

/// That the work is on the branch as it was recorded.
pub(super) fn on_branch(branch: &Branch, base: Option<&str>, landings: &[Landing]) -> Claim {
    let mut claim = Claim::proven("landed");
    for landing in landings {
        let at = landing.at();
        let called = short(at);
        match branch.commits.get(at) {
            None => {
                claim.lower(Standing::Contradicted, format!("the commit {called} is not in the repository"));
                continue;
            }
            Some(known) if known.tree != landing.tree => {
                let (is, was) = (short(&known.tree), short(&landing.tree));
                let why = format!("the commit {called} has the tree {is}, and {was} was recorded");
                claim.lower(Standing::Contradicted, why);
            }
            Some(known) if landing.commit.is_some() && known.parents != [landing.onto.clone()] => {
                let why = format!("the commit {called} does not follow {}, as was recorded", short(&landing.onto));
                claim.lower(Standing::Contradicted, why);
            }
            Some(_) => {}
        }
        if branch.tip.is_none() {
            claim.lower(Standing::Unproven, format!("there is no branch `{}` any more to hold {called}", branch.name));
        } else if !branch.on_branch.contains(at) && base != Some(at) {
            let why = format!("the commit {called} is not on the branch `{}` any more", branch.name);
            claim.lower(Standing::Contradicted, why);
        }
    }
    claim
}

/// Whether a change that was checked is what landed.
pub(super) fn bound_to(branch: &Branch, landing: &Landing, from: &str, change: &Change) -> Carry {
    match &landing.commit {
        Some(commit) => carried(branch, change, from, commit, &landing.tree),
        // Nothing landed: what was judged is the tree as the branch has it, or no change at all.
        None if *change.tree == *landing.tree || change.patch.is_none() => Carry::Same,
        None => Carry::Other,
    }
}

/// A commit or a tree for people.
pub(super) fn short(id: &str) -> &str {
    id.get(..SHORT).unwrap_or(id)
}
