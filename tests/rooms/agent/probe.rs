//! Questions to the program, answered by a shell in its place.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::time::Duration;

use cco::agent::{AgentEnv, AgentProgram, Login, ProbeError, auth_status, find_program, probe_version};

/// A program that runs `body`, with its arguments in `$1` and on.
fn shell(body: &str) -> AgentProgram {
    let prefix = ["-c", body, "claude"].map(Into::into).into();
    AgentProgram { program: "/bin/sh".into(), prefix, simulated: true }
}

fn env() -> AgentEnv {
    AgentEnv::new([("PATH".into(), "/usr/bin:/bin".into())], &[], Duration::ZERO)
}

#[tokio::test]
async fn the_version_is_read_from_its_line() {
    let old = probe_version(&shell(r#"[ "$1" = --version ] && echo "2.1.197 (Claude Code)""#), &env()).await.unwrap();
    let new = probe_version(&shell("echo '2.1.330 (Claude Code)'"), &env()).await.unwrap();
    assert_eq!((old.number, old.to_string().as_str()), ((2, 1, 197), "2.1.197 (Claude Code)"));
    assert!(old < new);
}

#[tokio::test]
async fn another_program_is_told_from_claude() {
    for body in ["echo GNU coreutils 9.1", "echo 2.1", "echo 2.1.330; exit 1", "echo unknown option >&2; exit 2", ":"] {
        let error = probe_version(&shell(body), &env()).await.unwrap_err();
        assert!(matches!(error, ProbeError::Unlike { .. }), "{body}: {error}");
    }
    assert!(matches!(auth_status(&shell("echo no json"), &env()).await, Err(ProbeError::Unlike { .. })));
}

#[tokio::test]
async fn who_is_logged_in_is_asked_for_whatever_the_exit_status() {
    let status = |body: &'static str| async move { auth_status(&shell(body), &env()).await.unwrap() };
    let key = status(r#"echo '{"loggedIn":true,"authMethod":"api_key","apiProvider":"firstParty"}'"#).await;
    assert_eq!(key, Login { logged_in: true, method: "api_key".to_owned() });
    let nobody = status(r#"echo '{"loggedIn":false,"authMethod":"none"}'; exit 1"#).await;
    assert_eq!(nobody, Login { logged_in: false, method: "none".to_owned() });
}

#[test]
fn the_program_is_looked_up_and_each_way_to_miss_it_is_its_own_error() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("claude");
    let found = |command: &str, path: &Path| find_program(Path::new(command), Some(path.as_os_str()));
    assert!(matches!(found("claude", dir.path()), Err(ProbeError::Missing(name)) if name == "claude"));
    fs::create_dir(&file).unwrap();
    assert!(matches!(found("claude", dir.path()), Err(ProbeError::Missing(_))), "a directory is no program");
    fs::remove_dir(&file).unwrap();
    fs::write(&file, "").unwrap();
    assert!(matches!(found("claude", dir.path()), Err(ProbeError::NotExecutable(_))));
    fs::set_permissions(&file, fs::Permissions::from_mode(0o755)).unwrap();
    assert_eq!(found("claude", dir.path()).unwrap(), file);
    assert_eq!(found(file.to_str().unwrap(), Path::new("")).unwrap(), file);
    assert!(matches!(find_program(Path::new("claude"), Some(OsStr::new("relative:.:"))), Err(ProbeError::Missing(_))));
}
