//! The fold of the records into accounts: what each subject claims, and what stands behind it.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::Arc;

use super::account::{Account, ChangeSeen, Landing, Progress};
use super::carry::Passage;
use super::case::{Case, Seat};
use super::claim::Waiver;
use crate::ids::{AttemptId, ComponentId, Digest, Subject};
use crate::lifecycle::event::{
    Answer, AttemptEnd, Author, Escalation, Event, GateAct, Integration, Issue, Proof, Rebuilt, Record, Redo,
    RunStarted, Scope, Verb, Verdict,
};

/// All that the records tell of what is proven.
#[derive(Debug, Clone, Default)]
pub struct Ledger {
    /// How many records there are.
    pub records: u64,
    pub(super) run: Option<RunStarted>,
    /// Where the branch is: the last commit that landed or was taken in; before that where it began.
    pub(super) head: Option<String>,
    /// Whether somebody other than cco put that there.
    pub(super) adopted: bool,
    pub(super) accounts: BTreeMap<Subject, Account>,
    pub(super) waivers: Vec<Waiver>,
    pub(super) inherited: Vec<Issue>,
    /// The votes on the whole that are settled: the record, what was chosen, what it does, who took it as it is.
    pub(super) gates: BTreeMap<Arc<str>, Settled>,
    pub(super) completed: Option<Proof>,
    questions: BTreeMap<String, Escalation>,
    started: HashSet<AttemptId>,
}

/// A vote on the whole that is settled.
#[derive(Debug, Clone)]
pub(super) struct Settled {
    pub record: u64,
    pub option: Arc<str>,
    pub act: GateAct,
    /// Who took it as it is; none where the voters chose.
    pub by: Option<Arc<str>>,
}

/// What has to be asked of git and the disk before it can be judged.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Wanted {
    /// The commits that records name.
    pub commits: BTreeSet<String>,
    /// What was checked and what landed, where the trees alone do not tell that these are the same.
    pub passages: BTreeSet<Passage>,
    /// The commands whose output was recorded.
    pub logs: BTreeSet<AttemptId>,
}

impl Ledger {
    /// Takes in one record.
    pub fn see(&mut self, record: &Record) {
        self.records += 1;
        for event in &record.events {
            self.take(record, event);
        }
    }

    /// The settings of the last run.
    pub fn run(&self) -> Option<&RunStarted> {
        self.run.as_ref()
    }

    /// Where the branch is, as the records say.
    pub fn head(&self) -> Option<&str> {
        self.head.as_deref()
    }

    /// The components that records speak of.
    pub fn components(&self) -> impl Iterator<Item = &ComponentId> {
        self.accounts.keys().filter_map(|on| match on {
            Subject::Component(id) => Some(id),
            Subject::Run => None,
        })
    }

    fn take(&mut self, record: &Record, event: &Event) {
        match event {
            Event::RunStarted(run) => {
                let base = run.tree.branch().map(|(_, base)| base.to_owned());
                self.head = self.head.take().or(base);
                self.run = Some((**run).clone());
            }
            Event::ComponentStarted { on, .. } => {
                self.completed = None;
                self.account(&on.clone().into()).progress = Progress::Open;
            }
            Event::AttemptStarted { attempt, .. } => {
                self.started.insert(attempt.clone());
            }
            Event::AttemptEnded { attempt, end, .. } => self.end(record.seq, attempt, end),
            Event::ValidationOpened { on, scope, round, checks, reviewers, change_only, merged, strict, .. } => {
                let account = self.account(on);
                account.open = Some(Case {
                    record: record.seq,
                    scope: *scope,
                    round: *round,
                    change_only: *change_only,
                    merged: *merged,
                    strict: *strict,
                    findings: account.findings.clone(),
                    checks: checks.iter().map(|name| (name.clone(), None)).collect(),
                    reviews: reviewers.iter().flatten().map(|one| (*one, None)).collect(),
                    verdict: None,
                });
            }
            Event::ValidationSettled { on, verdict, .. } => self.settle(on, record.seq, *verdict),
            Event::SeatLost { on, step, why } => {
                let seat = Seat::Lost { record: record.seq, why: why.clone() };
                if let Some(case) = &mut self.account(on).open {
                    case.sat(step, seat);
                }
            }
            Event::BranchAdopted { commit } => {
                self.head = Some(commit.to_string());
                self.adopted = true;
                self.reopen();
            }
            Event::GateSettled { gate, option, act, .. } => {
                let by = by_whom(record);
                let settled = Settled { record: record.seq, option: option.clone(), act: *act, by };
                self.gates.insert(gate.clone(), settled);
            }
            Event::Inherited { issues } => self.inherited.extend(issues.iter().cloned()),
            Event::Escalated(question) => {
                self.account(&question.on).progress = Progress::Asking(question.id.clone());
                self.questions.insert(question.id.clone(), (**question).clone());
            }
            Event::Answered(answer) => self.answer(record, answer),
            Event::ComponentCompleted { on, proof } => {
                self.account(&on.clone().into()).progress = Progress::Complete(*proof);
            }
            Event::ComponentFailed { on, reason } => {
                self.account(&on.clone().into()).progress = Progress::Failed(reason.clone());
            }
            Event::ComponentSkipped { on } => self.account(&on.clone().into()).progress = Progress::Skipped,
            Event::RunCompleted { proof } => self.completed = Some(*proof),
            Event::WentStale { on, redo, .. } => {
                self.reopen();
                self.account(on).progress = Progress::Open;
                if *redo == Redo::All {
                    self.waivers.retain(|waiver| waiver.on != *on);
                    self.account(on).findings.clear();
                }
            }
            Event::StateRebuilt(rebuilt) => self.rebuild(record.seq, rebuilt),
            Event::JournalOpened { .. }
            | Event::RunEnded { .. }
            | Event::RunAborted
            | Event::RunPaused { .. }
            | Event::WindowNearlyUsed { .. }
            | Event::JobsChanged { .. }
            | Event::StepOpened { .. }
            | Event::RetryScheduled { .. }
            | Event::ValidationWaived { .. }
            | Event::FixOpened { .. }
            | Event::IntegrationOpened { .. }
            | Event::VoteOpened(_)
            | Event::VoteSettled(_)
            | Event::Refactored { .. }
            | Event::Noted { .. } => {}
        }
    }

    /// What git told when the records before were lost: it landed, and nothing more is known of it.
    fn rebuild(&mut self, record: u64, rebuilt: &Rebuilt) {
        self.head = Some(rebuilt.branch.to_string());
        for work in &rebuilt.work {
            let account = self.account(&work.on);
            account.progress = Progress::Open;
            account.landings = work.landed.iter().map(|landing| Landing::found(record, landing)).collect();
        }
    }

    fn end(&mut self, record: u64, attempt: &AttemptId, end: &AttemptEnd) {
        if !self.started.remove(attempt) {
            let gap = (attempt.step.to_string(), format!("{attempt} ended in record {record} and never began"));
            self.account(&attempt.on).gaps.push(gap);
        }
        match end {
            AttemptEnd::Wrote { change, findings, product, .. }
            | AttemptEnd::Compared { change, findings, product, .. } => {
                let account = self.account(&attempt.on);
                let found = change.as_deref().and_then(|change| account.found_without_records(change));
                let seen = ChangeSeen { attempt: attempt.clone(), record, change: change.as_deref().cloned() };
                match found {
                    Some(landing) => {
                        landing.change = Some(seen);
                        account.findings.extend(findings.iter().cloned());
                    }
                    None => {
                        account.change = Some(seen);
                        account.findings.clone_from(findings);
                    }
                }
                account.product = product.or(account.product);
            }
            AttemptEnd::Reviewed { issues, change, .. } => {
                let (issues, change) = (issues.clone(), change.as_deref().cloned());
                let seat = Seat::Reviewed { attempt: attempt.clone(), record, issues, change };
                if let Some(case) = &mut self.account(&attempt.on).open {
                    case.sat(&attempt.step, seat);
                }
            }
            AttemptEnd::Checked(result) => {
                if let Some(case) = &mut self.account(&attempt.on).open {
                    case.ran(attempt, record, result);
                }
            }
            AttemptEnd::Integrated(step) => {
                if let Integration::Landed { commit, tree, product } = &**step {
                    self.land(record, attempt, commit.as_deref(), tree);
                    let account = self.account(&attempt.on);
                    account.product = product.or(account.product);
                }
            }
            AttemptEnd::Voted { .. } | AttemptEnd::Failed { .. } | AttemptEnd::Interrupted { .. } => {}
        }
    }

    fn land(&mut self, record: u64, attempt: &AttemptId, commit: Option<&str>, tree: &str) {
        let onto = self.head.clone().unwrap_or_default();
        if let Some(commit) = commit {
            self.head = Some(commit.to_owned());
            self.adopted = false;
        }
        let account = self.account(&attempt.on);
        // The last validation of the whole stands for the branch as it is, whatever landed by it.
        let full = if attempt.on == Subject::Run { account.full.clone() } else { account.full.take() };
        let (change, merged) = (account.change.take(), account.merged.take());
        account.landings.push(Landing {
            attempt: attempt.clone(),
            record,
            commit: commit.map(str::to_owned),
            onto,
            tree: tree.to_owned(),
            change,
            full,
            merged,
        });
    }

    /// A PASS is believed as far as its parts carry it.
    fn settle(&mut self, on: &Subject, record: u64, verdict: Verdict) {
        let (waivers, inherited) = (self.waivers.clone(), self.inherited.clone());
        let account = self.account(on);
        let Some(case) = &mut account.open else {
            account.gaps.push(("validation".to_owned(), format!("record {record} ends one that never began")));
            return;
        };
        case.verdict = Some(verdict);
        if verdict != Verdict::Pass {
            return;
        }
        let waived = |issue: &Issue| is_waived(&waivers, &inherited, on, issue.fingerprint);
        let excused = |step: &str| waivers.iter().any(|waiver| waiver.issues.iter().any(|issue| issue.source == step));
        let where_ = format!("validation {} of {}, record {record}", case.round, scope_word(on, case.scope));
        let gaps = case.unsupported(&waived, &excused);
        let case = Arc::new(case.clone());
        account.gaps.extend(gaps.into_iter().map(|(what, why)| (what, format!("{why} ({where_})"))));
        match (case.change_only, case.merged, case.scope) {
            (true, ..) | (_, _, Scope::Baseline | Scope::Level(_)) => {}
            (_, true, _) => account.merged = Some(case),
            (_, false, Scope::Component | Scope::Final) => {
                account.full = Some(case);
                account.merged = None;
            }
        }
    }

    fn answer(&mut self, record: &Record, answer: &Answer) {
        let Some(question) = self.questions.remove(&answer.id) else { return };
        self.account(&question.on).progress = Progress::Open;
        if answer.verb != Verb::Accept {
            return;
        }
        let named = |issue: &Issue| answer.issues.is_empty() || answer.issues.contains(&issue.fingerprint);
        let issues: Vec<Issue> = question.issues.into_iter().filter(named).collect();
        if issues.is_empty() {
            return;
        }
        let by = by_whom(record).unwrap_or_else(|| Arc::from("cco"));
        let (question, on) = (question.id, question.on);
        self.waivers.push(Waiver { question, on, by, at: record.at, record: record.seq, issues });
    }

    /// The whole is another one: what votes said of it does not stand.
    fn reopen(&mut self) {
        if self.completed.take().is_some() {
            self.gates.clear();
        }
    }

    fn account(&mut self, on: &Subject) -> &mut Account {
        self.accounts.entry(on.clone()).or_default()
    }

    /// Whether the user took an issue as it is, or it was there before any work.
    pub(super) fn is_waived(&self, on: &Subject, issue: &Issue) -> bool {
        is_waived(&self.waivers, &self.inherited, on, issue.fingerprint)
    }

    /// Whether there is git.
    pub(super) fn has_git(&self) -> bool {
        self.run.as_ref().is_some_and(|run| run.tree.branch().is_some())
    }

    /// What has to be asked of git and the disk.
    pub fn wanted(&self) -> Wanted {
        let mut wanted = Wanted::default();
        wanted.commits.extend(self.head.clone().filter(|head| !head.is_empty()));
        for (on, account) in &self.accounts {
            for landing in &account.landings {
                wanted.commits.insert(landing.at().to_owned());
                wanted.passages.extend(passages(self, on, landing));
            }
            let cases = account.landings.iter().flat_map(|landing| [&landing.full, &landing.merged]);
            for case in cases.chain([&account.full, &account.merged]).flatten() {
                wanted.logs.extend(case.checks.iter().filter_map(|(_, ran)| {
                    let ran = ran.as_ref().filter(|ran| ran.verdict != Verdict::Unavailable)?;
                    Some(ran.attempt.clone())
                }));
            }
        }
        if let (Some(base), Some(head), Some(account)) = (self.base(), &self.head, self.accounts.get(&Subject::Run)) {
            let seen = account.full.iter().flat_map(|case| &case.reviews);
            let changes = seen.filter_map(|(_, seat)| match seat {
                Some(Seat::Reviewed { change: Some(change), .. }) => Some(Passage::new(change, base, head)),
                _ => None,
            });
            wanted.passages.extend(changes);
        }
        wanted
    }

    /// Where the branch began.
    pub(super) fn base(&self) -> Option<&str> {
        self.run.as_ref()?.tree.branch().map(|(_, base)| base)
    }
}

/// What has to be the same as what landed.
fn passages(ledger: &Ledger, on: &Subject, landing: &Landing) -> Vec<Passage> {
    let Some(commit) = &landing.commit else { return Vec::new() };
    // The change of the whole is compared with where the branch began.
    let from = if *on == Subject::Run { ledger.base().unwrap_or(&landing.onto) } else { &landing.onto };
    let seen = landing.change.iter().filter_map(|seen| seen.change.as_ref());
    let seats = landing.full.iter().flat_map(|case| &case.reviews).filter_map(|(_, seat)| match seat {
        Some(Seat::Reviewed { change, .. }) => change.as_ref(),
        _ => None,
    });
    let all = seen.chain(seats).map(|change| Passage::new(change, from, commit));
    all.filter(|passage| !passage.is_direct(&landing.tree)).collect()
}

fn is_waived(waivers: &[Waiver], inherited: &[Issue], on: &Subject, issue: Digest) -> bool {
    let known = |issues: &[Issue]| issues.iter().any(|known| known.fingerprint == issue);
    // The whole has the issues of all, and what was said of the whole holds for all.
    let concerns = |waiver: &&Waiver| *on == Subject::Run || waiver.on == *on || waiver.on == Subject::Run;
    known(inherited) || waivers.iter().filter(concerns).any(|waiver| known(&waiver.issues))
}

fn by_whom(record: &Record) -> Option<Arc<str>> {
    match &record.by {
        Author::User(name) => Some(name.clone()),
        Author::Cco => None,
    }
}

fn scope_word(on: &Subject, scope: Scope) -> String {
    match scope {
        Scope::Baseline => "the base".to_owned(),
        Scope::Component => on.to_string(),
        Scope::Level(level) => format!("level {level}"),
        Scope::Final => "the whole".to_owned(),
    }
}
