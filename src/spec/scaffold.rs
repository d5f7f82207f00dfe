//! `cco new`: a spec directory with everything in its place, there whole or not at all.

use std::fs::Permissions;
use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::catalog::HASH_DIGITS;
use super::load::MANIFEST;
use super::starter::Starter;
use super::templates;
use crate::fsx;
use crate::ids::{self, Digest, NameError};

/// The name of the manifest's JSON Schema in the root of the store: one copy for the editors of all specs.
pub const SCHEMA_FILE: &str = "manifest.schema.json";

/// A spec to be made.
#[derive(Debug, Clone)]
pub struct Scaffold<'a> {
    /// The root of the store; made if it is missing.
    pub store: &'a Path,
    /// The project that the spec belongs to.
    pub project: &'a str,
    /// The spec's name.
    pub name: &'a str,
    /// The code that is worked on, as it shall stand in the manifest.
    pub work_dir: &'a Path,
    /// When the spec is made; part of its hash.
    pub created: Timestamp,
    /// The JSON Schema of the manifest.
    pub schema: &'a str,
    /// What CONTEXT.md holds at first.
    pub context: &'a str,
    /// What is there already.
    pub content: Content<'a>,
}

/// What a new spec holds instead of what says how to begin.
#[derive(Debug, Clone, Copy, Default)]
pub struct Content<'a> {
    /// The text of the manifest.
    pub manifest: Option<&'a str>,
    /// The text of SPEC.md.
    pub specification: Option<&'a str>,
    /// What a manifest proposes that is not there yet.
    pub starter: Option<&'a Starter>,
}

/// Why no spec was made. Nothing is left behind then but directories of the store.
#[derive(Debug, thiserror::Error)]
pub enum ScaffoldError {
    /// The project's or the spec's name cannot name a directory everywhere.
    #[error("{what} name {error}")]
    Name {
        /// Which of the two.
        what: &'static str,
        /// What is wrong with it.
        #[source]
        error: NameError,
    },
    /// Names are unique ignoring case: not every file system could tell the two apart.
    #[error("there is a project `{existing}`, which differs in upper and lower case only")]
    Case {
        /// The name of the project that is there.
        existing: String,
    },
    /// The work directory's path cannot be written as JSON.
    #[error("the path of the work directory `{}` is not UTF-8", .0.display())]
    NotUtf8(PathBuf),
    /// The very same spec is there.
    #[error("`{}` exists", .0.display())]
    Exists(PathBuf),
    /// The store cannot be written.
    #[error("cannot create the spec")]
    Io(#[from] io::Error),
}

impl Scaffold<'_> {
    /// Makes the spec and returns its directory.
    ///
    /// It is built beside its final place and then renamed, so a crash leaves at most a hidden directory that no list
    /// shows.
    ///
    /// # Errors
    /// Bad names, a store that cannot be written.
    pub fn create(&self) -> Result<PathBuf, ScaffoldError> {
        let blank = self.manifest()?;
        let project_dir = self.store.join(self.project);
        self.refuse_case_twin()?;
        fsx::create_dir_private(&project_dir)?;
        fsx::write_atomic(&self.store.join(SCHEMA_FILE), self.schema.as_bytes())?;

        let target = project_dir.join(format!("{}-{}", self.name, self.hash()));
        if target.exists() {
            return Err(ScaffoldError::Exists(target));
        }
        let building = tempfile::Builder::new()
            .prefix(".new-")
            .permissions(Permissions::from_mode(0o700))
            .tempdir_in(&project_dir)?;
        self.fill(building.path(), &blank)?;
        fsx::rename(building.path(), &target)?;
        // It is no longer there to be removed.
        let _ = building.keep();
        Ok(target)
    }

    /// The first digits of the SHA-256 over project, name and creation time.
    fn hash(&self) -> String {
        let created = self.created.to_string();
        let digest = Digest::of_parts(&[self.project.as_bytes(), self.name.as_bytes(), created.as_bytes()]);
        digest.to_string()[..HASH_DIGITS].to_owned()
    }

    fn refuse_case_twin(&self) -> Result<(), ScaffoldError> {
        let listing = match fs_err::read_dir(self.store) {
            Ok(listing) => listing,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(error.into()),
        };
        for entry in listing {
            let existing = entry?.file_name().to_string_lossy().into_owned();
            if existing != self.project && existing.eq_ignore_ascii_case(self.project) {
                return Err(ScaffoldError::Case { existing });
            }
        }
        Ok(())
    }

    fn fill(&self, dir: &Path, blank: &Map<String, Value>) -> io::Result<()> {
        for sub in ["brainstorm", "components", "state", "runs"] {
            fsx::create_dir_private(&dir.join(sub))?;
        }
        let name = self.name;
        let begun = || self.content.starter.unwrap_or(&Starter::default()).text(blank);
        let manifest = self.content.manifest.map_or_else(begun, str::to_owned);
        let specification = self.content.specification.map_or_else(|| templates::specification(name), str::to_owned);
        let files = [
            (MANIFEST, manifest),
            ("SPEC.md", specification),
            ("CONTEXT.md", self.context.to_owned()),
            // State and raw output are no part of a spec that is kept in a repository.
            ("state/.gitignore", "*\n".to_owned()),
            ("runs/.gitignore", "*\n".to_owned()),
        ];
        files.iter().try_for_each(|(path, content)| fs_err::write(dir.join(path), content))?;
        templates::BRAINSTORM
            .iter()
            .try_for_each(|(path, title, below)| fs_err::write(dir.join(path), format!("# {name}: {title}\n\n{below}")))
    }

    /// The manifest without components.
    ///
    /// # Errors
    /// Bad names, a work directory that cannot be written as JSON.
    pub fn manifest(&self) -> Result<Map<String, Value>, ScaffoldError> {
        ids::check_name(self.project).map_err(|error| ScaffoldError::Name { what: "the project's", error })?;
        ids::check_name(self.name).map_err(|error| ScaffoldError::Name { what: "the spec's", error })?;
        let work_dir = self.work_dir.to_str().ok_or_else(|| ScaffoldError::NotUtf8(self.work_dir.to_owned()))?;
        Ok(Map::from_iter([
            ("$schema".to_owned(), format!("../../{SCHEMA_FILE}").into()),
            ("name".to_owned(), self.name.into()),
            ("project".to_owned(), self.project.into()),
            ("work_dir".to_owned(), work_dir.into()),
            ("created".to_owned(), self.created.to_string().into()),
            ("execution".to_owned(), json!({"mode": "standard"})),
            ("components".to_owned(), json!([])),
        ]))
    }
}
