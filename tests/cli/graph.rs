//! `cco graph`

use crate::env::TestEnv;
use crate::simulated::{SPEC, asking_spec};

#[test]
fn the_same_graph_in_every_form() {
    let env = TestEnv::new();
    asking_spec(&env);
    assert_output!(env.cco(["graph", SPEC]), @"");
    assert_output!(env.cco(["graph", SPEC, "--format", "mermaid"]), @"");
    assert_output!(env.cco(["graph", SPEC, "--format", "dot"]), @"");
    assert_output!(env.cco(["graph", SPEC, "--json"]), @"");
}
