//! `cco graph`

use crate::env::TestEnv;
use crate::simulated::{SPEC, asking_spec};

#[test]
fn the_same_graph_in_every_form() {
    let env = TestEnv::new();
    asking_spec(&env);
    assert_output!(env.cco(["graph", SPEC]), @r"
    exit: 0
    -- stdout
    level 0 (2 components)
      a
      c
    level 1 (1 component)
      b <- a
    -- stderr
    ");
    assert_output!(env.cco(["graph", SPEC, "--format", "mermaid"]), @r#"
    exit: 0
    -- stdout
    flowchart TD
        n0["a"]
        n1["b"]
        n2["c"]
        n0 --> n1
    -- stderr
    "#);
    assert_output!(env.cco(["graph", SPEC, "--format", "dot"]), @r#"
    exit: 0
    -- stdout
    digraph plan {
        rankdir=LR;
        node [shape=box];
        { rank=same; "a"; "c"; }
        { rank=same; "b"; }
        "a" -> "b";
    }
    -- stderr
    "#);
    assert_output!(env.cco(["graph", SPEC, "--json"]), @r#"
    exit: 0
    -- stdout
    {
      "version": 1,
      "spec": "p/asking-[HASH]",
      "levels": 2,
      "components": [
        {
          "id": "a",
          "level": 0,
          "depends_on": []
        },
        {
          "id": "b",
          "level": 1,
          "depends_on": [
            "a"
          ]
        },
        {
          "id": "c",
          "level": 0,
          "depends_on": []
        }
      ]
    }
    -- stderr
    "#);
}
