//! Graphs to be run, as specs of cco and as files of ninja.

use std::fmt::Write as _;
use std::path::Path;

use serde_json::{Value, json};

/// A family of graphs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// Nothing depends on anything.
    Wide,
    /// Levels of ten, each component on two of the level below.
    Layered,
    /// A square, each component on its upper and its left neighbour.
    Lattice,
    /// One after the other.
    Chain,
}

impl Shape {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Wide, Self::Layered, Self::Lattice, Self::Chain];

    /// What it is called.
    pub fn name(self) -> &'static str {
        match self {
            Self::Wide => "wide",
            Self::Layered => "layered",
            Self::Lattice => "lattice",
            Self::Chain => "chain",
        }
    }

    /// What component `at` of `count` depends on.
    fn below(self, at: usize, count: usize) -> Vec<usize> {
        match self {
            Self::Wide => Vec::new(),
            Self::Chain => at.checked_sub(1).into_iter().collect(),
            Self::Layered => {
                const LEVEL: usize = 10;
                let Some(level) = (at / LEVEL).checked_sub(1) else { return Vec::new() };
                vec![level * LEVEL + at % LEVEL, level * LEVEL + (at + 1) % LEVEL]
            }
            Self::Lattice => {
                let side = count.isqrt().max(1);
                let left = (!at.is_multiple_of(side)).then(|| at - 1);
                at.checked_sub(side).into_iter().chain(left).collect()
            }
        }
    }

    /// Writes a spec of `count` components to the empty directory `spec`.
    pub fn spec(self, spec: &Path, count: usize) {
        std::fs::create_dir(spec.join("work")).unwrap();
        let components: Vec<Value> = (0..count)
            .map(|at| {
                let depends_on: Vec<String> = self.below(at, count).into_iter().map(id).collect();
                json!({ "id": id(at), "file": format!("src/{}.rs", id(at)), "depends_on": depends_on })
            })
            .collect();
        let manifest = json!({
            "$schema": "cco", "name": self.name(), "project": "speed", "work_dir": "work",
            "execution": { "mode": "quick", "isolation": "shared", "reviewers": 0 }, "components": components,
        });
        std::fs::write(spec.join("manifest.json"), manifest.to_string()).unwrap();
    }

    /// Writes the same for ninja: each step runs `program` with its output in a fresh file.
    pub fn ninja(self, home: &Path, count: usize, program: &Path) {
        let mut text = format!("rule step\n command = {} > $out\n", program.display());
        for at in 0..count {
            let below: Vec<String> = self.below(at, count).into_iter().map(id).collect();
            let _ = writeln!(text, "build {}: step {}", id(at), below.join(" "));
        }
        std::fs::write(home.join("build.ninja"), text).unwrap();
    }
}

fn id(at: usize) -> String {
    format!("c{at:05}")
}
