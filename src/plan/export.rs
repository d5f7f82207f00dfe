//! The graph for people and tools: indented text, Mermaid, DOT. Deterministic for equal plans.

use std::fmt::Write as _;

use super::Plan;
use super::graph::Index;

/// Levels as headings, each component with what it waits for.
pub fn text(plan: &Plan) -> String {
    let mut out = String::new();
    for level in 0..plan.graph.depth() {
        let members = plan.graph.members(level);
        let _ =
            writeln!(out, "level {level} ({} component{})", members.len(), if members.len() == 1 { "" } else { "s" });
        for &at in members {
            let needs = names(plan, plan.graph.dependencies(at));
            let _ = match needs.is_empty() {
                true => writeln!(out, "  {}", plan.component(at).id),
                false => writeln!(out, "  {} <- {}", plan.component(at).id, needs.join(", ")),
            };
        }
    }
    out
}

/// A Mermaid flow chart. Node names are numbers, since ids may hold words that Mermaid reserves.
pub fn mermaid(plan: &Plan) -> String {
    let mut out = String::from("flowchart TD\n");
    for (at, component) in plan.components.iter().enumerate() {
        let _ = writeln!(out, "    n{at}[\"{}\"]", component.id);
    }
    for_each_edge(plan, |below, above| {
        let _ = writeln!(out, "    n{below} --> n{above}");
    });
    out
}

/// A DOT digraph, a rank for each level.
pub fn dot(plan: &Plan) -> String {
    let mut out = String::from("digraph plan {\n    rankdir=LR;\n    node [shape=box];\n");
    for level in 0..plan.graph.depth() {
        let ids: Vec<String> =
            plan.graph.members(level).iter().map(|&at| format!("\"{}\";", plan.component(at).id)).collect();
        let _ = writeln!(out, "    {{ rank=same; {} }}", ids.join(" "));
    }
    for_each_edge(plan, |below, above| {
        let _ = writeln!(out, "    \"{}\" -> \"{}\";", plan.component(below).id, plan.component(above).id);
    });
    out.push_str("}\n");
    out
}

fn for_each_edge(plan: &Plan, mut edge: impl FnMut(Index, Index)) {
    for above in 0..plan.components.len() as Index {
        for &below in plan.graph.dependencies(above) {
            edge(below, above);
        }
    }
}

fn names(plan: &Plan, indices: &[Index]) -> Vec<String> {
    indices.iter().map(|&at| plan.component(at).id.to_string()).collect()
}
