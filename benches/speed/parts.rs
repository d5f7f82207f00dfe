//! What is measured, a function a part.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use cco::agent::Stream;
use cco::journal;
use cco::lifecycle::state::RunState;
use cco::plan::resolve::{Choices, Inputs, resolve};
use cco::spec::load::load;
use rustix::process::{Pid, Signal, kill_process};

use crate::Bench;
use crate::floor;
use crate::measure::{self, Series, in_turn, seconds};
use crate::shapes::Shape;
use crate::table::{Goal, Table};

/// Steps at once.
const AT_ONCE: usize = 8;
const MICROS: f64 = 1e6;
const MILLIS: f64 = 1e3;

/// A whole run of cco from an empty state, in seconds a component.
fn step(bench: &Bench, shape: Shape, count: usize) -> f64 {
    let spec = fresh_spec(bench, shape, count);
    measure::run(&mut measure::cco(&spec, &bench.agents.no_op, AT_ONCE)) / count as f64
}

fn fresh_spec(bench: &Bench, shape: Shape, count: usize) -> PathBuf {
    let spec = bench.fresh_dir();
    shape.spec(&spec, count);
    spec
}

fn micros(series: &Series) -> Series {
    series.times(MICROS)
}

/// The overhead of a step.
pub fn floor(bench: &Bench, table: &mut Table) {
    let mut least = || {
        let dir = bench.fresh_dir();
        seconds(|| floor::run(&dir, &bench.agents.no_op, bench.many, AT_ONCE)) / bench.many as f64
    };
    let [floor, cco] = in_turn(bench.rounds, [&mut least, &mut || step(bench, Shape::Wide, bench.many)]);
    let what = format!("a step, {} components, {AT_ONCE} at once", bench.many);
    table.ratio(&what, "µs", &micros(&cco), ("floor", &micros(&floor)), 1.5);
}

/// Dependencies cost nothing.
pub fn shapes(bench: &Bench, table: &mut Table) {
    let [wide, layered, lattice] = in_turn(
        bench.rounds,
        [&mut || step(bench, Shape::Wide, bench.many), &mut || step(bench, Shape::Layered, bench.many), &mut || {
            step(bench, Shape::Lattice, bench.many)
        }],
    );
    for (shape, measured) in [(Shape::Layered, layered), (Shape::Lattice, lattice)] {
        let what = format!("a step, {}", shape.name());
        table.ratio(&what, "µs", &micros(&measured), ("wide", &micros(&wide)), 1.3);
    }
}

/// No slower than ninja, which makes nothing durable.
pub fn ninja(bench: &Bench, table: &mut Table) {
    for shape in Shape::ALL {
        let what = format!("a step, {}", shape.name());
        let asked = Command::new("ninja").arg("--version").stdout(Stdio::null()).status();
        if !asked.is_ok_and(|status| status.success()) {
            table.missing(&what, "ninja is not installed");
            continue;
        }
        let mut peer = || {
            let home = bench.fresh_dir();
            shape.ninja(&home, bench.many, &bench.agents.no_op);
            let jobs = AT_ONCE.to_string();
            measure::run(Command::new("ninja").arg("-C").arg(home).args(["-j", &jobs])) / bench.many as f64
        };
        let [ninja, cco] = in_turn(bench.rounds.min(5), [&mut peer, &mut || step(bench, shape, bench.many)]);
        table.ratio(&what, "µs", &micros(&cco), ("ninja", &micros(&ninja)), 1.0);
    }
}

/// Ten times the components cost ten times as much, and little memory.
pub fn scale(bench: &Bench, table: &mut Table) {
    let mut peaks = Series::default();
    let mut large = || {
        let spec = fresh_spec(bench, Shape::Wide, bench.most);
        let mut command = measure::cco(&spec, &bench.agents.no_op, AT_ONCE);
        seconds(|| peaks.0.push(measure::peak_memory(&mut measure::start(&mut command)))) / bench.most as f64
    };
    let [small, large] = in_turn(bench.rounds.div_ceil(3), [&mut || step(bench, Shape::Wide, bench.many), &mut large]);
    let small_name = format!("{} components", bench.many);
    let what = format!("a step, {} components", bench.most);
    table.ratio(&what, "µs", &micros(&large), (&small_name, &micros(&small)), 1.3);
    table.figure(&format!("peak memory, {} components", bench.most), "MiB", &peaks, Goal::AtMost(30.0));
}

/// A run that finds everything up to date. That it starts no process is seen by an agent that does not exist.
pub fn rerun(bench: &Bench, table: &mut Table) {
    for (count, most) in [(bench.many, 20.0), (bench.most, 100.0)] {
        let done = |agent: &Path| {
            let spec = fresh_spec(bench, Shape::Wide, count);
            measure::run(&mut measure::cco(&spec, agent, AT_ONCE));
            spec
        };
        let (silent, told) = (done(&bench.agents.no_op), done(&bench.agents.telling));
        let again = |spec: &Path| measure::run(&mut measure::cco(spec, Path::new("/nowhere/claude"), AT_ONCE));
        let series = in_turn(bench.rounds * 3, [&mut || again(&silent), &mut || again(&told)]);
        for (what, times) in ["", ", each with a context file"].into_iter().zip(series) {
            let what = format!("re-run, {count} up to date{what}");
            table.figure(&what, "ms", &times.times(MILLIS), Goal::AtMost(most));
        }
    }
}

/// Start-up.
pub fn start(bench: &Bench, table: &mut Table) {
    let version = || measure::run(Command::new(env!("CARGO_BIN_EXE_cco")).arg("--version"));
    let [times] = in_turn(bench.rounds * 5, [&mut { version }]);
    table.figure("`--version`", "ms", &times.times(MILLIS), Goal::AtMost(5.0));
}

/// Reading a journal back to a state.
pub fn replay(bench: &Bench, table: &mut Table) {
    let dir = fresh_spec(bench, Shape::Wide, bench.most);
    measure::run(&mut measure::cco(&dir, &bench.agents.no_op, AT_ONCE));
    let plan = std::sync::Arc::new(resolve(&load(&dir).unwrap(), &Choices::default(), &Inputs::new()).unwrap());
    let mut events = 0;
    let mut fold = || {
        let mut state = RunState::new(plan.clone());
        events = 0;
        seconds(|| {
            journal::read::<journal::JournalError>(&dir.join("state/journal.jsonl"), |record| {
                events += record.events.len();
                record.events.iter().for_each(|event| state.apply(event, record.at).unwrap());
                Ok(())
            })
            .unwrap()
        })
    };
    let [times] = in_turn(bench.rounds * 3, [&mut fold]);
    let rate = Series(times.0.iter().map(|seconds| events as f64 / seconds / 1_000.0).collect());
    table.figure("replay of the journal", "thousand events/s", &rate, Goal::AtLeast(500.0));
}

/// Reading an agent's output.
pub fn stream(bench: &Bench, table: &mut Table) {
    const CHUNK: usize = 32 * 1024;
    let text = output(64 << 20);
    let mut read = || {
        seconds(|| {
            let mut stream = Stream::new();
            text.as_bytes().chunks(CHUNK).for_each(|chunk| stream.feed(chunk, &mut |_| ()));
            stream.finish()
        })
    };
    let [times] = in_turn(bench.rounds, [&mut read]);
    let rate = Series(times.0.iter().map(|seconds| text.len() as f64 / 1e6 / seconds).collect());
    table.figure("parsing an agent's stream", "MB/s", &rate, Goal::AtLeast(400.0));
}

/// At least `length` bytes as an agent prints them: mostly short partial messages and tool calls, now and then the
/// contents of a file.
fn output(length: usize) -> String {
    use std::fmt::Write as _;
    let mut text = String::with_capacity(length + (64 << 10));
    for n in 0usize.. {
        if text.len() >= length {
            break;
        }
        let words = "the quick brown fox \\\"jumps\\\" over the lazy dog\\n".repeat(1 + n % 5);
        let file = "    let answer = compute(&input)?; // as agreed\\n".repeat(if n % 40 == 0 { 400 } else { 20 });
        let _ = write!(
            text,
            concat!(
                r#"{{"type":"stream_event","event":{{"type":"content_block_delta","index":0,"delta":{{"type":"text_delta","text":"{words}"}}}},"session_id":"b30ce7b6","parent_tool_use_id":null,"uuid":"{n}"}}"#,
                "\n",
                r#"{{"type":"assistant","message":{{"id":"msg_{n}","role":"assistant","content":[{{"type":"tool_use","id":"t{n}","name":"Read","input":{{"file_path":"src/{n}.rs"}}}}],"usage":{{"input_tokens":1,"output_tokens":2}}}},"session_id":"b30ce7b6"}}"#,
                "\n",
                r#"{{"type":"user","message":{{"role":"user","content":[{{"tool_use_id":"t{n}","type":"tool_result","content":"{file}"}}]}},"session_id":"b30ce7b6"}}"#,
                "\n",
            ),
            words = words,
            n = n,
            file = file,
        );
    }
    text
}

/// Waiting costs nothing.
pub fn idle(bench: &Bench, table: &mut Table) {
    const AGENTS: usize = 64;
    const SETTLE: Duration = Duration::from_secs(2);
    let spec = fresh_spec(bench, Shape::Wide, AGENTS);
    let mut child = measure::start(&mut measure::cco(&spec, &bench.agents.waiting, AGENTS));
    std::thread::sleep(SETTLE);
    let before = measure::processor_seconds(child.id());
    std::thread::sleep(Duration::from_secs(bench.idle_seconds));
    let used = measure::processor_seconds(child.id()) - before;
    kill_process(Pid::from_child(&child), Signal::TERM).unwrap();
    child.wait().unwrap();
    let share = Series(vec![used / bench.idle_seconds as f64 * 100.0]);
    table.figure(&format!("idle with {AGENTS} waiting agents"), "% of a core", &share, Goal::AtMost(0.1));
}
