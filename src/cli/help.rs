//! The clap command as users see it: the everyday commands first.

use std::fmt::Write as _;

use clap::{Command, CommandFactory as _};

use super::args::Cli;

/// What people use every day; the help shows the rest below.
const EVERYDAY: [&str; 10] = ["list", "new", "spec", "validate", "run", "status", "answer", "stop", "logs", "finish"];

const AFTER_HELP: &str = "\
Examples:
  cco                                          what to do next, here
  cco demo                                     see it work, offline and free
  cco new --project billing --name invoices    begin a spec
  cco validate billing/invoices                check it
  cco run billing/invoices -n                  see what would run
  cco run billing/invoices                     run it, or carry on
  cco answer billing/invoices                  see what it asks
  cco finish billing/invoices                  hand the work on

`cco <COMMAND> --help` says more about one command.";

/// The command line, with the commands in two sections (clap itself knows only one).
pub fn command() -> Command {
    let command = Cli::command();
    let mut template = "{about-with-newline}\n{usage-heading} {usage}\n".to_owned();
    section(&mut template, &command, "Commands", |name| EVERYDAY.contains(&name));
    section(&mut template, &command, "More commands", |name| !EVERYDAY.contains(&name));
    let header = command.get_styles().get_header();
    let _ = write!(template, "\n{header}Options:{header:#}\n{{options}}{{after-help}}");
    command.help_template(template).after_help(AFTER_HELP)
}

/// Whether there is a command of this name.
pub fn has(name: &str) -> bool {
    Cli::command().find_subcommand(name).is_some()
}

fn section(template: &mut String, command: &Command, title: &str, belongs: impl Fn(&str) -> bool) {
    let (header, literal) = (command.get_styles().get_header(), command.get_styles().get_literal());
    let width = command.get_subcommands().map(|sub| sub.get_name().len()).max().unwrap_or_default();
    let _ = writeln!(template, "\n{header}{title}:{header:#}");
    for sub in command.get_subcommands().filter(|sub| !sub.is_hide_set() && belongs(sub.get_name())) {
        let about = sub.get_about().map(ToString::to_string).unwrap_or_default();
        let _ = writeln!(template, "  {literal}{:width$}{literal:#}  {about}", sub.get_name());
    }
}
