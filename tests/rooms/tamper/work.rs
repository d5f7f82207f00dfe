//! Hostile input costs what its size says: measured in steps, not in time.

use cco::tamper::{Change, Changes, Context, examine};

/// Texts that make a careless reader go back over what it has read, by how often they repeat.
const HOSTILE: [(&str, &str); 22] = [
    ("tests/a.rs", "#[test] fn a() { "),
    ("tests/a.rs", "fn a "),
    ("tests/a.rs", "r###\"\"## "),
    ("tests/a.rs", "/* "),
    ("tests/a.rs", "#[test] fn a() { assert_eq!(f(1), 2); }\n"),
    ("tests/a.rs", "mod a { #![cfg(any())] "),
    ("tests/a.rs", "assert!(a("),
    ("tests/test_a.py", "def test_a():\n    try:\n        assert a == 1\n    except:\n        pass\n"),
    ("tests/test_a.py", "\"\"\"\" "),
    ("tests/test_a.py", "@a\n"),
    ("tests/test_a.py", "class A(( "),
    ("a.test.ts", "/[/"),
    ("a.test.ts", "`${ "),
    ("a.test.ts", "describe(\"a\", () => { it(\"b\", () => { expect(a).toBe(1); "),
    ("a.test.ts", "it.each([1, 2])(\"a\", () => { for (const x of [1, 2]) { expect(x).toBe(1); } });\n"),
    ("a_test.go", "func TestA(t *testing.T) { if a != b { t.Error(a) } }\n"),
    ("a_test.go", "if a { t.Error() "),
    ("src/test/ATest.java", "class A { @Test void a() { try { assertEquals(1, a); } catch (Throwable t) { } } "),
    ("src/test/ATest.java", "@A(a = "),
    ("check.sh", "set +e\ncargo test || true\n"),
    (".gitignore", "x\n"),
    ("__snapshots__/a.snap", "exports[`a"),
];

fn work(path: &str, piece: &str, times: usize) -> u64 {
    let text = piece.repeat(times).into_bytes();
    let mut most = 0;
    // New, gone, and wholly changed.
    let other = piece.replace(['1', 'a'], "z").repeat(times).into_bytes();
    for (old, new) in [(None, Some(&text)), (Some(&text), None), (Some(&text), Some(&other))] {
        let change = Change { path: path.to_owned(), old: old.cloned(), new: new.cloned(), ..Change::default() };
        most = most.max(examine(&Changes { files: vec![change] }, &Context::default()).work);
    }
    most
}

#[test]
fn the_work_grows_with_the_size_and_not_faster() {
    for (path, piece) in HOSTILE {
        let (small, large) = (work(path, piece, 500), work(path, piece, 4_000));
        assert!(large <= small * 10, "{path}: `{piece}` 500 times: {small} steps, 4000 times: {large}");
    }
}
