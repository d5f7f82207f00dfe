//! What processes said is redacted before it is believed: no secret enters the state, and with it the journal, the
//! context files, the displays and the prompts of other agents.

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::worker::Ended;
use crate::lifecycle::event::{AttemptEnd, Trouble};
use crate::redact::Redactor;

/// Members that name something of ours. They are compared with other records and with the plan, so they stay as they
/// are; they are chosen by cco or by the user, not by a process.
const NAMES: [&str; 10] =
    ["check", "commit", "fingerprint", "issue", "output", "product", "same_as", "source", "tree", "vote"];

/// How an attempt ended, without secrets. Goes by the form in which it is recorded, so that no text can be forgotten
/// that is added to it.
pub fn redacted(redactor: &Redactor, ended: Ended) -> Ended {
    if redactor.is_empty() {
        return ended;
    }
    let Ended { attempt, end, ms, usage, notes, adopted } = ended;
    let end = clean(redactor, end).unwrap_or_else(|error| AttemptEnd::Failed {
        class: Trouble::Internal,
        message: format!("what came of it cannot be told without a secret: {error}"),
        resumable: false,
    });
    let notes = notes.into_iter().map(|note| redactor.text(&note).into_owned()).collect();
    Ended { attempt, end, ms, usage, notes, adopted }
}

fn clean<T: Serialize + DeserializeOwned>(redactor: &Redactor, said: T) -> serde_json::Result<T> {
    let mut value = serde_json::to_value(said)?;
    redactor.json(&mut value, &NAMES);
    serde_json::from_value(value)
}

#[cfg(test)]
mod tests {
    use super::redacted;
    use crate::executor::worker::ended;
    use crate::ids::AttemptId;
    use crate::lifecycle::event::{AttemptEnd, Trouble};
    use crate::redact::{Redactor, Secrets};

    #[test]
    fn what_cco_says_of_an_attempt_is_redacted_too() -> Result<(), Box<dyn std::error::Error>> {
        let mut secrets = Secrets::new();
        secrets.add_variable("A_TOKEN", "abcDEF123456");
        let attempt: AttemptId = serde_json::from_str(r#"{"on":"a","step":"fix","n":1}"#)?;
        let said = |secret: &str| {
            let message = format!("cannot read `{secret}`");
            let mut said =
                ended(attempt.clone(), AttemptEnd::Failed { class: Trouble::Crashed, message, resumable: true });
            said.notes.push(format!("see {secret}"));
            said
        };
        let told = redacted(&Redactor::new(secrets)?, said("abcDEF123456"));
        assert_eq!(told, said("[redacted A_TOKEN]"));
        Ok(())
    }
}
