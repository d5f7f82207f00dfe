//! What the commits of a spec tell when its records are lost: what landed on the integration branch, and what is kept
//! beside it. Only read; what is not as cco made it is named and not believed.

use std::collections::BTreeSet;
use std::path::Path;

use super::git::Git;
use super::status::records;
use super::trailers::{LandingTold, NoLanding, Resolved, StepTold, landing_told, step_told};
use super::{Repository, TreeError};
use crate::ids::{AttemptId, ComponentId, Digest, Subject};

/// How commits are asked for: id, tree, parents, message.
const FORMAT: &str = "--format=%H%n%T%n%P%n%B";

/// What the commits of a spec tell.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Told {
    /// The commit that the branch began at, as what landed says; the tip of the branch where nothing did.
    pub base: String,
    /// The commit of the branch.
    pub tip: String,
    /// What landed, in its order.
    pub landed: Vec<ToldLanding>,
    /// What is kept beside it and the branch does not hold.
    pub tips: Vec<ToldTip>,
    /// What claims to be of this spec and is not believed.
    pub not_believed: Vec<Untold>,
    /// The commits since the base that are somebody else's.
    pub others: Vec<String>,
}

/// A commit by which work landed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ToldLanding {
    /// The commit.
    pub commit: String,
    /// The one before it.
    pub onto: String,
    /// Its tree.
    pub tree: String,
    /// What it tells.
    pub told: LandingTold,
}

/// Work that is kept under `tip/`, and that the branch does not hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ToldTip {
    /// Whose it is.
    pub on: Subject,
    /// Its first commit.
    pub first: String,
    /// The last one without the marks of a conflict.
    pub last: String,
    /// Its commits that tell of a step, in their order.
    pub steps: Vec<(String, AttemptId)>,
    /// The digest of what the last of them was made from.
    pub input: Option<Digest>,
}

/// What is not believed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Untold {
    /// The commit, or the ref below `refs/cco/<spec>/`.
    pub what: String,
    /// Why.
    pub why: String,
}

/// A commit as it was asked for.
struct Seen {
    id: String,
    tree: String,
    parents: Vec<String>,
    message: String,
}

impl Repository {
    /// Reads what the commits of the spec tell; none where there is no integration branch.
    ///
    /// # Errors
    /// Git's own.
    pub fn told(&self) -> Result<Option<Told>, TreeError> {
        let Some(tip) = self.known_tip()? else { return Ok(None) };
        let mut told = Told { base: tip.clone(), tip: tip.clone(), ..Told::default() };
        self.read_branch(&mut told)?;
        self.read_tips(&mut told)?;
        Ok(Some(told))
    }

    fn read_branch(&self, told: &mut Told) -> Result<(), TreeError> {
        let grep = format!("--grep=Cco-Spec: {}", self.spec);
        let claims = self.commits(&["--first-parent", "--fixed-strings", &grep, &told.tip])?;
        // The last landing says where the branch began; what lies before that is of an earlier branch.
        let sealed = |seen: &Seen| matches!(self.landing(seen), Ok(Some(_)));
        let Some(last) = claims.iter().find(|seen| sealed(seen)) else {
            let why = |seen: &Seen| self.landing(seen).err();
            told.not_believed.extend(claims.iter().filter_map(|seen| Some(untold(&seen.id, why(seen)?))));
            return Ok(());
        };
        let Ok(Some(LandingTold { base, .. })) = self.landing(last) else { return Ok(()) };
        if !self.is_ancestor(&base, &told.tip).unwrap_or(false) {
            told.not_believed
                .push(untold(&last.id, format!("the branch does not hold {base}, where it says it began")));
            return Ok(());
        }
        let mut chain = self.commits(&["--first-parent", &format!("{base}..{}", told.tip)])?;
        chain.reverse();
        for seen in chain {
            match self.landing(&seen) {
                Ok(Some(landing)) if landing.base == base => {
                    let Seen { id, tree, parents, .. } = seen;
                    let onto = parents.into_iter().next().unwrap_or_default();
                    told.landed.push(ToldLanding { commit: id, onto, tree, told: landing });
                }
                Ok(Some(_)) => told.not_believed.push(untold(&seen.id, "it says that the branch began elsewhere")),
                Ok(None) => told.others.push(seen.id),
                Err(why) => {
                    told.not_believed.push(untold(&seen.id, why));
                    told.others.push(seen.id);
                }
            }
        }
        told.base = base;
        Ok(())
    }

    fn landing(&self, seen: &Seen) -> Result<Option<LandingTold>, NoLanding> {
        landing_told(&self.spec, &seen.message, &seen.tree, &seen.parents)
    }

    fn read_tips(&self, told: &mut Told) -> Result<(), TreeError> {
        for kept in self.kept()? {
            let Some(name) = kept.name.strip_prefix("tip/") else { continue };
            let Ok(on) = name.parse::<Subject>() else {
                told.not_believed.push(untold(&kept.name, "that is no name of a component"));
                continue;
            };
            let landed = |landing: &ToldLanding| landing.told.attempt.on == on && landing.told.tip == kept.commit;
            if told.landed.iter().any(landed) {
                continue;
            }
            match self.tip_told(&on, &kept.commit, &told.tip) {
                Ok(Some(tip)) => told.tips.push(tip),
                Ok(None) => {}
                Err(Doubt::Why(why)) => told.not_believed.push(untold(&kept.name, why)),
                Err(Doubt::Git(error)) => return Err(error),
            }
        }
        Ok(())
    }

    /// What is kept as the work of `on`; none where the branch holds all of it.
    fn tip_told(&self, on: &Subject, tip: &str, branch: &str) -> Result<Option<ToldTip>, Doubt> {
        let kind = self.source.git.ask(&self.source.top, &["cat-file", "-t", tip]).map_err(TreeError::from)?;
        if kind.as_deref() != Some("commit") {
            return Err(Doubt::Why("it is no commit".to_owned()));
        }
        if self.merge_base(tip, branch)?.is_none() {
            return Err(Doubt::Why("it has nothing in common with the branch".to_owned()));
        }
        let own = self.commits(&["--first-parent", &format!("{branch}..{tip}")])?;
        if own.is_empty() {
            return Ok(None);
        }
        let steps: Vec<(Seen, StepTold)> = own
            .into_iter()
            .map(|seen| {
                let step = step_told(&seen.message);
                (seen, step)
            })
            .collect();
        for (seen, step) in &steps {
            let of_another = step.spec.as_ref().is_some_and(|spec| *spec != self.spec)
                || step.on.as_ref().is_some_and(|whose| whose != on);
            if of_another {
                return Err(Doubt::Why(format!("its commit {} says that it is of another component or spec", seen.id)));
            }
        }
        let steps = without_marks(&steps);
        let of_steps: Vec<(String, AttemptId)> =
            steps.iter().rev().filter_map(|(seen, step)| Some((seen.id.clone(), step.attempt.clone()?))).collect();
        let (Some((newest, _)), Some((oldest, _)), false) = (steps.first(), steps.last(), of_steps.is_empty()) else {
            return Err(Doubt::Why(format!("none of its commits says that it is a step of `{on}`")));
        };
        Ok(Some(ToldTip {
            on: on.clone(),
            first: oldest.id.clone(),
            last: newest.id.clone(),
            steps: of_steps,
            input: steps.iter().find_map(|(_, step)| step.input),
        }))
    }

    /// What of the branch contradicted a merge: the commit that was merged, and whose work changed these files there.
    /// `since` is the merge, or what was made of it before anybody resolved it.
    ///
    /// # Errors
    /// Git's own; among it that there is no merge.
    pub fn conflict(&self, since: &str, files: &[String]) -> Result<Resolved, TreeError> {
        let merge = self.run(&["rev-list", "--first-parent", "--merges", "-1", "--end-of-options", since])?;
        let mut args = vec![format!("{merge}^1..{merge}^2"), "--".to_owned()];
        for file in files {
            let path = self.prefix.top_path(file.as_ref())?;
            args.push(format!(":(top,literal){}", String::from_utf8_lossy(&path)));
        }
        let args: Vec<&str> = ["--first-parent"].into_iter().chain(args.iter().map(String::as_str)).collect();
        let mut with: Vec<ComponentId> = Vec::new();
        for seen in self.commits(&args)?.iter().rev() {
            if let Ok(Some(landing)) = self.landing(seen)
                && let Subject::Component(id) = landing.attempt.on
                && !with.contains(&id)
            {
                with.push(id);
            }
        }
        let commit = self.run(&["rev-parse", "--verify", &format!("{merge}^2")])?;
        Ok(Resolved { commit, with, files: files.to_vec() })
    }

    /// The specs of which the repository of a directory keeps anything, as `project/name-hash`.
    ///
    /// # Errors
    /// Git's own; among it that there is no repository.
    pub fn specs_kept(git: &Git, dir: &Path) -> Result<BTreeSet<String>, TreeError> {
        let said = git.run(dir, &["for-each-ref", "--format=%(refname)", "refs/cco/"])?;
        let spec = |reference: &str| {
            let mut parts = reference.strip_prefix("refs/cco/")?.splitn(3, '/');
            let (project, name, _) = (parts.next()?, parts.next()?, parts.next()?);
            Some(format!("{project}/{name}"))
        };
        Ok(said.lines().filter_map(spec).collect())
    }

    /// The remote-tracking branch that is called as the integration branch; none where there is none.
    ///
    /// # Errors
    /// Git's own.
    pub fn remote_branch(&self) -> Result<Option<String>, TreeError> {
        let pattern = format!("refs/remotes/*/{}", self.branch);
        let said = self.run(&["for-each-ref", "--count=1", "--format=%(refname:short)", &pattern])?;
        Ok(Some(said).filter(|name| !name.is_empty()))
    }

    /// The commits that `git log` lists, newest first.
    fn commits(&self, args: &[&str]) -> Result<Vec<Seen>, TreeError> {
        let mut all = vec!["log", "-z", "--encoding=UTF-8", FORMAT];
        all.extend(args);
        // What somebody put in the place of a commit is not that commit.
        let git = self.source.git.with("GIT_NO_REPLACE_OBJECTS", "1".as_ref());
        let said = git.bytes(&self.source.top, &all, &[])?;
        Ok(records(&said).filter_map(seen).collect())
    }
}

/// The commits (newest first) without a merge whose conflicts nobody resolved, and what came behind it: that is merged
/// anew.
fn without_marks(steps: &[(Seen, StepTold)]) -> &[(Seen, StepTold)] {
    let by_an_agent = |step: &StepTold| step.attempt.as_ref().is_some_and(|attempt| attempt.step.writes());
    match steps.iter().position(|(_, step)| step.conflicts || by_an_agent(step)) {
        Some(at) if steps[at].1.conflicts => without_marks(&steps[at + 1..]),
        Some(_) | None => steps,
    }
}

/// Why a ref is not taken up.
enum Doubt {
    Why(String),
    Git(TreeError),
}

impl From<TreeError> for Doubt {
    fn from(error: TreeError) -> Self {
        Self::Git(error)
    }
}

fn seen(text: &[u8]) -> Option<Seen> {
    let text = String::from_utf8_lossy(text);
    let mut parts = text.splitn(4, '\n');
    let mut next = || parts.next().map(str::to_owned);
    let (id, tree, parents, message) = (next()?, next()?, next()?, next()?);
    Some(Seen { id, tree, parents: parents.split_whitespace().map(str::to_owned).collect(), message })
}

fn untold(what: &str, why: impl ToString) -> Untold {
    Untold { what: what.to_owned(), why: why.to_string() }
}
