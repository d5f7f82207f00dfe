//! What the command line means, before any command runs.

use cco::cli::args::{Answer, Cli, Command, Hidden, Run, Verb};
use cco::cli::help;
use clap::Parser as _;

fn parse(words: &str) -> Command {
    Cli::try_parse_from(words.split(' ')).unwrap_or_else(|error| panic!("{error}")).command.expect("a command")
}

fn answer(words: &str) -> Answer {
    match parse(words) {
        Command::Answer(answer) => answer,
        other => panic!("{other:?}"),
    }
}

fn run(words: &str) -> Box<Run> {
    match parse(words) {
        Command::Run(run) => run,
        other => panic!("{other:?}"),
    }
}

#[test]
fn clap_finds_nothing_wrong_with_the_definition() {
    help::command().debug_assert();
}

#[test]
fn an_answer_may_leave_out_what_is_clear() {
    let full = answer("cco answer p/n q1 retry -m again");
    assert_eq!((full.spec.as_deref(), full.id.as_deref()), (Some("p/n"), Some("q1")));
    assert!(matches!(full.verb, Some(Verb::Retry { message: Some(text) }) if text == "again"));

    let one_question = answer("cco answer p/n accept i1 i2");
    assert_eq!((one_question.spec.as_deref(), one_question.id), (Some("p/n"), None));
    assert!(matches!(one_question.verb, Some(Verb::Accept { issues }) if issues == ["i1", "i2"]));

    let here = answer("cco answer skip");
    assert!(here.spec.is_none() && matches!(here.verb, Some(Verb::Skip)));

    let own_option = answer("cco answer p/n q2 --option keep-both");
    assert_eq!((own_option.option.as_deref(), own_option.verb.is_none()), (Some("keep-both"), true));

    let listing = answer("cco answer p/n");
    assert!(listing.id.is_none() && listing.verb.is_none());
}

#[test]
fn ids_are_separated_by_commas_or_given_again() {
    let only = run("cco run --only a,b --only c").only;
    assert_eq!(only.iter().map(ToString::to_string).collect::<Vec<_>>(), ["a", "b", "c"]);
}

#[test]
fn the_budget_has_the_name_that_claude_uses_too() {
    assert_eq!(run("cco run --max-budget-usd 2.5").budget_usd, run("cco run --budget-usd 2.5").budget_usd);
}

#[test]
fn a_spec_is_positional_or_a_flag() {
    assert_eq!(run("cco run p/n").spec.reference(), Some("p/n"));
    assert_eq!(run("cco run --spec p/n").spec.reference(), Some("p/n"));
    assert_eq!(run("cco run").spec.reference(), None);
}

#[test]
fn hidden_programs_take_words_that_are_not_ours() {
    let argv = ["cco", "agent-sim", "-p", "--verbose", "--json-schema", "{}"].map(Into::into);
    assert_eq!(Hidden::from_argv(&argv), Some(Hidden::AgentSim { args: &argv[2..] }));
    let argv = ["cco", "guard", "mark"].map(Into::into);
    assert_eq!(Hidden::from_argv(&argv), Some(Hidden::Guard { run_mark: "mark" }));
    assert_eq!(Hidden::from_argv(&["cco", "run", "guard"].map(Into::into)), None);
}
