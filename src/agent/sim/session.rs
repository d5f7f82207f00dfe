//! The conversations that exist, where a scenario asks for them: one small file each.

use std::io::{self, Write as _};
use std::path::PathBuf;

use fs_err as fs;
use serde_json::{Value, json};

use super::arguments::Print;
use super::scenario::Tokens;
use super::stream::Spent;

/// One conversation on disk.
pub struct Session {
    file: PathBuf,
    /// What its earlier processes used.
    pub before: Spent,
}

/// Why there is none.
pub enum SessionError {
    /// `--session-id` names one that exists.
    InUse,
    /// `--resume` names one that does not exist.
    Unknown,
    /// The directory of conversations cannot be used.
    Io(io::Error),
}

impl Session {
    /// The conversation `id`: an existing one if it is to be resumed, else a new one.
    pub fn open(print: &Print, id: &str) -> Result<Self, SessionError> {
        let file = directory().join(uuid::Uuid::try_parse(id).map_err(|_| SessionError::Unknown)?.to_string());
        if print.resume.is_some() {
            let text = fs::read(&file).map_err(|_| SessionError::Unknown)?;
            return Ok(Self { file, before: parse(&text) });
        }
        fs::create_dir_all(directory()).map_err(SessionError::Io)?;
        match fs::OpenOptions::new().write(true).create_new(true).open(&file) {
            Ok(mut new) => new.write_all(b"{}").map_err(SessionError::Io)?,
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => return Err(SessionError::InUse),
            Err(error) => return Err(SessionError::Io(error)),
        }
        Ok(Self { file, before: Spent::default() })
    }

    /// Adds what this process used.
    pub fn close(&self, spent: Spent) -> io::Result<()> {
        let Spent { cost_usd, tokens: Tokens { input, output } } = self.before;
        let total = json!({
            "cost_usd": cost_usd + spent.cost_usd, "input": input + spent.tokens.input,
            "output": output + spent.tokens.output,
        });
        fs::write(&self.file, total.to_string())
    }
}

fn directory() -> PathBuf {
    let home = std::env::var_os("CCO_SIM_HOME").map(PathBuf::from);
    home.unwrap_or_else(|| dirs::home_dir().unwrap_or_default().join(".cco-sim")).join("sessions")
}

fn parse(text: &[u8]) -> Spent {
    let total: Value = serde_json::from_slice(text).unwrap_or_default();
    let tokens = |name: &str| total[name].as_u64().unwrap_or_default();
    Spent {
        cost_usd: total["cost_usd"].as_f64().unwrap_or_default(),
        tokens: Tokens { input: tokens("input"), output: tokens("output") },
    }
}
