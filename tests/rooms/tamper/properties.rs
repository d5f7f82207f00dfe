//! What holds for any input.

use cco::tamper::{Change, Changes, Context, findings};
use proptest::prelude::*;

use super::cases::{Case, all};

fn change(path: &str, old: Option<&[u8]>, new: Option<&[u8]>) -> Change {
    Change { path: path.to_owned(), old: old.map(<[u8]>::to_vec), new: new.map(<[u8]>::to_vec), ..Change::default() }
}

/// Paths of every language and of every kind of file that has rules of its own.
const PATHS: [&str; 20] = [
    "tests/a.rs",
    "src/lib.rs",
    "tests/test_a.py",
    "src/a.test.ts",
    "a_test.go",
    "src/test/java/ATest.java",
    "a.c",
    "a.rb",
    "check.sh",
    "Makefile",
    "Cargo.toml",
    "package.json",
    "pyproject.toml",
    "setup.cfg",
    "tsconfig.json",
    ".gitignore",
    "tests/snapshots/a.snap",
    "__snapshots__/a.test.ts.snap",
    ".github/workflows/ci.yml",
    "conftest.py",
];

/// Pieces that mean something to one of the languages, in no order that makes sense.
fn pieces() -> impl Strategy<Value = String> {
    let words = prop::sample::select(vec![
        "#[test]",
        "fn a()",
        "{",
        "}",
        "(",
        ")",
        "[",
        "]",
        "assert_eq!(a, 1);",
        "assert!(",
        "\"",
        "'",
        "`",
        "${",
        "/*",
        "*/",
        "//",
        "#",
        "\n",
        "\n    ",
        "def test_a():",
        "class A:",
        "assert a == 1",
        "@pytest.mark.skip",
        "try:",
        "except:",
        "pass",
        "it(\"a\", () => {",
        "describe(",
        "expect(a).toBe(1);",
        ".skip",
        ".only",
        "func TestA(t *testing.T) {",
        "t.Errorf(\"\")",
        "if",
        "false",
        "return",
        "@Test",
        "void a() {",
        "class A {",
        "r#\"",
        "\"\"\"",
        "'''",
        "\\",
        ",",
        ";",
        ":",
        "mod a;",
        "#![allow(x)]",
        "// eslint-disable",
        "é",
        "\u{0}",
        "1e-9",
        "==",
        "=>",
        "->",
        "catch",
        "|| true",
        "set +e",
        "exit 0",
        "for",
        "lambda",
        "0x",
        "<",
        ">",
    ]);
    prop::collection::vec(words, 0..60).prop_map(|words| words.concat())
}

fn contents() -> impl Strategy<Value = Option<Vec<u8>>> {
    prop_oneof![
        1 => Just(None),
        4 => pieces().prop_map(|text| Some(text.into_bytes())),
        1 => prop::collection::vec(any::<u8>(), 0..200).prop_map(Some),
    ]
}

fn fixture() -> impl Strategy<Value = Case> {
    let mut cases = all("honest");
    cases.extend(all("cheats"));
    prop::sample::select(cases)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1500, ..ProptestConfig::default() })]

    #[test]
    fn nothing_makes_it_panic(
        files in prop::collection::vec((prop::sample::select(PATHS.to_vec()), contents(), contents()), 1..4),
        owns_tests in any::<bool>(),
    ) {
        let files = files.into_iter().map(|(path, old, new)| Change { path: path.to_owned(), old, new, ..Change::default() });
        let changes = Changes { files: files.collect() };
        let context = Context { owns_tests, ..Context::default() };
        let once = findings(&changes, &context);
        prop_assert_eq!(&once, &findings(&changes, &context));
        let mut reversed = changes;
        reversed.files.reverse();
        // Each path once is the contract; with one twice the order of equals would be the order of the input.
        prop_assert_eq!(once, findings(&reversed, &context));
    }

    #[test]
    fn what_is_the_same_is_no_finding(path in prop::sample::select(PATHS.to_vec()), contents in contents()) {
        let changes = Changes { files: vec![change(path, contents.as_deref(), contents.as_deref())] };
        prop_assert_eq!(findings(&changes, &Context::default()), vec![]);
    }

    /// A file cut anywhere, and two joined anywhere: what no fixture has.
    #[test]
    fn cut_files_do_not_make_it_panic(case in fixture(), at in any::<prop::sample::Index>()) {
        let mut changes = case.changes.clone();
        for change in &mut changes.files {
            for side in [&mut change.old, &mut change.new].into_iter().flatten() {
                side.truncate(at.index(side.len() + 1));
            }
        }
        findings(&changes, &case.context);
    }
}

/// The source files of the fixtures where layout means nothing.
fn sources() -> Vec<(String, String)> {
    let free = |path: &str| [".rs", ".ts", ".js", ".mjs", ".java"].iter().any(|end| path.ends_with(end));
    let mut found = Vec::new();
    for case in all("cheats").into_iter().chain(all("honest")) {
        for change in case.changes.files {
            let old = change.renamed_from.unwrap_or(change.path.clone());
            found.extend(change.old.filter(|_| free(&old)).map(|text| (old, String::from_utf8(text).unwrap())));
            found.extend(
                change.new.filter(|_| free(&change.path)).map(|text| (change.path, String::from_utf8(text).unwrap())),
            );
        }
    }
    // Comments and texts with several lines end where their lines do.
    found.retain(|(_, text)| !text.contains("//") && !text.contains('`') && !text.contains("\"\"\""));
    found
}

/// Spaces around every bracket and comma, and every line indented otherwise: still the same code.
#[test]
fn another_layout_is_no_finding() {
    let sources = sources();
    assert!(sources.len() > 100, "{}", sources.len());
    for (path, text) in sources {
        let wide: String = text.lines().map(|line| format!("\n   {}  \n", line.trim())).collect();
        let changes = Changes { files: vec![change(&path, Some(text.as_bytes()), Some(wide.as_bytes()))] };
        assert_eq!(findings(&changes, &Context::default()), [], "{path}:\n{text}");
        let changes = Changes { files: vec![change(&path, Some(wide.as_bytes()), Some(text.as_bytes()))] };
        assert_eq!(findings(&changes, &Context::default()), [], "{path}:\n{text}");
    }
}

/// A new honest test beside whatever is there.
#[test]
fn one_more_test_is_no_finding() {
    let more = [
        (".rs", "\n#[test]\nfn entirely_new() {\n    assert_eq!(fresh(7), 49);\n}\n"),
        (".py", "\n\ndef test_entirely_new():\n    assert fresh(7) == 49\n"),
        (".ts", "\nit(\"is entirely new\", () => {\n  expect(fresh(7)).toBe(49);\n});\n"),
        (
            "_test.go",
            "\nfunc TestEntirelyNew(t *testing.T) {\n\tif got := Fresh(7); got != 49 {\n\t\tt.Error(got)\n\t}\n}\n",
        ),
    ];
    let mut tried = 0;
    for case in all("cheats").into_iter().chain(all("honest")) {
        for old in case.changes.files.iter() {
            let Some(text) = old.old.as_ref().filter(|text| !text.contains(&0)) else { continue };
            let Some((_, test)) = more.iter().find(|(end, _)| old.path.ends_with(end)) else { continue };
            tried += 1;
            let new = [text.as_slice(), test.as_bytes()].concat();
            let changes = Changes { files: vec![change(&old.path, Some(text), Some(&new))] };
            assert_eq!(findings(&changes, &Context::default()), [], "{}", case.name);
        }
    }
    assert!(tried > 80, "{tried}");
}

/// Tests of the same name in several files that all moved: which is whose must not hang on the order in which they come.
#[test]
fn namesakes_are_told_apart_in_any_order() {
    let test =
        |value: u8| format!("#[test]\nfn works() {{\n    assert_eq!(a(), {value});\n    assert!(b({value}));\n}}\n");
    let weak = |value: u8| format!("#[test]\nfn works() {{\n    assert_eq!(a(), {value});\n}}\n");
    let moved = |weakened: Option<u8>| {
        let gone = (0..4).map(|n| change(&format!("tests/old{n}.rs"), Some(test(n).as_bytes()), None));
        let new = |n: u8| if weakened == Some(n) { weak(n) } else { test(n) };
        let come = (0..4).map(|n| change(&format!("tests/new{}.rs", 3 - n), None, Some(new(n).as_bytes())));
        gone.chain(come).collect::<Vec<Change>>()
    };
    assert_eq!(findings(&Changes { files: moved(None) }, &Context::default()), []);
    for rotated in 0..8 {
        let mut files = moved(Some(2));
        let expected = findings(&Changes { files: files.clone() }, &Context::default());
        assert_eq!(expected.len(), 1, "{expected:#?}");
        files.rotate_left(rotated);
        assert_eq!(findings(&Changes { files }, &Context::default()), expected);
    }
    let two = |first: usize| {
        let mut files = moved(Some(2));
        files[5].new = Some(weak(1).into_bytes());
        files.rotate_left(first);
        findings(&Changes { files }, &Context::default())
    };
    assert_eq!((0..8).filter(|first| two(*first) != two(0)).count(), 0);
}

/// Several changes at once say what each of them says by itself, where they have nothing to do with each other.
#[test]
fn the_order_of_files_does_not_matter() {
    for case in all("cheats").into_iter().chain(all("honest")) {
        let mut reversed = case.changes.clone();
        reversed.files.reverse();
        assert_eq!(findings(&case.changes, &case.context), findings(&reversed, &case.context), "{}", case.name);
    }
}
