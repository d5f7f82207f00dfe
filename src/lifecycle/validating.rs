//! Validations: what is run and who is asked, the verdict, and what follows from it.

use std::collections::HashSet;
use std::sync::Arc;

use super::event::{Cause, Event, Issue, Scope, Trend, Verdict};
use super::sameness;
use super::settle::Settlement;
use super::state::{Illegal, RunState};
use super::subject::{Phase, Standing};
use crate::ids::{Digest, Step};
use crate::plan::graph::Index;
use crate::plan::{CheckIndex, Leg, Mode};
use crate::text::plural;

/// A hard cap on fix rounds, as a multiple of the counted ones.
const ROUNDS_PER_ATTEMPT: u32 = 3;

impl Settlement<'_> {
    pub(super) fn open_validation(&mut self, at: Index, scope: Scope) -> Result<(), Illegal> {
        let on = self.state.name(at);
        let round = self.state.at_mut(at).rounds + 1;
        let (checks, set) = (self.commands(at, scope), self.state.check_set(at, scope));
        let reviewers = self.reviewers(at, scope);
        // In full mode small remarks block once: what is left of them after a fix does not.
        let pressed = self.state.component_or_run(at).fixing.as_ref().is_some_and(|fixing| fixing.pressed);
        let strict = !pressed && !reviewers.is_empty() && self.state.plan().mode == Mode::Full;
        let (change_only, merged) = (false, false);
        self.emit(Event::ValidationOpened { on, scope, round, checks, reviewers, change_only, merged, strict, set })?;
        self.conclude_if_settled(at)
    }

    /// Judges the last change alone: its findings are mended before the component goes on its way.
    pub(super) fn open_change_validation(&mut self, at: Index) -> Result<(), Illegal> {
        let on = self.state.name(at);
        let round = self.state.at_mut(at).rounds + 1;
        let (scope, set) = (Scope::Component, self.state.check_set(at, Scope::Component));
        let (checks, reviewers, strict) = (Vec::new(), Vec::new(), false);
        let (change_only, merged) = (true, false);
        self.emit(Event::ValidationOpened { on, scope, round, checks, reviewers, change_only, merged, strict, set })?;
        self.conclude_if_settled(at)
    }

    /// Whether the last change has findings that the user did not take as they are.
    pub(super) fn has_findings(&self, at: Index) -> bool {
        self.state.component_or_run(at).findings.iter().any(|issue| !self.state.is_waived(issue, at))
    }

    /// The reviewers of a validation in waves: who found what is open, or decides what is disputed; then all others.
    fn reviewers(&self, at: Index, scope: Scope) -> Vec<Vec<u8>> {
        let all = self.state.plan().reviewers;
        let wanted = match scope {
            Scope::Component | Scope::Final => all,
            // A level's members were reviewed one by one; the base is nobody's change.
            Scope::Level(_) | Scope::Baseline => 0,
        };
        if wanted == 0 {
            return Vec::new();
        }
        let first = self.open_reviewers(at, wanted);
        let rest: Vec<u8> = (0..wanted).filter(|one| !first.contains(one)).collect();
        [first, rest].into_iter().filter(|wave| !wave.is_empty()).collect()
    }

    /// Reviewers with open issues; on one that is disputed the next reviewer decides.
    fn open_reviewers(&self, at: Index, count: u8) -> Vec<u8> {
        let Some(fixing) = &self.state.component_or_run(at).fixing else { return Vec::new() };
        let disputed = |issue: &Issue| fixing.disputes.iter().any(|dispute| sameness::is_id_of(&dispute.issue, issue));
        let mut open = std::collections::BTreeSet::new();
        for reviewer in 0..count {
            let source = Step::Review(reviewer).to_string();
            let own = fixing.issues.iter().filter(|issue| issue.source == source);
            open.extend(own.map(|issue| if disputed(issue) { (reviewer + 1) % count } else { reviewer }));
        }
        open.into_iter().collect()
    }

    /// The commands of a validation. After a skeleton there are none: it promises interfaces, not behaviour.
    pub(super) fn commands(&self, at: Index, scope: Scope) -> Vec<Arc<str>> {
        let plan = self.state.plan();
        let light = at != self.state.run_index()
            && plan.legs(at).get(usize::from(self.state.component(at).leg)) == Some(&Leg::Light);
        let set: &[CheckIndex] = match scope {
            Scope::Baseline => &plan.baseline,
            Scope::Component if light => &[],
            Scope::Component => &plan.component(at).checks,
            Scope::Level(_) => &plan.level_checks,
            Scope::Final => &plan.final_checks,
        };
        let left_out = if scope == Scope::Final { self.checks_left_out() } else { HashSet::new() };
        let set = set.iter().filter(|check| !left_out.contains(check));
        set.map(|&check| plan.check(check).name.clone()).collect()
    }

    /// Checks that only components have which were left out: the whole is proven without them.
    fn checks_left_out(&self) -> HashSet<CheckIndex> {
        let (state, plan) = (&*self.state, self.state.plan());
        if state.counts.complete == state.run_index() {
            return HashSet::new();
        }
        let of = |complete: bool| {
            let components = (0..state.run_index()).filter(move |&at| state.component(at).is_complete() == complete);
            components.flat_map(|at| &plan.component(at).checks).copied()
        };
        let kept: HashSet<CheckIndex> = of(true).chain(plan.level_checks.iter().copied()).collect();
        of(false).filter(|check| !kept.contains(check)).collect()
    }

    pub(super) fn conclude_if_settled(&mut self, at: Index) -> Result<(), Illegal> {
        let Phase::Validating(validation) = &self.state.component_or_run(at).phase else { return Ok(()) };
        let waived = |issue: &Issue| self.state.is_waived(issue, at);
        let Some(verdict) = validation.verdict(&waived) else { return Ok(()) };
        let (scope, round) = (validation.scope, validation.round);
        let (change_only, merged) = (validation.change_only, validation.merged);
        let issues = validation.issues(verdict, &waived);
        if verdict == Verdict::Fail && scope == Scope::Baseline && self.inherit(&issues)? {
            return self.conclude_if_settled(at);
        }
        let on = self.state.name(at);
        let best = self.state.component_or_run(at).fixing.as_ref().and_then(|fixing| fixing.best);
        let trend = Standing::of(&issues).against(best);
        self.emit(Event::ValidationSettled { on, round, verdict, issues: issues.clone() })?;
        match verdict {
            Verdict::Pass if change_only => self.proceed(at),
            Verdict::Pass if merged => self.after_merged_pass(at),
            Verdict::Pass => self.after_pass(at, scope),
            Verdict::Fail if scope == Scope::Baseline => self.after_red_base(at, issues),
            Verdict::Fail => self.after_fail(at, trend),
            Verdict::Unavailable => {
                let question = unavailable_question(&issues);
                self.escalate_with(at, Cause::NotCheckable, question, issues)
            }
        }
    }

    /// Where the user allows it, tests that are red before any work block nothing; tells whether there were any. They
    /// are known by the name that a report gives them: of a command that is red as a whole nobody can say what in it.
    fn inherit(&mut self, issues: &[Issue]) -> Result<bool, Illegal> {
        let plan = self.state.plan();
        let reports = |source: &str| {
            let check = source.strip_prefix("check:").and_then(|name| plan.check_named(name));
            check.is_some_and(|check| plan.check(check).junit.is_some())
        };
        let named = |issue: &&Issue| {
            reports(&issue.source) && issue.fingerprint != sameness::of_command(&issue.source) && issue.file.is_none()
        };
        let issues: Vec<Issue> = issues.iter().filter(named).cloned().collect();
        if !plan.policy.inherit_red || issues.is_empty() {
            return Ok(false);
        }
        self.emit(Event::Inherited { issues })?;
        Ok(true)
    }

    /// The base is red before any work: that is the user's to mend.
    fn after_red_base(&mut self, at: Index, issues: Vec<Issue>) -> Result<(), Illegal> {
        let mut what: Vec<&str> = issues.iter().map(|issue| issue.source.as_str()).collect();
        what.dedup();
        let question = format!(
            "{} on the untouched base, before any work: mend it, commit, and `run --fresh`; or take it as it is",
            if let [one] = what[..] { format!("{one} is red") } else { format!("{} are red", what.join(", ")) },
        );
        self.escalate_with(at, Cause::RedBase, question, issues)
    }

    fn after_pass(&mut self, at: Index, scope: Scope) -> Result<(), Illegal> {
        match scope {
            Scope::Component => self.proceed(at),
            Scope::Baseline => Ok(()),
            Scope::Level(_) => self.deliver_whole(scope).map(drop),
            Scope::Final => {
                if self.deliver_whole(scope)? {
                    return Ok(());
                }
                self.conclude_whole()
            }
        }
    }

    fn after_fail(&mut self, at: Index, trend: Trend) -> Result<(), Illegal> {
        let policy = &self.state.plan().policy;
        let (limit, threshold) = (policy.max_fix_attempts, policy.same_issue_threshold);
        let fixing = self.state.component_or_run(at).fixing.as_deref().cloned().unwrap_or_default();
        let counted = trend != Trend::Better;
        if (counted && fixing.counted >= limit) || fixing.rounds >= limit.saturating_mul(ROUNDS_PER_ATTEMPT) {
            let question = format!(
                "{} {} open after {}; how shall it go on?",
                plural(fixing.issues.len(), "issue"),
                if fixing.issues.len() == 1 { "is" } else { "are" },
                plural(fixing.rounds as usize, "fix round"),
            );
            return self.escalate_with(at, Cause::FixBudget, question, fixing.issues);
        }
        if matches!(trend, Trend::Equal | Trend::Worse) && fixing.returned(threshold) {
            return self.ask_for_strategy(at);
        }
        let from = self.state.best_tree(at);
        let on = self.state.name(at);
        self.emit(Event::FixOpened { on, fix: fixing.rounds + 1, counted, trend, from })
    }
}

impl RunState {
    /// Digest of what a validation judges by, for staleness.
    pub(super) fn check_set(&self, at: Index, scope: Scope) -> Digest {
        let plan = self.plan();
        match scope {
            Scope::Baseline => plan.base_set(),
            Scope::Component | Scope::Level(_) | Scope::Final if at == self.run_index() => plan.run_checks,
            Scope::Component | Scope::Level(_) | Scope::Final => plan.component(at).check_set,
        }
    }
}

fn unavailable_question(issues: &[Issue]) -> String {
    let what: Vec<String> = issues.iter().map(|issue| format!("{} ({})", issue.source, issue.text)).collect();
    format!("could not be checked: {}", what.join("; "))
}
