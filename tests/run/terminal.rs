//! A run on a terminal asks by itself, and goes on with the answer.

use std::io::{Read as _, Write as _};
use std::process::{Child, Command, Stdio};

use cco::lifecycle::event::RunEnd;
use serde_json::json;

use crate::world::{World, component, manifest, writes};

/// A component that asks at first, and a run of it on a terminal.
struct Terminal {
    child: Child,
    seen: String,
}

fn asking() -> World {
    let blocked = json!({"answer": {"status": "blocked", "summary": "stuck", "questions": ["which colour?"]}});
    let steps = json!({"a.implement": [blocked, writes("a", "green")]});
    World::new(manifest(vec![component("a", &[])]), json!({"steps": steps}))
}

impl Terminal {
    /// Starts the run as a person would, on a terminal that `script` makes.
    fn open(world: &World, args: &[&str]) -> Self {
        let run = world.command(args);
        let words = std::iter::once(run.get_program()).chain(run.get_args().filter(|arg| *arg != "--no-input"));
        let line: Vec<String> = words.map(|word| format!("'{}'", word.to_str().unwrap())).collect();
        let mut command = Command::new("script");
        command.args(["-qefc", &line.join(" "), "/dev/null"]).current_dir(world.env.work()).env_clear();
        command.envs(run.get_envs().filter_map(|(name, value)| Some((name, value?)))).env("SHELL", "/bin/sh");
        let child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        Self { child, seen: String::new() }
    }

    /// Reads until the terminal shows `text`; what was shown before it counts no more.
    fn shows(&mut self, text: &str) {
        let stdout = self.child.stdout.as_mut().unwrap();
        let mut chunk = [0; 4096];
        while !self.seen.contains(text) {
            let n = stdout.read(&mut chunk).unwrap();
            assert!(n > 0, "`{text}` never came: {}", self.seen);
            self.seen.push_str(&String::from_utf8_lossy(&chunk[..n]));
        }
        let at = self.seen.find(text).unwrap() + text.len();
        self.seen.drain(..at);
    }

    fn types(&mut self, text: &str) {
        self.child.stdin.as_mut().unwrap().write_all(text.as_bytes()).unwrap();
    }

    fn ends(mut self, status: i32) {
        let mut rest = String::new();
        self.child.stdout.take().unwrap().read_to_string(&mut rest).unwrap();
        assert_eq!(self.child.wait().unwrap().code(), Some(status), "{}{rest}", self.seen);
    }
}

#[test]
fn a_question_is_asked_until_the_answer_can_be_taken_and_the_run_goes_on() {
    let world = asking();
    let mut terminal = Terminal::open(&world, &[]);
    terminal.shows("which colour?");
    terminal.shows("your answer to q1");
    terminal.types("green\n");
    terminal.shows("`green` is no answer");
    terminal.shows("your answer to q1");
    terminal.types("option BLUE\n");
    terminal.shows("has no option `BLUE`");
    terminal.shows("your answer to q1");
    terminal.types("retry green, as the grass\n");
    terminal.shows("complete");
    terminal.ends(0);
    assert_eq!(world.file("a.txt"), "green");
    assert!(world.prompt("a.implement-2").contains("green, as the grass"));
}

#[test]
fn an_empty_line_leaves_a_question_for_later_and_a_signal_ends_it() {
    for (typed, status) in [("\n", 3), ("\u{4}", 3), ("\u{3}", 130)] {
        let world = asking();
        let mut terminal = Terminal::open(&world, &[]);
        terminal.shows("your answer to q1");
        terminal.types(typed);
        terminal.ends(status);
        assert_eq!(world.last_end(), Some(RunEnd::NeedsAnswer));
        assert_eq!(world.questions().len(), 1, "it is open still");
    }
}

#[test]
fn with_no_input_nothing_is_asked() {
    let world = asking();
    let output = world.run(&[]);
    assert_eq!(output.status, 3, "{output}");
    assert!(!output.stderr.contains("your answer to"), "{output}");
}
