//! Writes the manual: a page for cco and one for each command, from the definitions that the help is made of.

use std::io;

use clap::Command;
use clap_mangen::Man;

use crate::cli::App;
use crate::cli::args;
use crate::cli::error::{CliError, ExitStatus};
use crate::cli::help;

/// Writes the pages into a directory, which is made if it is missing.
pub fn execute(app: &App, args: args::Man) -> Result<ExitStatus, CliError> {
    let dir = app.environment.expand(&args.dir, &app.environment.cwd);
    fs_err::create_dir_all(&dir).map_err(CliError::environment)?;
    let mut whole = help::command().disable_help_subcommand(true);
    whole.build();
    let commands = whole.get_subcommands().filter(|command| !command.is_hide_set());
    let named = |command: &Command| {
        let name = format!("cco-{}", command.get_name());
        command.clone().name(name.clone()).display_name(name)
    };
    let pages: Vec<Command> = std::iter::once(whole.clone()).chain(commands.map(named)).collect();
    for command in &pages {
        let path = dir.join(format!("{}.1", command.get_name()));
        let text = page(command).map_err(|error| CliError::internal(anyhow::Error::new(error)))?;
        fs_err::write(path, text).map_err(CliError::environment)?;
    }
    app.printer.note(format!("wrote {} pages into `{}`", pages.len(), dir.display()));
    Ok(ExitStatus::Done)
}

fn page(command: &Command) -> io::Result<Vec<u8>> {
    let man = Man::new(command.clone()).manual("cco").date("");
    let mut text = Vec::new();
    man.render_title(&mut text)?;
    man.render_name_section(&mut text)?;
    man.render_synopsis_section(&mut text)?;
    man.render_description_section(&mut text)?;
    man.render_options_section(&mut text)?;
    if command.get_subcommands().any(|sub| !sub.is_hide_set()) {
        man.render_subcommands_section(&mut text)?;
    }
    if let Some(after) = command.get_after_help() {
        text.extend(as_it_stands(&after.to_string()));
    }
    Ok(text)
}

/// Examples and exit statuses stand in columns, which a paragraph would run together.
fn as_it_stands(after: &str) -> Vec<u8> {
    let mut out = String::from(".SH NOTES\n.nf\n");
    for line in after.lines() {
        // A line of its own that begins so would be taken for a request.
        let guard = if line.starts_with(['.', '\'']) { "\\&" } else { "" };
        out.push_str(&format!("{guard}{}\n", line.replace('\\', "\\e").replace('-', "\\-")));
    }
    out.push_str(".fi\n");
    out.into_bytes()
}
