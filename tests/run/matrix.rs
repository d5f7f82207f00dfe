//! The fault matrix: every fault of the infrastructure, in every seat from which a verdict comes. None may pass, none may
//! use up a fix attempt; what ends is asked again, and what lasts becomes a question.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use cco::lifecycle::event::{AttemptEnd, Cause, Event, Proof, RunEnd, Trouble, Verdict};
use serde_json::{Value, json};

use crate::world::{World, component, fault, manifest, votes, writes};

/// What is done about a fault that lasts.
#[derive(Clone, Copy, PartialEq)]
enum Lasting {
    /// After two tries.
    Asks,
    /// After five tries with a growing delay between them.
    AsksLate,
    /// Never: all wait until the limit ends.
    Parks,
}

/// A fault of an agent: its name, how it is played, whether cco sees it as what it is, and what is done where it lasts.
type Fault = (&'static str, Value, fn(&Trouble) -> bool, Lasting);

/// The faults of an agent, with the class that cco must see in each.
fn faults() -> Vec<Fault> {
    let crashed: fn(&Trouble) -> bool = |class| *class == Trouble::Crashed;
    let silent: fn(&Trouble) -> bool = |class| *class == Trouble::TimedOut;
    let limited: fn(&Trouble) -> bool = |class| matches!(class, Trouble::RateLimit { .. });
    let transient: fn(&Trouble) -> bool = |class| *class == Trouble::Transient;
    let nothing: fn(&Trouble) -> bool = |class| *class == Trouble::NoAnswer;
    vec![
        ("crash", fault(json!({"exit": {"code": 1}})), crashed, Lasting::Asks),
        ("timeout", fault(json!({"hang": "init"})), silent, Lasting::Asks),
        ("429", fault(json!({"api": "rate_limit"})), limited, Lasting::Parks),
        ("529", fault(json!({"api": "overloaded"})), transient, Lasting::AsksLate),
        ("is_error with success", fault(json!("result_is_error")), transient, Lasting::AsksLate),
        ("no structured output", fault(json!("no_answer")), nothing, Lasting::Asks),
        ("invalid structured output", fault(json!("invalid_answer")), nothing, Lasting::Asks),
        ("truncated stream", fault(json!("cut_output")), crashed, Lasting::Asks),
        ("killed", fault(json!({"kill_self": {"signal": 9}})), crashed, Lasting::Asks),
    ]
}

/// The seats of agents from which a verdict comes.
const SEATS: [&str; 10] = [
    "a.review:0",
    "a.review:1",
    "a.review:2",
    "a.review:3",
    "a.vote:fix_strategy:0",
    "a.vote:fix_strategy:1",
    "a.vote:fix_strategy:2",
    "@run.vote:production_ready:0",
    "@run.vote:production_ready:1",
    "@run.vote:production_ready:2",
];

/// What a seat answers when nothing is wrong.
fn well(seat: &str) -> Value {
    match seat {
        _ if seat.contains("fix_strategy") => votes("FIX_IN_PLACE", 0.9, "it is nearly right"),
        _ if seat.contains("production_ready") => votes("READY", 0.9, "it is"),
        _ => json!({}),
    }
}

/// A component whose second fix mends it, after a vote, and which four lenses and a gate judge then. `seat` gives the
/// behaviour of each seat.
fn world(seat: impl Fn(usize) -> Value) -> World {
    let mut a = component("a", &[]);
    a["checks"] = json!([{"name": "good", "run": "grep -q good a.txt"}]);
    let mut manifest = manifest(vec![a]);
    manifest["execution"] = json!({
        "reviewers": 4, "voting_gates": ["production_ready"], "idle_timeout": "1s", "step_timeout": "3s",
    });
    let mut steps = json!({
        "a.implement": writes("a", "bad"),
        "a.fix": [writes("a", "still bad"), writes("a", "good")],
    });
    for (at, name) in SEATS.iter().enumerate() {
        steps[*name] = seat(at);
    }
    World::new(manifest, json!({"sessions": true, "steps": steps}))
}

/// Runs to the end; a pause of all agents is ended by stopping and starting again rather than waited for.
fn to_the_end(world: &World) -> i32 {
    let pauses = |world: &World| world.events().iter().filter(|event| matches!(event, Event::RunPaused { .. })).count();
    for _ in 0..20 {
        let before = pauses(world);
        let mut run = world.start(&[]);
        let paused = run.reaches(|world| pauses(world) > before && world.started().len() == world.ended().len());
        if !paused {
            return run.end();
        }
        run.signal("INT");
        assert_eq!(run.end(), 130);
    }
    panic!("it pauses for ever: {:#?}", world.events());
}

/// The trouble of each seat, by attempt in order.
fn troubles(world: &World) -> BTreeMap<String, Vec<Trouble>> {
    let mut seen: BTreeMap<String, Vec<Trouble>> = BTreeMap::new();
    for (name, end) in world.ended() {
        if let AttemptEnd::Failed { class, .. } = end {
            let (seat, _) = name.rsplit_once('-').unwrap();
            seen.entry(seat.to_owned()).or_default().push(class);
        }
    }
    seen
}

/// What was decided, without what merely was tried.
fn decisions(world: &World) -> Vec<String> {
    let decision = |event: Event| match event {
        Event::FixOpened { on, fix, counted, trend, .. } => Some(format!("{on} fix {fix} {counted} {trend:?}")),
        Event::ValidationSettled { on, round, verdict, .. } => Some(format!("{on} {round} {verdict:?}")),
        Event::VoteSettled(vote) => Some(format!("{} {} {:?} of {}", vote.gate, vote.round, vote.winner, vote.valid)),
        Event::GateSettled { gate, option, .. } => Some(format!("{gate}: {option}")),
        Event::ComponentCompleted { on, proof } => Some(format!("{on} {proof:?}")),
        Event::RunCompleted { proof } => Some(format!("{proof:?}")),
        _ => None,
    };
    world.events().into_iter().filter_map(decision).collect()
}

/// Nothing that was proven rests on a seat that did not answer.
#[track_caller]
fn assert_no_pass(world: &World, what: &str) {
    assert!(!world.has(|event| matches!(event, Event::RunCompleted { .. })), "{what}: the whole passed");
}

/// Each fault once, in every seat: asked again, and everything else as if nothing had happened.
fn once(table: &mut Table) {
    let control = world(|at| well(SEATS[at]));
    control.ends(&[], 0);
    let expected = decisions(&control);
    assert_eq!(control.fixes().len(), 2, "{expected:#?}");
    assert!(control.has(|event| matches!(event, Event::RunCompleted { proof: Proof::Proven })));
    let faults = faults();
    for shift in 0..faults.len() {
        let of = |at: usize| &faults[(shift + at) % faults.len()];
        let world = world(|at| json!([of(at).1, well(SEATS[at])]));
        assert_eq!(to_the_end(&world), 0, "{:#?}", world.events());
        assert_eq!(decisions(&world), expected, "a fault changed what was decided");
        let troubles = troubles(&world);
        for (at, seat) in SEATS.iter().enumerate() {
            let (name, _, is_class, _) = of(at);
            let seen = troubles.get(*seat).map_or(&[][..], Vec::as_slice);
            assert!(matches!(seen, [class] if is_class(class)), "{name} in {seat}: {seen:?}");
            table.add(name, seat, "asked again");
        }
        world.assert_nothing_left();
    }
}

/// Each fault for ever, in all seats of one kind: a question, and neither a pass nor a fix.
fn always(table: &mut Table, asks: Lasting) {
    let faults: Vec<_> = faults().into_iter().filter(|(.., lasting)| *lasting == asks).collect();
    let kinds = [("a.review", 4), ("a.vote:fix_strategy", 3), ("@run.vote:production_ready", 3)];
    let mut cells = Vec::new();
    for shift in 0..faults.len() {
        for (kind, seats) in kinds {
            cells.push((shift, kind, seats));
        }
    }
    let judge = |&(shift, kind, seats): &(usize, &'static str, usize)| {
        let first = SEATS.iter().position(|seat| seat.starts_with(kind)).unwrap();
        let of = |at: usize| &faults[(shift + at - first) % faults.len()];
        let world = world(|at| {
            let hit = (first..first + seats).contains(&at);
            if hit { of(at).1.clone() } else { well(SEATS[at]) }
        });
        world.ends(&[], 3);
        assert_eq!(world.last_end(), Some(RunEnd::NeedsAnswer));
        assert_no_pass(&world, kind);
        let questions = world.questions();
        let [question] = &questions[..] else { panic!("{kind}: {questions:#?}") };
        assert!(question.question.starts_with("could not be checked"), "{kind}: {}", question.question);
        let expected = if kind == "a.review" { Cause::NotCheckable } else { Cause::Vote };
        assert_eq!(question.cause, expected);
        let fixes = if kind == "a.vote:fix_strategy" { 1 } else { 2 };
        assert_eq!(world.fixes().len(), fixes, "{kind}: a fault used up a fix attempt");
        if kind != "@run.vote:production_ready" {
            assert!(!world.has(|event| matches!(event, Event::ComponentCompleted { .. })), "{kind}: complete");
        }
        if kind == "a.review" {
            for seat in &SEATS[first..first + seats] {
                assert!(question.question.contains(&seat[2..]), "{seat}: {}", question.question);
            }
        }
        world.assert_nothing_left();
        (first..first + seats).map(|at| (of(at).0, SEATS[at])).collect::<Vec<_>>()
    };
    // Those that wait do so side by side.
    let width = if asks == Lasting::AsksLate { cells.len() } else { 2 };
    for some in cells.chunks(width) {
        let done = std::thread::scope(|scope| {
            let threads: Vec<_> = some.iter().map(|cell| scope.spawn(move || judge(cell))).collect();
            threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect::<Vec<_>>()
        });
        for (fault, seat) in done {
            table.add(fault, seat, "question");
        }
    }
}

/// A limit of the rate that lasts: nobody is asked, nothing is decided, however often the run is started.
fn parks(table: &mut Table) {
    for kind in ["a.review", "a.vote:fix_strategy", "@run.vote:production_ready"] {
        let hit = |seat: &str| seat.starts_with(kind);
        let limited = fault(json!({"api": "rate_limit"}));
        let world = world(|at| if hit(SEATS[at]) { limited.clone() } else { well(SEATS[at]) });
        for _ in 0..2 {
            let runs = world.events().iter().filter(|event| matches!(event, Event::RunPaused { .. })).count();
            let mut run = world.start(&[]);
            assert!(run.reaches(|world| {
                let pauses = world.events().iter().filter(|event| matches!(event, Event::RunPaused { .. })).count();
                pauses > runs && world.started().len() == world.ended().len()
            }));
            run.signal("INT");
            assert_eq!(run.end(), 130);
        }
        assert_no_pass(&world, kind);
        assert_eq!(world.questions(), [], "{kind}");
        assert_eq!(world.fixes().len(), if kind == "a.vote:fix_strategy" { 1 } else { 2 }, "{kind}");
        for seat in SEATS.iter().filter(|seat| hit(seat)) {
            table.add("429", seat, "all wait");
        }
        world.assert_nothing_left();
    }
}

/// The faults of a command: a name as the agents' have it, what it does, and whether it writes a report.
const COMMAND_FAULTS: [(&str, &str, bool); 8] = [
    ("crash", "kill -SEGV $$", false),
    ("timeout", "sleep 300", false),
    ("no structured output", "exit 0", true),
    ("invalid structured output", "echo '<nonsense/>' > report.xml; exit 0", true),
    (
        "truncated stream",
        "printf '<testsuites tests=\"1\"><testsuite name=\"s\"><testcase na' > report.xml; exit 0",
        true,
    ),
    ("killed", "kill -9 $$", false),
    ("not executable", "./a.txt; exit $?", false),
    ("zero tests", "echo 'running 0 tests'; exit 0", false),
];

/// Each fault of a check command, once and for ever.
fn commands(table: &mut Table) {
    for (name, fault, report) in COMMAND_FAULTS {
        for lasts in [false, true] {
            let good = "echo '<testsuites tests=\"1\"><testsuite name=\"s\" tests=\"1\"><testcase name=\"t\" \
                        classname=\"s\"/></testsuite></testsuites>' > report.xml; test -s a.txt";
            let when = if lasts { "true" } else { "mkdir $NOTES.once" };
            let mut check = json!({
                "name": "c", "run": format!("if {when} 2>/dev/null; then {fault}; fi; {good}"), "timeout": "2s",
            });
            if report {
                check["junit"] = json!("report.xml");
            }
            let mut a = component("a", &[]);
            a["checks"] = json!([check]);
            let world = World::new(manifest(vec![a]), json!({"steps": {"a.*": writes("a", "x")}}));
            let output = world.run(&[]);
            assert_eq!(output.status, if lasts { 3 } else { 0 }, "{name}: {output}");
            assert_eq!(world.fixes(), [], "{name}: a fault used up a fix attempt");
            let verdicts: Vec<Verdict> = world
                .ended()
                .into_iter()
                .filter_map(|(_, end)| match end {
                    AttemptEnd::Checked(result) => Some(result.verdict),
                    _ => None,
                })
                .collect();
            if lasts {
                assert_no_pass(&world, name);
                assert_eq!(verdicts, [Verdict::Unavailable; 2], "{name}");
                let questions = world.questions();
                assert!(questions[0].question.starts_with("could not be checked"), "{name}: {questions:?}");
                assert_eq!(questions[0].cause, Cause::NotCheckable);
                table.add(name, "check", "question");
            } else {
                assert_eq!(verdicts, [Verdict::Unavailable, Verdict::Pass, Verdict::Pass], "{name}");
                table.add(name, "check", "asked again");
            }
            world.assert_nothing_left();
        }
    }
}

/// What was seen of each fault in each seat.
#[derive(Default)]
struct Table(BTreeMap<(String, String), Vec<&'static str>>);

impl Table {
    fn add(&mut self, fault: &str, seat: &str, seen: &'static str) {
        let cell = self.0.entry((fault.to_owned(), seat.to_owned())).or_default();
        if !cell.contains(&seen) {
            cell.push(seen);
        }
    }

    /// `asked again · question`: what a fault that ends comes to, and one that lasts.
    fn text(&self) -> String {
        let columns: Vec<&str> = ["check"].into_iter().chain(SEATS).collect();
        let agents = faults();
        let mut rows: Vec<&str> = agents.iter().map(|(name, ..)| *name).collect();
        rows.extend(
            COMMAND_FAULTS.iter().map(|(name, ..)| *name).filter(|name| !agents.iter().any(|(one, ..)| one == name)),
        );
        let mut text = format!("| fault | {} |\n|{}\n", columns.join(" | "), " --- |".repeat(columns.len() + 1));
        for row in rows {
            let cell = |column: &&str| {
                self.0.get(&(row.to_owned(), (*column).to_owned())).map_or("–".to_owned(), |seen| seen.join(" · "))
            };
            let cells: Vec<String> = columns.iter().map(cell).collect();
            writeln!(text, "| {row} | {} |", cells.join(" | ")).unwrap();
        }
        text
    }

    /// Every fault of an agent in every seat of one, both ways.
    #[track_caller]
    fn assert_whole(&self) {
        for (fault, ..) in faults() {
            for seat in SEATS {
                let seen = self.0.get(&(fault.to_owned(), seat.to_owned())).map_or(0, Vec::len);
                assert_eq!(seen, 2, "{fault} in {seat} was not tried both ways\n{}", self.text());
            }
        }
    }
}

#[test]
#[allow(clippy::print_stdout)]
fn no_fault_passes_or_uses_up_a_fix_attempt_in_any_seat() {
    let mut table = Table::default();
    // Side by side, since much of it is waiting for what an agent does not say.
    std::thread::scope(|scope| {
        let part = |fill: fn(&mut Table)| {
            scope.spawn(move || {
                let mut table = Table::default();
                fill(&mut table);
                table
            })
        };
        let parts = [
            part(once),
            part(|table| always(table, Lasting::Asks)),
            part(|table| {
                always(table, Lasting::AsksLate);
                parks(table);
                commands(table);
            }),
        ];
        for part in parts {
            for ((fault, seat), seen) in part.join().unwrap().0 {
                seen.into_iter().for_each(|seen| table.add(&fault, &seat, seen));
            }
        }
    });
    println!("what a fault comes to that ends · that lasts; passes: 0, fix attempts used up: 0\n\n{}", table.text());
    table.assert_whole();
}

/// The tool that this program replaces let one surviving voter of three decide.
#[test]
fn one_surviving_voter_does_not_decide() {
    let world = world(|at| match SEATS[at] {
        "a.vote:fix_strategy:0" | "a.vote:fix_strategy:1" => fault(json!("no_answer")),
        "a.vote:fix_strategy:2" => votes("FIX_IN_PLACE", 0.2, "perhaps"),
        seat => well(seat),
    });
    world.ends(&[], 3);
    assert_eq!(world.fixes().len(), 1);
    let questions = world.questions();
    assert!(questions[0].question.contains("1 of 3"), "{questions:?}");
    world.assert_nothing_left();
}

/// Nor did it notice when a validator crashed.
#[test]
fn a_lost_reviewer_is_no_approval_whatever_the_others_say() {
    for lost in 0..4 {
        let world = world(|at| if at == lost { fault(json!({"exit": {"code": 1}})) } else { well(SEATS[at]) });
        world.ends(&[], 3);
        let questions = world.questions();
        assert_eq!(questions[0].cause, Cause::NotCheckable);
        assert_eq!(questions[0].issues.len(), 1);
        // Asked again it answers, and nothing was used up.
        world.play(json!({"sessions": true, "steps": {
            "*.vote:production_ready:*": votes("READY", 0.9, "it is"),
        }}));
        world.tells(&["q1", "retry"]);
        world.ends(&[], 0);
        assert_eq!(world.fixes().len(), 2);
        assert!(world.has(|event| matches!(event, Event::RunCompleted { proof: Proof::Proven })));
        world.assert_nothing_left();
    }
}
