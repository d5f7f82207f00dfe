//! The commands that push a branch and open a pull request, by where the remote is.

use std::path::Path;

use serde::Serialize;

use crate::tree::Remote;

/// A command for the user's shell.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Way {
    /// What it does.
    pub(super) what: &'static str,
    /// The whole line.
    pub(super) command: String,
}

/// What is asked for.
pub(super) struct Request<'a> {
    /// The user's checkout.
    pub(super) dir: &'a Path,
    pub(super) branch: &'a str,
    /// The branch that it is meant for.
    pub(super) target: Option<&'a str>,
    pub(super) title: &'a str,
    /// The file with the body.
    pub(super) body: &'a Path,
}

/// Who runs the server of a remote.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Host {
    GitHub,
    GitLab,
    Other,
}

impl Request<'_> {
    /// The commands, in the order in which they are to be run.
    pub(super) fn ways(&self, remote: Option<&Remote>) -> Vec<Way> {
        let dir = quoted(&self.dir.to_string_lossy());
        let branch = quoted(self.branch);
        let Some(remote) = remote else {
            return vec![Way {
                what: "no remote is named here: merge it, or add one (`git remote add`) and call this again",
                command: format!("git -C {dir} merge {branch}"),
            }];
        };
        let push = format!("git -C {dir} push {} {branch}", quoted(&remote.name));
        let mut ways = vec![Way { what: "push the branch", command: push }];
        let title = quoted(self.title);
        let body = quoted(&self.body.to_string_lossy());
        let to = |flag: &str| self.target.map_or_else(String::new, |target| format!(" {flag} {}", quoted(target)));
        match host(&remote.url) {
            Host::GitHub => ways.push(Way {
                what: "open a pull request",
                command: format!(
                    "(cd {dir} && gh pr create{} --head {branch} --title {title} --body-file {body})",
                    to("--base")
                ),
            }),
            Host::GitLab => ways.push(Way {
                what: "open a merge request",
                command: format!(
                    "(cd {dir} && glab mr create{} --source-branch {branch} --title {title} --description \"$(cat {body})\")",
                    to("--target-branch")
                ),
            }),
            Host::Other => {}
        }
        ways
    }
}

fn host(url: &str) -> Host {
    let Some(name) = host_name(url) else { return Host::Other };
    let name = name.to_ascii_lowercase();
    if name.contains("github") {
        Host::GitHub
    } else if name.contains("gitlab") {
        Host::GitLab
    } else {
        Host::Other
    }
}

/// The host in an address as git knows them: `scheme://[user[:password]@]host[:port]/path`, or `[user@]host:path`. None
/// of a path on this machine.
fn host_name(url: &str) -> Option<&str> {
    let authority = match url.split_once("://") {
        Some((_, rest)) => rest.split('/').next()?,
        // A path can have a colon too, but not before its first slash.
        None => url.split_once(':').map(|(before, _)| before).filter(|before| !before.contains('/'))?,
    };
    let host = authority.rsplit('@').next()?;
    Some(host.split(':').next().unwrap_or(host)).filter(|host| !host.is_empty())
}

/// A word as a POSIX shell takes it for exactly that.
pub(super) fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "@%+=:,./_-".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}
