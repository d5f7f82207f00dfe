//! Agent steps of a subject, whatever phase they belong to: one writer, or several readers side by side.

use super::event::{Issue, Verdict};
use super::subject::{Phase, Poll, Review, Slot, Validation, Work};
use crate::ids::Step;

impl Phase {
    /// The agent step of a name, if it belongs to this phase.
    pub(super) fn work_of(&self, step: &Step) -> Option<&Work> {
        self.works().find(|work| work.step == *step)
    }

    /// As [`Phase::work_of`], to be changed.
    pub(super) fn work_of_mut(&mut self, step: &Step) -> Option<&mut Work> {
        match self {
            Self::Working(work) => Some(&mut **work).filter(|work| work.step == *step),
            Self::Validating(validation) => {
                validation.reviews.iter_mut().map(|review| &mut review.work).find(|work| work.step == *step)
            }
            Self::Voting(poll) => poll.voters.iter_mut().map(|voter| &mut voter.work).find(|work| work.step == *step),
            Self::Waiting(_) | Self::Asking(_) | Self::Complete(_) | Self::Failed | Self::Skipped => None,
        }
    }

    /// All agent steps of this phase, those that are done included.
    pub fn works(&self) -> Box<dyn Iterator<Item = &Work> + '_> {
        match self {
            Self::Working(work) => Box::new(std::iter::once(&**work)),
            Self::Validating(validation) => Box::new(validation.reviews.iter().map(|review| &review.work)),
            Self::Voting(poll) => Box::new(poll.voters.iter().map(|voter| &voter.work)),
            Self::Waiting(_) | Self::Asking(_) | Self::Complete(_) | Self::Failed | Self::Skipped => {
                Box::new(std::iter::empty())
            }
        }
    }

    /// The agent steps that are to be started now. `waived` tells which issues do not block.
    pub(super) fn wanted<'a>(&'a self, waived: &impl Fn(&Issue) -> bool) -> Vec<&'a Work> {
        match self {
            Self::Working(work) => {
                Some(&**work).filter(|work| work.running.is_none() && work.step.by_agent()).into_iter().collect()
            }
            Self::Validating(validation) => validation.wanted(waived),
            Self::Voting(poll) => poll.wanted(),
            Self::Waiting(_) | Self::Asking(_) | Self::Complete(_) | Self::Failed | Self::Skipped => Vec::new(),
        }
    }
}

impl Phase {
    /// The step that cco itself is to do now.
    pub(super) fn wanted_of_cco(&self) -> Option<&Work> {
        match self {
            Self::Working(work) => Some(&**work).filter(|work| work.running.is_none() && work.step.by_cco()),
            Self::Waiting(_)
            | Self::Validating(_)
            | Self::Voting(_)
            | Self::Asking(_)
            | Self::Complete(_)
            | Self::Failed
            | Self::Skipped => None,
        }
    }

    /// Whether it is on its way onto the integration branch: one subject at a time is.
    pub(super) fn is_integrating(&self) -> bool {
        match self {
            Self::Working(work) => work.step == Step::Integrate,
            Self::Validating(validation) => validation.merged,
            Self::Waiting(_) | Self::Voting(_) | Self::Asking(_) | Self::Complete(_) | Self::Failed | Self::Skipped => {
                false
            }
        }
    }
}

impl Poll {
    fn wanted(&self) -> Vec<&Work> {
        let open = self.voters.iter().filter(|voter| voter.settled.is_none() && voter.work.running.is_none());
        open.map(|voter| &voter.work).collect()
    }

    /// Whether every ballot is in, or given up.
    pub(super) fn is_settled(&self) -> bool {
        self.voters.iter().all(|voter| voter.settled.is_some())
    }
}

impl Validation {
    /// The reviewers of the wave whose turn it is.
    fn wanted(&self, waived: &impl Fn(&Issue) -> bool) -> Vec<&Work> {
        let commands = self.checks.iter().all(|(_, slot)| match slot {
            Slot::Settled(verdict, issues) => passes(*verdict, issues, waived),
            Slot::Wanted(_) | Slot::Running(..) => false,
        });
        if !commands || !self.findings.iter().all(waived) {
            return Vec::new();
        }
        let Some(wave) = self.open_wave(waived) else { return Vec::new() };
        let of_wave = self.reviews.iter().filter(|review| review.wave == wave);
        let open = of_wave.filter(|review| review.settled.is_none() && review.work.running.is_none());
        open.map(|review| &review.work).collect()
    }

    /// The first wave of reviewers that has not passed; none when all have, or one came to something else.
    fn open_wave(&self, waived: &impl Fn(&Issue) -> bool) -> Option<u8> {
        let last = self.reviews.iter().map(|review| review.wave).max()?;
        let passed = |review: &Review| {
            let of = |(verdict, issues): &(Verdict, Vec<Issue>)| self.reviewed(*verdict, issues, waived);
            review.settled.as_ref().map(of) == Some(Verdict::Pass)
        };
        (0..=last).find(|wave| !self.reviews.iter().filter(|review| review.wave == *wave).all(passed))
    }

    /// What is left of a reviewer's verdict, beside what the user took as it is: small remarks alone do not block.
    fn reviewed(&self, verdict: Verdict, issues: &[Issue], waived: &impl Fn(&Issue) -> bool) -> Verdict {
        let blocks = |issue: &Issue| !waived(issue) && (self.strict || issue.severity.blocks());
        match verdict {
            Verdict::Fail if !issues.iter().any(blocks) => Verdict::Pass,
            Verdict::Pass | Verdict::Fail | Verdict::Unavailable => effective(verdict, issues, waived),
        }
    }

    /// Everything that was found, whether it blocks or not.
    pub(super) fn found(&self) -> impl Iterator<Item = &Issue> {
        let commands = self.checks.iter().filter_map(|(_, slot)| match slot {
            Slot::Settled(_, issues) => Some(issues),
            Slot::Wanted(_) | Slot::Running(..) => None,
        });
        let reviews = self.reviews.iter().filter_map(|review| review.settled.as_ref().map(|(_, issues)| issues));
        self.findings.iter().chain(commands.chain(reviews).flatten())
    }

    /// The verdict, as soon as it is certain: a stage that blocks is the last one. What failed can be mended, so it
    /// comes before what could not be checked.
    pub(super) fn verdict(&self, waived: &impl Fn(&Issue) -> bool) -> Option<Verdict> {
        if !self.findings.iter().all(waived) {
            return Some(Verdict::Fail);
        }
        let mut commands = Vec::with_capacity(self.checks.len());
        for (_, slot) in &self.checks {
            let Slot::Settled(verdict, issues) = slot else { return None };
            commands.push(effective(*verdict, issues, waived));
        }
        let mut verdict = worst(commands);
        let last = self.reviews.iter().map(|review| review.wave).max().map_or(0, |last| last + 1);
        for wave in 0..last {
            if verdict != Verdict::Pass {
                break;
            }
            let mut of_wave = Vec::new();
            for review in self.reviews.iter().filter(|review| review.wave == wave) {
                let (one, issues) = review.settled.as_ref()?;
                of_wave.push(self.reviewed(*one, issues, waived));
            }
            verdict = worst(of_wave);
        }
        Some(verdict)
    }

    /// What stands behind a verdict other than PASS: the issues of what came to it that are not waived, worst first.
    pub(super) fn issues(&self, verdict: Verdict, waived: &impl Fn(&Issue) -> bool) -> Vec<Issue> {
        if verdict == Verdict::Pass {
            return Vec::new();
        }
        let findings = self.findings.iter().filter(|_| verdict == Verdict::Fail);
        let commands = self.checks.iter().filter_map(|(_, slot)| match slot {
            Slot::Settled(one, issues) if *one == verdict => Some(issues),
            Slot::Settled(..) | Slot::Wanted(_) | Slot::Running(..) => None,
        });
        let reviews = self.reviews.iter().filter_map(|review| match &review.settled {
            Some((one, issues)) if *one == verdict => Some(issues),
            Some(_) | None => None,
        });
        let all = findings.chain(commands.chain(reviews).flatten());
        let mut issues: Vec<Issue> = all.filter(|issue| !waived(issue)).cloned().collect();
        // A reviewer's small remarks are worth knowing, but nothing that a fix has to answer for, unless they block too.
        if !self.strict && issues.iter().any(|issue| issue.severity.blocks()) {
            issues.retain(|issue| issue.severity.blocks());
        }
        issues.sort_by_key(|issue| std::cmp::Reverse(issue.severity));
        issues
    }
}

fn passes(verdict: Verdict, issues: &[Issue], waived: &impl Fn(&Issue) -> bool) -> bool {
    effective(verdict, issues, waived) == Verdict::Pass
}

/// What the user took as it is does not block; it is never shown as proven either.
fn effective(verdict: Verdict, issues: &[Issue], waived: &impl Fn(&Issue) -> bool) -> Verdict {
    if !issues.is_empty() && issues.iter().all(waived) { Verdict::Pass } else { verdict }
}

fn worst(verdicts: Vec<Verdict>) -> Verdict {
    verdicts.into_iter().fold(Verdict::Pass, |verdict, one| match (verdict, one) {
        (Verdict::Fail, _) | (_, Verdict::Fail) => Verdict::Fail,
        (Verdict::Unavailable, _) | (_, Verdict::Unavailable) => Verdict::Unavailable,
        (Verdict::Pass, Verdict::Pass) => Verdict::Pass,
    })
}
