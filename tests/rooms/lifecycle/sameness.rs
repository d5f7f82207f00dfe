//! When two findings are one (DESIGN 5.4).

use cco::lifecycle::event::Issue;
use cco::lifecycle::report::{ReviewIssue, ReviewReport, Severity};
use cco::lifecycle::sameness::{id_of, judged, similar};
use proptest::prelude::*;

use super::play::found;

fn judge(found: ReviewIssue, source: &str, earlier: &[Issue]) -> Issue {
    let report = ReviewReport { summary: String::new(), issues: vec![found] };
    judged(&report, source, earlier).remove(0)
}

fn first(text: &str) -> Issue {
    judge(found(Severity::Major, text), "review:0", &[])
}

/// Whether reviewer `source` who says `text` now means what reviewer 0 said before.
fn again(before: &str, source: &str, text: &str) -> bool {
    let earlier = first(before);
    let fingerprint = earlier.fingerprint;
    judge(found(Severity::Major, text), source, &[earlier]).fingerprint == fingerprint
}

#[test]
fn numbers_paths_case_and_spaces_do_not_tell_two_findings_apart() {
    let before = "`parse` in src/lib.rs panics at line 12 of lib.rs:12:5 on an empty list";
    assert!(again(
        before,
        "review:0",
        "`Parse`  in ./src/other/lib.rs panics\nat line 140 of lib.rs:140:9 on an empty list."
    ));
    assert!(similar("fails after 30s at a.rs:7", "fails after 5s at a.rs:1200"));
    assert!(!again(before, "review:0", "the error of `write` is dropped, so a full disk goes unnoticed"));
    assert!(!again(before, "review:1", before), "another reviewer's finding is its own, unless it says otherwise");
}

#[test]
fn a_file_makes_a_difference() {
    let earlier = first("the error is dropped");
    let elsewhere = ReviewIssue { file: "b.rs".into(), ..found(Severity::Major, "the error is dropped") };
    assert_ne!(judge(elsewhere, "review:0", std::slice::from_ref(&earlier)).fingerprint, earlier.fingerprint);
}

/// What every finding has in common makes no two alike.
#[test]
fn only_the_finding_s_own_words_are_compared() {
    let how = "the caller gets the same long answer as before and goes on with it".to_owned();
    let with = |text: &str| ReviewIssue { how_it_fails: how.clone(), ..found(Severity::Major, text) };
    let earlier = judge(with("race in close"), "review:0", &[]);
    assert_ne!(
        judge(with("unchecked index"), "review:0", std::slice::from_ref(&earlier)).fingerprint,
        earlier.fingerprint
    );
}

#[test]
fn a_reviewer_s_word_counts_from_anybody_and_in_any_words() {
    let earlier = first("the error is dropped");
    let (id, all) = (id_of(&earlier), std::slice::from_ref(&earlier));
    let says = |same_as: &str, text: &str, source: &str| {
        let found = ReviewIssue { same_as: Some(same_as.into()), ..found(Severity::Major, text) };
        judge(found, source, all).fingerprint == earlier.fingerprint
    };
    assert!(says(&id, "nothing in common", "review:3"));
    assert!(says(&format!(" {}\n", id.to_uppercase()), "nothing in common", "review:3"));
    assert!(says(&earlier.fingerprint.to_string(), "nothing in common", "review:3"));
    assert!(!says(&id[..4], "nothing in common", "review:0"), "half an id names nothing");
    assert!(!says("", "nothing in common", "review:0"));
    // An id that is none does not keep the words from being compared.
    assert!(says("i1", "the error is dropped", "review:0"));
}

#[test]
fn what_is_not_grounded_is_a_small_remark() {
    let severity = |found: ReviewIssue| judge(found, "review:0", &[]).severity;
    let grounded = found(Severity::Critical, "wrong");
    assert_eq!(severity(grounded.clone()), Severity::Critical);
    let by_requirement = ReviewIssue { line: None, requirement: Some("it must refuse".into()), ..grounded.clone() };
    assert_eq!(severity(by_requirement), Severity::Critical);
    assert_eq!(severity(ReviewIssue { line: None, ..grounded.clone() }), Severity::Minor);
    let blank = ReviewIssue { line: None, requirement: Some("  ".into()), ..grounded.clone() };
    assert_eq!(severity(blank), Severity::Minor, "a blank requirement is none");
    assert_eq!(severity(ReviewIssue { how_it_fails: " \n".into(), ..grounded }), Severity::Minor);
}

fn words() -> impl Strategy<Value = Vec<String>> {
    let word =
        prop_oneof!["[a-z]{1,6}", "[a-z]{1,3}/[a-z]{1,3}", "[0-9]{1,3}", "[a-z]{1,3}\\.rs:[0-9]{1,3}", "[.,;()]{1,3}"];
    prop::collection::vec(word, 0..12)
}

proptest! {
    #[test]
    fn likeness_is_mutual_and_everything_is_like_itself(one in words(), other in words()) {
        let (one, other) = (one.join(" "), other.join(" "));
        prop_assert_eq!(similar(&one, &other), similar(&other, &one));
        prop_assert!(similar(&one, &one));
    }

    #[test]
    fn anything_at_all_can_be_compared(one in any::<String>(), other in any::<String>()) {
        prop_assert_eq!(similar(&one, &other), similar(&other, &one));
        prop_assert!(similar(&one, &one));
    }

    #[test]
    fn numbers_and_space_are_folded(text in words(), space in "[ \t\n]{1,4}") {
        let again = text.iter().map(|word| {
            let number = word.chars().all(|c| c.is_ascii_digit());
            if number { "7".to_owned() } else { word.clone() }
        });
        prop_assert!(similar(&text.join(" "), &again.collect::<Vec<_>>().join(&space)));
    }

    /// Three words of five are the limit.
    #[test]
    fn six_tenths_are_enough_and_less_is_not(common in 0usize..=10) {
        let text = |tag: &str| -> String {
            let own = (common..10).map(|n| format!("{tag}{}", ["a", "b", "c", "d", "e", "f", "g", "h", "i", "j"][n]));
            let shared = ["p", "q", "r", "s", "t", "u", "v", "w", "x", "y"][..common].iter().map(|word| (*word).to_owned());
            shared.chain(own).collect::<Vec<_>>().join(" ")
        };
        prop_assert_eq!(similar(&text("m"), &text("n")), common >= 6);
    }
}
