//! What a run makes of the faults of the API and of a `claude` that cannot work.

use std::collections::VecDeque;
use std::os::unix::fs::PermissionsExt as _;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use cco::lifecycle::event::{AttemptEnd, Cause, Event, Pause, Trouble};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::env::{Output, write};
use crate::project::{Project, component, until};
use crate::support::api::{Api, Request};
use crate::support::claude::Version;
use crate::support::reply::{Reply, Script};

/// Components that depend on nothing and write one file each.
fn manifest(ids: &[&str]) -> Value {
    let component = |id: &&str| {
        json!({
            "id": id,
            "file": format!("{id}.txt"),
            "purpose": format!("Write {id}.txt."),
            "checks": [format!("test -s {id}.txt")],
        })
    };
    json!({
        "name": "work",
        "project": "p",
        "execution": {"mode": "quick", "require_tests": false, "reviewers": 0},
        "components": ids.iter().map(component).collect::<Vec<_>>(),
        "validation_command": format!("cat {}", ids.iter().map(|id| format!("{id}.txt ")).collect::<String>()),
    })
}

fn good() -> Reply {
    Reply::answer(json!({"status": "done", "summary": "Wrote it."}))
}

/// Writes the component's file and says so, also where the answer before came out of form.
fn work(request: &Request) -> Reply {
    Script::since("The step ended without an answer")
        .write(&format!("{}.txt", component(request)), "1\n")
        .then(good())
        .reply(request)
}

/// Whether the conversation was taken up again after its first call.
fn is_second_call(request: &Request) -> bool {
    request.prompts().len() > 1
}

/// Runs with each version; both at once, since they mostly wait.
fn each(test: impl Fn(Version) + Sync) {
    // What a test says of itself goes by the name of its thread.
    let name = thread::current().name().unwrap_or_default().to_owned();
    thread::scope(|scope| {
        for version in Version::ALL {
            let test = &test;
            thread::Builder::new().name(name.clone()).spawn_scoped(scope, move || test(version)).unwrap();
        }
    });
}

/// The classes of trouble that the attempts of a component ended with; none where one answered.
fn troubles(project: &Project, of: &str) -> Vec<Option<Trouble>> {
    let of = format!("{of}.implement-");
    let ends = project.ends().into_iter().filter(|(attempt, _)| attempt.starts_with(&of));
    ends.map(|(attempt, end)| match end {
        AttemptEnd::Wrote { .. } => None,
        AttemptEnd::Failed { class, .. } => Some(class),
        other => panic!("{attempt}: {other:?}"),
    })
    .collect()
}

/// All requests about a component belong to one conversation.
fn assert_one_conversation(project: &Project, of: &str) {
    let mut ids: Vec<String> = project
        .api
        .requests()
        .into_iter()
        .filter(|request| component(request) == of)
        .map(|request| request.conversation)
        .collect();
    ids.dedup();
    assert_eq!(ids.len(), 1, "{of}");
}

#[test]
fn transient_faults_are_tried_again_after_a_backoff() {
    each(|version| {
        let ids = ["overloaded", "server", "dropped", "cut"];
        let api = Api::start(|request| match &*component(request) {
            _ if is_second_call(request) => work(request),
            "overloaded" => Reply::overloaded(),
            "server" => Reply::server_error(),
            "dropped" => Reply::Drop,
            _ => good().cut(),
        });
        let Some(project) = Project::new(version, manifest(&ids), api) else { return };
        let _ = project.run(&["-j4"]).exits(0);
        for id in ids {
            assert_eq!(troubles(&project, id), [Some(Trouble::Transient), None], "{version}: {id}");
            assert_one_conversation(&project, id);
        }
        let waits: Vec<SignedDuration> = project
            .records()
            .iter()
            .flat_map(|record| record.events.iter().map(|event| (record.at, event)))
            .filter_map(|(now, event)| match event {
                Event::RetryScheduled { at, .. } => Some(at.duration_since(now)),
                _ => None,
            })
            .collect();
        assert_eq!(waits.len(), ids.len());
        assert!(waits.iter().all(|wait| *wait <= SignedDuration::from_secs(2)), "{waits:?}");
    });
}

#[test]
fn a_wrong_key_stops_the_run() {
    each(|version| {
        let refused = Arc::new(AtomicBool::new(true));
        let refuses = Arc::clone(&refused);
        let api = Api::start(
            move |request| {
                if refuses.load(Ordering::Relaxed) { Reply::unauthorized() } else { work(request) }
            },
        );
        let Some(project) = Project::new(version, manifest(&["a", "b"]), api) else { return };
        let output = project.run(&["-j1"]).exits(7);
        assert!(output.stdout.contains("stopped: Invalid API key"), "{output}");
        assert!(output.stdout.contains("once that is mended, `cco run` carries on"), "{output}");
        assert_eq!(troubles(&project, "a"), [Some(Trouble::Authentication)], "{version}");
        assert_eq!(troubles(&project, "b"), [], "{version}: nothing else is started");
        refused.store(false, Ordering::Relaxed);
        let _ = project.run(&["-j1"]).exits(0);
    });
}

/// The one test that waits out a pause: half a minute, in which nothing runs.
#[test]
fn a_rate_limit_pauses_all_agents() {
    each(|version| {
        let api = Api::start(|request| if is_second_call(request) { work(request) } else { Reply::rate_limited() });
        let Some(project) = Project::new(version, manifest(&["a"]), api) else { return };
        let _ = project.run(&["-j4"]).exits(0);
        assert_eq!(troubles(&project, "a"), [Some(Trouble::RateLimit { until: None }), None], "{version}");
        assert_one_conversation(&project, "a");
        let records = project.records();
        let holds = |wanted: fn(&Event) -> bool| records.iter().rfind(|record| record.events.iter().any(wanted));
        let paused = holds(|event| matches!(event, Event::RunPaused { .. })).expect("a pause");
        let end = paused.at.checked_add(Duration::from_secs(30)).expect("a time");
        assert!(paused.events.contains(&Event::RunPaused { until: end, why: Pause::RateLimit }), "{paused:?}");
        assert!(paused.events.contains(&Event::JobsChanged { jobs: 2 }), "{paused:?}");
        let next = holds(|event| matches!(event, Event::AttemptStarted { resumed: true, .. })).expect("a second try");
        assert!(next.at >= end, "{version}: {next:?}");
    });
}

#[test]
fn a_used_up_window_parks_the_run_until_it_opens() {
    /// In the year 2096.
    const FAR: u64 = 4_000_000_000;
    each(|version| {
        let resets = Arc::new(Mutex::new(VecDeque::from([FAR, FAR])));
        let ahead = Arc::clone(&resets);
        let api = Api::start(move |request| match ahead.lock().unwrap().pop_front() {
            Some(reset) => Reply::usage_limit(reset),
            None => work(request),
        });
        let Some(project) = Project::with_token(version, manifest(&["a"]), api) else { return };
        let paused_until = |seconds: u64| {
            let until = Timestamp::from_second(i64::try_from(seconds).unwrap() + 60).unwrap();
            Event::RunPaused { until, why: Pause::UsageLimit }
        };

        let output = project.run(&["--no-wait"]).exits(6);
        assert!(output.stdout.contains("the usage limit is reached; `cco run` later carries on"), "{output}");
        assert!(project.events().contains(&paused_until(FAR)), "{version}: {:?}", project.events());

        let run = project.start(&[]);
        let parked = || project.events().iter().filter(|event| **event == paused_until(FAR)).count() == 2;
        until("the run parks", parked);
        assert_eq!(run.interrupt(), Some(130));

        // A minute is added to what the server says: a window that opened just before is open in three seconds.
        let reset = u64::try_from(Timestamp::now().as_second()).unwrap() - 57;
        resets.lock().unwrap().push_back(reset);
        let _ = project.run(&[]).exits(0);
        assert!(project.events().contains(&paused_until(reset)), "{version}: {:?}", project.events());
        let limits = troubles(&project, "a");
        assert_eq!(limits.len(), 4, "{version}: {limits:?}");
        assert!(!project.events().iter().any(|event| matches!(event, Event::Escalated(_))));
    });
}

#[test]
fn an_answer_out_of_form_is_asked_for_once_more() {
    each(|version| {
        let invalid = || Reply::answer(json!({"status": "perhaps", "summary": "s"}));
        let api = Api::start(move |request| match &*component(request) {
            "silent" => Reply::text("I am done."),
            "stubborn" if !is_second_call(request) => invalid(),
            "clumsy" => Script::new().write("clumsy.txt", "1\n").then(invalid()).then(good()).reply(request),
            _ => work(request),
        });
        let Some(project) = Project::new(version, manifest(&["silent", "stubborn", "clumsy"]), api) else { return };
        let output = project.run(&["-j3"]).exits(3);
        assert!(output.stdout.contains("cco answer p/work-00000000 q1"), "{output}");
        assert_eq!(troubles(&project, "silent"), [Some(Trouble::NoAnswer), Some(Trouble::NoAnswer)], "{version}");
        assert_eq!(troubles(&project, "stubborn"), [Some(Trouble::NoAnswer), None], "{version}");
        assert_eq!(troubles(&project, "clumsy"), [None], "{version}: the CLI sees to it by itself");
        for id in ["silent", "stubborn", "clumsy"] {
            assert_one_conversation(&project, id);
        }
        let asked: Vec<(String, Cause)> = project
            .events()
            .into_iter()
            .filter_map(|event| match event {
                Event::Escalated(question) => Some((question.on.to_string(), question.cause)),
                _ => None,
            })
            .collect();
        assert_eq!(asked, [("silent".to_owned(), Cause::AgentTrouble)], "{version}");
    });
}

/// `cco run` with an agent of the test's choice: nothing is asked of it, and nothing is written.
fn refused(project: &Project, change: impl Fn(&mut std::process::Command)) -> Output {
    let mut command = project.command(&["--quiet"]);
    change(&mut command);
    let output = project.env.run(&mut command).exits(7);
    assert!(project.api.requests().is_empty());
    assert!(!project.paths.journal().exists() || project.records().is_empty());
    output
}

#[test]
fn an_agent_that_is_missing_or_cannot_be_run_is_named() {
    let api = Api::start(work);
    let Some(project) = Project::new(Version::New, manifest(&["a"]), api) else { return };
    let nowhere = refused(&project, |command| {
        command.env_remove("CCO_CLAUDE");
    });
    insta::assert_snapshot!(nowhere.stderr, @r"
    error: `claude` was not found
      help: install claude, or set `agent.command` or CCO_CLAUDE to where it is
      help: `cco doctor` shows what is used and where it comes from
    ");
    let missing = refused(&project, |command| {
        command.env("CCO_CLAUDE", project.env.root().join("claude"));
    });
    insta::assert_snapshot!(missing.stderr, @r"
    error: `[ROOT]/claude` was not found
      help: install claude, or set `agent.command` or CCO_CLAUDE to where it is
      help: `cco doctor` shows what is used and where it comes from
    ");
    write(&project.env.root().join("claude"), "#!/bin/sh\n");
    let plain = std::fs::Permissions::from_mode(0o644);
    std::fs::set_permissions(project.env.root().join("claude"), plain).unwrap();
    let not_executable = refused(&project, |command| {
        command.env("CCO_CLAUDE", project.env.root().join("claude"));
    });
    insta::assert_snapshot!(not_executable.stderr, @r"
    error: `[ROOT]/claude` is not executable
      help: `chmod +x` it, or set `agent.command` or CCO_CLAUDE to another program
      help: `cco doctor` shows what is used and where it comes from
    ");
}

#[test]
fn an_agent_that_is_not_logged_in_is_told_so() {
    each(|version| {
        let api = Api::start(work);
        let Some(project) = Project::new(version, manifest(&["a"]), api) else { return };
        let nobody = refused(&project, |command| {
            command.env_remove("ANTHROPIC_API_KEY");
        });
        let said = nobody.stderr.replace(project.agent.to_str().unwrap(), "[CLAUDE]");
        insta::allow_duplicates! {
            insta::assert_snapshot!(said, @r"
    error: `[CLAUDE]` is not logged in
      help: run `claude` once and log in, or set `ANTHROPIC_API_KEY`
    ");
        }
    });
}
