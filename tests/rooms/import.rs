//! Tests of the room `import`: the dialects' real forms, what is told about them, and properties over any text.

mod markdown;
mod properties;
mod speckit;
mod taskmaster;

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use cco::diagnostic::Severity;
use cco::import::document::{self, Settled};
use cco::import::{Dialect, ImportError, Imported, Order, Source, import};
use cco::spec::load::{self, Report};
use serde_json::{Map, Value, json};

/// What is there in the work directory of these tests.
const THERE: [&str; 3] = ["Cargo.toml", "src/lib.rs", "src"];

/// An order as most tests give it.
fn order<'a>(dialect: Dialect, sources: &'a [Source<'a>]) -> Order<'a> {
    Order {
        dialect,
        sources,
        tag: None,
        with_done: false,
        write_set: &[],
        settled: Settled::default(),
        work_dir: Some("/home/ada/billing"),
        exists: &|path| THERE.contains(&path),
    }
}

/// Imports one text.
fn import_text(dialect: Dialect, name: &str, text: &str) -> Result<Imported, ImportError> {
    import(&order(dialect, &[Source { name, text }]))
}

/// Imports fixtures and shows what came of them.
fn import_fixtures(dialect: Dialect, names: &[&str]) -> String {
    let texts: Vec<String> = names.iter().map(|name| fixture(name)).collect();
    let sources: Vec<Source<'_>> = names.iter().zip(&texts).map(|(name, text)| Source { name, text }).collect();
    shown(&import(&order(dialect, &sources)).unwrap(), names)
}

fn fixture(name: &str) -> String {
    fs::read_to_string(Path::new("tests/fixtures/import").join(name)).unwrap()
}

/// Components on a line each, then everything that was told.
fn shown(imported: &Imported, names: &[&str]) -> String {
    let mut text = String::new();
    for component in &imported.components {
        let files = match &component.file {
            Some(file) => format!("about {file}"),
            None => format!("writes {}", component.files.join(" ")),
        };
        let complexity = component.complexity.map(|complexity| format!(", {complexity:?}")).unwrap_or_default();
        writeln!(text, "{} <- [{}] {files}{complexity}", component.id, component.depends_on.join(" ")).unwrap();
        for (title, said) in [("purpose", &component.purpose), ("notes", &component.notes)] {
            if let Some(said) = said {
                writeln!(text, "    {title}: {}", said.replace('\n', " / ")).unwrap();
            }
        }
        for check in &component.checks {
            writeln!(text, "    check: {}", &*check.run).unwrap();
        }
    }
    for gotcha in &imported.gotchas {
        writeln!(text, "gotcha: {}", &**gotcha).unwrap();
    }
    for (title, check) in [("tests", &imported.test_command), ("lint", &imported.lint_command)] {
        if let Some(check) = check {
            writeln!(text, "{title}: {}", &*check.run).unwrap();
        }
    }
    text.push('\n');
    for line in losses(imported, names) {
        writeln!(text, "{line}").unwrap();
    }
    text
}

/// Everything that was told, on a line each.
fn losses(imported: &Imported, names: &[&str]) -> Vec<String> {
    let line = |loss: &cco::import::Loss| {
        let (code, effect) = (loss.code.as_str(), format!("{:?}", loss.effect).to_lowercase());
        format!("{}:{} {effect}[{code}] {}; {}", names[loss.place.source], loss.place.line, loss.message, loss.action)
    };
    imported.losses.iter().map(line).collect()
}

/// The codes that were told, each once.
fn codes(imported: &Imported) -> Vec<&'static str> {
    let mut codes: Vec<_> = imported.losses.iter().map(|loss| loss.code.as_str()).collect();
    codes.sort_unstable();
    codes.dedup();
    codes
}

/// The dependencies of a component.
fn waits_for<'i>(imported: &'i Imported, id: &str) -> Vec<&'i str> {
    let component = imported.components.iter().find(|component| component.id.as_str() == id).unwrap();
    component.depends_on.iter().map(String::as_str).collect()
}

/// What `cco validate` says of the manifest.
fn validated(imported: &Imported) -> Report {
    let head = json!({"$schema": "x", "name": "n", "project": "p", "work_dir": "/"});
    let Value::Object(head) = head else { unreachable!() };
    load::check_text(Path::new("spec"), document::text(head, imported).unwrap())
}

/// The manifest is valid, or each of its errors is one that was told.
fn valid_or_told(imported: &Imported) -> Result<(), String> {
    let told = codes(imported);
    for problem in validated(imported).diagnostics.iter().filter(|problem| problem.severity == Severity::Error) {
        let reason = match problem.code {
            "E015" => "I203",
            "E016" => "I304",
            other => return Err(format!("{other}: {}", problem.message)),
        };
        if !told.contains(&reason) {
            return Err(format!("{reason} is not told: {}", problem.message));
        }
    }
    Ok(())
}

#[test]
fn a_byte_order_mark_is_no_text_and_other_encodings_are_one_clear_error() {
    let decode = |bytes: &[u8]| cco::import::decode("tasks.md", bytes.to_vec()).map_err(|error| error.to_string());
    assert_eq!(decode(b"\xef\xbb\xbf- [ ] T001"), Ok("- [ ] T001".to_owned()));
    assert_eq!(
        decode(b"one\ntwo \xe4").unwrap_err(),
        "`tasks.md`, line 2: not UTF-8: byte 0xe4 at offset 8; save the file as UTF-8"
    );
    assert_eq!(decode(b"\xff\xfe-\0").unwrap_err(), "`tasks.md`, line 1: the file is UTF-16; save it as UTF-8");
}

/// A code that the README does not speak of cannot be looked up.
#[test]
fn the_readme_speaks_of_every_code() {
    let numbers = |text: &str| -> Vec<u32> {
        let codes = text.match_indices('I').map(|(at, _)| text[at + 1..].chars().take(3).collect::<String>());
        codes.filter(|digits| digits.len() == 3).filter_map(|digits| digits.parse().ok()).collect()
    };
    let readme = fs::read_to_string("README.md").unwrap();
    let rows =
        readme.lines().filter(|line| line.starts_with("| `I")).map(|line| numbers(line.split('|').nth(1).unwrap()));
    let ranges: Vec<(u32, u32)> = rows.map(|row| (row[0], *row.last().unwrap())).collect();
    let all = numbers(&fs::read_to_string("src/import/loss.rs").unwrap());
    assert!(all.len() > 20 && ranges.len() > 5, "{all:?} {ranges:?}");
    for code in all {
        assert!(ranges.iter().any(|(from, to)| (*from..=*to).contains(&code)), "I{code}");
    }
}

#[test]
fn what_a_manifest_has_stays() {
    let base = json!({
        "name": "n", "project": "p", "work_dir": "/", "agent": {"model": "opus"}, "components": [{"id": "old", "file": "x"}],
        "gotchas": ["mine"], "quality": {"test_command": "make test"}, "$comment": "kept",
    });
    let Value::Object(base) = base else { unreachable!() };
    let texts = ["- [ ] T001 Write src/a.rs\n", "**Testing**: `cargo test --all`\n**Linting**: `cargo clippy -q`\n"];
    let sources = [Source { name: "tasks.md", text: texts[0] }, Source { name: "plan.md", text: texts[1] }];
    let order = Order { settled: Settled::of(&base), ..order(Dialect::Speckit, &sources) };
    let imported = import(&order).unwrap();
    let told = losses(&imported, &["tasks.md", "plan.md"]);
    let said = "plan.md:1 dropped[I601] `cargo test --all` is named, and the manifest has `quality.test_command`";
    assert!(told.iter().any(|line| line.starts_with(said)), "{told:#?}");

    let text = document::text(base, &imported).unwrap();
    let manifest: Map<String, Value> = serde_json::from_str(&text).unwrap();
    assert_eq!(manifest["quality"], json!({"test_command": "make test", "lint_command": "cargo clippy -q"}));
    assert_eq!(manifest["gotchas"][0], "mine");
    assert_eq!((&manifest["agent"]["model"], &manifest["$comment"]), (&json!("opus"), &json!("kept")));
    assert_eq!(manifest["components"].as_array().unwrap().len(), 1);
    assert_eq!(manifest["components"][0]["id"], "T001");
    // People look for the name first, and for the components before the rest.
    let places = ["\"name\"", "\"components\"", "\"agent\""].map(|key| text.find(key).unwrap());
    assert!(places.is_sorted(), "{text}");
}
