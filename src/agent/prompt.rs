//! Prompts: templates that the program brings along, and that a spec or a user may replace one by one.
//!
//! Strict: a template that names something that does not exist is an error with file and line, never an empty place in
//! a prompt that costs money. Text of agents goes through the filter `quote`, so that it stands there as data.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use minijinja::syntax::SyntaxConfig;
use minijinja::value::Serde;
use minijinja::{Environment, ErrorKind, UndefinedBehavior, Value};
use serde::Serialize;

use crate::fsx;
use crate::ids::Step;
use crate::lifecycle::report::Severity;

/// What a prompt is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Role {
    /// Interfaces and stubs.
    Skeleton,
    /// The work itself.
    Implement,
    /// The definition changed after the work was done.
    Revise,
    /// Issues are to be mended.
    Fix,
    /// A merge conflict is to be resolved.
    Resolve,
    /// A review of a change.
    Review,
    /// A vote on a closed set of options.
    Vote,
    /// Whether a brainstorm is ready to become a manifest.
    Readiness,
    /// A manifest from a brainstorm.
    Formalize,
    /// The manifest again, with what was found in it.
    Redraft,
    /// Goes on after the call was cut off.
    Interrupted,
    /// Asks once more for the structured answer.
    NoAnswer,
    /// Goes on after a time limit.
    TimedOut,
    /// Goes on with the files that it asked for.
    Granted,
}

impl Role {
    /// All of them.
    pub const ALL: [Self; 14] = [
        Self::Skeleton,
        Self::Implement,
        Self::Revise,
        Self::Fix,
        Self::Resolve,
        Self::Review,
        Self::Vote,
        Self::Readiness,
        Self::Formalize,
        Self::Redraft,
        Self::Interrupted,
        Self::NoAnswer,
        Self::TimedOut,
        Self::Granted,
    ];

    /// The role of a step's agent; none for checks.
    pub fn of(step: &Step) -> Option<Self> {
        match step {
            Step::Skeleton => Some(Self::Skeleton),
            Step::Implement => Some(Self::Implement),
            Step::Revise => Some(Self::Revise),
            Step::Fix => Some(Self::Fix),
            Step::Resolve => Some(Self::Resolve),
            Step::Review(_) => Some(Self::Review),
            Step::Vote { .. } => Some(Self::Vote),
            Step::Readiness => Some(Self::Readiness),
            Step::Draft => Some(Self::Formalize),
            Step::Check(_) | Step::Compare | Step::Integrate => None,
        }
    }

    /// The template's name: `<name>.md` replaces it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Skeleton => "skeleton",
            Self::Implement => "implement",
            Self::Revise => "revise",
            Self::Fix => "fix",
            Self::Resolve => "resolve",
            Self::Review => "review",
            Self::Vote => "vote",
            Self::Readiness => "readiness",
            Self::Formalize => "formalize",
            Self::Redraft => "redraft",
            Self::Interrupted => "interrupted",
            Self::NoAnswer => "no_answer",
            Self::TimedOut => "timed_out",
            Self::Granted => "granted",
        }
    }
}

/// The templates that the program brings along: the roles, and the parts that they include.
const BUILT_IN: [(&str, &str); 19] = [
    ("skeleton", include_str!("prompts/skeleton.md")),
    ("implement", include_str!("prompts/implement.md")),
    ("revise", include_str!("prompts/revise.md")),
    ("fix", include_str!("prompts/fix.md")),
    ("resolve", include_str!("prompts/resolve.md")),
    ("review", include_str!("prompts/review.md")),
    ("vote", include_str!("prompts/vote.md")),
    ("readiness", include_str!("prompts/readiness.md")),
    ("formalize", include_str!("prompts/formalize.md")),
    ("redraft", include_str!("prompts/redraft.md")),
    ("interrupted", include_str!("prompts/interrupted.md")),
    ("no_answer", include_str!("prompts/no_answer.md")),
    ("timed_out", include_str!("prompts/timed_out.md")),
    ("granted", include_str!("prompts/granted.md")),
    ("part_context", include_str!("prompts/part_context.md")),
    ("part_writer", include_str!("prompts/part_writer.md")),
    ("part_issues", include_str!("prompts/part_issues.md")),
    ("part_answer", include_str!("prompts/part_answer.md")),
    ("part_documents", include_str!("prompts/part_documents.md")),
];

/// Everything that a template may name. Lists that are empty leave their section out.
#[derive(Debug, Clone, PartialEq, Serialize, Default)]
pub struct PromptInput {
    /// What the whole is called, for orientation.
    pub project: String,
    /// The component; none where the run itself is the subject.
    pub component: Option<ComponentPart>,
    /// The project's rules and gotchas, a sentence each.
    pub gotchas: Vec<String>,
    /// Decisions in force, a sentence each.
    pub decisions: Vec<String>,
    /// What is known to hinder the work.
    pub blockers: Vec<String>,
    /// The relevant part of SPEC.md.
    pub spec: String,
    /// Dependencies, nearest first.
    pub dependencies: Vec<DependencyPart>,
    /// Paths that hold more than fits in here, to be read when needed.
    pub read: Vec<String>,
    /// What the user said, latest last.
    pub guidance: Vec<String>,
    /// The commands that decide.
    pub checks: Vec<CheckPart>,
    /// The script that runs them all; none where the agent must not run them.
    pub check_script: Option<String>,
    /// What is open, worst first: to be mended, or what the last review found.
    pub issues: Vec<IssuePart>,
    /// What earlier rounds tried, a line each.
    pub history: Vec<String>,
    /// How voters argued whose choice this step carries out.
    pub advice: Vec<String>,
    /// Issues that the last fix took for mistaken, with its reasons: the reviewer decides.
    pub disputes: Vec<String>,
    /// For a revise step: the old definition; for a resolve step: the files in conflict; for a review: the change.
    pub subject: String,
    /// For a review: what to look at.
    pub lens: String,
    /// For a vote.
    pub gate: Option<GatePart>,
    /// For a further call of a conversation: what went wrong with the last one, a sentence.
    pub reason: String,
    /// Files that it was given beside those of its write set.
    pub granted: Vec<String>,
    /// What became of a try that was cut off and cannot be gone on with; none where there was none.
    pub cut_off: Option<CutOff>,
    /// For a brainstorm: its documents.
    pub documents: Vec<DocumentPart>,
    /// For a brainstorm: the manifest as it stands.
    pub manifest: String,
    /// For a further draft: the last one.
    pub draft: Option<DraftPart>,
}

/// A document of a brainstorm.
#[derive(Debug, Clone, PartialEq, Serialize, Default)]
pub struct DocumentPart {
    /// Its file.
    pub name: String,
    /// What it says; of a long one the beginning.
    pub text: String,
}

/// A draft of a manifest that is not valid.
#[derive(Debug, Clone, PartialEq, Serialize, Default)]
pub struct DraftPart {
    /// Where its text is.
    pub path: String,
    /// What was found in it.
    pub problems: String,
    /// How many more drafts are looked at.
    pub left: usize,
}

/// What became of the files of a try that was cut off.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum CutOff {
    /// They were put back to the last commit.
    PutBack,
    /// They are as it left them.
    Left,
}

/// A component's definition.
#[derive(Debug, Clone, PartialEq, Serialize, Default)]
pub struct ComponentPart {
    /// Its id.
    pub id: String,
    /// What it is for.
    pub purpose: String,
    /// What it may write, as paths and globs.
    pub files: Vec<String>,
    /// The user's notes.
    pub notes: String,
    /// low, medium or high.
    pub complexity: String,
    /// Whether a change of code needs a test.
    pub require_tests: bool,
    /// Its context file.
    pub context: String,
}

/// What a dependency said about itself.
#[derive(Debug, Clone, PartialEq, Serialize, Default)]
pub struct DependencyPart {
    /// Its id.
    pub id: String,
    /// Its agents' summary.
    pub summary: String,
    /// Interfaces that can be relied on.
    pub interfaces: Vec<String>,
}

/// A check command.
#[derive(Debug, Clone, PartialEq, Serialize, Default)]
pub struct CheckPart {
    /// Its name.
    pub name: String,
    /// The command.
    pub command: String,
}

/// An issue.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct IssuePart {
    /// By which a reviewer can say that it persists.
    pub id: String,
    /// How much it weighs.
    pub severity: Severity,
    /// Who found it.
    pub source: String,
    /// The file, where one can be named.
    pub file: Option<String>,
    /// The line, where one can be named.
    pub line: Option<u32>,
    /// What is wrong.
    pub text: String,
    /// A way to mend it.
    pub suggested_fix: Option<String>,
}

/// A question with its options.
#[derive(Debug, Clone, PartialEq, Serialize, Default)]
pub struct GatePart {
    /// Its name.
    pub name: String,
    /// The question.
    pub question: String,
    /// The options, and what follows from each.
    pub options: Vec<OptionPart>,
    /// From which side the voter looks.
    pub lens: String,
    /// What the voters of the first round said.
    pub earlier: Vec<String>,
}

/// One option of a question.
#[derive(Debug, Clone, PartialEq, Serialize, Default)]
pub struct OptionPart {
    /// As it is to be spelled.
    pub name: String,
    /// What follows from it.
    pub action: String,
}

/// Why prompts could not be loaded or rendered.
#[derive(Debug, thiserror::Error)]
pub enum PromptError {
    /// A directory or file could not be read.
    #[error("cannot read the prompts: {0}")]
    Read(#[from] io::Error),
    /// A file replaces nothing.
    #[error("`{path}` replaces no prompt\nhelp: the prompts are {names}", names = names())]
    Unknown {
        /// The file.
        path: PathBuf,
    },
    /// A template is wrong.
    #[error("`{place}`, line {line}: {what}")]
    Template {
        /// The file, or the name of a prompt of the program itself.
        place: String,
        /// Counted from 1.
        line: usize,
        /// What is wrong.
        what: String,
    },
    /// A template came out as something that cannot be sent.
    #[error("the prompt `{name}` {what}")]
    Unsendable {
        /// The prompt.
        name: &'static str,
        /// Why.
        what: &'static str,
    },
}

fn names() -> String {
    BUILT_IN.map(|(name, _)| format!("`{name}.md`")).join(", ")
}

/// The longest prompt in bytes: the CLI refuses more than 10 MB on stdin.
const MAX_PROMPT: usize = 9 << 20;

/// All prompts, compiled.
pub struct Prompts {
    templates: Environment<'static>,
    /// Which of them come from which file.
    replaced: Vec<(&'static str, PathBuf)>,
}

impl fmt::Debug for Prompts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Prompts").field("replaced", &self.replaced).finish_non_exhaustive()
    }
}

impl Prompts {
    /// The program's own prompts, with those replaced that a directory of `dirs` has as `<name>.md`; the first directory
    /// counts. A directory that does not exist replaces nothing.
    pub fn load(dirs: &[&Path]) -> Result<Self, PromptError> {
        let mut templates = Environment::new();
        templates.set_undefined_behavior(UndefinedBehavior::Strict);
        templates.set_syntax(
            SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).build().expect("the usual delimiters"),
        );
        templates.add_filter("quote", quote);
        let mut prompts = Self { templates, replaced: Vec::new() };
        for dir in dirs {
            prompts.find(dir)?;
        }
        for (name, built_in) in BUILT_IN {
            let text = match prompts.file(name) {
                Some(path) => fsx::read_text(path)?,
                None => built_in.to_owned(),
            };
            prompts.templates.add_template_owned(name, text).map_err(|error| prompts.error(name, &error))?;
        }
        Ok(prompts)
    }

    /// The prompt of a role.
    pub fn render(&self, role: Role, input: &PromptInput) -> Result<String, PromptError> {
        let name = role.name();
        let text = self
            .templates
            .get_template(name)
            .and_then(|template| template.render(Value::from(Serde(input))))
            .map_err(|error| self.error(name, &error))?;
        check_sendable(&text).map_err(|what| PromptError::Unsendable { name, what })?;
        Ok(text)
    }

    fn find(&mut self, dir: &Path) -> Result<(), PromptError> {
        let entries = match fs_err::read_dir(dir) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(error.into()),
        };
        for entry in entries {
            let path = entry?.path();
            if path.extension().is_none_or(|extension| extension != "md") {
                continue;
            }
            let stem = path.file_stem().unwrap_or_default();
            let Some((name, _)) = BUILT_IN.iter().find(|(name, _)| stem == *name) else {
                return Err(PromptError::Unknown { path });
            };
            if self.file(name).is_none() {
                self.replaced.push((name, path));
            }
        }
        Ok(())
    }

    fn file(&self, name: &str) -> Option<&Path> {
        self.replaced.iter().find(|(replaced, _)| *replaced == name).map(|(_, path)| path.as_path())
    }

    /// The innermost error, which names the part that is wrong and not the template that includes it.
    fn error(&self, name: &str, error: &minijinja::Error) -> PromptError {
        let mut innermost = error;
        while let Some(deeper) = std::error::Error::source(innermost).and_then(|source| source.downcast_ref()) {
            innermost = deeper;
        }
        let name = innermost.name().unwrap_or(name);
        let place = self.file(name).map_or_else(|| format!("{name}.md"), |path| path.display().to_string());
        let detail = innermost.detail().map(|detail| format!(": {detail}")).unwrap_or_default();
        let what = match innermost.kind() {
            ErrorKind::UndefinedError => format!("names something that does not exist{detail}"),
            kind => format!("{kind}{detail}"),
        };
        PromptError::Template { place, line: innermost.line().unwrap_or(1), what }
    }
}

/// Whether the CLI would send `prompt` as it is: it takes a leading `/` for a command and drops blank text.
pub fn check_sendable(prompt: &str) -> Result<(), &'static str> {
    let start = prompt.trim_start();
    if start.is_empty() {
        Err("is blank")
    } else if start.starts_with('/') {
        Err("begins with '/', which claude takes for a command")
    } else if prompt.len() > MAX_PROMPT {
        Err("is longer than 9 MiB")
    } else {
        Ok(())
    }
}

/// Marks every line as quoted, and leaves out control characters: what an agent wrote is data in another's prompt.
fn quote(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 16);
    for (index, line) in text.trim_end().lines().enumerate() {
        if index > 0 {
            out.push('\n');
        }
        out.push_str("> ");
        out.extend(line.chars().filter(|&c| c == '\t' || !c.is_control()));
    }
    out
}
