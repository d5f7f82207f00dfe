//! The tour at the beginning of the README: what a new user types in an empty home directory, and what comes back. A test
//! types it all and compares; `CCO_REWRITE_README=1 cargo test --test run tour` writes it anew.

use std::env;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::env::{TestEnv, write};

const BEGIN: &str = "<!-- tour:begin -->\n```console\n";
const END: &str = "```\n<!-- tour:end -->";
pub const REWRITE: &str = "CCO_REWRITE_README";

/// What is typed, and the exit status that it has.
const TYPED: [(&str, i32); 12] = [
    ("cco", 2),
    ("cco demo --dir demo", 0),
    ("cco status demo/wordfreq", 0),
    ("cco verify demo/wordfreq", 0),
    ("cd greeter    # a Rust project of yours, in git", 0),
    ("cco", 2),
    ("cco new --name polite", 0),
    ("$EDITOR ~/.claude/cc_orchestrations/specs/greeter/polite-*/manifest.json    # two components", 0),
    ("cco validate greeter/polite", 0),
    ("cco graph greeter/polite", 0),
    ("cco run greeter/polite -n", 0),
    ("cco", 2),
];

/// What the editor of the tour writes in the place of no components.
const COMPONENTS: &str = r#""components": [
    {
      "id": "names",
      "file": "src/names.rs",
      "files": ["tests/names.rs"],
      "purpose": "Knows how a name is written: `ADA` and `ada` are `Ada`.",
      "checks": ["cargo test --test names"]
    },
    {
      "id": "greeting",
      "file": "src/lib.rs",
      "files": ["tests/greeting.rs"],
      "depends_on": ["names"],
      "purpose": "Greets by name, and by the time of day.",
      "checks": ["cargo test --test greeting"]
    }
  ]"#;

/// An empty home directory, but for a project, an editor, and a claude that nobody starts here.
fn home() -> TestEnv {
    let env = TestEnv::new();
    let bin = env.home().join("bin");
    write(&env.home().join("greeter/Cargo.toml"), "[package]\nname = \"greeter\"\nedition = \"2024\"\n");
    write(&env.home().join("greeter/src/lib.rs"), "pub fn greet() -> &'static str {\n    \"Hello!\"\n}\n");
    write(&env.root().join("components"), &format!("{COMPONENTS},\n"));
    let editor = format!(
        "#!/bin/sh\nsed -e '/\"components\": \\[\\]/{{r {}\nd' -e '}}' \"$1\" > \"$1.new\" && mv \"$1.new\" \"$1\"\n",
        env.root().join("components").display()
    );
    write(&bin.join("editor"), &editor);
    write(&bin.join("claude"), "#!/bin/sh\necho 'the tour starts no claude' >&2\nexit 1\n");
    for program in ["editor", "claude"] {
        let status = Command::new("chmod").arg("+x").arg(bin.join(program)).status().unwrap();
        assert!(status.success());
    }
    let project = env.home().join("greeter");
    for args in [
        &["init", "--quiet", "--initial-branch=main"][..],
        &["add", "-A"],
        &["-c", "user.name=you", "-c", "user.email=you@localhost", "commit", "--quiet", "-m", "Begin"],
    ] {
        let status = Command::new("git").args(args).current_dir(&project).env("HOME", env.root()).status().unwrap();
        assert!(status.success());
    }
    env
}

/// What a shell shows that is given these lines, both streams as they come.
fn transcript(env: &TestEnv) -> String {
    let mut out = String::new();
    let mut at = env.home();
    for (line, status) in TYPED {
        let _ = writeln!(out, "$ {line}");
        let cco = Path::new(env!("CARGO_BIN_EXE_cco")).parent().unwrap().to_owned();
        let output = Command::new("sh")
            .args(["-c", &format!("exec 2>&1\n{line}")])
            .current_dir(&at)
            .env_clear()
            .env("HOME", env.home())
            .env("EDITOR", env.home().join("bin/editor"))
            .env("PATH", format!("{}:{}:/usr/bin:/bin", cco.display(), env.home().join("bin").display()))
            .env("COLUMNS", "100")
            .env("CCO_SIM_PACE", "0")
            // Else how many fit depends on the memory that is free just then.
            .env("CCO_JOBS", "4")
            .stdin(Stdio::null())
            .output()
            .unwrap();
        let said = String::from_utf8(output.stdout).unwrap();
        assert_eq!(output.status.code(), Some(status), "{line}\n{said}");
        if let Some(rest) = line.strip_prefix("cd ") {
            at = at.join(rest.split_whitespace().next().unwrap());
        }
        out.push_str(&same_everywhere(&said, env));
        out.push('\n');
    }
    out.truncate(out.trim_end().len());
    out.push('\n');
    out
}

/// Without what differs from one run to the next: where home is, hashes, times, and the lines of progress, of which a
/// terminal shows a live picture instead.
pub fn same_everywhere(said: &str, env: &TestEnv) -> String {
    let mut out = String::new();
    let mut passed = 0;
    for line in said.lines() {
        let is_progress = line.len() > 21 && line.as_bytes()[10] == b'T' && line.as_bytes()[19] == b'Z';
        if is_progress {
            passed += 1;
            continue;
        }
        if passed > 0 {
            out.push_str("  (on a terminal: a live picture of every component; here a line for each step)\n");
            passed = 0;
        }
        let line = line.replace(env.home().to_str().unwrap(), "~");
        let words: Vec<String> = line.split(' ').map(word).collect();
        // What is settled at once is one record: how many there are depends on how fast things came.
        let words = match words.as_slice() {
            [count, records, rest @ ..] if records == "records" && count.parse::<u32>().is_ok() => {
                [&["100".to_owned(), "records".to_owned()], rest].concat()
            }
            _ => words,
        };
        out.push_str(words.join(" ").trim_end());
        out.push('\n');
    }
    out
}

/// A word without hashes and measured times.
fn word(word: &str) -> String {
    let mut out = String::new();
    for (at, part) in word.split_inclusive(|c: char| !c.is_ascii_alphanumeric()).enumerate() {
        let (body, end) = match part.char_indices().last() {
            Some((last, c)) if !c.is_ascii_alphanumeric() => part.split_at(last),
            _ => (part, ""),
        };
        let hex = body.bytes().all(|byte| byte.is_ascii_hexdigit());
        match body.len() {
            8 if hex && at > 0 => out.push_str("1a2b3c4d"),
            10 | 12 | 16 | 40 | 64 if hex => out.push_str(&"1a2b3c4d".repeat(8)[..body.len()]),
            _ => out.push_str(body),
        }
        out.push_str(end);
    }
    out
}

#[test]
fn the_readme_begins_with_what_a_new_user_sees() {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("README.md");
    let readme = fs::read_to_string(&path).unwrap();
    let (before, rest) = readme.split_once(BEGIN).expect("the README has the markers");
    let (shown, after) = rest.split_once(END).expect("the README has the markers");
    let found = transcript(&home());
    if env::var_os(REWRITE).is_some() {
        fs::write(&path, format!("{before}{BEGIN}{found}{END}{after}")).unwrap();
        return;
    }
    assert_eq!(shown, found, "`{REWRITE}=1 cargo test --test run tour` writes what is seen into the README");
}
