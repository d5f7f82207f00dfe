//! The table that is printed.

use std::fmt;

use crate::measure::Series;

/// A goal: what is measured must be at most, or at least, this.
#[derive(Debug, Clone, Copy)]
pub enum Goal {
    /// No more than.
    AtMost(f64),
    /// No less than.
    AtLeast(f64),
}

impl Goal {
    fn is_met(self, value: f64) -> bool {
        match self {
            Self::AtMost(most) => value <= most,
            Self::AtLeast(least) => value >= least,
        }
    }
}

impl fmt::Display for Goal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AtMost(most) => write!(f, "≤ {most}"),
            Self::AtLeast(least) => write!(f, "≥ {least}"),
        }
    }
}

/// A table whose rows are printed as they come, as markdown.
#[derive(Debug)]
pub struct Table(());

impl Table {
    /// Prints the head.
    pub fn begin() -> Self {
        println!("| what | median (least–most) | against | ratio | goal | met |");
        println!("| --- | --- | --- | --- | --- | --- |");
        Self(())
    }

    /// A figure that is judged by itself.
    pub fn figure(&mut self, what: &str, unit: &str, measured: &Series, goal: Goal) {
        let goal_text = format!("{goal} {unit}");
        self.row(what, format!("{measured} {unit}"), "", "", goal_text, goal.is_met(measured.median()));
    }

    /// A figure that is judged by its ratio to another one's; `against` says what that is.
    pub fn ratio(&mut self, what: &str, unit: &str, measured: &Series, against: (&str, &Series), most: f64) {
        let ratio = measured.over(against.1);
        let goal = Goal::AtMost(most);
        let other = format!("{}: {} {unit}", against.0, against.1);
        let met = goal.is_met(ratio.median());
        self.row(what, format!("{measured} {unit}"), &other, &ratio.to_string(), format!("{goal} ×"), met);
    }

    /// Something that could not be measured here.
    pub fn missing(&mut self, what: &str, why: &str) {
        println!("| {what} | {why} | | | | not measured |");
    }

    fn row(&mut self, what: &str, measured: String, against: &str, ratio: &str, goal: String, met: bool) {
        let met = if met { "yes" } else { "**no**" };
        println!("| {what} | {measured} | {against} | {ratio} | {goal} | {met} |");
    }
}
