use std::process::Command;

fn lines(args: &[&str]) -> (bool, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_lines")).args(args).output().unwrap();
    (output.status.success(), String::from_utf8(output.stdout).unwrap())
}

#[test]
fn counts_the_lines_of_each_file() {
    let (ok, text) = lines(&["tests/data/long.txt", "tests/data/short.txt"]);
    assert!(ok);
    assert_eq!(text, "     3 tests/data/long.txt\n     1 tests/data/short.txt\n");
}

#[test]
fn a_file_that_is_not_there_is_a_failure() {
    assert_eq!(lines(&["no-such-file"]), (false, String::new()));
}

#[test]
fn sorted_as_json() {
    let (ok, text) = lines(&["--json", "--sort", "tests/data/short.txt", "tests/data/long.txt"]);
    assert!(ok);
    assert_eq!(text, "[{\"file\":\"tests/data/long.txt\",\"lines\":3},{\"file\":\"tests/data/short.txt\",\"lines\":1}]\n");
}

#[test]
fn an_option_that_there_is_not_is_refused() {
    assert_eq!(lines(&["--sorted"]), (false, String::new()));
}
