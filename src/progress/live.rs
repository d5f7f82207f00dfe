//! The painter for terminals: draws the frame in place, and above it what stays worth reading.

use std::fmt;
use std::io::{self, Write};
use std::os::fd::AsFd;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle, TermLike};
use jiff::{SignedDuration, Timestamp};

use super::frame::{StyledLine, frame};
use super::sink::Sink;
use super::view::{LiveEvent, View};
use super::words::{Words, is_headline, subject};
use crate::lifecycle::event::Record;

/// The least time between two pictures: more cannot be read, and a fast run must not be slowed down by being watched.
const BETWEEN_PICTURES: SignedDuration = SignedDuration::from_millis(250);

/// Where the size is not known.
const FALLBACK: (u16, u16) = (80, 24);

/// Columns and rows of a terminal, as they are now.
type Size = Arc<dyn Fn() -> Option<(u16, u16)> + Send + Sync>;

/// Columns and rows of the terminal behind `fd`; none if there is no terminal.
pub fn terminal_size(fd: impl AsFd) -> Option<(u16, u16)> {
    let size = rustix::termios::tcgetwinsize(fd).ok()?;
    (size.ws_col > 0 && size.ws_row > 0).then_some((size.ws_col, size.ws_row))
}

/// Draws on a terminal. Redraws with what it is given, at most four times a second; has no thread of its own.
pub struct Live {
    view: View,
    size: Size,
    bars: MultiProgress,
    bar: ProgressBar,
    color: bool,
    /// What is to be printed above the next picture.
    above: String,
    drawn: String,
    drawn_at: Option<Timestamp>,
}

impl fmt::Debug for Live {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Live").field("view", &self.view).finish_non_exhaustive()
    }
}

impl Live {
    /// Draws `view` on the terminal behind `out`; `size` gives its columns and rows, and is asked anew for each picture.
    pub fn new(
        view: View,
        out: impl Write + Send + 'static,
        size: impl Fn() -> Option<(u16, u16)> + Send + Sync + 'static,
        color: bool,
    ) -> Self {
        let size: Size = Arc::new(size);
        let screen = Screen { state: Mutex::new((Vec::new(), Sink::new(out))), size: Arc::clone(&size) };
        let target = ProgressDrawTarget::term_like(Box::new(screen));
        let bars = MultiProgress::with_draw_target(target);
        let style = ProgressStyle::with_template("{msg}").expect("a constant template");
        let bar = bars.add(ProgressBar::new_spinner().with_style(style));
        Self { view, size, bars, bar, color, above: String::new(), drawn: String::new(), drawn_at: None }
    }

    /// What it shows.
    pub fn view(&self) -> &View {
        &self.view
    }

    /// Takes in a record.
    pub fn on_record(&mut self, record: &Record) {
        self.view.apply(record);
        for event in record.events.iter().filter(|event| is_headline(event)) {
            self.print_above(&format!("{} {}", subject(event), Words(event)));
        }
        self.on_tick(record.at);
    }

    /// Takes in a sign of life.
    pub fn on_live(&mut self, live: &LiveEvent) {
        self.view.apply_live(live);
        self.on_tick(live.at);
    }

    /// Draws, if it is time to.
    pub fn on_tick(&mut self, now: Timestamp) {
        // Either way: a clock that was set back must not stop the picture.
        let due = self.drawn_at.is_none_or(|at| now.duration_since(at).abs() >= BETWEEN_PICTURES);
        if due {
            self.drawn_at = Some(now);
            self.draw(now);
        }
    }

    /// Prints `text`, which must be safe for a terminal, above the picture; at the latest with the next one.
    pub fn print_above(&mut self, text: &str) {
        self.above.push_str(text);
        self.above.push('\n');
    }

    /// Prints what is left and takes the picture away.
    pub fn finish(&mut self) {
        self.flush_above();
        self.bar.finish_and_clear();
    }

    fn draw(&mut self, now: Timestamp) {
        self.flush_above();
        let (width, height) = (self.size)().unwrap_or(FALLBACK);
        // Half of a terminal belongs to what is printed above. The last column stays free: some wrap when it is filled.
        let rows = (height / 2).max(8).min(height.saturating_sub(1));
        let lines = frame(&self.view, now, usize::from(width.saturating_sub(1)), usize::from(rows));
        let paint = |line: &StyledLine| if self.color { line.painted() } else { line.to_string() };
        let picture = lines.iter().map(paint).collect::<Vec<_>>().join("\n");
        if picture != self.drawn {
            self.bar.set_message(picture.clone());
            self.drawn = picture;
        }
    }

    fn flush_above(&mut self) {
        if self.above.is_empty() {
            return;
        }
        if let Err(error) = self.bars.println(self.above.trim_end_matches('\n')) {
            tracing::warn!("progress is not shown: {error}");
        }
        self.above.clear();
    }
}

/// What indicatif draws on: a terminal over any writer, which collects what makes up one picture into one write.
struct Screen<W> {
    state: Mutex<(Vec<u8>, Sink<W>)>,
    size: Size,
}

impl<W: Write> Screen<W> {
    fn state(&self) -> MutexGuard<'_, (Vec<u8>, Sink<W>)> {
        // A picture that was left half done is drawn over by the next.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn put(&self, text: fmt::Arguments<'_>) -> io::Result<()> {
        self.state().0.write_fmt(text)
    }
}

impl<W> fmt::Debug for Screen<W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Screen")
    }
}

impl<W: Write + Send> TermLike for Screen<W> {
    fn width(&self) -> u16 {
        (self.size)().unwrap_or(FALLBACK).0
    }

    fn height(&self) -> u16 {
        (self.size)().unwrap_or(FALLBACK).1
    }

    fn move_cursor_up(&self, n: usize) -> io::Result<()> {
        if n == 0 { Ok(()) } else { self.put(format_args!("\x1b[{n}A")) }
    }

    fn move_cursor_down(&self, n: usize) -> io::Result<()> {
        if n == 0 { Ok(()) } else { self.put(format_args!("\x1b[{n}B")) }
    }

    fn move_cursor_right(&self, n: usize) -> io::Result<()> {
        if n == 0 { Ok(()) } else { self.put(format_args!("\x1b[{n}C")) }
    }

    fn move_cursor_left(&self, n: usize) -> io::Result<()> {
        if n == 0 { Ok(()) } else { self.put(format_args!("\x1b[{n}D")) }
    }

    fn write_line(&self, text: &str) -> io::Result<()> {
        self.put(format_args!("{text}\n"))
    }

    fn write_str(&self, text: &str) -> io::Result<()> {
        self.put(format_args!("{text}"))
    }

    fn clear_line(&self) -> io::Result<()> {
        self.put(format_args!("\r\x1b[2K"))
    }

    fn flush(&self) -> io::Result<()> {
        let (picture, sink) = &mut *self.state();
        sink.write(picture);
        picture.clear();
        Ok(())
    }
}
