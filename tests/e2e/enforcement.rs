//! Work that does not pass at once: reviewers that disagree, a vote and what it changes, a question that another process
//! answers, and readers that write.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use cco::agent::AnswerKind;
use cco::lifecycle::event::{AttemptEnd, Author, Event, Trouble};
use serde_json::{Value, json};

use crate::project::{Holds, Project, SPEC, between, component, task, until};
use crate::support::api::{Api, Request};
use crate::support::claude::Version;
use crate::support::reply::{Reply, Script};

/// What CLAUDE.md says.
const RULE: &str = "Every file has exactly one line.";

/// The models of the voters, in turn.
const VOTERS: [&str; 2] = ["claude-sonnet-4-5", "claude-haiku-4-5"];

/// Components that depend on nothing and write one file each.
fn manifest(components: &[(&str, &str)], reviewers: u8) -> Value {
    let component = |(id, complexity): &(&str, &str)| {
        json!({
            "id": id,
            "file": format!("{id}.txt"),
            "complexity": complexity,
            "purpose": format!("Write a greeting to {id}.txt."),
            "checks": [format!("test -s {id}.txt")],
        })
    };
    json!({
        "name": "work",
        "project": "p",
        "execution": {"mode": "standard", "require_tests": false, "reviewers": reviewers},
        "components": components.iter().map(component).collect::<Vec<_>>(),
        "validation_command": "cat *.txt",
    })
}

fn done(summary: &str) -> Reply {
    Reply::answer(json!({"status": "done", "summary": summary}))
}

fn reviewed(issues: &[Value]) -> Reply {
    Reply::answer(json!({"summary": "Read it.", "issues": issues}))
}

/// The agent steps in the order in which they were started.
fn steps(project: &Project) -> Vec<String> {
    let started = project.events().into_iter().filter_map(|event| match event {
        Event::AttemptStarted { attempt, .. } if attempt.step.by_agent() => Some(attempt.to_string()),
        _ => None,
    });
    started.collect()
}

fn is_reader(request: &Request) -> bool {
    matches!(task(request), "review" | "vote")
}

/// What a reader is given: tools that only read, its form of answer, the project's instructions.
fn assert_reads_only(request: &Request) {
    let mut tools = request.tools();
    tools.retain(|tool| *tool != "DeferredToolPlaceholder");
    tools.sort_unstable();
    assert_eq!(tools, ["Bash", "Glob", "Grep", "Read", "StructuredOutput"]);
    let kind = if task(request) == "vote" { AnswerKind::Ballot } else { AnswerKind::Review };
    assert_eq!(request.schema().map(ToString::to_string).as_deref(), Some(kind.schema()));
    assert!(request.system().contains(RULE), "{}", request.system());
}

/// In which mode the CLI says that it asks for permissions.
fn permission_mode(stream: &Path) -> Value {
    let text = fs::read_to_string(stream).unwrap();
    let mut events = text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    events.find(|event| event["subtype"] == "init").unwrap()["permissionMode"].take()
}

#[test]
fn a_vote_makes_it_anew_old() {
    a_vote_makes_it_anew(Version::Old);
}

#[test]
fn a_vote_makes_it_anew_new() {
    a_vote_makes_it_anew(Version::New);
}

/// The first reviewer finds the same fault before and after the fix, the second never finds anything; two voters of
/// three want it made anew; the second implementation is good.
fn a_vote_makes_it_anew(version: Version) {
    let api = Api::start(|request| match task(request) {
        "skeleton" => Script::new().write("a.txt", "hello ?\n").then(done("Left a place for the name.")).reply(request),
        "implement" if request.asks(&["## A second beginning"]) => {
            Script::new().rewrite("a.txt", "hello world\n").then(done("Looked it up.")).reply(request)
        }
        "implement" => Script::new().rewrite("a.txt", "hello wrold\n").then(done("Guessed.")).reply(request),
        "fix" => Script::new().rewrite("a.txt", "hello wrodl\n").then(done("Guessed again.")).reply(request),
        "review" => review(request),
        _ => vote(request),
    });
    let mut manifest = manifest(&[("a", "medium")], 2);
    manifest["execution"]["voting_gates"] = json!([{"name": "fix_strategy", "models": VOTERS}]);
    let Some(project) = Project::new(version, manifest, api) else { return };
    project.commit("CLAUDE.md", &format!("{RULE}\n"));
    let output = project.run(&["-j4"]).exits(0);
    assert!(output.stdout.contains("1 of 1 component complete"), "{output}");
    assert_eq!(
        steps(&project),
        [
            "a.skeleton-1",
            "a.implement-1",
            "a.review:0-1",
            "a.review:1-1",
            "a.fix-1",
            // The second has nothing open: it is asked again where the first is content.
            "a.review:0-2",
            "a.vote:fix_strategy:0-1",
            "a.vote:fix_strategy:1-1",
            "a.vote:fix_strategy:2-1",
            "a.implement-2",
            "a.review:0-3",
            "a.review:1-2",
            "@run.review:0-1",
            "@run.review:1-1",
        ]
    );
    assert_prompts(&project);
    assert_readers(&project);
    assert_made_anew(&project);
}

/// Looks at the file first, as its prompt says.
fn review(request: &Request) -> Reply {
    let calls = request.calls();
    let Some(read) = calls.first() else {
        let look = json!({"command": "git log --oneline -3 && git diff HEAD~1 --stat", "description": "look"});
        return Reply::read("a.txt").and_tool("Bash", look);
    };
    let good = read.result.as_deref().is_some_and(|text| text.contains("hello world"));
    if good || !request.asks(&["an eye above all to correctness"]) {
        return reviewed(&[]);
    }
    let mut issue = json!({"severity": "major", "file": "a.txt", "line": 1, "how_it_fails": "Whoever reads it."});
    if request.asks(&["## Found by earlier reviews"]) {
        // In words of which none occurred before: only the id says that it is the same.
        issue["text"] = "Letters are still swapped.".into();
        issue["same_as"] = earlier_id(request).into();
    } else {
        issue["text"] = "The greeting is misspelt.".into();
    }
    reviewed(&[issue])
}

/// The id of the issue that a reviewer is told of.
fn earlier_id(request: &Request) -> String {
    between(request, "\n### ", " ·")
}

fn vote(request: &Request) -> Reply {
    let ballot = if request.asks(&["what can go wrong"]) {
        json!({"vote": "FIX_IN_PLACE", "confidence": 0.6, "reasoning": "Two letters are no reason to begin anew."})
    } else if request.asks(&["what it will cost"]) {
        json!({"vote": "REFACTOR", "confidence": 0.8, "reasoning": "Guessing goes on for ever."})
    } else {
        json!({"vote": "REFACTOR", "confidence": 0.9, "reasoning": "Nobody looked into a dictionary."})
    };
    Reply::answer(ballot)
}

/// The first request of each conversation about a component's task, in order.
fn first_requests(project: &Project, about: &str) -> Vec<Request> {
    let requests = project.api.requests();
    requests.into_iter().filter(|request| request.nth == 0 && task(request) == about).collect()
}

fn assert_prompts(project: &Project) {
    let reviews = first_requests(project, "review");
    let again: Vec<&Request> = reviews.iter().filter(|one| one.asks(&["## Found by earlier reviews"])).collect();
    let [again] = again[..] else { panic!("{} reviewers were told of an issue", again.len()) };
    let id = earlier_id(again);
    assert!(again.asks(&["an eye above all to correctness", "> The greeting is misspelt.", "> +hello wrodl"]));
    let [fix] = &first_requests(project, "fix")[..] else { panic!("one fix") };
    assert!(fix.asks(&[&format!("### {id} · major · review:0 · `a.txt`, line 1"), "> The greeting is misspelt."]));
    let votes = first_requests(project, "vote");
    assert_eq!(votes.len(), 3);
    let mut models: Vec<&str> = votes.iter().map(Request::model).collect();
    models.sort_unstable();
    assert_eq!(models, [VOTERS[1], VOTERS[0], VOTERS[0]]);
    for vote in &votes {
        assert!(vote.asks(&["- `FIX_IN_PLACE`: ", "- `REFACTOR`: ", "- `ESCALATE`: ", "> Letters are still swapped."]));
        assert!(vote.asks(&["> Guessed again."]), "{:?}", vote.prompts());
    }
    let [first, second] = &first_requests(project, "implement")[..] else { panic!("two implementations") };
    assert_ne!(first.conversation, second.conversation);
    assert!(second.asks(&[
        "> REFACTOR: Guessing goes on for ever.",
        "> REFACTOR: Nobody looked into a dictionary.",
        "> Guessed again."
    ]));
    assert!(!second.asks(&["Two letters are no reason"]), "the reasons of those who lost");
    let last = project.api.requests().into_iter().rfind(|request| request.conversation == second.conversation);
    let read = &last.unwrap().calls()[0];
    assert!(read.name == "Read" && read.result.as_deref().is_some_and(|text| text.contains("hello ?")), "{read:?}");
    let conversations: BTreeSet<String> = project.api.requests().into_iter().map(|one| one.conversation).collect();
    assert_eq!(conversations.len(), steps(project).len(), "each step is a conversation of its own");
}

fn assert_readers(project: &Project) {
    let requests = project.api.requests();
    for request in &requests {
        assert!(request.calls().iter().all(|call| !call.is_error), "{:?}", request.calls());
    }
    let readers: Vec<&Request> = requests.iter().filter(|request| is_reader(request)).collect();
    // Seven reviewers look before they answer, three voters do not.
    assert_eq!(readers.len(), 2 * 7 + 3);
    readers.into_iter().for_each(assert_reads_only);
    for event in project.events() {
        if let Event::AttemptEnded { attempt, end, .. } = event
            && attempt.step.by_agent()
        {
            let mode = if attempt.step.writes() { "acceptEdits" } else { "dontAsk" };
            assert_eq!(permission_mode(&project.paths.stream(&attempt)), mode, "{attempt}");
            assert!(!matches!(end, AttemptEnd::Failed { .. }), "{attempt}: {end:?}");
        }
    }
}

fn assert_made_anew(project: &Project) {
    let events = project.events();
    let settled: Vec<(Option<String>, u8)> = events
        .iter()
        .filter_map(|event| match event {
            Event::VoteSettled(vote) => Some((vote.winner.as_deref().map(str::to_owned), vote.valid)),
            _ => None,
        })
        .collect();
    assert_eq!(settled, [(Some("REFACTOR".to_owned()), 3)]);
    assert_eq!(events.iter().filter(|event| matches!(event, Event::Refactored { .. })).count(), 1);
    assert!(!events.iter().any(|event| matches!(event, Event::Escalated(_))));
    let branch = project.branch();
    assert_eq!(project.git(&["show", &format!("{branch}:a.txt")]), "hello world\n");
    let kept = format!("refs/cco/{SPEC}/abandoned/a.implement-2");
    assert_eq!(project.git(&["show", &format!("{kept}:a.txt")]), "hello wrodl\n");
    let contents = |commit: &str| project.git(&["show", &format!("{commit}:a.txt")]);
    let log = project.git(&["log", "--reverse", "--format=%H", &format!("main..refs/cco/{SPEC}/tip/a")]);
    // The skeleton, the first implementation, its fix, the way back, the second implementation.
    let expected = ["hello ?\n", "hello wrold\n", "hello wrodl\n", "hello ?\n", "hello world\n"];
    assert_eq!(log.lines().map(contents).collect::<Vec<_>>(), expected);
}

#[test]
fn an_answer_from_elsewhere_old() {
    an_answer_from_elsewhere(Version::Old);
}

#[test]
fn an_answer_from_elsewhere_new() {
    an_answer_from_elsewhere(Version::New);
}

/// `asks` wants to know a name while `busy` is at work; another process answers, and `asks` is done before `busy` is.
fn an_answer_from_elsewhere(version: Version) {
    let holds = Holds::default();
    let held = holds.clone();
    let api = Api::start(move |request| {
        let of = component(request);
        held.pass(&of);
        let path = format!("{of}.txt");
        if of == "asks" && !request.asks(&["## What the user says"]) {
            let asked = json!({"status": "blocked", "summary": "No name.", "questions": ["Whom shall it greet?"]});
            return Reply::answer(asked);
        }
        let who = if of == "asks" { "Ada" } else { "all" };
        Script::new().write(&path, &format!("hello {who}\n")).then(done("Wrote it.")).reply(request)
    });
    let components = [("asks", "low"), ("busy", "low"), ("then", "low")];
    let mut manifest = manifest(&components, 0);
    manifest["components"][2]["depends_on"] = json!(["asks"]);
    let Some(project) = Project::new(version, manifest, api) else { return };
    holds.hold("busy");
    let run = project.start(&["-j2", "--no-input"]);
    let asked = || project.events().iter().any(|event| matches!(event, Event::Escalated(_)));
    until("the question is in the journal", || project.paths.journal().exists() && asked());
    project.api.wait("request of `busy`", |requests| requests.iter().any(|request| component(request) == "busy"));

    let listed = project.env.cco(["answer", SPEC, "--json"]).exits(0).json();
    assert_eq!(listed["questions"][0]["question"], "Whom shall it greet?");
    let words = "It greets Ada, by her first name.";
    let taken = project.env.cco(["answer", SPEC, "q1", "retry", "-m", words, "--json"]).exits(0).json();
    assert_eq!(taken["live"], true, "{taken}");
    until("the answer is carried out", || {
        project.ends().iter().any(|(attempt, end)| attempt == "asks.implement-2" && wrote(end))
    });
    assert!(project.ends().iter().all(|(attempt, _)| !attempt.starts_with("busy.")), "it is held");
    holds.release("busy");
    assert_eq!(run.wait(), Some(0));

    let told = project.api.requests().into_iter().filter(|request| component(request) == "asks");
    let prompts: BTreeSet<bool> = told.map(|request| request.asks(&["## What the user says", words])).collect();
    assert_eq!(prompts, BTreeSet::from([false, true]));
    assert_eq!(project.git(&["show", &format!("{}:asks.txt", project.branch())]), "hello Ada\n");
    let records = project.records();
    let answers = records.iter().filter(|record| record.events.iter().any(|one| matches!(one, Event::Answered(_))));
    let authors: Vec<bool> = answers.map(|record| matches!(record.by, Author::User(_))).collect();
    assert_eq!(authors, [true]);
    let started = steps(&project);
    assert_eq!(started, ["asks.implement-1", "busy.implement-1", "asks.implement-2", "then.implement-1"]);
    let runs = project.events().iter().filter(|event| matches!(event, Event::RunStarted(_))).count();
    assert_eq!(runs, 1, "the same run goes on");
}

fn wrote(end: &AttemptEnd) -> bool {
    matches!(end, AttemptEnd::Wrote { .. })
}

#[test]
fn a_reader_that_writes_old() {
    a_reader_that_writes(Version::Old);
}

#[test]
fn a_reader_that_writes_new() {
    a_reader_that_writes(Version::New);
}

/// Every way to write that the CLI knows is refused to a reviewer; what it changes in a way that nobody knows is found,
/// undone and kept, and its word does not count.
fn a_reader_that_writes(version: Version) {
    let wrote = AtomicBool::new(false);
    let api = Api::start(move |request| match (&*component(request), task(request)) {
        ("a", "implement") => Script::new().write("a.txt", "hello\n").then(done("Wrote it.")).reply(request),
        ("a", _) => TRIES.iter().fold(Script::new(), try_to_write).then(reviewed(&[])).reply(request),
        // Of the whole: the test does what the model cannot.
        _ => match request.calls().first().and_then(|pwd| pwd.result.clone()) {
            None => Reply::bash("pwd"),
            Some(dir) => {
                if !wrote.swap(true, Ordering::Relaxed) {
                    fs::write(Path::new(dir.trim()).join("a.txt"), "meddled\n").unwrap();
                }
                reviewed(&[])
            }
        },
    });
    let Some(project) = Project::new(version, manifest(&[("a", "low")], 1), api) else { return };
    let _ = project.run(&[]).exits(0);
    assert_eq!(steps(&project), ["a.implement-1", "a.review:0-1", "@run.review:0-1", "@run.review:0-2"]);
    assert_eq!(project.git(&["show", &format!("{}:a.txt", project.branch())]), "hello\n");

    let tried = project.api.requests().into_iter().rfind(|request| component(request) == "a").unwrap().calls();
    assert_eq!(tried.len(), TRIES.len());
    for call in tried {
        assert!(call.is_error, "{version}: {call:?}");
    }
    let notes = project.notes();
    for command in TRIES.iter().filter(|(tool, _)| *tool == "Bash").map(|(_, command)| command) {
        assert!(notes.iter().any(|note| note.contains(command)), "{version}: {command} is not in {notes:?}");
    }

    let ends = project.ends();
    let end = |name: &str| &ends.iter().find(|(attempt, _)| attempt == name).unwrap().1;
    let AttemptEnd::Failed { class: Trouble::Meddled, message, .. } = end("@run.review:0-1") else {
        panic!("{:?}", end("@run.review:0-1"))
    };
    assert!(message.contains("a.txt"), "{message}");
    assert!(matches!(end("@run.review:0-2"), AttemptEnd::Reviewed { .. }));
    let dir = project.paths.runs();
    let patches: Vec<_> = fs::read_dir(dir).unwrap().flatten().map(|entry| entry.path()).collect();
    let patches: Vec<_> =
        patches.into_iter().filter(|path| path.extension().is_some_and(|ext| ext == "patch")).collect();
    let [patch] = &patches[..] else { panic!("{patches:?}") };
    assert!(fs::read_to_string(patch).unwrap().contains("+meddled"));
}

/// What a reviewer tries, by tool and file or command.
const TRIES: [(&str, &str); 9] = [
    ("Write", "a.txt"),
    ("Write", "new.txt"),
    ("Edit", "a.txt"),
    ("Bash", "echo meddled > a.txt"),
    ("Bash", "rm a.txt"),
    ("Bash", "touch new.txt"),
    ("Bash", "sed -i s/hello/meddled/ a.txt"),
    ("Bash", "git commit --allow-empty -m meddled"),
    ("Bash", "python3 -c 'open(\"a.txt\", \"w\")'"),
];

fn try_to_write(script: Script, (tool, what): &(&str, &str)) -> Script {
    script.then(match *tool {
        "Bash" => Reply::bash(what),
        "Edit" => Reply::tool("Edit", json!({"file_path": what, "old_string": "hello", "new_string": "meddled"})),
        _ => Reply::write(what, "meddled\n"),
    })
}
