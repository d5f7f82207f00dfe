//! A session of the real `claude` as a user begins one, with cco on the PATH.

use std::ffi::OsString;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use serde_json::Value;

use crate::env::TestEnv;
use crate::support::api::Api;
use crate::support::claude::Call;

/// What a session said of itself, and how it ended.
pub struct Session {
    pub init: Value,
    pub result: Value,
}

/// Puts cco where [`vars`] says that programs are.
pub fn put_on_path(env: &TestEnv) {
    fs::create_dir(env.root().join("bin")).unwrap();
    symlink(env!("CARGO_BIN_EXE_cco"), env.root().join("bin/cco")).unwrap();
}

/// The environment of a user who is logged in.
pub fn vars(env: &TestEnv, api: &Api) -> Vec<(OsString, OsString)> {
    let path = format!("{}:/usr/bin:/bin", env.root().join("bin").display());
    let mut vars = vec![
        ("HOME".into(), env.home().into_os_string()),
        ("PATH".into(), OsString::from(path)),
        ("DISABLE_AUTOUPDATER".into(), "1".into()),
        ("CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC".into(), "1".into()),
    ];
    vars.extend(api.env().map(|(name, value)| (name.into(), value.into())));
    vars
}

/// A session in print mode as a user would begin it: no permissions but those of the settings that there are.
pub fn says(env: &TestEnv, api: &Api, program: &Path, prompt: &str) -> Session {
    let words = ["-p", "--output-format", "stream-json", "--verbose", "--model", "claude-sonnet-4-5"];
    let arguments: Vec<OsString> = words.map(OsString::from).to_vec();
    let left = Call::start(program, &env.work(), &vars(env, api).into(), &arguments, prompt).wait();
    assert!(left.status.success(), "{}", left.stderr);
    let events: Vec<Value> = left.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let find = |key: &str, value: &str| events.iter().rfind(|event| event[key] == value).unwrap().clone();
    Session { init: find("subtype", "init"), result: find("type", "result") }
}
