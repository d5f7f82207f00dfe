//! Which agents have been started and not said anything yet: an agent takes most of a second of a processor before its
//! first word, and many that start at once only make each other late.

use std::collections::HashSet;
use std::time::Duration;

use crate::ids::AttemptId;

/// An agent that speaks sooner than this takes no processor worth sharing. Twice as long as it takes to be heard.
const QUICK: Duration = Duration::from_millis(100);

/// The agents that are starting.
#[derive(Debug)]
pub struct Boots {
    /// How many may start at once.
    most: usize,
    silent: HashSet<AttemptId>,
    /// Whether the last that spoke did so at once: then starts are not counted.
    quick: bool,
}

impl Boots {
    /// Nobody starts yet; at most `most` (not 0) may do so at once.
    pub fn new(most: usize) -> Self {
        Self { most, silent: HashSet::new(), quick: false }
    }

    /// How many more may start now.
    pub fn room(&self) -> usize {
        if self.quick { usize::MAX } else { self.most.saturating_sub(self.silent.len()) }
    }

    /// An agent is being started.
    pub fn start(&mut self, attempt: AttemptId) {
        self.silent.insert(attempt);
    }

    /// An agent said its first word so long after its start.
    pub fn spoke(&mut self, attempt: &AttemptId, after: Duration) {
        if self.silent.remove(attempt) {
            self.quick = after < QUICK;
        }
    }

    /// An attempt is over, whether it spoke or not.
    pub fn end(&mut self, attempt: &AttemptId) {
        self.silent.remove(attempt);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::{ComponentId, Step, Subject};

    const SLOW: Duration = Duration::from_secs(1);

    fn attempt(n: u32) -> AttemptId {
        let id = ComponentId::new("a").expect("a name");
        AttemptId { on: Subject::Component(id), step: Step::Implement, n }
    }

    fn booting(most: usize, count: u32) -> Boots {
        let mut boots = Boots::new(most);
        (1..=count).for_each(|n| boots.start(attempt(n)));
        boots
    }

    #[test]
    fn room_is_made_by_a_word_or_an_end_once_each() {
        let mut boots = booting(2, 2);
        assert_eq!(boots.room(), 0);
        boots.spoke(&attempt(1), SLOW);
        boots.spoke(&attempt(1), SLOW);
        boots.end(&attempt(1));
        assert_eq!(boots.room(), 1);
        boots.end(&attempt(2));
        assert_eq!(boots.room(), 2);
    }

    #[test]
    fn agents_that_speak_at_once_are_not_held_up_until_one_does_not() {
        let mut boots = booting(2, 2);
        boots.spoke(&attempt(1), Duration::ZERO);
        (3..=9).for_each(|n| boots.start(attempt(n)));
        assert_eq!(boots.room(), usize::MAX);
        boots.spoke(&attempt(3), SLOW);
        assert_eq!(boots.room(), 0);
        // Who ends without a word says nothing about how long it takes to speak.
        boots.end(&attempt(4));
        assert_eq!(boots.room(), 0);
    }
}
