//! The picture of a moment: `(view, now, width, height)` to lines. Pure, so that it can be looked at in tests.

use std::fmt;
use std::time::Duration;

use jiff::Timestamp;

use super::view::{Question, Running, View};
use super::words::pause;
use crate::text::{self, cost, duration, elide_end, elide_middle, one_line, plural};

/// How a part of a line looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Style {
    /// As the terminal is set.
    Plain,
    /// What matters most.
    Strong,
    /// What matters less.
    Dim,
    /// What is on.
    Active,
    /// What needs a person.
    Alert,
}

impl Style {
    fn ansi(self) -> anstyle::Style {
        let style = anstyle::Style::new();
        match self {
            Self::Plain => style,
            Self::Strong => style.bold(),
            Self::Dim => style.dimmed(),
            Self::Active => anstyle::AnsiColor::Cyan.on_default(),
            Self::Alert => anstyle::AnsiColor::Yellow.on_default().bold(),
        }
    }
}

/// One line of a frame, never wider than it was asked to be. Its `Display` is without style.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StyledLine {
    spans: Vec<(Style, String)>,
    /// Columns that are left.
    room: usize,
}

impl StyledLine {
    fn new(width: usize) -> Self {
        Self { spans: Vec::new(), room: width }
    }

    /// Adds as much of `text` as there is room for.
    fn with(mut self, style: Style, text: &str) -> Self {
        let text = elide_end(text, self.room);
        self.room -= text::width(&text);
        if !text.is_empty() {
            self.spans.push((style, text.into_owned()));
        }
        self
    }

    /// Adds `text` in a column of its own, and a space.
    fn with_column(self, style: Style, text: &str, columns: usize) -> Self {
        let text = elide_middle(text, columns);
        let fill = columns - text::width(&text) + 1;
        self.with(style, &text).with(Style::Plain, &" ".repeat(fill))
    }

    /// With the escapes of its styles.
    pub fn painted(&self) -> String {
        self.spans.iter().map(|(style, text)| format!("{0}{text}{0:#}", style.ansi())).collect()
    }
}

impl fmt::Display for StyledLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.spans.iter().try_for_each(|(_, text)| f.write_str(text))
    }
}

/// Most rows that questions, and components that wait, may take.
const FEW: usize = 4;

/// Columns below which a tool call says nothing.
const LEAST_CALL: usize = 8;

/// The lines that show `view` at `now`: at most `height` of them, each at most `width` columns wide. What is left out is
/// counted. What needs a person comes before what is on, and that before what waits.
pub fn frame(view: &View, now: Timestamp, width: usize, height: usize) -> Vec<StyledLine> {
    let mut frame = Frame { lines: Vec::new(), width, height };
    frame.push(header(view, now, width));
    if let Some((until, why)) = view.pause() {
        let rest = elapsed(now, until);
        let text = format!("paused: {}, agents start again in {}", pause(why), duration(rest));
        frame.push(StyledLine::new(width).with(Style::Alert, &text));
    }
    frame.push_some(view.questions(), FEW, "question", |question| question_row(question, width));

    let levels = levels(view, width);
    // Where there is room for it, one row is kept for the levels, and one to say what waits.
    let kept = usize::from(levels.is_some()) + usize::from(view.tally().waiting > 0);
    let room = if frame.room() > 2 * kept { frame.room() - kept } else { frame.room() };
    let columns = Columns::of(view.running(), width);
    frame.push_some(view.running(), room, "running step", |running| running_row(running, now, columns, width));
    levels.into_iter().for_each(|line| frame.push(line));
    frame.push_waiting(view, now);
    frame.lines
}

struct Frame {
    lines: Vec<StyledLine>,
    width: usize,
    height: usize,
}

impl Frame {
    fn room(&self) -> usize {
        self.height - self.lines.len()
    }

    fn push(&mut self, line: StyledLine) {
        if self.room() > 0 {
            self.lines.push(line);
        }
    }

    /// As many of `items` as `most` rows take; the last row counts the others.
    fn push_some<T>(&mut self, items: &[T], most: usize, noun: &str, row: impl Fn(&T) -> StyledLine) {
        let most = most.min(self.room());
        let shown = if items.len() > most { most.saturating_sub(1) } else { items.len() };
        items[..shown].iter().for_each(|item| self.push(row(item)));
        if shown < items.len() && most > 0 {
            self.push_more(&format!("… {}", plural(items.len() - shown, &format!("more {noun}"))));
        }
    }

    fn push_more(&mut self, text: &str) {
        self.push(StyledLine::new(self.width).with(Style::Dim, text));
    }

    /// Who tries again later, and who has not begun and why.
    fn push_waiting(&mut self, view: &View, now: Timestamp) {
        let retries =
            view.retries().iter().map(|(on, at)| format!("{on} tries again in {}", duration(elapsed(now, *at))));
        let waiting = view.waiting().map(|(id, unmet)| {
            let mut unmet = unmet.map(|id| id.as_str()).peekable();
            if unmet.peek().is_none() {
                format!("{id} waits for its turn")
            } else {
                format!("{id} waits for {}", unmet.collect::<Vec<_>>().join(", "))
            }
        });
        let total = view.retries().len() + view.tally().waiting;
        let most = FEW.min(self.room());
        let shown = if total > most { most.saturating_sub(1) } else { total };
        for text in retries.chain(waiting).take(shown) {
            self.push(StyledLine::new(self.width).with(Style::Dim, "· ").with(Style::Dim, &text));
        }
        if shown < total {
            let word = if total - shown == 1 { "waits" } else { "wait" };
            self.push_more(&format!("… {} more {word}", total - shown));
        }
    }
}

fn header(view: &View, now: Timestamp, width: usize) -> StyledLine {
    let tally = view.tally();
    let mut line =
        StyledLine::new(width).with(Style::Strong, &format!("{}/{} complete", tally.complete, tally.total()));
    let (usd, at_least) = view.cost();
    let mut parts = Vec::new();
    if usd > 0.0 || at_least {
        parts.push(cost(usd, at_least));
    }
    if let Some(run) = view.run() {
        let until = run.ended.map_or(now, |(at, _)| at);
        parts.push(duration(elapsed(run.since, until)));
        if tally.out > 0 {
            parts.push(format!("{} given up", tally.out));
        }
        parts.push(format!("run {}, {}", run.number, one_line(&run.mode)));
        parts.push(format!("{} at once", plural(run.jobs as usize, "agent")));
        if run.simulated {
            parts.push("simulated".to_owned());
        }
    }
    for part in parts {
        line = line.with(Style::Dim, " · ").with(Style::Plain, &part);
    }
    line
}

fn question_row(question: &Question, width: usize) -> StyledLine {
    let about = format!("? {} {}: ", one_line(&question.id), question.on);
    StyledLine::new(width).with(Style::Alert, &about).with(Style::Plain, &one_line(&question.text))
}

/// The widths of the columns of running steps.
#[derive(Clone, Copy)]
struct Columns {
    subject: usize,
    step: usize,
}

impl Columns {
    /// Wide enough for the widest, up to a share of the line.
    fn of(running: &[Running], width: usize) -> Self {
        let widest = |text: fn(&Running) -> String| running.iter().map(|r| text::width(&text(r))).max().unwrap_or(0);
        Self {
            subject: widest(|running| running.attempt.on.to_string()).min(width / 3),
            step: widest(step).min(width / 3),
        }
    }
}

fn step(running: &Running) -> String {
    one_line(&format!("{}-{}", running.attempt.step, running.attempt.n)).into_owned()
}

fn running_row(running: &Running, now: Timestamp, columns: Columns, width: usize) -> StyledLine {
    let line = StyledLine::new(width)
        .with(Style::Active, "▸ ")
        .with_column(Style::Plain, running.attempt.on.as_str(), columns.subject)
        .with_column(Style::Plain, &step(running), columns.step)
        .with(Style::Plain, &format!("{:>7}", duration(elapsed(running.since, now))));
    let Some((tool, about, at)) = &running.tool else { return line };
    let age = format!(" ({} ago)", duration(elapsed(*at, now)));
    let call = format!(" {} {}", one_line(tool), one_line(about));
    let room = line.room.saturating_sub(text::width(&age));
    if room < LEAST_CALL {
        return line;
    }
    line.with(Style::Dim, &elide_end(&call, room)).with(Style::Dim, &age)
}

/// Levels that are complete in one part, then those that are not, as far as they fit. None where one says nothing.
fn levels(view: &View, width: usize) -> Option<StyledLine> {
    let levels = view.levels();
    if levels.len() < 2 {
        return None;
    }
    let done = levels.iter().take_while(|level| level.complete == level.total()).count();
    let mut line = StyledLine::new(width).with(Style::Plain, "levels");
    match done {
        0 => {}
        1 => line = line.with(Style::Plain, " 0 complete"),
        _ => line = line.with(Style::Plain, &format!(" 0–{} complete", done - 1)),
    }
    for (level, tally) in levels.iter().enumerate().skip(done) {
        if line.room == 0 {
            break;
        }
        let between = if level == 0 { " " } else { " · " };
        line = line.with(Style::Dim, &format!("{between}{level}: {}/{}", tally.complete, tally.total()));
    }
    Some(line)
}

/// From `start` to `end` in whole seconds; nothing where the clock went back.
fn elapsed(start: Timestamp, end: Timestamp) -> Duration {
    let seconds = end.duration_since(start).as_secs();
    Duration::from_secs(u64::try_from(seconds).unwrap_or(0))
}
