//! Whole runs: five components in levels, by the real CLI's own tool calls, undisturbed and killed at every kind of
//! moment.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use cco::lifecycle::event::{AttemptEnd, Event, Trouble, Verdict};
use cco::process::orphans;
use serde_json::{Value, json};

use crate::env::write;
use crate::project::{Holds, Project, SPEC, check_script, component, has_result, program, task, until};
use crate::support::api::{Api, Request};
use crate::support::claude::Version;
use crate::support::reply::{Reply, Script};

/// Stands in everything of the repository and the user that must stay out of the calls.
const HOSTILE: &str = "hostile-4711";

/// What CLAUDE.md says.
const RULE: &str = "Every file has exactly one line.";

/// What the files hold at the end: each its own name and what it builds on.
const FINAL: [(&str, &str); 5] = [
    ("base", "base:\n"),
    ("left", "left: base\n"),
    ("right", "right: base\n"),
    ("join", "join: left right\n"),
    ("tail", "tail: join\n"),
];

/// The writing steps, in the order in which one agent at a time makes them.
const STEPS: [&str; 7] = [
    "base.implement-1",
    "left.implement-1",
    "right.implement-1",
    "join.skeleton-1",
    "join.implement-1",
    "join.fix-1",
    "tail.implement-1",
];

/// The check of a component: its file is there as wanted, and those it builds on are.
const CHECK: &str = r#"sh hold.sh "$1-check"
for below in $2; do test -s "$below.txt" || exit 1; done
grep -qx "$1:${2:+ }$2" "$1.txt" || { echo "$1.txt does not say: $1: $2"; exit 1; }
"#;

/// A diamond and a tail.
fn manifest() -> Value {
    let component = |(id, text): &(&str, &str)| {
        let below = text.trim().split_once(':').map_or("", |(_, below)| below.trim());
        json!({
            "id": id,
            "file": format!("{id}.txt"),
            "depends_on": below.split_whitespace().collect::<Vec<_>>(),
            // Only the join gets a skeleton first.
            "complexity": if *id == "join" { "medium" } else { "low" },
            "purpose": format!("Write {id}.txt."),
            "checks": [{"name": "content", "run": format!("sh check.sh \"$CCO_COMPONENT\" '{below}'")}],
        })
    };
    json!({
        "name": "work",
        "project": "p",
        "execution": {"mode": "standard", "require_tests": false, "reviewers": 0},
        "components": FINAL.iter().map(component).collect::<Vec<_>>(),
        "validation_command": "cat base.txt left.txt right.txt join.txt tail.txt",
    })
}

fn done(of: &str) -> Reply {
    Reply::answer(json!({
        "status": "done", "summary": format!("Wrote {of}."), "interfaces": [format!("{of}.txt names what is below {of}")],
    }))
}

/// What the model does. The join's implementation forgets the half, and to check; the fix mends it.
fn work(request: &Request) -> Reply {
    let of = component(request);
    let path = format!("{of}.txt");
    let content = FINAL.iter().find(|(id, _)| *id == of).expect("a component of the manifest").1;
    let script = match (of.as_str(), task(request)) {
        ("join", "skeleton") => Script::new().write(&path, "join: ?\n"),
        ("join", "implement") => Script::new().rewrite(&path, "join: left\n"),
        ("join", _) => Script::new().rewrite(&path, content).bash(&check_script(request)),
        _ => Script::new().write(&path, content).bash(&format!("sh hold.sh {of}-tool")).bash(&check_script(request)),
    };
    script.then(done(&of)).reply(request)
}

fn project(version: Version, api: Api) -> Option<Project> {
    let project = Project::new(version, manifest(), api)?;
    project.commit("check.sh", CHECK);
    project.commit("hold.sh", &project.hold_script());
    project.commit("CLAUDE.md", &format!("{RULE}\n"));
    Some(project)
}

/// Hooks, servers, agents, commands and memory, of the repository and of the user, that would each leave a trace.
fn add_hostile_parts(project: &Project) {
    let trap = project.env.root().join("trap");
    program(&trap, "#!/bin/sh\n: >\"$0.sprung\"\n");
    let hook = json!([{"matcher": "*", "hooks": [{"type": "command", "command": trap}]}]);
    let hooks: serde_json::Map<_, _> =
        ["SessionStart", "UserPromptSubmit", "PreToolUse", "PostToolUse", "Stop", "SessionEnd"]
            .into_iter()
            .map(|event| (event.to_owned(), hook.clone()))
            .collect();
    let settings = json!({"hooks": hooks, "env": {"HOSTILE": HOSTILE}, "enableAllProjectMcpServers": true});
    let servers = json!({"mcpServers": {HOSTILE: {"command": trap, "args": []}}});
    let page = format!("---\nname: {HOSTILE}\ndescription: {HOSTILE}\n---\n{HOSTILE}\n");
    project.commit(".mcp.json", &servers.to_string());
    project.commit(".claude/settings.json", &settings.to_string());
    for page_of in ["agents/reviewer.md", "commands/review.md", "skills/review/SKILL.md", "rules/review.md"] {
        project.commit(&format!(".claude/{page_of}"), &page);
    }
    let user = project.env.home().join(".claude");
    write(&user.join("settings.json"), &settings.to_string());
    write(&user.join("CLAUDE.md"), &page);
    write(&project.env.home().join(".claude.json"), &servers.to_string());
}

/// The files on the integration branch, with one commit for each component, and one for each writing step kept beside it.
fn assert_work_is_done(project: &Project, commits: &[&str]) {
    let branch = project.branch();
    for (id, content) in FINAL {
        assert_eq!(project.git(&["show", &format!("{branch}:{id}.txt")]), content);
    }
    let files = project.git(&["diff", "--name-only", "main", &branch]);
    let mut expected: Vec<String> = FINAL.iter().map(|(id, _)| format!("{id}.txt")).collect();
    expected.sort();
    assert_eq!(files.lines().collect::<Vec<_>>(), expected);
    let trailers = "--format=%(trailers:key=Cco-Attempt,valueonly,separator=)";
    let landed = project.git(&["log", trailers, &format!("main..{branch}")]);
    let by_component: BTreeSet<&str> =
        landed.lines().filter_map(|attempt| attempt.split_once(".integrate-")).map(|(on, _)| on).collect();
    assert_eq!((by_component.len(), landed.lines().count()), (FINAL.len(), FINAL.len()), "{landed}");
    let log = project.git(&["log", trailers, &format!("--glob=refs/cco/{SPEC}/tip"), "--not", &branch]);
    let mut made: Vec<&str> = log.lines().filter(|attempt| !attempt.is_empty()).collect();
    let mut expected = commits.to_vec();
    // Components of one level end in any order.
    made.sort_unstable();
    expected.sort_unstable();
    assert_eq!(made, expected);
}

fn assert_checkout_is_untouched(project: &Project) {
    assert_eq!(project.git(&["status", "--porcelain"]), "");
    assert_eq!(project.git(&["symbolic-ref", "--short", "HEAD"]).trim(), "main");
    assert!(!project.env.work().join("base.txt").exists());
}

fn assert_nothing_is_left(project: &Project) {
    let mark = project.events().into_iter().find_map(|event| match event {
        Event::RunStarted(run) => Some(run.mark),
        _ => None,
    });
    let mark = mark.expect("a run");
    let spec = mark.split('-').next().expect("the part of the spec");
    until("no process of the spec is left", || orphans::find(spec).is_empty());
}

#[test]
fn five_components_old() {
    five_components(Version::Old);
}

#[test]
fn five_components_new() {
    five_components(Version::New);
}

fn five_components(version: Version) {
    let Some(project) = project(version, Api::start(work)) else { return };
    add_hostile_parts(&project);
    let output = project.run(&[]).exits(0);
    assert!(output.stdout.contains("5 of 5 components complete"), "{output}");
    assert!(!project.env.root().join("trap.sprung").exists(), "a hook or server ran");
    assert_work_is_done(&project, &STEPS);
    assert_checkout_is_untouched(&project);
    assert_nothing_is_left(&project);
    assert_requests(&project);
    assert_check_was_mended(&project);
    for event in project.events() {
        if let Event::AttemptEnded { attempt, usage, end: AttemptEnd::Wrote { commit, .. }, .. } = event {
            let usage = usage.unwrap_or_else(|| panic!("no usage of {attempt}"));
            assert!(usage.cost_usd.is_some_and(|usd| usd > 0.0) && usage.output_tokens > 0, "{attempt}: {usage:?}");
            assert!(commit.is_some(), "{attempt}");
        }
    }
    assert_eq!(project.notes(), Vec::<String>::new(), "nothing was denied, nothing was odd");
}

fn assert_requests(project: &Project) {
    let requests = project.api.requests();
    for request in &requests {
        let mut tools = request.tools();
        tools.retain(|tool| *tool != "DeferredToolPlaceholder");
        tools.sort_unstable();
        assert_eq!(tools, ["Bash", "Edit", "Glob", "Grep", "Read", "StructuredOutput", "Write"]);
        assert!(request.system().contains(RULE));
        assert!(request.calls().iter().all(|call| !call.is_error), "{:?}", request.calls());
        let body = request.body.to_string();
        let found = body.find(HOSTILE).map(|at| body[..at].chars().rev().take(200).collect::<Vec<_>>());
        assert_eq!(found.map(|before| before.into_iter().rev().collect::<String>()), None);
    }
    let mut conversations = BTreeMap::new();
    for request in &requests {
        conversations.entry(&*request.conversation).or_insert_with(|| (component(request), task(request)));
    }
    assert_eq!(conversations.len(), STEPS.len(), "{conversations:?}");
    let events = project.events();
    let mut sessions: Vec<&str> = events
        .iter()
        .filter_map(|event| match event {
            Event::AttemptStarted { session, .. } => session.as_deref(),
            _ => None,
        })
        .collect();
    sessions.sort_unstable();
    assert!(conversations.keys().eq(&sessions), "{conversations:?} {sessions:?}");
    for request in requests.iter().filter(|request| component(request) == "tail") {
        // The nearest first, and what the dependencies of the dependencies promise, too.
        assert!(request.asks(&["### `join`", "> join.txt names what is below join", "### `base`"]));
    }
    assert!(requests.iter().filter(|request| component(request) == "base").all(|request| !request.asks(&["### `"])));
    assert!(requests.iter().any(|request| task(request) == "fix" && request.asks(&["join.txt does not say"])));
}

fn assert_check_was_mended(project: &Project) {
    let verdicts: Vec<Verdict> = project
        .ends()
        .into_iter()
        .filter_map(|(attempt, end)| match end {
            AttemptEnd::Checked(result) if attempt.starts_with("join.") => Some(result.verdict),
            _ => None,
        })
        .collect();
    // A failure is run once more on the same tree before it counts.
    assert_eq!(verdicts, [Verdict::Fail, Verdict::Fail, Verdict::Pass]);
}

#[test]
fn killed_and_carried_on_old() {
    killed_and_carried_on(Version::Old);
}

#[test]
fn killed_and_carried_on_new() {
    killed_and_carried_on(Version::New);
}

/// One piece of work, killed at five kinds of moments, each time carried on with from there.
fn killed_and_carried_on(version: Version) {
    let holds = Holds::default();
    let held = holds.clone();
    let api = Api::start(move |request| {
        held.pass(&component(request));
        work(request)
    });
    let Some(project) = project(version, api) else { return };
    before_the_first_answer(&project, &holds);
    within_a_tool_call(&project);
    between_answer_and_record(&project, &holds);
    within_a_check(&project);
    with_the_conversation_lost(&project, &holds);

    let _ = project.run(&["-j1"]).exits(0);
    let last = "tail.implement-2";
    let mut steps = STEPS;
    steps[0] = "base.implement-2";
    steps[1] = "left.implement-2";
    steps[6] = "tail.implement-3";
    assert_work_is_done(&project, &steps);
    assert_checkout_is_untouched(&project);
    assert_nothing_is_left(&project);
    assert_check_was_mended(&project);
    let ends = project.ends();
    let end = &ends.iter().find(|(attempt, _)| attempt == last).expect("the try to continue").1;
    assert!(matches!(end, AttemptEnd::Failed { class: Trouble::ConversationLost, .. }), "{end:?}");
    assert!(!project.events().iter().any(|event| matches!(event, Event::Escalated(_))));
    let conversations = |of: &str| conversations(&project, of).len();
    assert_eq!(["base", "left", "right", "join", "tail"].map(conversations), [1, 1, 1, 3, 2]);
}

/// The conversations about a component, each with the number of its requests.
fn conversations(project: &Project, of: &str) -> BTreeMap<String, usize> {
    let mut found = BTreeMap::new();
    for request in project.api.requests().iter().filter(|request| component(request) == of) {
        *found.entry(request.conversation.clone()).or_default() += 1;
    }
    found
}

fn before_the_first_answer(project: &Project, holds: &Holds) {
    holds.hold("base");
    let run = project.start(&["-j1"]);
    let requests = project.api.wait("first request", |requests| !requests.is_empty());
    // The CLI writes its conversations a tenth of a second behind; one without a file begins anew.
    until("the conversation is on file", || project.has_conversation(&requests[0].conversation));
    run.kill();
    holds.release("base");
}

fn within_a_tool_call(project: &Project) {
    let gate = project.gate("left-tool");
    let run = project.start(&["-j1"]);
    gate.reached();
    run.kill();
    let requests = project.api.requests();
    let resumed = requests.iter().find(|request| component(request) == "base" && request.prompts().len() > 1);
    let said = resumed.expect("the first step carries on with its conversation").prompts();
    assert!(said.last().expect("a prompt").starts_with("The step was cut off from outside"), "{said:?}");
}

/// The run does not see the end of the agent; what it finds afterwards is adopted.
fn between_answer_and_record(project: &Project, holds: &Holds) {
    holds.hold("right");
    let run = project.start(&["-j1"]);
    project.api.wait("request of `right`", |requests| requests.iter().any(|request| component(request) == "right"));
    run.freeze();
    holds.release("right");
    let stream = project.paths.runs().join("right.implement-1.stream.jsonl");
    until("the agent's result is in its file", || has_result(&stream));
    run.kill();
    assert!(project.ends().iter().all(|(attempt, _)| !attempt.starts_with("right.")));
}

fn within_a_check(project: &Project) {
    let before = conversations(project, "right");
    let gate = project.gate("join-check");
    let run = project.start(&["-j1"]);
    gate.reached();
    run.kill();
    assert_eq!(conversations(project, "right"), before, "a finished step was asked again");
    assert!(project.notes().iter().any(|note| note.contains("adopted")), "{:?}", project.notes());
}

fn with_the_conversation_lost(project: &Project, holds: &Holds) {
    holds.hold("tail");
    let run = project.start(&["-j1"]);
    project.api.wait("request of `tail`", |requests| requests.iter().any(|request| component(request) == "tail"));
    run.kill();
    holds.release("tail");
    fs::remove_dir_all(project.conversations()).expect("the conversations of the CLI");
}
