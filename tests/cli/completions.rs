//! `cco completions`

use crate::env::TestEnv;

#[test]
fn every_shell_gets_every_command() {
    let env = TestEnv::new();
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let script = env.cco(["completions", shell]).exits(0).stdout;
        for word in ["validate", "status", "budget-usd", "finish", "clean", "rerun"] {
            assert!(script.contains(word), "{shell}: {word}");
        }
        assert!(!script.contains("agent-sim"), "{shell}");
    }
}
