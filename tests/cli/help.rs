//! What the help says: it is the first page that people read.

use crate::env::TestEnv;

const COMMANDS: [&str; 22] = [
    "list",
    "new",
    "spec",
    "validate",
    "run",
    "status",
    "answer",
    "stop",
    "logs",
    "finish",
    "brainstorm",
    "formalize",
    "import",
    "graph",
    "doctor",
    "clean",
    "verify",
    "repair",
    "install",
    "schema",
    "completions",
    "demo",
];

#[test]
fn everyday_commands_come_first() {
    let env = TestEnv::new();
    assert_output!(env.cco(["-h"]), @r"
    exit: 0
    -- stdout
    Runs multi-component software work through the claude CLI with external enforcement

    Usage: cco [OPTIONS] <COMMAND>

    Commands:
      list         List the specs of the store
      new          Create a spec
      spec         Work a spec out in a conversation with claude
      validate     Check a spec's manifest and report every problem
      run          Run a spec, or carry on where the last run stopped
      status       Show how far a spec has come
      answer       Answer a question that a run has put to you
      stop         Stop the live run of a spec
      logs         Show what the agents and checks of a spec have put out
      finish       Print the commands that hand the work on, or merge it into your branch

    More commands:
      brainstorm   Save or show what a brainstorm with /spec found out
      formalize    Make the manifest of a brainstorm
      import       Make a spec of the tasks that another tool wrote
      graph        Draw the components and what they depend on
      doctor       Look at what cco needs: programs, login, settings, strays
      clean        Show and remove the worktrees and refs that finished specs left
      verify       Say what of the work is proven, what is not, and why
      repair       Show what can be saved of a damaged journal, and put it in place
      install      Install /spec and the skill `orchestration` for Claude Code
      schema       Print the JSON Schema of the manifest
      completions  Print the completions for a shell
      demo         Run a small example project with the simulated agent

    Options:
          --store <DIR>      Root of the spec store [default: $CCO_STORE, else
                             ~/.claude/cc_orchestrations/specs]
          --json             Print JSON on stdout; the same as --output json
          --output <FORMAT>  Form of what is printed on stdout [default: text] [possible values: text,
                             json]
      -v, --verbose...       Say more on stderr; -vv and -vvv say more still
      -q, --quiet            Say nothing on stderr but warnings and errors
          --color <WHEN>     When to use colours; NO_COLOR is respected [default: auto] [possible
                             values: auto, always, never]
      -h, --help             Print help (see more with '--help')
      -V, --version          Print version

    Examples:
      cco                                          what to do next, here
      cco demo                                     see it work, offline and free
      cco new --project billing --name invoices    begin a spec
      cco validate billing/invoices                check it
      cco run billing/invoices -n                  see what would run
      cco run billing/invoices                     run it, or carry on
      cco answer billing/invoices                  see what it asks
      cco finish billing/invoices                  hand the work on

    `cco <COMMAND> --help` says more about one command.
    -- stderr
    ");
}

#[test]
fn every_command_ends_its_help_with_examples() {
    let env = TestEnv::new();
    for command in COMMANDS {
        let help = env.cco([command, "--help"]).exits(0);
        let (_, examples) = help.stdout.split_once("\nExamples:\n").unwrap_or_else(|| panic!("`{command}` has none"));
        assert!(examples.contains(&format!("  cco {command}")), "{help}");
    }
}

#[test]
fn hidden_programs_are_not_shown() {
    let help = TestEnv::new().cco(["--help"]).exits(0).stdout;
    assert!(!help.contains("agent-sim") && !help.contains("guard"));
}

#[test]
fn run_says_what_it_takes() {
    assert_output!(TestEnv::new().cco(["run", "-h"]), @r#"
    exit: 0
    -- stdout
    Run a spec, or carry on where the last run stopped

    Usage: cco run [OPTIONS] [SPEC]

    Arguments:
      [SPEC]  `<project>/<name>`, an unambiguous beginning of it, or the path to a spec directory
              [default: the spec whose work_dir holds the current directory]

    Options:
          --spec <SPEC>        The same as the positional SPEC
      -n, --dry-run            Show what would run and why, and start nothing
          --fresh              Start over: set the saved state aside (nothing is deleted)
          --mode <MODE>        How thorough the run is, instead of what the manifest says [possible
                               values: quick, standard, full]
      -j, --jobs <N>           How many agents run at once, at most
          --only <IDS>         Run just these components
          --redo <IDS>         Make these components anew
      -m, --message <TEXT>     Guidance for the components of --redo
          --fail-fast          Start nothing more once a component has failed
          --no-input           Ask nothing on the terminal; questions are left for `cco answer`
          --no-wait            Do not wait for a usage window to reset; exit with 6 instead
          --notify <CMD>       Run this command on every escalation and at the end, with the event as
                               JSON on stdin
          --budget-usd <USD>   Spend at most this much on the run
          --agent <NAME|PATH>  The agent: claude, sim (the simulated one), or the path to a program that
                               speaks the same protocol
          --isolation <WHERE>  Where components work, instead of what the manifest says [possible
                               values: auto, worktree, shared]
      -h, --help               Print help (see more with '--help')

    Global options:
          --store <DIR>      Root of the spec store [default: $CCO_STORE, else
                             ~/.claude/cc_orchestrations/specs]
          --json             Print JSON on stdout; the same as --output json
          --output <FORMAT>  Form of what is printed on stdout [default: text] [possible values: text,
                             json]
      -v, --verbose...       Say more on stderr; -vv and -vvv say more still
      -q, --quiet            Say nothing on stderr but warnings and errors
          --color <WHEN>     When to use colours; NO_COLOR is respected [default: auto] [possible
                             values: auto, always, never]

    Examples:
      cco run                                   carry on with the spec of the current directory
      cco run billing/invoices -n               show what would run, and start nothing
      cco run billing/invoices --mode quick -j 8
      cco run billing/invoices --only api,store
      cco run billing/invoices --redo api -m "keep the old endpoint"
      cco run billing/invoices --no-input --json --budget-usd 20

    Exit status:
      0 done (also: nothing to do)    6 usage limit and --no-wait
      1 not all complete              7 environment: claude or git missing, not logged in
      2 usage                        65 invalid spec
      3 needs an answer              70 internal error
      4 budget used up               74 journal could not be written
      5 locked by another run        130, 143 interrupted, terminated
    -- stderr
    "#);
}

#[test]
fn answer_says_what_it_takes() {
    assert_output!(TestEnv::new().cco(["answer", "-h"]), @r#"
    exit: 0
    -- stdout
    Answer a question that a run has put to you

    Usage: cco answer [OPTIONS] [SPEC] [ID] [VERB]

    Verbs:
      retry    Try again from the best state so far, with a new budget of fixes
      accept   Waive issues by id (default: all) and integrate as waived
      recheck  Validate the work as you left it, without an agent
      skip     Leave the component and its dependents out
      abort    End the run

    Arguments:
      [SPEC]  Which spec [default: the spec whose work_dir holds the current directory]
      [ID]    Which question; needed when several are open

    Options:
          --option <X>  One of the question's own options
      -h, --help        Print help (see more with '--help')

    Global options:
          --store <DIR>      Root of the spec store [default: $CCO_STORE, else
                             ~/.claude/cc_orchestrations/specs]
          --json             Print JSON on stdout; the same as --output json
          --output <FORMAT>  Form of what is printed on stdout [default: text] [possible values: text,
                             json]
      -v, --verbose...       Say more on stderr; -vv and -vvv say more still
      -q, --quiet            Say nothing on stderr but warnings and errors
          --color <WHEN>     When to use colours; NO_COLOR is respected [default: auto] [possible
                             values: auto, always, never]

    Examples:
      cco answer billing/invoices                          list the open questions
      cco answer billing/invoices q1 retry -m "the API is v2"
      cco answer billing/invoices q1 accept                waive its issues by name
      cco answer billing/invoices q1 recheck               validate what you changed by hand
      cco answer billing/invoices q2 --option keep-both    one of the question's own options

    A live run picks the answer up at once, else the next `cco run` does.
    -- stderr
    "#);
}

#[test]
fn verify_says_what_its_exit_status_means() {
    let help = TestEnv::new().cco(["verify", "-h"]).exits(0).stdout;
    let (_, after) = help.split_once("Examples:").unwrap();
    assert!(help.contains("--rerun        Run the commands that prove the whole again"), "{help}");
    assert!(after.contains("Exit status: 0 all is proven, or waived by a person"), "{help}");
}

#[test]
fn repair_says_what_it_does_and_what_it_never_does() {
    let help = TestEnv::new().cco(["repair", "-h"]).exits(0).stdout;
    let (_, after) = help.split_once("Examples:").unwrap();
    assert!(help.contains("      --apply        Put what can be saved or rebuilt in the journal's place"), "{help}");
    assert!(after.contains("Nothing is deleted") && after.contains("Exit status: 0 the journal is in order"), "{help}");
}

#[test]
fn version() {
    let output = TestEnv::new().cco(["--version"]).exits(0);
    assert_eq!(output.stdout, format!("cco {}\n", env!("CARGO_PKG_VERSION")));
}

#[test]
fn wrong_usage_exits_with_2() {
    let env = TestEnv::new();
    for args in [
        &["frobnicate"][..],
        &["run", "--jobs", "0"],
        &["run", "--jobs", "257"],
        &["run", "--budget-usd", "-1"],
        &["run", "--budget-usd", "NaN"],
        &["run", "--mode", "fast"],
        &["run", "-m", "guidance without --redo"],
        &["run", "a/b", "--spec", "a/b"],
        &["list", "--json", "--output", "text"],
        &["logs", "--prompt", "--follow"],
        &["completions", "tcsh"],
        &["brainstorm"],
        &["brainstorm", "put", "MISSION", "SPEC"],
        &["install", "--uninstall", "--yes"],
        &["install", "--scope", "world"],
    ] {
        let output = env.cco(args).exits(2);
        assert!(output.stdout.is_empty() && output.stderr.starts_with("error: "), "{args:?}\n{output}");
    }
}

#[test]
fn control_characters_of_the_command_line_do_not_reach_the_terminal() {
    let env = TestEnv::new();
    for id in ["a\u{1b}[2Jb", "a\u{7}b", "a\nb", "a\u{9b}31mb"] {
        let output = env.run(env.command(["run", "--only", id]).env("CLICOLOR_FORCE", "1")).exits(2);
        assert!(!output.stderr.contains(|c: char| c.is_control() && c != '\n'), "{output}");
        assert!(output.stderr.contains("use letters, digits"), "{output}");
    }
}
