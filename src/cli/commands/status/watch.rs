//! The picture of a live run, from outside: it follows the journal as the run writes it, and the streams of its agents.

use std::io::stdout;
use std::time::Duration;

use jiff::Timestamp;

use crate::agent::Tails;
use crate::cli::App;
use crate::cli::args::Format;
use crate::cli::error::CliError;
use crate::cli::opened::{FoldError, Opened};
use crate::journal::{Follower, LockState, SpecPaths};
use crate::lifecycle::event::Record;
use crate::lifecycle::observer::Observer;
use crate::progress::{Json, Live, Plain, Shape, View, terminal_size};

/// How often the journal is looked at.
const GLANCE: Duration = Duration::from_millis(250);

/// What shows the records.
enum Display {
    Picture(Box<Live>),
    Lines(Plain<std::io::Stdout>),
    Records(Json<std::io::Stdout>),
}

/// Shows what happens until the run that lives has ended.
pub fn until_it_ends(app: &App, opened: &Opened) -> Result<(), CliError> {
    let mut follower = Follower::new(opened.paths.journal());
    let mut view = View::new(&Shape::of(&opened.plan));
    let unread = |error| FoldError::from(error).of(&opened.called);
    follower.poll(|record| view.apply(record)).map_err(unread)?;
    let mut display = if app.printer.format() == Format::Json {
        Display::Records(Json::new(stdout()))
    } else if app.environment.terminals.stdout {
        let colors = app.printer.colors_stderr();
        Display::Picture(Box::new(Live::new(view, stdout(), || terminal_size(stdout()), colors)))
    } else {
        Display::Lines(Plain::new(stdout()))
    };
    let mut tails = Tails::default();
    loop {
        // In this order: what a run wrote before it let go of the lock is seen.
        let over = opened.lock_state()? == LockState::Free;
        follower.poll(|record| display.on_record(record)).map_err(unread)?;
        if over {
            break;
        }
        display.on_tick(&mut tails, &opened.paths);
        std::thread::sleep(GLANCE);
    }
    display.finish();
    Ok(())
}

impl Display {
    fn on_record(&mut self, record: &Record) {
        match self {
            Self::Picture(live) => live.on_record(record),
            Self::Lines(plain) => plain.on_record(record),
            Self::Records(json) => json.on_record(record),
        }
    }

    #[expect(clippy::disallowed_methods, reason = "the clock that a picture is drawn by")]
    fn on_tick(&mut self, tails: &mut Tails, paths: &SpecPaths) {
        match self {
            Self::Picture(live) => {
                let agents = live.view().running().iter().filter(|running| running.attempt.step.by_agent());
                let running: Vec<_> =
                    agents.map(|running| (running.attempt.clone(), paths.stream(&running.attempt))).collect();
                for (sign, at) in tails.poll(&running) {
                    Observer::on_live(&mut **live, &sign, at);
                }
                live.on_tick(Timestamp::now());
            }
            Self::Lines(_) | Self::Records(_) => {}
        }
    }

    fn finish(&mut self) {
        match self {
            Self::Picture(live) => live.finish(),
            Self::Lines(_) | Self::Records(_) => {}
        }
    }
}
