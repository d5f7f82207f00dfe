//! Manifests, and the files beside them.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use super::{chain, made, manifest, scenario, shell};
use crate::env::{TestEnv, write};

/// Puts something at a path.
type Make = fn(&Path);

/// A manifest with these components.
fn with(components: &str) -> String {
    format!(
        r#"{{"name": "x", "project": "p", "work_dir": "/", "validation_command": "true", "components": [{components}]}}"#
    )
}

/// Components in a circle.
fn circle(length: usize) -> String {
    let component = |n| format!(r#"{{"id": "c{n}", "file": "f{n}", "depends_on": ["c{}"]}}"#, (n + 1) % length);
    with(&(0..length).map(component).collect::<Vec<_>>().join(","))
}

#[test]
fn each_bad_manifest_has_one_clear_answer() {
    let env = TestEnv::new();
    let one = r#"{"id": "a", "file": "a"}"#;
    let cases: &[(&str, Vec<u8>, &str)] = &[
        ("empty", b"".into(), "the manifest is empty"),
        ("blank", b" \n\t\n".into(), "the manifest is empty"),
        ("cut", with(one)[..60].into(), "ends too early"),
        ("large", vec![b' '; 20 << 20], "the limit is 16777216"),
        ("deep", [b"{\"a\":".repeat(10_000), b"1".into(), b"}".repeat(10_000)].concat(), "nested deeper than 64"),
        ("latin", b"{\"name\": \"caf\xe9\"}".into(), "not UTF-8: byte 0xe9"),
        ("bom", format!("\u{feff}{}", with(one)).into(), "byte order mark"),
        ("nul", b"{\"name\": \"a\0b\"}".into(), "is not JSON"),
        ("twice", with(one).replacen('{', "{\"name\": \"y\", ", 1).into(), "`name` is given twice"),
        ("many", with(&[one; 100_001].join(",")).into(), "there are 100001 components; the limit is 100000"),
        ("one", circle(1).into(), "`c0` depends on itself"),
        ("two", circle(2).into(), "c0 -> c1 -> c0"),
        ("thousand", circle(1000).into(), "1000 components depend on each other in a circle"),
        ("control", with(r#"{"id": "a\u0007\u001b]0;x", "file": "a"}"#).into(), r"the id `a\u{7}\u{1b}]0;x`"),
        ("number", with(one).replacen('{', "{\"complexity\": 1e23, ", 1).into(), "must be from 1 to 10"),
        ("huge", with(one).replacen('{', "{\"complexity\": 1e999, ", 1).into(), "number out of range"),
        ("list", b"[]".into(), "error[E005]"),
    ];
    for (name, content, says) in cases {
        let reference = format!("p/{name}-00000001");
        write(&env.store().join(&reference).join("manifest.json"), "");
        fs::write(env.store().join(&reference).join("manifest.json"), content).unwrap();
        let validated = env.cco(["validate", &reference]).exits(1);
        assert!(validated.stdout.contains(says) && validated.stdout.len() < 16 << 10, "{name}: {validated}");
        for args in [["run", "--agent=sim", &reference], ["run", "-n", &reference], ["graph", "-q", &reference]] {
            let run = env.cco(args).exits(65);
            assert!(run.stderr.contains(says) && run.stderr.len() < 16 << 10, "{name}: {run}");
        }
        assert!(!env.store().join(&reference).join("state").exists(), "{name}");
    }
    let listed = env.cco(["list"]).exits(0);
    assert_eq!(listed.stdout.lines().count(), cases.len(), "{listed}");
}

#[test]
fn what_is_no_file_is_not_waited_for() {
    let env = TestEnv::new();
    let make: [(&str, Make); 5] = [
        ("directory", |path| fs::create_dir(path).unwrap()),
        ("pipe", pipe),
        ("device", |path| symlink("/dev/zero", path).unwrap()),
        ("dangling", |path| symlink("/nowhere", path).unwrap()),
        ("loop", |path| symlink(path, path).unwrap()),
    ];
    for (name, make) in make {
        let dir = env.store().join(format!("p/{name}-00000001"));
        fs::create_dir_all(&dir).unwrap();
        make(&dir.join("manifest.json"));
        for (command, status) in [("validate", 1), ("run --agent sim", 65), ("run -n", 65), ("list", 0)] {
            let spec = if command == "list" { String::new() } else { format!("p/{name}") };
            let output = shell(&env, &format!("$CCO {command} {spec}")).exits(status);
            assert!(format!("{}{}", output.stdout, output.stderr).contains(name), "{output}");
        }
    }
}

fn pipe(path: &Path) {
    let made = std::process::Command::new("mkfifo").arg(path).status().unwrap();
    assert!(made.success());
}

#[test]
fn pipes_and_devices_beside_the_manifest_are_refused_by_name() {
    for name in ["SPEC.md", "CONTEXT.md", "components/a.md", "prompts/implement.md", "../../../work/.cco.toml"] {
        let make: [Make; 2] = [pipe, |path| symlink("/dev/zero", path).unwrap()];
        for make in make {
            let env = TestEnv::new();
            let dir = env.small_spec("p/s-00000001");
            let path = if name.starts_with("..") { env.work().join(".cco.toml") } else { dir.join(name) };
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            make(&path);
            let output = shell(&env, "ulimit -v 4000000; $CCO run p/s --agent sim");
            assert!([2, 7].contains(&output.status), "{name}: {output}");
            super::says(&output, &["is not a regular file", path.file_name().unwrap().to_str().unwrap()]);
        }
    }
}

#[test]
fn many_problems_do_not_flood() {
    let env = TestEnv::new();
    let component = |n| format!(r#"{{"id": "c{n}", "file": "../f{n}"}}"#);
    env.spec("p/s-00000001", &with(&(0..3000).map(component).collect::<Vec<_>>().join(",\n")));
    let text = env.cco(["validate", "p/s"]).exits(1);
    assert!(text.stdout.lines().count() < 6000, "{}", text.stdout.lines().count());
    assert!(text.stdout.contains(" more; `cco validate --json` has them all"));
    let json = env.cco(["validate", "p/s", "--json"]).exits(1).json();
    assert!(json["problems"].as_array().unwrap().len() >= 3000);
    let run = env.cco(["run", "p/s", "--agent", "sim"]).exits(65);
    assert!(run.stderr.lines().count() < 1200, "{}", run.stderr.lines().count());
}

#[test]
fn a_quoted_text_may_be_as_long_as_the_file() {
    let env = TestEnv::new();
    env.spec("p/s-00000001", &with(&format!(r#"{{"id": "{}", "file": "a"}}"#, "x".repeat(1 << 20))));
    let output = env.cco(["validate", "p/s"]);
    assert!(output.stdout.len() < 16 << 10, "{}", output.stdout.len());
}

#[test]
fn a_hundred_thousand_components() {
    let env = TestEnv::new();
    let component =
        |n: usize| format!(r#"{{"id": "c{n}", "file": "f{n}", "depends_on": ["c{}"]}}"#, n.saturating_sub(1));
    let first = r#"{"id": "c0", "file": "f0"}"#.to_owned();
    let all: Vec<String> = std::iter::once(first).chain((1..100_000).map(component)).collect();
    env.spec("p/s-00000001", &with(&all.join(",")));
    let _ = shell(&env, "ulimit -v 2000000; $CCO validate p/s").exits(0);
    let graph = shell(&env, "ulimit -v 2000000; $CCO graph p/s --format dot").exits(0);
    assert!(graph.stdout.contains("c99999"));
    let dry = shell(&env, "ulimit -v 2000000; $CCO run -n p/s").exits(0);
    assert!(dry.stdout.contains("100000. c99999 (level 99999)"), "{}", &dry.stdout[..400]);
}

#[test]
fn a_live_run_keeps_the_manifest_that_it_began_with() {
    let env = TestEnv::new();
    let dir = chain(&env);
    let new = env.home().join("new.json");
    write(&new, &manifest(&env, &["a", "z"]));
    let edit = format!("cp {} {}", new.display(), dir.join("manifest.json").display());
    let sim = scenario(&env, &edit);
    let run = |env: &TestEnv| shell(env, &format!("$CCO run p/s --agent sim:{}", sim.display()));
    let edited = run(&env).exits(0);
    assert!(edited.stdout.contains("3 of 3 components complete"), "{edited}");
    assert!(edited.stderr.contains("the manifest was edited; this run keeps the one it began with"), "{edited}");
    assert_eq!(made(&env), ["a.implement", "b.implement", "c.implement"]);
    assert!(run(&env).exits(0).stdout.contains("2 of 2 components complete"));
    assert_eq!(made(&env).iter().filter(|step| step.starts_with('z')).count(), 1);
}

#[test]
fn spec_directories_that_are_links() {
    let env = TestEnv::new();
    let real = env.small_spec("p/real-00000001");
    symlink("loop-00000002", env.store().join("p/loop-00000002")).unwrap();
    symlink(&real, env.store().join("p/inside-00000003")).unwrap();
    let _ = env.cco(["validate", "p/inside"]).exits(0);
    let output = env.cco(["validate", "p/loop"]).exits(2);
    super::says(&output, &["p/loop"]);
    let listed = env.cco(["list"]).exits(0);
    assert!(!listed.stdout.contains("loop"), "{listed}");
}

#[test]
fn ten_thousand_specs() {
    let env = TestEnv::new();
    let text = crate::env::small_manifest("n", &env.work());
    for n in 0..10_000 {
        env.spec(&format!("p{}/n{n}-{n:08x}", n % 100), &text);
    }
    assert_eq!(shell(&env, "$CCO list").exits(0).stdout.lines().count(), 10_000);
    assert_eq!(shell(&env, "$CCO validate p7/n1007").exits(0).status, 0);
}
