//! Who watches a run: a live picture, lines, or records; and the command that is notified.

use std::io::stderr;
use std::time::Duration;

use super::{REDRAW, wants_json};
use crate::cli::App;
use crate::cli::args;
use crate::cli::notify::Notifier;
use crate::cli::opened::Opened;
use crate::cli::output::Talk;
use crate::lifecycle::observer::Observer;
use crate::progress::{Json, Live, Plain, Shape, View, terminal_size};

/// The observers of a run, and how often they want to be asked to redraw.
pub fn choose(app: &App, opened: &Opened, args: &args::Run) -> (Vec<Box<dyn Observer>>, Option<Duration>) {
    let mut observers: Vec<Box<dyn Observer>> = Vec::new();
    let mut redraw = None;
    if wants_json(app) {
        observers.push(Box::new(Json::new(std::io::stdout())));
    } else if app.printer.talk() != Talk::Quiet {
        if app.environment.terminals.stderr {
            observers.push(Box::new(live(app, opened)));
            redraw = Some(REDRAW);
        } else {
            observers.push(Box::new(Plain::new(stderr())));
        }
    }
    let notify = args.notify.clone().or_else(|| opened.settings.notify.value.clone());
    observers.extend(notify.map(|command| Box::new(Notifier::new(command, app, opened)) as Box<dyn Observer>));
    (observers, redraw)
}

/// The picture begins with what the journal tells: what is complete already is shown as complete.
fn live(app: &App, opened: &Opened) -> Live {
    let mut view = View::new(&Shape::of(&opened.plan));
    // Read once more, since a view is made of records alone; a journal that cannot be read was refused before.
    if let Err(error) = opened.read_state(|record| view.apply(record)) {
        tracing::warn!("the picture begins empty: {:#}", error.error);
    }
    Live::new(view, stderr(), || terminal_size(stderr()), app.printer.colors_stderr())
}
