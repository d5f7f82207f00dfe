//! Where the user's repository is pushed to, read from its settings; nobody is asked over the network.

use super::{Repository, TreeError};

/// A remote of the user's repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Remote {
    /// Its name.
    pub name: String,
    /// Where pushes go. It can hold credentials: not to be shown.
    pub url: String,
}

impl Repository {
    /// The remote that the user pushes to: what the branch or the repository names for that, else `origin`, else the only
    /// one. None where there is none, or several and none of these.
    ///
    /// # Errors
    /// Git's own.
    pub fn remote(&self) -> Result<Option<Remote>, TreeError> {
        let known = self.run(&["remote"])?;
        let known: Vec<&str> = known.lines().collect();
        let mut wanted = Vec::new();
        let branch = self.users_branch()?;
        if let Some(branch) = &branch {
            wanted.push(format!("branch.{branch}.pushRemote"));
        }
        wanted.push("remote.pushDefault".to_owned());
        if let Some(branch) = &branch {
            wanted.push(format!("branch.{branch}.remote"));
        }
        let mut name = None;
        for setting in wanted {
            let named = self.setting(&setting)?.filter(|named| known.contains(&named.as_str()));
            name = name.or(named);
        }
        let usual = known.iter().find(|name| **name == "origin");
        let only = match known[..] {
            [only] => Some(only),
            _ => None,
        };
        let Some(name) = name.or_else(|| usual.copied().or(only).map(str::to_owned)) else { return Ok(None) };
        let url = self.run(&["remote", "get-url", "--push", "--", &name])?;
        Ok(Some(Remote { name, url }))
    }

    /// The branch of the remote that the work is meant for: the one that `base` names, else the one that the user's
    /// branch follows or is called like, else the remote's own first one. None where that cannot be told.
    ///
    /// # Errors
    /// Git's own.
    pub fn target(&self, base: Option<&str>, remote: &Remote) -> Result<Option<String>, TreeError> {
        if let Some(base) = base {
            if self.is_ref(&format!("refs/heads/{base}"))? {
                return Ok(Some(base.to_owned()));
            }
            let there = base.strip_prefix(&remote.name).and_then(|base| base.strip_prefix('/'));
            if let Some(there) = there.filter(|_| !base.starts_with('-')) {
                return Ok(Some(there.to_owned()));
            }
        }
        if let Some(branch) = self.users_branch()?.filter(|branch| *branch != self.branch) {
            let follows = self.setting(&format!("branch.{branch}.merge"))?;
            let same = self.setting(&format!("branch.{branch}.remote"))?.as_ref() == Some(&remote.name);
            let followed = follows.filter(|_| same).and_then(|it| it.strip_prefix("refs/heads/").map(str::to_owned));
            return Ok(Some(followed.unwrap_or(branch)));
        }
        let first = format!("refs/remotes/{}/", remote.name);
        let head = self.source.git.ask(&self.source.top, &["symbolic-ref", "--quiet", &format!("{first}HEAD")])?;
        Ok(head.and_then(|head| head.strip_prefix(&first).map(str::to_owned)))
    }

    fn is_ref(&self, name: &str) -> Result<bool, TreeError> {
        Ok(self
            .source
            .git
            .ask(&self.source.top, &["rev-parse", "--verify", "--quiet", "--end-of-options", name])?
            .is_some())
    }

    fn setting(&self, name: &str) -> Result<Option<String>, TreeError> {
        Ok(self.source.git.ask(&self.source.top, &["config", "--get", name])?)
    }
}
