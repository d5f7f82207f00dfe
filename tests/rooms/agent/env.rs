//! What agents and checks find in their environment.

use std::ffi::OsString;
use std::time::Duration;

use cco::agent::AgentEnv;

fn env(user: &[(&str, &str)], extra: &[&str], longest: u64) -> AgentEnv {
    let user = user.iter().map(|(name, value)| (OsString::from(name), OsString::from(value)));
    let extra: Vec<String> = extra.iter().map(|name| (*name).to_owned()).collect();
    AgentEnv::new(user, &extra, Duration::from_secs(longest))
}

fn get<'a>(vars: &'a [(OsString, OsString)], name: &str) -> Option<&'a str> {
    vars.iter().find(|(known, _)| known == name).and_then(|(_, value)| value.to_str())
}

#[test]
fn only_what_the_list_or_the_user_names_passes() {
    let user = [("PATH", "/bin"), ("LC_ALL", "C"), ("CLAUDECODE", "1"), ("NODE_OPTIONS", "x"), ("DATABASE_URL", "d")];
    let env = env(&user, &["DATABASE_URL"], 0);
    for vars in [&env.agent, &env.check] {
        assert_eq!(get(vars, "PATH"), Some("/bin"));
        assert_eq!(get(vars, "LC_ALL"), Some("C"));
        assert_eq!(get(vars, "DATABASE_URL"), Some("d"));
        assert_eq!(get(vars, "CLAUDECODE"), None);
        assert_eq!(get(vars, "NODE_OPTIONS"), None);
    }
}

#[test]
fn checks_never_get_credentials_not_even_by_name() {
    let secrets = [
        ("ANTHROPIC_API_KEY", "k"),
        ("ANTHROPIC_AUTH_TOKEN", "t"),
        ("ANTHROPIC_BASE_URL", "u"),
        ("CLAUDE_CODE_OAUTH_TOKEN", "o"),
        ("CLAUDE_CONFIG_DIR", "/c"),
        ("AWS_SECRET_ACCESS_KEY", "a"),
        ("GOOGLE_APPLICATION_CREDENTIALS", "g"),
        ("CLAUDE_CODE_USE_BEDROCK", "1"),
    ];
    let names = secrets.map(|(name, _)| name);
    let env = env(&secrets, &names, 0);
    assert!(env.check.is_empty(), "{:?}", env.check);
    for (name, value) in secrets {
        assert_eq!(get(&env.agent, name), Some(value));
    }
    assert_eq!(env.config_dir().and_then(|dir| dir.to_str()), Some("/c"));
}

#[test]
fn the_settings_that_cco_relies_on_win() {
    let env = env(&[("CLAUDE_CODE_MAX_RETRIES", "10")], &["CLAUDE_CODE_MAX_RETRIES"], 3600);
    assert_eq!(get(&env.agent, "CLAUDE_CODE_MAX_RETRIES"), Some("1"));
    assert_eq!(get(&env.agent, "CLAUDE_CODE_DISABLE_BACKGROUND_TASKS"), Some("1"));
    assert_eq!(get(&env.agent, "BASH_MAX_TIMEOUT_MS"), Some("3660000"), "above the longest check");
    assert_eq!(get(&env.check, "CLAUDE_CODE_MAX_RETRIES"), None);
}
