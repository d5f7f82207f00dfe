//! The command line: gather, call, print.

mod app;
pub mod args;
pub mod commands;
pub mod complete;
pub mod error;
pub mod help;
pub mod notify;
pub mod opened;
pub mod output;
pub mod questions;
mod secrets;
pub mod settings;

use std::ffi::OsString;
use std::process::ExitCode;

use clap::FromArgMatches as _;

pub use app::App;
use args::{Cli, Color, Command, Format, Global, Hidden};
use error::{CliError, ExitStatus};
use output::{Printer, Talk};
use settings::{Environment, Layers};

use crate::agent::sim;
use crate::process::guard;
use crate::text::terminal_safe;

/// Runs the program and returns its exit status.
#[expect(clippy::disallowed_methods, reason = "the one place that reads the arguments")]
pub fn main() -> ExitCode {
    let argv: Vec<OsString> = std::env::args_os().collect();
    // Before clap: their arguments are not its to read, and they must start fast.
    let (printer, result) = match Hidden::from_argv(&argv) {
        Some(Hidden::Guard { run_mark }) => return guard::main(run_mark),
        Some(Hidden::AgentSim { args }) => return sim::main(args),
        Some(Hidden::Complete { words }) => {
            let printer = plain_printer(&Global::default());
            let result = complete::execute(&printer, words);
            (printer, result)
        }
        None => obeyed(&argv),
    };
    let status = match result {
        Ok(status) => status,
        Err(error) if error.is_closed_stdout() => ExitStatus::Done,
        Err(error) => {
            printer.error(&error);
            error.exit
        }
    };
    status.into()
}

/// Does what the command line says.
fn obeyed(argv: &[OsString]) -> (Printer, Result<ExitStatus, CliError>) {
    match parse(argv) {
        Ok(cli) => run(cli),
        Err(error) => {
            let printer = plain_printer(&Global::default());
            let result = tell(&printer, &error, argv);
            (printer, result)
        }
    }
}

fn parse(argv: &[OsString]) -> Result<Cli, clap::Error> {
    Cli::from_arg_matches(&help::command().try_get_matches_from(argv)?)
}

/// Help and version are answers; everything else is a wrong command line.
fn tell(printer: &Printer, error: &clap::Error, argv: &[OsString]) -> Result<ExitStatus, CliError> {
    let text = error.render();
    if !error.use_stderr() {
        printer.answer(&text.ansi().to_string())?;
        return Ok(ExitStatus::Done);
    }
    // The message quotes what was typed, and its own colours could not be told from those that were typed.
    if argv.iter().any(|word| word.to_string_lossy().contains(char::is_control)) {
        printer.say(terminal_safe(text.to_string().trim_end()).as_ref());
    } else {
        printer.say(text.ansi().to_string().trim_end());
    }
    Ok(ExitStatus::Usage)
}

fn run(cli: Cli) -> (Printer, Result<ExitStatus, CliError>) {
    let gathered = Environment::snapshot().and_then(|environment| {
        let layers = Layers::gather(&environment, &cli.global)?;
        Ok((environment, layers))
    });
    let (environment, layers) = match gathered {
        Ok(gathered) => gathered,
        Err(error) => return (plain_printer(&cli.global), Err(error)),
    };
    let color = layers.resolve().color.value.unwrap_or_default();
    let printer = printer(&cli.global, color);
    let filter = environment.var("CCO_LOG").and_then(|filter| filter.to_str());
    output::start_tracing(cli.global.verbose, filter, printer.colors_stderr());
    let app = App { printer, environment, layers };
    let result = match cli.command {
        Some(command) => dispatch(&app, command),
        None => commands::next::execute(&app),
    };
    (app.printer, result)
}

fn dispatch(app: &App, command: Command) -> Result<ExitStatus, CliError> {
    match command {
        Command::List(args) => commands::list::execute(app, args),
        Command::New(args) => commands::new::execute(app, args),
        Command::Spec(args) => commands::spec::execute(app, args),
        Command::Validate(args) => commands::validate::execute(app, args),
        Command::Run(args) => commands::run::execute(app, *args),
        Command::Status(args) => commands::status::execute(app, args),
        Command::Answer(args) => commands::answer::execute(app, args),
        Command::Stop(args) => commands::stop::execute(app, args),
        Command::Logs(args) => commands::logs::execute(app, args),
        Command::Finish(args) => commands::finish::execute(app, args),
        Command::Brainstorm(args) => commands::brainstorm::execute(app, args),
        Command::Formalize(args) => commands::formalize::execute(app, args),
        Command::Import(args) => commands::import::execute(app, *args),
        Command::Graph(args) => commands::graph::execute(app, args),
        Command::Doctor(args) => commands::doctor::execute(app, args),
        Command::Clean(args) => commands::clean::execute(app, args),
        Command::Verify(args) => commands::verify::execute(app, args),
        Command::Repair(args) => commands::repair::execute(app, args),
        Command::Install(args) => commands::install::execute(app, args),
        Command::Schema(args) => commands::schema::execute(app, args),
        Command::Completions(args) => commands::completions::execute(app, args),
        Command::Man(args) => commands::man::execute(app, args),
        Command::Demo(args) => commands::demo::execute(app, args),
    }
}

fn printer(global: &Global, color: Color) -> Printer {
    let format = if global.json { Format::Json } else { global.output.unwrap_or_default() };
    let talk = match (global.quiet, global.verbose) {
        (true, _) => Talk::Quiet,
        (false, 0) => Talk::Normal,
        (false, _) => Talk::Verbose,
    };
    Printer::new(format, talk, color)
}

/// For what goes wrong before the settings are known.
fn plain_printer(global: &Global) -> Printer {
    printer(global, global.color.unwrap_or_default())
}
