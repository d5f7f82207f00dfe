//! How an installed file says that cco wrote it: one comment line in its front matter, with the digest of the rest.
//!
//! In the file and not in a record of cco's own: so it travels with a project's files through git to other people's
//! machines, is never out of step with what is there, and is gone with the file. The CLI takes it for a comment of YAML,
//! and no model sees it.

use std::borrow::Cow;

use crate::ids::Digest;

/// What the line begins with.
const MARK: &str = "# cco:installed ";
/// The line around a file's front matter.
const FENCE: &str = "---";

/// What the line says.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Stamp {
    /// How many of the directories above the file cco made.
    made: usize,
    digest: String,
}

/// `text` with the line in it; `text` begins with front matter.
pub fn stamped(text: &str, made: usize) -> String {
    let version = env!("CARGO_PKG_VERSION");
    let line = format!(
        "{MARK}version={version} made={made} digest={} (edit this file as you like: cco asks before it replaces it)\n",
        Digest::of(text.as_bytes())
    );
    match end_of_front_matter(text) {
        Some(end) => format!("{}{line}{}", &text[..end], &text[end..]),
        None => format!("{FENCE}\n{line}{FENCE}\n{text}"),
    }
}

/// What is known of a file that is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    /// The text without the line.
    pub text: String,
    /// Whether cco wrote it, and nobody changed it since.
    pub untouched: bool,
    /// Whether it carries the line at all.
    pub ours: bool,
    /// How many of the directories above it cco made.
    pub made: usize,
}

impl Origin {
    /// Reads it off the file's text. Line ends of another system are no change: git may have put them there.
    pub fn of(text: &str) -> Self {
        let text: Cow<'_, str> = if text.contains("\r\n") { text.replace("\r\n", "\n").into() } else { text.into() };
        let found = end_of_front_matter(&text).and_then(|end| {
            let line = text[..end].split_inclusive('\n').find(|line| line.starts_with(MARK))?;
            Some((line.to_owned(), Stamp::parse(line)?))
        });
        match found {
            Some((line, stamp)) => {
                let text = text.replacen(&line, "", 1);
                let untouched = Digest::of(text.as_bytes()).to_string() == stamp.digest;
                Self { text, untouched, ours: true, made: stamp.made }
            }
            None => Self { text: text.into_owned(), untouched: false, ours: false, made: 0 },
        }
    }
}

impl Stamp {
    fn parse(line: &str) -> Option<Self> {
        let field = |name: &str| line.split_whitespace().find_map(|word| word.strip_prefix(name)?.strip_prefix('='));
        Some(Self { made: field("made")?.parse().ok()?, digest: field("digest")?.to_owned() })
    }
}

/// Where the line that closes the front matter begins.
fn end_of_front_matter(text: &str) -> Option<usize> {
    let mut at = 0;
    for (number, line) in text.split_inclusive('\n').enumerate() {
        let is_fence = line.trim_end() == FENCE;
        match (number, is_fence) {
            (0, false) => return None,
            (0, true) | (_, false) => at += line.len(),
            (_, true) => return Some(at),
        }
    }
    None
}
