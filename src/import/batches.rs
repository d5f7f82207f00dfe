//! The order that spec-kit means: phases one after the other, within a phase task by task, those marked `[P]` together; user
//! stories beside each other once what comes before them is done.

use std::rc::Rc;

use super::draft::Task;
use super::{ImportError, MAX_DEPENDENCIES};

/// Hands out what each task waits for, as tasks come by in the order of the file.
#[derive(Debug, Default)]
pub(super) struct Batches {
    /// What the next batch waits for; shared, as there may be as many phases as tasks.
    frontier: Rc<Vec<usize>>,
    /// The batch at hand, whose tasks may run together.
    batch: Vec<usize>,
    /// What a user story waits for.
    base: Rc<Vec<usize>>,
    /// The ends of the user stories since.
    stories: Vec<usize>,
    in_story: bool,
    /// Whether the batch at hand takes tasks marked `[P]`.
    open: bool,
    handed_out: usize,
}

impl Batches {
    /// A phase begins; `is_story` if it need not wait for the user stories before it.
    pub(super) fn phase(&mut self, is_story: bool) {
        self.boundary();
        if self.in_story {
            // A story of which nothing is left to do leaves nothing to wait for.
            if !Rc::ptr_eq(&self.frontier, &self.base) {
                self.stories.extend_from_slice(&self.frontier);
            }
        } else {
            self.base = Rc::clone(&self.frontier);
        }
        if !is_story && !self.stories.is_empty() {
            self.base = Rc::new(std::mem::take(&mut self.stories));
        }
        self.frontier = Rc::clone(&self.base);
        self.in_story = is_story;
    }

    /// What follows waits for what came before, whatever its marks.
    pub(super) fn boundary(&mut self) {
        if !self.batch.is_empty() {
            self.frontier = Rc::new(std::mem::take(&mut self.batch));
        }
        self.open = false;
    }

    /// The task with this number comes by.
    pub(super) fn task(&mut self, number: usize, task: &mut Task) -> Result<(), ImportError> {
        if !(task.parallel && self.open) {
            self.boundary();
        }
        self.open = task.parallel;
        self.handed_out += self.frontier.len();
        if self.handed_out > MAX_DEPENDENCIES {
            return Err(ImportError::TooDense);
        }
        task.after.extend_from_slice(&self.frontier);
        self.batch.push(number);
        Ok(())
    }
}
