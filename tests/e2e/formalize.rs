//! The whole way: a brainstorm, two drafts that are invalid in different ways, a manifest, a run to its end.

use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::{Value, json};

use crate::project::{Project, SPEC, component, task, until};
use crate::session;
use crate::support::api::{Api, Request};
use crate::support::claude::Version;
use crate::support::reply::{Reply, Script};

/// What the brainstorm says, and no default of ours does.
const WISH: &str = "greetings in two files, one of which builds on the other";

/// The spec before it is formalized: no component yet.
fn manifest() -> Value {
    json!({"name": "work", "project": "p", "components": []})
}

/// A draft of two components; `spoil` makes it what it is.
fn draft(spoil: impl FnOnce(&mut Value)) -> Reply {
    let part = |id: &str, depends_on: &[&str]| {
        json!({
            "id": id, "files": [format!("{id}.txt")], "depends_on": depends_on, "complexity": "low",
            "purpose": format!("Write {id}.txt."), "checks": [{"name": "there", "run": format!("test -s {id}.txt")}],
        })
    };
    let mut manifest = json!({
        "execution": {"mode": "standard", "reviewers": 0, "require_tests": false},
        "components": [part("hello", &[]), part("world", &["hello"])],
        "validation_command": "cat hello.txt world.txt",
    });
    spoil(&mut manifest);
    let contexts = json!([{"component": "world", "text": "`hello.txt` says how it begins."}]);
    Reply::answer(json!({"summary": "A file each.", "manifest": manifest, "contexts": contexts}))
}

/// What the conversation was told of its drafts. (The CLI adds words of its own where one goes on.)
fn told(request: &Request) -> Vec<String> {
    let prompts = request.prompts().into_iter().map(str::to_owned);
    prompts.filter(|prompt| prompt.contains("Your last draft was checked")).collect()
}

/// The drafts, by how often the conversation was told what is wrong.
fn drafts(request: &Request) -> Reply {
    match told(request).len() {
        0 => draft(|manifest| manifest["components"][0]["depends_on"] = json!(["world"])),
        1 => draft(|manifest| manifest["components"][1]["dependson"] = json!(["hello"])),
        _ => draft(|_| ()),
    }
}

/// What `/spec` asks for.
fn is_brainstorm(request: &Request) -> bool {
    request.asks(&["<command-name>/spec</command-name>"])
}

const DOCUMENTS: [&str; 4] = ["MISSION", "INVESTIGATION", "DECISIONS", "CONCERNS"];

/// The documents, each by a command.
fn save(request: &Request) -> Reply {
    let put = |name| format!("cco brainstorm put {name} --spec {SPEC} <<'CCO_END'\n# {name}\n\n{WISH}\nCCO_END");
    let script = DOCUMENTS.into_iter().fold(Script::new(), |script, name| script.bash(&put(name)));
    script.then(Reply::text("saved")).reply(request)
}

fn is_judgement(request: &Request) -> bool {
    request.asks(&["## Your task: is it ready?"])
}

fn is_draft(request: &Request) -> bool {
    request.asks(&["## Your task: draft the manifest"])
}

/// What the model does, from the judgement to the last component.
fn work(request: &Request) -> Reply {
    if is_brainstorm(request) {
        return save(request);
    }
    if is_judgement(request) {
        let concern = json!({"blocks": false, "text": "nobody says in which language", "suggestion": "English"});
        let judged = json!({"summary": "Read all of it.", "concerns": [concern]});
        // It looks at the code before it judges, and finds that it cannot change it.
        return Script::new().then(Reply::read("README.md")).bash("touch evil.txt").answer(judged).reply(request);
    }
    if is_draft(request) {
        return drafts(request);
    }
    let of = component(request);
    let done = Reply::answer(json!({"status": "done", "summary": format!("Wrote {of}.")}));
    assert_eq!(task(request), "implement");
    Script::new().write(&format!("{of}.txt"), &format!("{of}\n")).then(done).reply(request)
}

fn project(version: Version, api: Api) -> Option<Project> {
    let project = Project::new(version, manifest(), api)?;
    session::put_on_path(&project.env);
    let _ = project.env.cco(["install"]).exits(0);
    let session = session::says(&project.env, &project.api, &project.agent, &format!("/spec {SPEC}"));
    assert_eq!(session.result["result"], "saved", "{version}: {}", session.result);
    for name in DOCUMENTS {
        let saved = fs::read_to_string(project.paths.brainstorm().join(format!("{name}.md"))).unwrap();
        assert_eq!(saved, format!("# {name}\n\n{WISH}\n"), "{version}");
    }
    Some(project)
}

#[test]
fn the_whole_way_old() {
    the_whole_way(Version::Old);
}

#[test]
fn the_whole_way_new() {
    the_whole_way(Version::New);
}

fn the_whole_way(version: Version) {
    let Some(project) = project(version, Api::start(work)) else { return };
    let before = fs::read_to_string(project.paths.manifest()).unwrap();
    let output = project.formalize(&[]).exits(0);
    assert!(output.stdout.contains("the manifest is in place; 3 drafts, $"), "{output}");
    assert!(output.stdout.contains("concern: nobody says in which language"), "{output}");
    let kept = project.paths.dir().join("manifest.old-1.json");
    assert_eq!(fs::read_to_string(kept).unwrap(), before);
    let context = fs::read_to_string(project.paths.components().join("world.md")).unwrap();
    assert_eq!(context, "`hello.txt` says how it begins.\n");
    assert_requests(&project);
    assert_eq!(project.git(&["status", "--porcelain"]), "");
    assert_eq!(project.git(&["worktree", "list"]).lines().count(), 1);

    let plan = project.run(&["-n"]).exits(0);
    assert!(plan.stdout.contains("hello") && plan.stdout.contains("world"), "{plan}");
    let run = project.run(&[]).exits(0);
    assert!(run.stdout.contains("2 of 2 components complete"), "{run}");
    for id in ["hello", "world"] {
        assert_eq!(project.git(&["show", &format!("{}:{id}.txt", project.branch())]), format!("{id}\n"));
    }
    let told = project
        .api
        .requests()
        .into_iter()
        .find(|request| !is_brainstorm(request) && !is_draft(request) && component(request) == "world");
    assert!(told.unwrap().asks(&["`hello.txt` says how it begins."]), "the context goes to who works on it");
}

fn assert_requests(project: &Project) {
    let mut requests = project.api.requests();
    requests.retain(|request| !is_brainstorm(request));
    for request in &requests {
        let mut tools = request.tools();
        tools.retain(|tool| *tool != "DeferredToolPlaceholder");
        tools.sort_unstable();
        assert_eq!(tools, ["Bash", "Glob", "Grep", "Read", "StructuredOutput"], "it may only read");
        assert!(request.asks(&[WISH]), "{:?}", request.prompts());
    }
    let judged = requests.iter().rfind(|request| is_judgement(request)).unwrap();
    let calls = judged.calls();
    assert!(!calls[0].is_error && calls[1].is_error, "it reads the code, and changes nothing: {calls:?}");
    let drafts: Vec<&Request> = requests.iter().filter(|request| is_draft(request)).collect();
    assert_eq!(drafts.len(), 3, "one request a draft");
    assert!(drafts.iter().all(|request| request.conversation == drafts[0].conversation), "in one conversation");
    let told = told(drafts[2]);
    assert!(told[0].contains("E015 at /components/") && told[0].contains("hello -> world -> hello"), "{told:?}");
    assert!(
        told[1].contains("unknown field `dependson`") && told[1].contains("did you mean `depends_on`?"),
        "{told:?}"
    );
}

#[test]
fn killed_in_the_second_round_old() {
    killed_in_the_second_round(Version::Old);
}

#[test]
fn killed_in_the_second_round_new() {
    killed_in_the_second_round(Version::New);
}

/// The first draft is in, the second is on its way: it goes on with the second, in the same conversation.
fn killed_in_the_second_round(version: Version) {
    let holds = Arc::new(AtomicBool::new(true));
    let held = holds.clone();
    let api = Api::start(move |request| {
        if is_draft(request) && told(request).len() == 1 && held.load(Ordering::SeqCst) {
            return Reply::Hang;
        }
        work(request)
    });
    let Some(project) = project(version, api) else { return };
    let first = project.start_formalizing(&["--no-gate"]);
    let in_second = |requests: &[Request]| requests.iter().any(|request| told(request).len() == 1);
    project.api.wait("the request for the second draft", in_second);
    first.kill();
    holds.store(false, Ordering::SeqCst);
    let mark = project.mark();
    until("no process of the spec is left", || cco::process::orphans::find(&mark).is_empty());
    let _ = project.formalize(&["--no-gate"]).exits(0);
    let mut requests = project.api.requests();
    requests.retain(|request| !is_brainstorm(request));
    let first_drafts = requests.iter().filter(|request| is_draft(request) && told(request).is_empty()).count();
    assert_eq!(first_drafts, 1, "the first draft is paid for once");
    assert!(requests.iter().all(|request| request.conversation == requests[0].conversation));
}
