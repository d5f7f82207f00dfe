//! What cco starts of itself.

use std::ffi::OsString;

use crate::cli::complete;
use crate::process::guard;

/// Programs of cco's own that it starts as child processes. Their arguments are not clap's to read: the simulated agent
/// takes those of `claude`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hidden<'a> {
    /// Ends what a run leaves when cco dies.
    Guard {
        /// What the run's processes carry.
        run_mark: &'a str,
    },
    /// Speaks the agent's protocol from a scenario file.
    AgentSim {
        /// The words after `agent-sim`.
        args: &'a [OsString],
    },
    /// Says what the last word of a command line may become.
    Complete {
        /// The words after the program's name, up to the cursor.
        words: &'a [OsString],
    },
}

impl<'a> Hidden<'a> {
    /// Recognises the hidden commands in the whole command line, the program's name included.
    pub fn from_argv(argv: &'a [OsString]) -> Option<Self> {
        match argv {
            [_, command, run_mark] if command == guard::SUBCOMMAND => {
                Some(Self::Guard { run_mark: run_mark.to_str()? })
            }
            [_, command, args @ ..] if command == "agent-sim" => Some(Self::AgentSim { args }),
            [_, command, words @ ..] if command == complete::SUBCOMMAND => Some(Self::Complete { words }),
            _ => None,
        }
    }
}
