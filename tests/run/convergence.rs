//! Fix loops as whole runs: what counts as nearer, what brings a vote, and what each choice of a vote changes.

use cco::lifecycle::event::{Cause, Event, Proof, RunEnd, Trend, Verb};
use serde_json::{Value, json};

use crate::world::{World, component, finds, manifest, votes, writes};

/// A component that holds a number of faults, each a check of its own; `texts` are what its steps write, one after the
/// other: the implementation first, then the fixes.
fn world(faults: usize, texts: &[&str], seats: Value) -> World {
    let mut a = component("a", &[]);
    let check = |n: usize| json!({"name": format!("no{n}"), "run": format!("! grep -q fault{n} a.txt")});
    a["checks"] = (1..=faults).map(check).collect();
    let (first, fixes) = texts.split_first().unwrap();
    let mut steps = json!({
        "a.implement": writes("a", first),
        "a.fix": fixes.iter().enumerate().map(|(n, text)| {
            let mut fix = writes("a", text);
            fix["answer"] = json!({"status": "done", "summary": format!("tried way {}", n + 1)});
            fix
        }).collect::<Vec<_>>(),
    });
    for (key, value) in seats.as_object().unwrap() {
        steps[key] = value.clone();
    }
    World::new(manifest(vec![a]), json!({"sessions": true, "steps": steps}))
}

fn trends(world: &World) -> Vec<(bool, Trend)> {
    world.fixes().into_iter().map(|(_, counted, trend)| (counted, trend)).collect()
}

/// More rounds than the budget has, and nobody is asked: each leaves less to do.
#[test]
fn what_shrinks_slowly_goes_on_free_of_charge() {
    let texts: Vec<String> =
        (0..=7).map(|gone| (gone + 1..=7).map(|n| format!("fault{n}\n")).collect::<String>() + "the rest\n").collect();
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    let world = world(7, &texts, json!({}));
    world.ends(&[], 0);
    let trends = trends(&world);
    assert_eq!(trends.len(), 7);
    assert_eq!(trends[0], (true, Trend::First));
    assert!(trends[1..].iter().all(|round| *round == (false, Trend::Better)), "{trends:?}");
    assert_eq!(world.questions(), []);
    assert!(!world.has(|event| matches!(event, Event::VoteOpened(_))));
    assert_eq!(world.file("a.txt"), "the rest");
    // What was tried before is told, and the one who mends does not begin at nothing.
    let prompt = world.prompt("a.fix-4");
    let (before, issues) = prompt.split_once("mend these issues").unwrap();
    assert!(before.contains("tried way 3"), "{prompt}");
    assert!(issues.contains("check:no4") && !issues.contains("check:no3"), "{prompt}");
    world.assert_nothing_left();
}

#[test]
fn what_comes_again_is_voted_on_and_the_next_fix_follows_the_reasons() {
    let seats = json!({
        "a.vote:fix_strategy:0": votes("FIX_IN_PLACE", 0.9, "the loop is off by one"),
        "a.vote:fix_strategy:1": votes("FIX_IN_PLACE", 0.8, "only the bound is wrong"),
        "a.vote:fix_strategy:2": votes("REFACTOR", 0.3, "it is tangled"),
    });
    let world = world(1, &["fault1\n", "fault1 still\n", "good\n"], seats);
    world.ends(&[], 0);
    let settled: Vec<_> = world
        .events()
        .into_iter()
        .filter_map(|event| match event {
            Event::VoteSettled(vote) => Some((vote.winner.unwrap().to_string(), vote.round, vote.valid)),
            _ => None,
        })
        .collect();
    assert_eq!(settled, [("FIX_IN_PLACE".to_owned(), 1, 3)]);
    let ballot = world.prompt("a.vote:fix_strategy:0-1");
    assert!(ballot.contains("check:no1") && ballot.contains("tried way 1"), "{ballot}");
    let before = world.prompt("a.fix-1");
    assert!(!before.contains("What was decided"), "{before}");
    let after = world.prompt("a.fix-2");
    assert!(after.contains("the loop is off by one") && after.contains("only the bound is wrong"), "{after}");
    assert!(!after.contains("it is tangled"), "{after}");
    assert_eq!(trends(&world), [(true, Trend::First), (true, Trend::Equal)]);
    world.assert_nothing_left();
}

#[test]
fn what_turns_worse_is_taken_back_to_the_best_tree_and_kept_aside() {
    // One fault, then two others, then none.
    let world = world(3, &["fault1\nbest\n", "fault2\nfault3\n"], json!({}));
    // The second fix shows what it found.
    let mut fix = json!([
        writes("a", "fault2\nfault3\n"),
        {"actions": [{"run": {"cmd": "cat a.txt > $NOTES; echo good > a.txt"}}]},
    ]);
    fix[0]["answer"] = json!({"status": "done", "summary": "made it worse"});
    world.play(json!({"sessions": true, "steps": {"a.implement": writes("a", "fault1\nbest\n"), "a.fix": fix}}));
    world.ends(&[], 0);
    assert_eq!(trends(&world), [(true, Trend::First), (true, Trend::Worse)]);
    assert_eq!(world.noted(), ["fault1", "best"], "the second fix did not begin at the best tree");
    let log = world.git(&["log", "--format=%s", "--reverse", "main..refs/cco/p/world-00000000/tip/a"]);
    let lines: Vec<&str> = log.lines().collect();
    assert_eq!(lines.len(), 4, "{log}");
    assert!(lines[2].contains("go back to the best state so far"), "{log}");
    // Nothing is lost: the worse tree has a name.
    let refs = world.git(&["for-each-ref", "--format=%(refname)", "refs/cco/"]);
    let kept = refs.lines().find(|name| name.contains("/abandoned/a.fix-2")).unwrap_or_else(|| panic!("{refs}"));
    assert_eq!(world.git(&["show", &format!("{kept}:a.txt")]), "fault2\nfault3");
    assert!(world.has(|event| matches!(event, Event::Noted { text, .. } if text.contains(kept))));
    let prompt = world.prompt("a.fix-2");
    assert!(prompt.contains("made it worse"), "{prompt}");
    // It begins at the best tree, so it is told what is wrong there.
    let (_, issues) = prompt.split_once("mend these issues").unwrap();
    assert!(issues.contains("check:no1") && !issues.contains("check:no2"), "{prompt}");
    assert_eq!(world.file("a.txt"), "good");
    world.assert_nothing_left();
}

#[test]
fn from_red_tests_to_findings_of_reviewers_is_nearer() {
    let seats = json!({
        // More findings than there were red commands: still a later stage.
        "a.review:0": [finds(&["it divides by zero", "the empty list is forgotten", "names are cut off"]), {}],
    });
    let mut manifest = {
        let mut a = component("a", &[]);
        a["checks"] = json!([{"name": "good", "run": "grep -q good a.txt"}]);
        manifest(vec![a])
    };
    manifest["execution"] = json!({"reviewers": 2, "max_fix_attempts": 1});
    let mut steps =
        json!({"a.implement": writes("a", "bad"), "a.fix": [writes("a", "good"), writes("a", "good, whole")]});
    steps["a.review:0"] = seats["a.review:0"].clone();
    let world = World::new(manifest, json!({"sessions": true, "steps": steps}));
    world.ends(&[], 0);
    assert_eq!(trends(&world), [(true, Trend::First), (false, Trend::Better)]);
    let started = world.started();
    let first_review = started.iter().position(|name| name.contains("review")).unwrap();
    assert!(started[..first_review].contains(&"a.fix-1".to_owned()), "a red command is the last stage: {started:?}");
    let prompt = world.prompt("a.fix-2");
    assert!(prompt.contains("it divides by zero") && prompt.contains("review:0"), "{prompt}");
    // Only who found something is asked first, then all on the tree that would complete.
    let opened: Vec<Vec<Vec<u8>>> = world
        .events()
        .into_iter()
        .filter_map(|event| match event {
            Event::ValidationOpened { on, reviewers, .. } if on.to_string() == "a" => Some(reviewers),
            _ => None,
        })
        .collect();
    assert_eq!(opened, [vec![vec![0, 1]], vec![vec![0, 1]], vec![vec![0], vec![1]]]);
    assert!(world.has(|event| matches!(event, Event::RunCompleted { proof: Proof::Proven })));
    world.assert_nothing_left();
}

/// A component with a skeleton, whose fault comes again.
fn stubborn(seats: Value) -> World {
    let mut a = component("a", &[]);
    a["complexity"] = json!("medium");
    a["files"] = json!(["b.txt"]);
    a["checks"] = json!([{"name": "good", "run": "grep -q good a.txt"}]);
    let mut steps = json!({
        "a.skeleton": writes("a", "outline\n"),
        "a.implement": [
            {"actions": [{"write": {"path": "a.txt", "text": "bad\n"}}, {"write": {"path": "b.txt", "text": "dead end\n"}}]},
            {"actions": [{"run": {"cmd": "cat a.txt >> $NOTES; ls >> $NOTES; echo good > a.txt"}}]},
        ],
        "a.fix": writes("a", "still bad\n"),
    });
    for (key, value) in seats.as_object().unwrap() {
        steps[key] = value.clone();
    }
    World::new(manifest(vec![a]), json!({"sessions": true, "steps": steps}))
}

fn all_vote(option: &str, reason: &str) -> Value {
    json!({"a.vote:fix_strategy:*": votes(option, 0.9, reason)})
}

/// The conversation of each attempt of a step, in order.
fn sessions(world: &World, step: &str) -> Vec<(String, bool)> {
    let session = |event| match event {
        Event::AttemptStarted { attempt, session: Some(session), resumed } if attempt.to_string().starts_with(step) => {
            Some((session.to_string(), resumed))
        }
        _ => None,
    };
    world.events().into_iter().filter_map(session).collect()
}

#[test]
fn refactor_makes_it_anew_from_before_the_implementation() {
    let world = stubborn(all_vote("REFACTOR", "the structure cannot hold it"));
    world.ends(&[], 0);
    assert_eq!(world.noted()[..1], ["outline"], "not the tree before the implementation");
    assert!(!world.noted().contains(&"b.txt".to_owned()), "what the old one made is still there: {:?}", world.noted());
    let sessions = sessions(&world, "a.implement");
    assert_eq!(sessions.len(), 2);
    assert!(sessions[0].0 != sessions[1].0 && !sessions[1].1, "the second goes on with the conversation of the first");
    let prompt = world.prompt("a.implement-2");
    assert!(prompt.contains("the structure cannot hold it"), "{prompt}");
    assert!(prompt.contains("A second beginning"), "{prompt}");
    let refs = world.git(&["for-each-ref", "--format=%(refname)", "refs/cco/"]);
    let kept = refs.lines().find(|name| name.contains("/abandoned/a.implement-2")).unwrap_or_else(|| panic!("{refs}"));
    assert_eq!(world.git(&["show", &format!("{kept}:a.txt")]), "still bad");
    assert_eq!(world.git(&["show", &format!("{kept}:b.txt")]), "dead end");
    assert_eq!(world.file("a.txt"), "good");
    assert!(world.has(|event| matches!(event, Event::RunCompleted { proof: Proof::Proven })));
    world.assert_nothing_left();
}

/// It is offered once, has a budget of its own, and its reasons are not taken for those of another vote.
#[test]
fn refactor_is_offered_once_and_its_fixes_begin_anew() {
    let mut seats = all_vote("REFACTOR", "the structure cannot hold it");
    seats["a.implement"] = writes("a", "bad again\n");
    seats["a.vote:fix_strategy:*-2"] = votes("ESCALATE", 0.9, "nobody knows how");
    let world = stubborn(seats);
    world.ends(&[], 3);
    let votes: Vec<Vec<String>> = world
        .events()
        .into_iter()
        .filter_map(|event| match event {
            Event::VoteOpened(vote) => Some(vote.options.iter().map(ToString::to_string).collect()),
            _ => None,
        })
        .collect();
    assert_eq!(votes, [vec!["FIX_IN_PLACE", "REFACTOR", "ESCALATE"], vec!["FIX_IN_PLACE", "ESCALATE"]]);
    assert_eq!(trends(&world), [(true, Trend::First), (true, Trend::First)]);
    let prompt = world.prompt("a.fix-2");
    assert!(!prompt.contains("the structure cannot hold it"), "those were the reasons for something else: {prompt}");
    let questions = world.questions();
    assert_eq!(questions[0].cause, Cause::Vote);
    assert_eq!(questions[0].options, ["FIX_IN_PLACE"]);
    world.assert_nothing_left();
}

#[test]
fn escalate_asks_with_options_and_the_answer_carries_one_out() {
    for (option, attempt) in [("FIX_IN_PLACE", "a.fix-2"), ("REFACTOR", "a.implement-2")] {
        let world = stubborn(all_vote("ESCALATE", "two requirements contradict each other"));
        let output = world.run(&[]);
        assert_eq!(output.status, 3, "{output}");
        assert_eq!(world.last_end(), Some(RunEnd::NeedsAnswer));
        let questions = world.questions();
        assert_eq!(questions[0].cause, Cause::Vote);
        assert_eq!(questions[0].options, ["FIX_IN_PLACE", "REFACTOR"]);
        assert_eq!(questions[0].issues.len(), 1, "{questions:?}");
        assert!(output.to_string().contains("cco answer"), "{output}");
        let listed = world.env.cco(["answer", "p/world-00000000"]);
        assert!(listed.stdout.contains("REFACTOR") && listed.stdout.contains("ESCALATE"), "{listed}");
        assert!(listed.stdout.contains("two requirements contradict each other"), "why the voters ask: {listed}");
        world.play(json!({"sessions": true, "steps": {"a.*": writes("a", "good\n")}}));
        world.tells(&["q1", "--option", option]);
        world.ends(&[], 0);
        let prompt = world.prompt(attempt);
        assert!(prompt.contains(&format!("the user chose: {option}")), "{prompt}");
        assert!(!prompt.contains("Agents voted to"), "they did not: {prompt}");
        assert_eq!(world.has(|event| matches!(event, Event::Refactored { .. })), option == "REFACTOR");
        assert!(world.started().contains(&attempt.to_owned()));
        world.assert_nothing_left();
    }
}

#[test]
fn without_a_majority_the_voters_see_each_other_and_then_a_person_is_asked() {
    let seats = json!({
        "a.vote:fix_strategy:0": votes("FIX_IN_PLACE", 0.5, "nearly there"),
        "a.vote:fix_strategy:1": votes("REFACTOR", 0.5, "hopeless"),
        "a.vote:fix_strategy:2": votes("ESCALATE", 0.5, "unclear"),
        "a.vote:fix_strategy:3": votes("FIX_IN_PLACE", 0.9, "convinced"),
        "a.vote:fix_strategy:4": votes("FIX_IN_PLACE", 0.9, "convinced"),
        "a.vote:fix_strategy:5": votes("ESCALATE", 0.4, "unclear"),
    });
    let mut mended = seats.clone();
    mended["a.fix"] = json!([writes("a", "still bad\n"), writes("a", "good\n")]);
    let world = stubborn(mended);
    world.ends(&[], 0);
    let prompt = world.prompt("a.vote:fix_strategy:3-1");
    assert!(["nearly there", "hopeless", "unclear"].iter().all(|reason| prompt.contains(reason)), "{prompt}");
    assert!(world.prompt("a.fix-2").contains("convinced"));

    let mut split = seats;
    split["a.vote:fix_strategy:4"] = votes("REFACTOR", 0.9, "no");
    let world = stubborn(split);
    world.ends(&[], 3);
    let questions = world.questions();
    assert!(questions[0].question.contains("no majority"), "{questions:?}");
    assert_eq!(questions[0].options, ["FIX_IN_PLACE", "REFACTOR"]);
    assert_eq!(world.fixes().len(), 1);
}

/// The budget used up, a retry begins with a new one from the best tree.
#[test]
fn a_retry_starts_from_the_best_tree() {
    let world = world(3, &["fault1\nbest\n", "fault1\nfault2\n", "fault1\nfault2\nfault3\n"], json!({}));
    let mut manifest: Value =
        serde_json::from_str(&std::fs::read_to_string(world.spec.join("manifest.json")).unwrap()).unwrap();
    manifest["execution"]["max_fix_attempts"] = json!(1);
    world.rewrite(manifest);
    world.ends(&[], 3);
    assert_eq!(world.questions()[0].cause, Cause::FixBudget);
    world.play(json!({"sessions": true, "steps": {
        "a.fix": {"actions": [{"run": {"cmd": "cat a.txt > $NOTES; echo good > a.txt"}}]},
    }}));
    world.answer("q1", Verb::Retry, Some("look at the first line"));
    world.ends(&[], 0);
    assert_eq!(world.noted(), ["fault1", "best"]);
    assert!(world.prompt("a.fix-2").contains("look at the first line"));
    world.assert_nothing_left();
}

/// A vote that chooses to mend in place after a round that made it worse: the next one starts from the best tree too.
#[test]
fn after_a_vote_too_the_best_tree_is_where_it_goes_on() {
    let world = world(3, &["fault1\nbest\n", "fault1\nfault2\n"], all_vote("FIX_IN_PLACE", "nearly there"));
    let mut scenario: Value =
        serde_json::from_str(&std::fs::read_to_string(world.env.root().join("scenario.json")).unwrap()).unwrap();
    scenario["steps"]["a.fix-2"] = json!({"actions": [{"run": {"cmd": "cat a.txt > $NOTES; echo good > a.txt"}}]});
    world.play(scenario);
    world.ends(&[], 0);
    assert_eq!(trends(&world), [(true, Trend::First), (true, Trend::Worse)]);
    assert_eq!(world.noted(), ["fault1", "best"]);
}
