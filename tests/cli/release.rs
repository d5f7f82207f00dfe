//! What a release archive holds.

use std::path::Path;
use std::process::Command;

use crate::env::TestEnv;

#[test]
fn an_archive_holds_all_that_is_installed() {
    let env = TestEnv::new();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join(".ci/package");
    let mut pack = Command::new(script);
    pack.arg(env!("CARGO_BIN_EXE_cco")).args(["cco-v1-here", "dist"]).current_dir(env.work());
    let output = env.run(&mut pack).exits(0);
    assert_eq!((output.stdout.as_str(), output.stderr.as_str()), ("", ""), "{output}");
    let dist = env.work().join("dist");
    let listed = env.run(Command::new("tar").args(["-tzf", "cco-v1-here.tar.gz"]).current_dir(&dist)).exits(0).stdout;
    for file in [
        "cco",
        "README.md",
        "LICENSE",
        "man/man1/cco.1",
        "man/man1/cco-run.1",
        "completions/cco.bash",
        "completions/_cco",
        "completions/cco.fish",
    ] {
        assert!(listed.lines().any(|line| line == format!("cco-v1-here/{file}")), "{file}: {listed}");
    }
    let check = "sha256sum -c *.sha256 || shasum -a 256 -c *.sha256";
    let checked = env.run(Command::new("sh").args(["-c", check]).current_dir(&dist)).exits(0);
    assert_eq!(checked.stdout, "cco-v1-here.tar.gz: OK\n");
}
