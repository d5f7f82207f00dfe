//! The environment of agents and checks: an allow-list, so that nothing of the user's own agent sessions leaks in.

use std::ffi::{OsStr, OsString};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

/// Variables with their values.
pub type Vars = Arc<[(OsString, OsString)]>;

/// What every process gets: paths, language, identity, terminal, temporary files.
const BASE: [&str; 16] = [
    "COLORTERM",
    "HOME",
    "LANG",
    "LANGUAGE",
    "LOGNAME",
    "PATH",
    "SHELL",
    "TEMP",
    "TERM",
    "TMP",
    "TMPDIR",
    "TZ",
    "USER",
    "XDG_CACHE_HOME",
    "XDG_CONFIG_HOME",
    "XDG_DATA_HOME",
];

/// How the network is reached. The lower-case names are what curl and most others read.
const NETWORK: [&str; 15] = [
    "ALL_PROXY",
    "CURL_CA_BUNDLE",
    "GIT_SSL_CAINFO",
    "HTTPS_PROXY",
    "HTTP_PROXY",
    "NODE_EXTRA_CA_CERTS",
    "NO_PROXY",
    "PIP_CERT",
    "REQUESTS_CA_BUNDLE",
    "SSL_CERT_DIR",
    "SSL_CERT_FILE",
    "all_proxy",
    "http_proxy",
    "https_proxy",
    "no_proxy",
];

/// Where toolchains and their caches live. A build without these fetches everything again, or does not run.
const TOOLCHAINS: [&str; 52] = [
    "ANDROID_HOME",
    "ANDROID_SDK_ROOT",
    "ASDF_DATA_DIR",
    "ASDF_DIR",
    "BUN_INSTALL",
    "BUNDLE_PATH",
    "CARGO_HOME",
    "CARGO_TARGET_DIR",
    "CC",
    "COMPOSER_HOME",
    "CONDA_DEFAULT_ENV",
    "CONDA_EXE",
    "CONDA_PREFIX",
    "CPATH",
    "CXX",
    "DENO_DIR",
    "DOTNET_ROOT",
    "FNM_DIR",
    "GEM_HOME",
    "GEM_PATH",
    "GOBIN",
    "GOCACHE",
    "GOMODCACHE",
    "GOPATH",
    "GOPROXY",
    "GOROOT",
    "GRADLE_USER_HOME",
    "JAVA_HOME",
    "LD_LIBRARY_PATH",
    "LIBRARY_PATH",
    "M2_HOME",
    "MAVEN_HOME",
    "MISE_DATA_DIR",
    "NIX_PATH",
    "NIX_PROFILES",
    "NPM_CONFIG_CACHE",
    "NVM_BIN",
    "NVM_DIR",
    "PIP_CACHE_DIR",
    "PKG_CONFIG_PATH",
    "PNPM_HOME",
    "POETRY_HOME",
    "PYENV_ROOT",
    "PYTHONPATH",
    "RBENV_ROOT",
    "RUSTC_WRAPPER",
    "RUSTFLAGS",
    "RUSTUP_HOME",
    "RUSTUP_TOOLCHAIN",
    "UV_CACHE_DIR",
    "VIRTUAL_ENV",
    "VOLTA_HOME",
];

/// What logs the user in or routes the calls. Checks never get these, not even by name.
const CREDENTIALS: [&str; 9] = [
    "ANTHROPIC_API_KEY",
    "ANTHROPIC_AUTH_TOKEN",
    "ANTHROPIC_BASE_URL",
    "CLAUDE_CODE_OAUTH_TOKEN",
    "CLAUDE_CODE_USE_BEDROCK",
    "CLAUDE_CODE_USE_FOUNDRY",
    "CLAUDE_CODE_USE_VERTEX",
    "CLAUDE_CONFIG_DIR",
    "CLOUD_ML_REGION",
];

/// The same by the beginning of the name: what the three cloud routes need.
const CREDENTIAL_PREFIXES: [&str; 6] =
    ["ANTHROPIC_BEDROCK_", "ANTHROPIC_FOUNDRY_", "ANTHROPIC_VERTEX_", "AWS_", "GOOGLE_", "VERTEX_REGION_"];

/// Settings of the CLI that cco relies on; they win over the user's.
const SETTINGS: [(&str, &str); 11] = [
    ("CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC", "1"),
    ("DISABLE_AUTOUPDATER", "1"),
    // Retries belong to cco, which sees all agents: the CLI's own can sit for an hour on a silent server.
    ("CLAUDE_CODE_MAX_RETRIES", "1"),
    // Until the response headers, which in the CLI's non-streaming second try come with the whole answer.
    ("API_TIMEOUT_MS", "300000"),
    // A stalled stream; older versions ignore it, and cco's own limit on silence stands behind it.
    ("CLAUDE_BYTE_STREAM_IDLE_TIMEOUT_MS", "180000"),
    ("MAX_STRUCTURED_OUTPUT_RETRIES", "3"),
    // `@path` in a prompt would read that file without permission. Each version has its own switch.
    ("CLAUDE_CODE_DISABLE_ATTACHMENTS", "1"),
    ("CLAUDE_CODE_DISABLE_FILE_MENTIONS", "1"),
    // A background task would outlive the answer and add a second result.
    ("CLAUDE_CODE_DISABLE_BACKGROUND_TASKS", "1"),
    // The memory of the user's own sessions.
    ("CLAUDE_CODE_DISABLE_AUTO_MEMORY", "1"),
    ("CLAUDE_CODE_DISABLE_REFUSAL_RETRY", "1"),
];

/// A command of the agent may run at least this long.
const SHORTEST_BASH_LIMIT: Duration = Duration::from_secs(10 * 60);

/// How much longer a command of the agent may run than the longest check.
const BASH_MARGIN: Duration = Duration::from_secs(60);

/// The environments of a run's processes. One work environment for all; agents get more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AgentEnv {
    /// Of agents: with credentials, routing, and the CLI's settings.
    pub agent: Vars,
    /// Of setup and checks: without.
    pub check: Vars,
}

impl AgentEnv {
    /// Picks from `user` (the variables that cco was started with) what the allow-list or `extra` names. `longest_check`
    /// is the longest time limit of a check, which an agent may want to run itself.
    pub fn new(
        user: impl IntoIterator<Item = (OsString, OsString)>,
        extra: &[String],
        longest_check: Duration,
    ) -> Self {
        let mut agent = Vec::new();
        let mut check = Vec::new();
        for (name, value) in user {
            let Some(known) = name.to_str() else { continue };
            if is_setting(known) {
                continue;
            }
            if is_credential(known) {
                agent.push((name, value));
            } else if is_work(known) || extra.iter().any(|extra| extra == known) {
                check.push((name.clone(), value.clone()));
                agent.push((name, value));
            }
        }
        let limit = (longest_check + BASH_MARGIN).max(SHORTEST_BASH_LIMIT).as_millis().to_string();
        agent.extend(SETTINGS.map(|(name, value)| (name.into(), value.into())));
        agent.extend(BASH_LIMITS.map(|name| (name.into(), OsString::from(&limit))));
        agent.sort();
        check.sort();
        Self { agent: agent.into(), check: check.into() }
    }

    /// The CLI's own directory, where the user moved it.
    pub fn config_dir(&self) -> Option<&Path> {
        let moved = |(name, _): &&(OsString, OsString)| name == OsStr::new("CLAUDE_CONFIG_DIR");
        self.agent.iter().find(moved).map(|(_, dir)| Path::new(dir))
    }
}

/// How long a command of the agent may run, unasked and at most.
const BASH_LIMITS: [&str; 2] = ["BASH_DEFAULT_TIMEOUT_MS", "BASH_MAX_TIMEOUT_MS"];

fn is_setting(name: &str) -> bool {
    SETTINGS.iter().any(|(setting, _)| *setting == name) || BASH_LIMITS.contains(&name)
}

fn is_credential(name: &str) -> bool {
    CREDENTIALS.contains(&name) || CREDENTIAL_PREFIXES.iter().any(|prefix| name.starts_with(prefix))
}

fn is_work(name: &str) -> bool {
    BASE.contains(&name) || NETWORK.contains(&name) || TOOLCHAINS.contains(&name) || name.starts_with("LC_")
}
