//! What ends a wait: a signal, or the end of a tool's process.

use std::io;
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread;
use std::time::Duration;

use tokio::signal::unix::{SignalKind, signal};

/// What was waited for.
pub enum Woken {
    /// Somebody wants it to stop.
    Interrupted(Interrupt),
    /// The tool's process ended, with this status (none: it was killed).
    ToolEnded(io::Result<Option<i32>>),
}

/// The signals that the real CLI knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Interrupt {
    /// INT: it says what it was doing, and exits with 0.
    Int,
    /// TERM.
    Term,
    /// HUP.
    Hup,
}

/// The one place where the simulated agent waits.
pub struct Wake {
    sender: Sender<Woken>,
    woken: Receiver<Woken>,
}

impl Wake {
    /// Waits that signals do not end: for an answer without waits, or one whose signals are ignored.
    pub fn deaf() -> Self {
        let (sender, woken) = mpsc::channel();
        Self { sender, woken }
    }

    /// Waits that signals end, from the return of this function on.
    pub fn listening() -> io::Result<Self> {
        let wake = Self::deaf();
        let (ready, listens) = mpsc::channel();
        let sender = wake.sender.clone();
        thread::spawn(move || {
            let failed = ready.clone();
            listen(&sender, &ready).or_else(|error| failed.send(Err(error)))
        });
        listens.recv().unwrap_or_else(|_| Err(io::Error::other("the signal thread ended")))?;
        Ok(wake)
    }

    /// Where the end of a tool is reported.
    pub fn sender(&self) -> Sender<Woken> {
        self.sender.clone()
    }

    /// Waits at most so long; none when nothing happened.
    pub fn within(&self, limit: Duration) -> Option<Woken> {
        self.woken.recv_timeout(limit).ok()
    }

    /// Waits until something happens.
    pub fn forever(&self) -> Woken {
        self.woken.recv().expect("a sender lives as long as the receiver")
    }
}

/// The one user of tokio here: its signal handling is the safe one that the crate has anyway.
fn listen(sender: &Sender<Woken>, ready: &Sender<io::Result<()>>) -> io::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build()?;
    runtime.block_on(async {
        let mut int = signal(SignalKind::interrupt())?;
        let mut term = signal(SignalKind::terminate())?;
        let mut hup = signal(SignalKind::hangup())?;
        let mut heard = ready.send(Ok(())).is_ok();
        while heard {
            let which = tokio::select! {
                _ = int.recv() => Interrupt::Int,
                _ = term.recv() => Interrupt::Term,
                _ = hup.recv() => Interrupt::Hup,
            };
            heard = sender.send(Woken::Interrupted(which)).is_ok();
        }
        Ok(())
    })
}
