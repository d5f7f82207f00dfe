//! Whose a file is: the write sets of all components, asked by path.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{PoisonError, RwLock};

use crate::ids::Subject;
use crate::plan::graph::Index;
use crate::spec::manifest::{ComponentDef, Manifest};
use crate::spec::writeset::WriteSet;

/// Files that count as protected unless a component's write set names them: what decides how checks run.
const PROTECTED: [&str; 14] = [
    "**/.gitignore",
    "**/.gitattributes",
    "**/.gitmodules",
    ".github/workflows/**",
    ".gitlab-ci.yml",
    ".circleci/**",
    "azure-pipelines.yml",
    "Jenkinsfile",
    ".husky/**",
    ".pre-commit-config.yaml",
    "lefthook.yml",
    ".cargo/config.toml",
    "rust-toolchain.toml",
    "rust-toolchain",
];

/// What a writing step did with a file that it may not simply change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Breach {
    /// Nobody gave it to the component.
    NotOwn,
    /// It is in the repository, and not in the work directory.
    Outside,
    /// It belongs to another component.
    Others(String),
    /// Nobody may change it.
    Protected,
}

/// The write sets of a manifest.
#[derive(Debug)]
pub struct Owners {
    literal: HashMap<String, Vec<Index>>,
    globs: Vec<(Index, WriteSet)>,
    own: Vec<Own>,
    shared: WriteSet,
    protected: WriteSet,
    usually_protected: WriteSet,
    /// Files that were given to somebody beside the write sets; the run itself comes after the components.
    granted: RwLock<HashMap<PathBuf, Index>>,
}

#[derive(Debug)]
struct Own {
    id: String,
    /// What it may write beside its tests.
    files: WriteSet,
    /// Its tests; they are often given by globs that mean those of all.
    tests: WriteSet,
    /// Whether nothing else is its business: `files` was given.
    strict: bool,
    protected: WriteSet,
}

impl Own {
    /// Whether it may write a path, its tests included.
    fn has(&self, path: &Path) -> bool {
        self.files.matches(path) || self.tests.matches(path)
    }
}

impl Owners {
    /// The owners that a manifest names. A pattern that its rules would have refused owns nothing.
    pub fn new(manifest: &Manifest) -> Self {
        let mut owners = Self {
            literal: HashMap::new(),
            globs: Vec::new(),
            own: Vec::new(),
            shared: set(manifest.shared_files().iter().map(|file| file.path.as_str())),
            protected: set(manifest.execution.protected.iter().map(String::as_str)),
            usually_protected: set(PROTECTED),
            granted: RwLock::default(),
        };
        for (at, component) in manifest.components.iter().enumerate() {
            owners.add(at as Index, component);
        }
        owners
    }

    fn add(&mut self, at: Index, component: &ComponentDef) {
        let (globs, literal): (Vec<&str>, Vec<&str>) =
            component.write_patterns().partition(|path| path.contains(['*', '?', '[', '{']));
        for path in literal {
            self.literal.entry(path.trim_start_matches("./").to_owned()).or_default().push(at);
        }
        if !globs.is_empty() {
            self.globs.push((at, set(globs)));
        }
        self.own.push(Own {
            id: component.id.to_string(),
            files: set(component.write_patterns()),
            tests: set(component.tests.iter().map(String::as_str)),
            strict: !component.files.is_empty(),
            protected: set(component.protected.iter().map(String::as_str)),
        });
    }

    /// Adds files that were given to somebody. What the manifest says of them today comes first: one that it gives to
    /// another, or protects, is not theirs any more.
    pub fn grant<'p>(&self, files: impl IntoIterator<Item = (&'p str, Index)>) {
        let mut granted = self.granted.write().unwrap_or_else(PoisonError::into_inner);
        granted.extend(files.into_iter().map(|(path, at)| (PathBuf::from(path), at)));
    }

    /// The files that were given to a subject, in order.
    pub fn granted_to(&self, at: Index) -> Vec<String> {
        let granted = self.granted.read().unwrap_or_else(PoisonError::into_inner);
        let own = granted.iter().filter(|(_, of)| **of == at);
        let mut own: Vec<String> = own.map(|(path, _)| path.to_string_lossy().into_owned()).collect();
        own.retain(|path| self.another(at, Path::new(path)).is_none());
        own.sort();
        own
    }

    /// All files that were given to somebody, in order.
    pub fn granted(&self) -> Vec<String> {
        let granted = self.granted.read().unwrap_or_else(PoisonError::into_inner);
        let mut all: Vec<String> = granted.keys().map(|path| path.to_string_lossy().into_owned()).collect();
        all.sort();
        all
    }

    /// To whom a file was given, if it was.
    fn given(&self, path: &Path) -> Option<Index> {
        self.granted.read().unwrap_or_else(PoisonError::into_inner).get(path).copied()
    }

    /// Whether a file was given to somebody, and the manifest gives it to nobody else.
    fn is_given(&self, at: Index, path: &Path) -> bool {
        self.given(path) == Some(at) && self.another(at, path).is_none()
    }

    /// Whether a component's write set, its tests included, holds a path.
    pub fn owns(&self, at: Index, path: &Path) -> bool {
        self.own.get(at as usize).is_some_and(|own| own.has(path)) || self.is_given(at, path)
    }

    /// Whether a path is a component's and nobody else's: a file that it names, or a test that no other names too.
    pub fn owns_alone(&self, at: Index, path: &Path) -> bool {
        let another = || self.own.iter().zip(0..).any(|(own, other)| other != at && own.has(path));
        let own = self.own.get(at as usize);
        own.is_some_and(|own| own.files.matches(path) || (own.tests.matches(path) && !another()))
            || self.is_given(at, path)
    }

    /// Whether the write set of any component holds a path.
    pub fn anybody_owns(&self, path: &Path) -> bool {
        self.own.iter().any(|own| own.has(path)) || self.given(path).is_some()
    }

    /// Whether a component other than `at` owns a path.
    pub fn others_own(&self, at: Index, path: &Path) -> bool {
        self.another(at, path).is_some() || self.given(path).is_some_and(|of| of != at)
    }

    /// What is wrong with a change of `path` by the component `at`; nothing if it may.
    pub fn breach(&self, at: Index, path: &Path) -> Option<Breach> {
        let own = self.own.get(at as usize)?;
        if path.starts_with("..") {
            return Some(Breach::Outside);
        }
        let named = own.has(path);
        if self.protected.matches(path) || own.protected.matches(path) {
            return Some(Breach::Protected);
        }
        if named || self.shared.matches(path) {
            return None;
        }
        if self.usually_protected.matches(path) {
            return Some(Breach::Protected);
        }
        if let Some(other) = self.another(at, path) {
            return Some(Breach::Others(other));
        }
        match self.given(path) {
            Some(of) if of == at => return None,
            Some(of) => return Some(Breach::Others(self.name(of))),
            None => {}
        }
        own.strict.then_some(Breach::NotOwn)
    }

    /// What is wrong with a change of `path` by the run's own fixes, which may write what any component may.
    pub fn breach_of_run(&self, path: &Path) -> Option<Breach> {
        if path.starts_with("..") {
            return Some(Breach::Outside);
        }
        if self.protected.matches(path) {
            return Some(Breach::Protected);
        }
        if self.shared.matches(path) || self.anybody_owns(path) {
            return None;
        }
        if self.usually_protected.matches(path) {
            return Some(Breach::Protected);
        }
        self.own.iter().all(|own| own.strict).then_some(Breach::NotOwn)
    }

    fn another(&self, at: Index, path: &Path) -> Option<String> {
        let literal = path.to_str().and_then(|path| self.literal.get(path)).into_iter().flatten().copied();
        let globs = self.globs.iter().filter(|(_, set)| set.matches(path)).map(|(of, _)| *of);
        let other = literal.chain(globs).find(|of| *of != at)?;
        Some(self.name(other))
    }

    fn name(&self, at: Index) -> String {
        self.own.get(at as usize).map_or_else(|| Subject::RUN.to_owned(), |own| own.id.clone())
    }
}

fn set<'a>(patterns: impl IntoIterator<Item = &'a str>) -> WriteSet {
    let valid = patterns.into_iter().filter(|pattern| WriteSet::new([*pattern]).is_ok());
    WriteSet::new(valid.collect::<Vec<_>>()).unwrap_or_default()
}
