//! `cco completions`, and the hidden command that its scripts ask.

use std::path::Path;
use std::process::Command;

use crate::env::{TestEnv, small_manifest, write};

/// Two specs, of which one works on the work directory.
fn filled() -> TestEnv {
    let env = TestEnv::new();
    let manifest = small_manifest("small", &env.work());
    let more = manifest.replace(
        r#"[{"file":"a.txt""#,
        r#"[{"id":"api","file":"b.txt","purpose":"Answers\nrequests."},{"id":"a\u001b[2J","file":"c"},{"file":"a.txt""#,
    );
    assert!(more != manifest);
    env.spec("shop/invoices-00000001", &more);
    env.spec("shop/till-00000002", &small_manifest("till", &env.home()));
    env.spec("bank/twice-00000003", "{");
    env.spec("bank/twice-00000004", "{");
    env
}

/// What is offered for the words after `cco`.
fn offered(env: &TestEnv, words: &[&str]) -> Vec<String> {
    let output = env.cco([&["complete-words"], words].concat()).exits(0);
    assert_eq!(output.stderr, "", "{output}");
    assert!(!output.stdout.contains('\u{1b}'), "{output}");
    output.stdout.lines().map(|line| line.split('\t').next().unwrap().to_owned()).collect()
}

#[test]
fn commands_options_and_values() {
    let env = TestEnv::new();
    assert_eq!(offered(&env, &["va"]), ["validate"]);
    assert_eq!(offered(&env, &["run", "--bud"]), ["--budget-usd"]);
    assert_eq!(offered(&env, &["run", "--mode", ""]), ["quick", "standard", "full"]);
    assert_eq!(offered(&env, &["run", "--mode=f"]), ["--mode=full"]);
    // As bash takes it apart.
    assert_eq!(offered(&env, &["run", "--mode", "=", "f"]), ["full"]);
    assert_eq!(offered(&env, &["run", "--mode", "="]), ["quick", "standard", "full"]);
    assert_eq!(offered(&env, &["graph", "--format", "m"]), ["mermaid"]);
    assert_eq!(offered(&env, &["completions", "z"]), ["zsh"]);
    assert_eq!(offered(&env, &["demo", "re"]), ["refactoring"]);
    assert_eq!(offered(&env, &["--color", "n"]), ["never"]);
    assert_eq!(offered(&env, &["new", "--work-dir", ""]), [":dirs"]);
    assert_eq!(offered(&env, &["import", "x", ""]), [":files"]);
    assert_eq!(offered(&env, &["run", "--agent", "s"]), ["sim"]);
    for nothing in
        [&["frob", ""][..], &["run", "--frob=", ""], &["run", "--budget-usd", ""], &["run", "--", "--mo"], &[]]
    {
        assert_eq!(offered(&env, nothing), [""; 0], "{nothing:?}");
    }
    let all = offered(&env, &[""]);
    assert!(
        all.contains(&"finish".to_owned()) && !all.iter().any(|word| word.contains("agent-sim") || word == "guard")
    );
}

#[test]
fn specs_as_short_as_they_are_clear() {
    let env = filled();
    let all = ["bank/twice-00000003", "bank/twice-00000004", "shop/invoices", "shop/till"];
    for command in
        ["validate", "run", "status", "stop", "finish", "graph", "verify", "repair", "clean", "doctor", "answer"]
    {
        let offered = offered(&env, &[command, ""]);
        let specs: Vec<&String> = offered.iter().filter(|word| word.contains('/')).collect();
        assert_eq!(specs, all, "{command}");
    }
    assert_eq!(offered(&env, &["status", "--spec", "shop/"]), ["shop/invoices", "shop/till"]);
    assert_eq!(offered(&env, &["status", "--spec=shop/t"]), ["--spec=shop/till"]);
    assert_eq!(offered(&env, &["import", "--into", "shop/t"]), ["shop/till"]);
    assert_eq!(offered(&env, &["list", "--project", ""]), ["bank", "shop"]);
    assert_eq!(offered(&env, &["status", "./x"]), [":dirs"]);
    assert_eq!(offered(&env, &["--store", "nowhere", "status", ""]), [""; 0]);
}

#[test]
fn components_of_the_spec_that_is_meant() {
    let env = filled();
    assert_eq!(offered(&env, &["logs", ""]), ["api", "a"]);
    assert_eq!(offered(&env, &["logs", "--spec", "shop/till", ""]), ["a"]);
    assert_eq!(offered(&env, &["run", "shop/invoices", "--only", "a"]), ["api", "a"]);
    assert_eq!(offered(&env, &["run", "shop/till", "--redo", ""]), ["a"]);
    // What is named already is not offered once more.
    assert_eq!(offered(&env, &["run", "--only", "api,"]), ["api,a"]);
    assert_eq!(offered(&env, &["run", "--only=api,"]), ["--only=api,a"]);
    assert_eq!(offered(&env, &["logs", "--spec", "bank/twice-00000003", ""]), [""; 0]);
    let lines = env.cco(["complete-words", "logs", "ap"]).stdout;
    assert_eq!(lines, "api\tAnswers requests.\n");
}

#[test]
fn nothing_that_is_wrong_is_heard_in_the_middle_of_typing() {
    let env = filled();
    let broken = env.run(env.command(["complete-words", "status", ""]).env("CCO_JOBS", "many").env_remove("HOME"));
    assert_eq!((broken.status, broken.stderr.as_str()), (0, ""), "{broken}");
    let odd = env.run(env.command(["complete-words"]).arg(std::ffi::OsStr::new("\u{1b}[2J")));
    assert_eq!((odd.status, odd.stdout.as_str()), (0, ""), "{odd}");
}

/// What bash itself completes `line` to.
fn in_bash(env: &TestEnv, line: &str) -> Vec<String> {
    let cco = Path::new(env!("CARGO_BIN_EXE_cco"));
    write(&env.root().join("cco.bash"), &env.cco(["completions", "bash"]).exits(0).stdout);
    // Words as readline makes them, which breaks at `=` too.
    let script = r#"
        . "$1/cco.bash"
        complete -p cco >/dev/null || exit 9
        read -r -a COMP_WORDS <<< "${2//=/ = }"
        [ "${2: -1}" != ' ' ] || COMP_WORDS+=('')
        COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
        _cco cco "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD-1]}"
        printf '%s\n' "${COMPREPLY[@]}"
    "#;
    let mut command = Command::new("bash");
    command
        .args(["--norc", "--noprofile", "-c", script, "bash"])
        .arg(env.root())
        .arg(line)
        .current_dir(env.work())
        .env_clear()
        .env("HOME", env.home())
        .env("PATH", format!("{}:/usr/bin:/bin", cco.parent().unwrap().display()));
    let output = env.run(&mut command).exits(0);
    assert_eq!(output.stderr, "", "{output}");
    output.stdout.lines().filter(|line| !line.is_empty()).map(str::to_owned).collect()
}

#[test]
fn a_real_bash_completes() {
    let env = filled();
    assert_eq!(in_bash(&env, "cco val"), ["validate"]);
    assert_eq!(in_bash(&env, "cco status shop/"), ["shop/invoices", "shop/till"]);
    assert_eq!(in_bash(&env, "cco status --spec=shop/t"), ["shop/till"]);
    assert_eq!(in_bash(&env, "cco run shop/invoices --only api,"), ["api,a"]);
    assert_eq!(in_bash(&env, "cco logs "), ["api", "a"]);
    write(&env.work().join("my plan.md"), "");
    std::fs::create_dir(env.work().join("dir")).unwrap();
    assert_eq!(in_bash(&env, "cco import m"), ["my plan.md"]);
    assert_eq!(in_bash(&env, "cco new --work-dir "), ["dir"]);
}

/// The scripts of shells that are there are read by them; of those that are not only the names can be looked at.
#[test]
fn every_shell_gets_a_script() {
    let env = TestEnv::new();
    for (shell, flag) in [("bash", "-n"), ("zsh", "-n"), ("fish", "--no-execute")] {
        let script = env.cco(["completions", shell]).exits(0).stdout;
        assert!(script.contains("complete-words") && script.contains(":dirs"), "{shell}");
        let file = env.root().join(shell);
        write(&file, &script);
        match Command::new(shell).arg(flag).arg(&file).output() {
            Ok(output) => assert!(output.status.success() && output.stderr.is_empty(), "{shell}: {output:?}"),
            Err(error) => assert!(shell != "bash" && error.kind() == std::io::ErrorKind::NotFound, "{shell}: {error}"),
        }
    }
    for shell in ["elvish", "powershell"] {
        let script = env.cco(["completions", shell]).exits(0).stdout;
        for word in ["validate", "status", "budget-usd", "finish", "clean", "rerun"] {
            assert!(script.contains(word), "{shell}: {word}");
        }
        assert!(!script.contains("agent-sim"), "{shell}");
    }
}
