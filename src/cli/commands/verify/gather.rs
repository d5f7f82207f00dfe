//! All that is judged: the records, the plan that they are held against, and what is there.

use super::look::look;
use crate::cli::App;
use crate::cli::error::{CliError, ExitStatus};
use crate::cli::opened::{FoldError, Opened};
use crate::cli::settings::Layer;
use crate::journal::{self, LockState, Torn};
use crate::lifecycle::event::{Event, Redo, StaleReason};
use crate::lifecycle::reconcile;
use crate::plan::Mode;
use crate::plan::resolve::Choices;
use crate::proof::{Facts, Ledger};

/// All that is judged.
pub struct Gathered {
    /// The spec as it is today, in the mode of the last run.
    pub opened: Opened,
    /// What the records tell.
    pub ledger: Ledger,
    /// A last record that was never written to its end.
    pub torn: Option<Torn>,
    /// Whether a run lives, which may add records.
    pub live: bool,
    /// What is there.
    pub facts: Facts,
}

impl Gathered {
    /// Reads everything; touches nothing.
    ///
    /// # Errors
    /// No such spec, an invalid one, a damaged journal (74), a repository that git cannot read (7).
    pub fn read(app: &App, reference: Option<&str>) -> Result<Self, CliError> {
        let mut opened = app.open(reference, Layer::default(), Choices::default())?;
        let live = opened.lock_state()? != LockState::Free;
        let (mut ledger, mut torn) = (Ledger::default(), None);
        if opened.paths.journal().exists() {
            let read = journal::read::<FoldError>(&opened.paths.journal(), |record| {
                ledger.see(&record);
                Ok(())
            });
            torn = read.map_err(|error| error.of(&opened.called))?.torn;
        }
        // What a run was told to do beyond the manifest is what it is to have done.
        let mode = ledger.run().and_then(|run| Mode::named(&run.mode));
        if mode.is_some_and(|mode| mode != opened.plan.mode) {
            let choices = Choices { mode, ..Choices::default() };
            opened = app.open(reference, Layer::default(), choices)?;
        }
        let mut facts = Facts::default();
        stale(&opened, &mut facts)?;
        look(app, &opened, &ledger, &mut facts)?;
        Ok(Self { opened, ledger, torn, live, facts })
    }
}

/// What the plan of today does again; where the records contradict each other, that they do.
fn stale(opened: &Opened, facts: &mut Facts) -> Result<(), CliError> {
    let state = match opened.read_state(|_| {}) {
        Ok(state) => state,
        // They were read a moment ago, so what is left is that they do not follow each other.
        Err(error) if error.exit == ExitStatus::Journal => {
            facts.illegal = Some(error.error.to_string());
            return Ok(());
        }
        Err(error) => return Err(error),
    };
    for event in reconcile::stale(&state) {
        if let Event::WentStale { on, why, redo, .. } = event {
            facts.stale.insert(on, format!("{}; the next run {} it", reason(&why), again(redo)));
        }
    }
    Ok(())
}

fn reason(why: &StaleReason) -> String {
    match why {
        StaleReason::Input => "its definition changed since".to_owned(),
        StaleReason::Checks => "its checks changed since".to_owned(),
        StaleReason::Dependency(id) => format!("`{id}`, which it is built on, is to be done again"),
        StaleReason::Asked => "it was asked for".to_owned(),
    }
}

fn again(redo: Redo) -> &'static str {
    match redo {
        Redo::Revise => "revises",
        Redo::Validate => "validates",
        Redo::All => "makes",
    }
}
