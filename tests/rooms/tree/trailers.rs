//! What commits tell of themselves: read back as it was written, and not believed of any other commit.

use cco::ids::{AttemptId, ComponentId, Digest, Step, Subject};
use cco::tree::{Landing, LandingTold, NoLanding, Resolved, landing_told, step_told};
use proptest::collection::vec;
use proptest::prelude::*;

use super::yard::attempt;

const SPEC: &str = "p/s-00000001";

fn landing<'a>(attempt: &'a AttemptId, summary: &'a str, resolved: &'a [Resolved]) -> Landing<'a> {
    let input = Some(Digest::of(b"what it was made from"));
    Landing {
        spec: SPEC,
        attempt,
        summary,
        base: "b0",
        onto: "b1",
        tip: "t1",
        tree: "tree",
        input,
        simulated: true,
        resolved,
    }
}

fn told(message: &str, tree: &str, parents: &[&str]) -> Result<Option<LandingTold>, NoLanding> {
    let parents: Vec<String> = parents.iter().map(|&parent| parent.to_owned()).collect();
    landing_told(SPEC, message, tree, &parents)
}

fn resolved() -> impl Strategy<Value = Resolved> {
    let id = "[a-z][a-z0-9.-]{0,8}[a-z]".prop_filter_map("no id", |id| ComponentId::new(&id).ok());
    (vec(id, 0..3), vec(".{0,12}", 0..3)).prop_map(|(with, files)| Resolved {
        commit: "0123abcd".to_owned(),
        with,
        files,
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, ..ProptestConfig::default() })]

    #[test]
    fn a_landing_is_read_back_as_it_was_written(summary in "(?s).{0,60}", n in 1..9u32, resolved in vec(resolved(), 0..3)) {
        let attempt = AttemptId { on: Subject::Component(ComponentId::new("a.b-1").unwrap()), step: Step::Integrate, n };
        let message = landing(&attempt, &summary, &resolved).message();
        let found = told(&message, "tree", &["b1"]).unwrap().unwrap();
        let input = Some(Digest::of(b"what it was made from"));
        prop_assert_eq!(found, LandingTold { attempt, base: "b0".into(), tip: "t1".into(), input, simulated: true, resolved });
    }

    #[test]
    fn no_change_of_it_is_believed(at in any::<prop::sample::Index>(), with in "[a-z0-9: \n]") {
        let attempt = attempt("auth", 3);
        let message = landing(&attempt, "it works", &[]).message();
        let begin = message.find("\n\n").unwrap() + 2;
        let mut text: Vec<char> = message.trim_end().chars().collect();
        let at = begin + at.index(text.len() - begin);
        let before = text[at];
        text[at] = with.chars().next().unwrap();
        prop_assume!(text[at] != before);
        let changed: String = text.into_iter().collect();
        // Some changes make it no claim at all; none is believed.
        prop_assert!(!matches!(told(&changed, "tree", &["b1"]), Ok(Some(_))), "{changed}");
    }

    #[test]
    fn nobodys_words_are_taken_for_trailers(words in "(?s).{0,40}(\nCco-Spec: p/s-00000001\n)?.{0,40}") {
        prop_assert!(!matches!(told(&words, "tree", &["b1"]), Ok(Some(_))));
    }
}

#[test]
fn it_holds_for_one_commit_alone() {
    let attempt = attempt("auth", 3);
    let message = landing(&attempt, "it works", &[]).message();
    assert!(told(&message, "tree", &["b1"]).unwrap().is_some());
    for (tree, parents) in [("other", &["b1"][..]), ("tree", &["b2"]), ("tree", &["b1", "b2"]), ("tree", &[])] {
        assert_eq!(told(&message, tree, parents), Err(NoLanding::Broken), "{tree} {parents:?}");
    }
    assert_eq!(landing_told("p/other-00000001", &message, "tree", &["b1".to_owned()]), Ok(None));
    // A squash: what is last is another's, and above it are only words.
    let squash = format!("Squash\n\n{message}\n\nSigned-off-by: me");
    assert_eq!(told(&squash, "tree", &["b1"]), Ok(None));
    let signed = format!("{}Signed-off-by: me", message);
    assert_eq!(told(&signed, "tree", &["b1"]), Err(NoLanding::Unsealed));
    let by_hand = format!("auth: done\n\nCco-Spec: {SPEC}\nCco-Component: auth\nCco-Attempt: auth.integrate-1\n");
    assert_eq!(told(&by_hand, "tree", &["b1"]), Err(NoLanding::Unsealed));
}

#[test]
fn a_step_tells_whose_it_is() {
    let input = Digest::of(b"x");
    let told = step_told(&format!("a.b fix: done\n\nCco-Spec: {SPEC}\nCco-Attempt: a.b.fix-12\nCco-Input: {input}\n"));
    let on: Subject = "a.b".parse().unwrap();
    assert_eq!((told.spec.as_deref(), told.on.as_ref(), told.input), (Some(SPEC), Some(&on), Some(input)));
    assert_eq!(told.attempt, Some(AttemptId { on, step: Step::Fix, n: 12 }));
    let merge = step_told("a merge: cco/s\n\nCco-Spec: p/s\nCco-Component: a\nCco-Merged: 12\nCco-Conflicts: 2\n");
    assert!(merge.conflicts && merge.attempt.is_none() && merge.on.is_some());
    assert_eq!(step_told("Cco-Attempt: a.fix-1\n\nmy words"), cco::tree::StepTold::default());
}
