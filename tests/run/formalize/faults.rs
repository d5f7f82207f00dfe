//! Trouble of the agent is borne, waited for or told as in a run.

use serde_json::json;

use super::*;
use crate::world::fault;

#[test]
fn an_agent_that_only_talks_is_asked_once_more_and_then_given_up() {
    let talks = json!({"fault": "no_answer", "cost_usd": 0.2});
    let world = brainstorm(scenario(ready(), json!([talks, talks, good()])));
    let before = manifest(&world);
    let output = formalize(&world, &[]).exits(1);
    assert!(output.stdout.contains("the agent cannot be made to answer"), "{output}");
    assert!(output.stdout.contains("$0.41"), "what it cost is told: {output}");
    assert_eq!((manifest(&world), drafted(&world)), (before, 0));
    assert!(prompt(&world, "draft-2").starts_with("The step ended without an answer"), "it is told why");
    // What was judged stands; the drafts get new patience.
    let _ = formalize(&world, &[]).exits(0);
    assert_eq!(world.noted(), ["@run.readiness-1", "@run.draft-3"]);
}

#[test]
fn an_answer_in_another_form_is_no_draft() {
    let world = brainstorm(scenario(ready(), json!([fault(json!("invalid_answer")), good()])));
    let _ = formalize(&world, &[]).exits(0);
    let spoken = conversations(&world);
    assert!(spoken[1].1 == spoken[2].1 && spoken[2].2, "asked once more in the same conversation: {spoken:?}");
}

#[test]
fn a_used_up_window_ends_it_where_nobody_waits() {
    let limited = fault(json!({"api": {"usage_limit": {"resets_in": 3600}}}));
    let world = brainstorm(scenario(ready(), json!([cycle(), limited, good()])));
    let output = formalize(&world, &["--no-wait"]).exits(6);
    assert!(output.stderr.contains("the usage limit is reached"), "{output}");
    // Whether it is over is for the server to say: it is asked again.
    let _ = formalize(&world, &["--no-wait"]).exits(0);
    assert_eq!(world.noted(), ["@run.readiness-1", "@run.draft-1", "@run.draft-3"]);
}

#[test]
fn trouble_that_no_retry_mends_stops_it_with_the_remedy() {
    let world = brainstorm(scenario(fault(json!({"api": "unauthorized"})), json!([good()])));
    let output = formalize(&world, &[]).exits(7);
    assert!(output.stderr.contains("run `claude` once and log in"), "{output}");
    world.play(scenario(ready(), json!([good()])));
    let _ = formalize(&world, &[]).exits(0);
}

#[test]
fn the_budget_is_for_all_of_it() {
    let world = brainstorm(scenario(ready(), json!([cycle(), unknown_field(), good()])));
    let output = formalize(&world, &["--budget-usd", "0.15"]).exits(4);
    assert!(output.stderr.contains("with `--budget-usd X` carries on with more"), "{output}");
    assert_eq!(world.noted(), ["@run.readiness-1", "@run.draft-1", "@run.draft-2"]);
    let _ = formalize(&world, &["--budget-usd", "0.15"]).exits(4);
    assert_eq!(world.noted().len(), 3, "nothing more is paid for");
    let _ = formalize(&world, &["--budget-usd", "1"]).exits(0);
    assert_eq!(world.noted()[3..], ["@run.draft-3"]);
}
