//! Tests of the room `process`, with real processes.
//!
//! Who adopts orphans and reaps them is a property of a whole process, so each of these tests runs in one of its own.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::fs;
use std::future::Future;
use std::io::Write as _;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use cco::process::{
    ATTEMPT_MARK, Activity, CommandSpec, EndedBy, Exit, Finished, Limits, Output, RUN_MARK, SpawnError, Stdin, Stop,
    Supervisor, Watcher, guard, orphans,
};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open};
use tokio::sync::watch;

/// Nothing here takes this long unless it is broken.
const BROKEN: Duration = Duration::from_secs(30);
const SHORT: Duration = Duration::from_millis(50);
const ALONE: &str = "CCO_TEST_ALONE";

/// Runs `body` in a process of its own, which must have no children left at its end.
fn alone<F: Future<Output = ()>>(test: &str, body: impl FnOnce(World) -> F) {
    if std::env::var_os(ALONE).is_none() {
        let output = myself(test, "test").output().unwrap();
        let text = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{test} in a process of its own:\n{text}");
        return;
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async {
        let world = World::new(test);
        let supervisor = Arc::clone(&world.supervisor);
        let mark = supervisor.run_mark().to_owned();
        body(world).await;
        supervisor.finish().await;
        assert_eq!(orphans::find(&mark), [], "left behind");
    });
    drop(runtime);
    for task in fs::read_dir("/proc/self/task").unwrap() {
        let children = fs::read_to_string(task.unwrap().path().join("children")).unwrap();
        assert_eq!(children, "", "not reaped");
    }
}

/// This test program again, to run one test.
fn myself(test: &str, role: &str) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args([&format!("process::{test}"), "--exact", "--nocapture"]).env(ALONE, role);
    command
}

struct World {
    dir: tempfile::TempDir,
    supervisor: Arc<Supervisor>,
    stop: watch::Sender<Stop>,
}

impl World {
    fn new(test: &str) -> Self {
        let mark = format!("{test}-{}", std::process::id());
        Self {
            dir: tempfile::tempdir().unwrap(),
            supervisor: Supervisor::new(PathBuf::from(env!("CARGO_BIN_EXE_cco")), mark.into()).unwrap(),
            stop: watch::Sender::new(Stop::Run),
        }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// A shell script of the attempt `attempt`, with its output in a file of that name.
    fn sh(&self, attempt: &str, script: &str) -> CommandSpec {
        CommandSpec {
            program: "/bin/sh".into(),
            args: vec!["-c".into(), script.into()],
            dir: self.dir.path().to_owned(),
            env: [("PATH".into(), std::env::var_os("PATH").unwrap())].into(),
            extra_env: Vec::new(),
            stdin: Stdin::Null,
            output: Output { path: self.path(attempt), both: false },
            attempt: attempt.into(),
        }
    }

    async fn run(&self, spec: &CommandSpec, limits: &Limits, log: &mut Log<'_>) -> Finished {
        self.supervisor.run(spec, limits, self.stop.subscribe(), log).await.unwrap()
    }

    /// Runs a script that needs no watching.
    async fn script(&self, attempt: &str, script: &str) -> Finished {
        let finished = self.run(&self.sh(attempt, script), &limits(), &mut Log::default()).await;
        assert_eq!((finished.exit, finished.ended_by), (Exit::Code(0), EndedBy::Itself), "{finished:?}");
        finished
    }

    /// The process whose id the script wrote into the file `name`.
    fn process(&self, name: &str) -> Process {
        Process::of(fs::read_to_string(self.path(name)).unwrap().trim().parse().unwrap())
    }
}

/// Limits that only a broken program reaches.
fn limits() -> Limits {
    Limits { first_output: None, silence: None, wall: Some(BROKEN), linger: Some(Duration::MAX), grace: Duration::MAX }
}

/// What is done whenever there is more output; it gets all of it.
type Act<'a> = Box<dyn FnMut(&[u8]) + Send + 'a>;

/// Keeps the output, acts on it, and says what it means.
struct Log<'a> {
    bytes: Vec<u8>,
    act: Act<'a>,
    state: fn(&[u8]) -> Activity,
}

impl Default for Log<'_> {
    fn default() -> Self {
        Self { bytes: Vec::new(), act: Box::new(|_| {}), state: |_| Activity::Quiet }
    }
}

impl<'a> Log<'a> {
    fn acting(act: impl FnMut(&[u8]) + Send + 'a) -> Self {
        Self { act: Box::new(act), ..Self::default() }
    }

    fn meaning(state: Activity) -> Self {
        Self { state: STATES[state as usize], ..Self::default() }
    }
}

impl Watcher for Log<'_> {
    fn bytes(&mut self, chunk: &[u8]) {
        self.bytes.extend_from_slice(chunk);
        (self.act)(&self.bytes);
    }
    fn state(&self) -> Activity {
        (self.state)(&self.bytes)
    }
}

/// A process that can be waited for without being its parent.
struct Process(rustix::fd::OwnedFd);

impl Process {
    fn of(pid: i32) -> Self {
        Self(pidfd_open(Pid::from_raw(pid).unwrap(), PidfdFlags::empty()).unwrap())
    }

    fn ends_within(&self, limit: Duration) -> bool {
        let limit = Timespec::try_from(limit).unwrap();
        poll(&mut [PollFd::new(&self.0, PollFlags::IN)], Some(&limit)).unwrap() > 0
    }

    fn lives(&self) -> bool {
        !self.ends_within(Duration::ZERO)
    }
}

/// Spins until `condition` holds; only a broken program takes long.
fn until(what: &str, condition: impl Fn() -> bool) {
    let begun = Instant::now();
    while !condition() {
        assert!(begun.elapsed() < BROKEN, "never: {what}");
        std::thread::yield_now();
    }
}

#[test]
fn output_and_errors_are_kept_apart_unless_asked() {
    alone("output_and_errors_are_kept_apart_unless_asked", async |world| {
        let mut spec = world.sh("a", "printf out; printf err >&2; printf put; exit 3");
        let mut log = Log::default();
        let finished = world.run(&spec, &limits(), &mut log).await;
        assert_eq!((finished.exit, finished.ended_by), (Exit::Code(3), EndedBy::Itself));
        assert_eq!((log.bytes, finished.stderr), (b"output".to_vec(), b"err".to_vec()));

        spec.output = Output { path: world.path("both"), both: true };
        let mut log = Log::default();
        let finished = world.run(&spec, &limits(), &mut log).await;
        assert_eq!((log.bytes, finished.stderr), (b"outerrput".to_vec(), Vec::new()));
        assert_eq!(fs::read(world.path("both")).unwrap(), b"outerrput");
    });
}

#[test]
fn a_child_gets_its_text_and_its_environment_and_nothing_else() {
    alone("a_child_gets_its_text_and_its_environment_and_nothing_else", async |world| {
        let mut spec = world.sh("a", "");
        spec.program = "/usr/bin/env".into();
        spec.args.clear();
        spec.env = [("ONE".into(), "1".into()), ("TWO".into(), "2".into())].into();
        spec.extra_env = vec![("TWO".into(), "3".into())];
        let mut log = Log::default();
        world.run(&spec, &limits(), &mut log).await;
        let run = world.supervisor.run_mark();
        let mut lines: Vec<_> = std::str::from_utf8(&log.bytes).unwrap().lines().collect();
        lines.sort_unstable();
        assert_eq!(lines, [&format!("{ATTEMPT_MARK}=a"), &format!("{RUN_MARK}={run}"), "ONE=1", "TWO=3"]);

        // A regular file, so that its size can be asked.
        let mut spec = world.sh("b", "test -f /dev/stdin && cat");
        spec.stdin = Stdin::Text(b"prompt".to_vec());
        let mut log = Log::default();
        world.run(&spec, &limits(), &mut log).await;
        assert_eq!(log.bytes, b"prompt");
    });
}

#[test]
fn a_child_does_not_hold_the_pipe_of_the_guard() {
    alone("a_child_does_not_hold_the_pipe_of_the_guard", async |world| {
        let open: Vec<_> = fs::read_dir("/proc/self/fd")
            .unwrap()
            .filter_map(|entry| Some(fs::read_link(entry.unwrap().path()).ok()?.to_str()?.to_owned()))
            .collect();
        let mut log = Log::default();
        world.run(&world.sh("a", "ls -l /proc/self/fd"), &limits(), &mut log).await;
        let text = String::from_utf8(log.bytes).unwrap();
        let links = text.lines().filter_map(|line| line.rsplit_once(" -> ").map(|(_, link)| link));
        // What whoever runs the tests left open is not ours.
        let pipes: Vec<_> =
            links.filter(|link| link.starts_with("pipe:") && !open.iter().any(|own| own == link)).collect();
        assert!(pipes.is_empty(), "{pipes:?}");
    });
}

#[test]
fn output_is_seen_while_the_child_runs() {
    alone("output_is_seen_while_the_child_runs", async |world| {
        let spec = world.sh("a", "mkfifo go; echo first; cat go; echo second");
        let go = world.path("go");
        let mut told = false;
        // The child waits for this answer: who looks only at the end waits for ever.
        let mut log = Log::acting(|bytes| {
            if !std::mem::replace(&mut told, true) {
                assert_eq!(bytes, b"first\n");
                fs::write(&go, "answer\n").unwrap();
            }
        });
        let finished = world.run(&spec, &limits(), &mut log).await;
        assert_eq!(finished.ended_by, EndedBy::Itself);
        assert_eq!(log.bytes, b"first\nanswer\nsecond\n");
    });
}

#[test]
fn fifty_megabytes_arrive_and_errors_keep_their_tail() {
    alone("fifty_megabytes_arrive_and_errors_keep_their_tail", async |world| {
        let script = "head -c 52428800 /dev/zero; head -c 3000000 /dev/zero >&2; printf end >&2";
        let mut log = Log::default();
        let finished = world.run(&world.sh("a", script), &limits(), &mut log).await;
        assert_eq!(log.bytes.len(), 52_428_800);
        assert_eq!(finished.stderr.len(), 64 * 1024);
        assert!(finished.stderr.ends_with(b"\0end"));
    });
}

#[test]
fn each_limit_ends_the_child_and_says_so() {
    alone("each_limit_ends_the_child_and_says_so", async |world| {
        let sleep = "exec sleep 1000";
        let first_output = Limits { first_output: Some(SHORT), ..limits() };
        let silence = Limits { silence: Some(SHORT), first_output: Some(BROKEN), ..limits() };
        let wall = Limits { wall: Some(SHORT), silence: Some(BROKEN), ..limits() };
        let linger = Limits { linger: Some(SHORT), silence: Some(BROKEN), ..limits() };
        for (attempt, script, limits, state, expected) in [
            ("a", sleep, &first_output, Activity::Quiet, EndedBy::FirstOutput),
            ("b", &*format!("echo; {sleep}"), &silence, Activity::Quiet, EndedBy::Silence),
            ("c", &*format!("echo; {sleep}"), &wall, Activity::Quiet, EndedBy::Wall),
            ("d", &*format!("echo; {sleep}"), &linger, Activity::Done, EndedBy::Linger),
        ] {
            let mut log = Log::meaning(state);
            let finished = world.run(&world.sh(attempt, script), limits, &mut log).await;
            assert_eq!((finished.ended_by, finished.exit), (expected, Exit::Signal(2)), "{script}");
        }
    });
}

/// Quiet until there is output, then what the index says.
const STATES: [fn(&[u8]) -> Activity; 3] = [
    |_| Activity::Quiet,
    |bytes| if bytes.is_empty() { Activity::Quiet } else { Activity::Busy },
    |bytes| if bytes.is_empty() { Activity::Quiet } else { Activity::Done },
];

#[test]
fn silence_of_a_busy_child_is_no_silence() {
    alone("silence_of_a_busy_child_is_no_silence", async |world| {
        let limits = Limits { silence: Some(SHORT), wall: Some(Duration::from_secs(2)), ..limits() };
        let mut log = Log::meaning(Activity::Busy);
        // `silence` counts from the start until the first output has been seen: it is there at once.
        let spec = world.sh("a", "echo; exec sleep 1000");
        let finished = world.run(&spec, &Limits { first_output: Some(BROKEN), ..limits }, &mut log).await;
        assert_eq!(finished.ended_by, EndedBy::Wall);
    });
}

/// Ends without a word when its input does, and until then stops at nothing but a kill.
const STUBBORN: &str = "trap '' INT TERM HUP; echo ready; while :; do sleep 1000; done";

#[test]
fn who_ignores_the_interrupt_is_killed_after_the_grace() {
    alone("who_ignores_the_interrupt_is_killed_after_the_grace", async |world| {
        let limits = Limits { linger: Some(Duration::ZERO), grace: SHORT, ..limits() };
        let mut log = Log::meaning(Activity::Done);
        let finished = world.run(&world.sh("a", STUBBORN), &limits, &mut log).await;
        assert_eq!((finished.ended_by, finished.exit), (EndedBy::Linger, Exit::Signal(9)));
    });
}

#[test]
fn a_stop_interrupts_and_a_second_one_kills_at_once() {
    alone("a_stop_interrupts_and_a_second_one_kills_at_once", async |world| {
        let script = "trap 'echo bye; exit 7' INT; echo ready; while :; do sleep 1000; done";
        let mut log = Log::acting(|_| {
            world.stop.send_replace(Stop::Stop);
        });
        let finished = world.run(&world.sh("a", script), &limits(), &mut log).await;
        assert_eq!((finished.ended_by, finished.exit), (EndedBy::Stopped, Exit::Code(7)));
        assert_eq!(log.bytes, b"ready\nbye\n");
        drop(log);

        let late =
            world.supervisor.run(&world.sh("b", ""), &limits(), world.stop.subscribe(), &mut Log::default()).await;
        assert!(matches!(late, Err(SpawnError::Stopped)));
        assert!(!world.path("b").exists());

        // The grace is longer than the test may take.
        world.stop.send_replace(Stop::Run);
        let mut log = Log::acting(|_| {
            world.stop.send_replace(Stop::Kill);
        });
        let finished = world.run(&world.sh("c", STUBBORN), &limits(), &mut log).await;
        assert_eq!((finished.ended_by, finished.exit), (EndedBy::Stopped, Exit::Signal(9)));
    });
}

#[test]
fn who_cannot_start_says_why() {
    alone("who_cannot_start_says_why", async |world| {
        let run = async |spec: CommandSpec| {
            world.supervisor.run(&spec, &limits(), world.stop.subscribe(), &mut Log::default()).await.unwrap_err()
        };
        let spec = world.sh("a", "");
        let missing = CommandSpec { program: "/no/such/program".into(), ..spec.clone() };
        assert_eq!(run(missing).await.to_string(), "cannot start `/no/such/program`");
        let astray = CommandSpec { dir: "/no/such/dir".into(), ..spec.clone() };
        assert_eq!(run(astray).await.to_string(), "`/no/such/dir` is no directory");
        let unwritable = Output { path: "/no/such/dir/file".into(), both: false };
        let unwritable = CommandSpec { output: unwritable, ..spec };
        assert_eq!(run(unwritable).await.to_string(), "cannot create `/no/such/dir/file`");
    });
}

#[test]
fn whoever_a_child_leaves_behind_ends_with_it() {
    alone("whoever_a_child_leaves_behind_ends_with_it", async |world| {
        // In its group, in a session of its own, with an environment of its own, and a daemon.
        let daemon = "import os,time
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        open('daemon', 'w').write(str(os.getpid()))
        os.execvp('sleep', ['sleep', '1004'])
    os._exit(0)
os.wait()
while not (os.path.exists('daemon') and os.path.getsize('daemon')): time.sleep(0.01)";
        for (attempt, script) in [
            ("group", "sleep 1001 & echo $! >group-pid"),
            (
                "session",
                "setsid -f sh -c 'echo $$ >session-pid; exec sleep 1002' & until test -s session-pid; do :; done",
            ),
            (
                "scrubbed",
                "env -i setsid -f /bin/sh -c 'echo $$ >scrubbed-pid; exec sleep 1003' & until test -s scrubbed-pid; do :; done",
            ),
        ] {
            let spec = world.sh(attempt, &format!("{script}; echo ready; cat fifo"));
            let fifo = world.path("fifo");
            assert!(Command::new("mkfifo").arg(&fifo).status().unwrap().success());
            let process = std::sync::Mutex::new(None);
            let mut log = Log::acting(|_| {
                process.lock().unwrap().get_or_insert_with(|| world.process(&format!("{attempt}-pid")));
                fs::write(&fifo, "").unwrap();
            });
            let finished = world.run(&spec, &limits(), &mut log).await;
            drop(log);
            let process = process.into_inner().unwrap().unwrap();
            assert!(!process.lives(), "{attempt}: {finished:?}");
            fs::remove_file(&fifo).unwrap();
            if attempt == "group" {
                assert_eq!(finished.strays, []);
                continue;
            }
            let [stray] = &finished.strays[..] else { panic!("{attempt}: {finished:?}") };
            assert_eq!(stray.attempt.as_deref(), (attempt != "scrubbed").then_some(attempt));
            assert!(stray.command.starts_with("sleep 100"), "{stray:?}");
        }
        let spec =
            CommandSpec { program: python(), args: vec!["-c".into(), daemon.into()], ..world.sh("daemon-out", "") };
        let finished = world.run(&spec, &limits(), &mut Log::default()).await;
        assert_eq!((finished.exit, finished.strays.len()), (Exit::Code(0), 1), "{finished:?}");
    });
}

/// The interpreter itself: a wrapper script on `PATH` would need an environment.
fn python() -> PathBuf {
    let out = Command::new("python3").args(["-c", "import sys; print(sys.executable)"]).output().unwrap();
    PathBuf::from(String::from_utf8(out.stdout).unwrap().trim())
}

#[test]
fn a_chain_of_forks_is_caught() {
    alone("a_chain_of_forks_is_caught", async |world| {
        let chain = "import os,time
for i in range(50):
    if os.fork() > 0: os._exit(0)
    os.setsid()
time.sleep(1000)";
        let spec = CommandSpec { program: python(), args: vec!["-c".into(), chain.into()], ..world.sh("a", "") };
        let finished = world.run(&spec, &limits(), &mut Log::default()).await;
        assert_eq!(finished.exit, Exit::Code(0));
        assert_eq!(orphans::find(world.supervisor.run_mark()), []);
    });
}

#[test]
fn strays_of_a_running_attempt_are_left_alone_until_it_ends() {
    alone("strays_of_a_running_attempt_are_left_alone_until_it_ends", async |world| {
        let world = Arc::new(world);
        let script = "mkfifo go
            setsid -f sh -c 'echo $$ >marked; exec sleep 1001'
            env -i setsid -f /bin/sh -c 'echo $$ >scrubbed; exec sleep 1002'
            until test -s marked && test -s scrubbed; do :; done
            echo ready; cat go";
        let (ready, is_ready) = tokio::sync::oneshot::channel();
        let running = tokio::spawn({
            let world = Arc::clone(&world);
            async move {
                let mut ready = Some(ready);
                let mut log = Log::acting(move |_| ready.take().into_iter().for_each(|ready| ready.send(()).unwrap()));
                world.run(&world.sh("long", script), &limits(), &mut log).await
            }
        });
        is_ready.await.unwrap();
        let (marked, scrubbed) = (world.process("marked"), world.process("scrubbed"));
        let finished = world.script("other", "true").await;
        assert_eq!(finished.strays, []);
        assert!(marked.lives() && scrubbed.lives());
        fs::write(world.path("go"), "").unwrap();
        let finished = running.await.unwrap();
        assert_eq!(finished.strays.len(), 2, "{finished:?}");
        assert!(!marked.lives() && !scrubbed.lives());
    });
}

#[test]
fn a_dropped_future_kills_its_child() {
    alone("a_dropped_future_kills_its_child", async |world| {
        let (ready, is_ready) = tokio::sync::oneshot::channel();
        let mut ready = Some(ready);
        let mut log =
            Log::acting(|_| ready.take().into_iter().for_each(|ready| ready.send(world.process("pid")).ok().unwrap()));
        let spec = world.sh("a", "echo $$ >pid; echo ready; exec sleep 1000");
        let limits = limits();
        let process = tokio::select! {
            finished = world.run(&spec, &limits, &mut log) => panic!("{finished:?}"),
            process = is_ready => process.unwrap(),
        };
        assert!(!process.lives());
    });
}

#[test]
fn many_children_at_once_are_each_told_apart() {
    alone("many_children_at_once_are_each_told_apart", async |world| {
        let world = Arc::new(world);
        let tasks: Vec<_> = (0..64)
            .map(|n| {
                let world = Arc::clone(&world);
                tokio::spawn(async move {
                    let spec = world.sh(&format!("a{n}"), &format!("setsid -f sleep 1000; echo {n}; exit {n}"));
                    let mut log = Log::default();
                    let finished = world.run(&spec, &limits(), &mut log).await;
                    (finished.exit, String::from_utf8(log.bytes).unwrap())
                })
            })
            .collect();
        for (n, task) in tasks.into_iter().enumerate() {
            assert_eq!(task.await.unwrap(), (Exit::Code(n as i32), format!("{n}\n")));
        }
    });
}

/// Children with the run mark `mark` that a guard has to find: a stubborn one, one in a session of its own, and one
/// whose own child has lost its mark and its group.
fn marked_children(mark: &str, dir: &Path) -> Vec<Child> {
    let sessions = format!("setsid sh -c \"{STUBBORN}\"");
    let scrubbed = format!("env -i PATH=\"$PATH\" setsid -w sh -c \"echo \\$\\$ >scrubbed; {STUBBORN}\"; true");
    let children: Vec<_> = [STUBBORN, &sessions, &scrubbed]
        .into_iter()
        .enumerate()
        .map(|(n, script)| {
            let out = fs::File::create(dir.join(n.to_string())).unwrap();
            let mut command = Command::new("/bin/sh");
            command
                .args(["-c", script])
                .env(RUN_MARK, mark)
                .current_dir(dir)
                .process_group(0)
                .stdout(out)
                .spawn()
                .unwrap()
        })
        .collect();
    let ready = |n: usize| fs::read(dir.join(n.to_string())).is_ok_and(|text| text == b"ready\n");
    until("the children are ready", || (0..3).all(ready));
    children
}

fn start_guard(mark: &str) -> Child {
    let mut command = Command::new(env!("CARGO_BIN_EXE_cco"));
    command.args([guard::SUBCOMMAND, mark]).env_clear().process_group(0).stdin(Stdio::piped()).spawn().unwrap()
}

/// The processes that carry `mark`, held by descriptors.
fn marked(mark: &str) -> Vec<Process> {
    orphans::find(mark).iter().map(|stray| Process::of(stray.pid as i32)).collect()
}

#[test]
fn the_guard_ends_everything_when_its_pipe_breaks() {
    alone("the_guard_ends_everything_when_its_pipe_breaks", async |world| {
        let mark = format!("guarded-{}", std::process::id());
        let mut children = marked_children(&mark, world.dir.path());
        let mut processes = marked(&mark);
        processes.push(world.process("scrubbed"));
        // Four shells at least, and what they have started so far.
        assert!(processes.len() > 4, "{:?}", orphans::find(&mark));
        let mut guard = start_guard(&mark);
        let pid = guard.id();
        until("the guard has left the session", || stat_field(pid, 5) == Some(pid.to_string()));
        until("the guard has its handlers", || caught(pid) & (1 << (15 - 1)) != 0);
        for signal in [Signal::INT, Signal::TERM, Signal::HUP, Signal::QUIT] {
            rustix::process::kill_process(Pid::from_child(&guard), signal).unwrap();
        }
        drop(guard.stdin.take());
        assert!(processes.iter().all(|process| process.ends_within(BROKEN)));
        assert!(guard.wait().unwrap().success());
        assert_eq!(orphans::find(&mark), []);
        for child in &mut children {
            child.wait().unwrap();
        }
    });
}

#[test]
fn the_guard_leaves_in_peace_when_told_so() {
    alone("the_guard_leaves_in_peace_when_told_so", async |world| {
        let mark = format!("peace-{}", std::process::id());
        let mut children = marked_children(&mark, world.dir.path());
        let processes = marked(&mark);
        let mut guard = start_guard(&mark);
        guard.stdin.take().unwrap().write_all(b".").unwrap();
        assert!(guard.wait().unwrap().success());
        assert!(processes.iter().all(Process::lives));

        // And what is found by the mark later is ended, but nobody who only has the id of one.
        let found = orphans::find(&mark[..8]);
        assert_eq!(found.len(), processes.len());
        let mut strangers = found.clone();
        strangers.iter_mut().for_each(|stray| stray.start += 1);
        orphans::end(&strangers).await;
        assert!(processes.iter().all(Process::lives));
        orphans::end(&found).await;
        assert!(!processes.iter().any(Process::lives));
        for child in &mut children {
            child.wait().unwrap();
        }
    });
}

#[test]
fn a_guard_that_starts_after_the_death_of_its_parent_does_its_work() {
    // Not in a process of its own, which would adopt the guard: init must be what it finds as its parent.
    let dir = tempfile::tempdir().unwrap();
    let mark = format!("late-{}", std::process::id());
    let mut child = Command::new("/bin/sleep").arg("300").env(RUN_MARK, &mark).spawn().unwrap();
    // The shell dies before the guard begins, and the end of the pipe is there already.
    let (cco, guard) = (env!("CARGO_BIN_EXE_cco"), guard::SUBCOMMAND);
    let script = format!("(until test -e go; do :; done; exec {cco} {guard} {mark}) </dev/null &");
    let shell = Command::new("/bin/sh").args(["-c", &script]).current_dir(dir.path()).status().unwrap();
    assert!(shell.success());
    fs::write(dir.path().join("go"), "").unwrap();
    let ended = Process::of(child.id() as i32).ends_within(BROKEN);
    let _ = child.kill();
    child.wait().unwrap();
    assert!(ended);
}

#[test]
fn who_is_only_just_being_started_is_ended_too() {
    alone("who_is_only_just_being_started_is_ended_too", async |_| {
        // `spawn` returns while the child is in the middle of `execve`, when its environment cannot be seen yet.
        for n in 0..300 {
            let mark = format!("nascent-{}-{n}", std::process::id());
            let mut child = Command::new("/bin/sleep").arg("300").env(RUN_MARK, &mark).spawn().unwrap();
            orphans::end_all(&mark, 1).await;
            let ended = child.try_wait().unwrap();
            let _ = child.kill();
            assert!(ended.is_some(), "start {n} was missed");
            child.wait().unwrap();
        }
    });
}

/// A field of `/proc/<pid>/stat` after the name, counted as the manual does less one.
fn stat_field(pid: u32, field: usize) -> Option<String> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let (_, fields) = stat.rsplit_once(") ")?;
    fields.split(' ').nth(field - 2).map(str::to_owned)
}

/// The signals that a process handles.
fn caught(pid: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigCgt:"));
    mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or(0)
}

#[test]
fn nothing_is_left_of_a_supervisor_that_is_killed() {
    const TEST: &str = "nothing_is_left_of_a_supervisor_that_is_killed";
    if std::env::var_os(ALONE).is_none() {
        let dir = tempfile::tempdir().unwrap();
        let mut driver = myself(TEST, dir.path().to_str().unwrap()).stdout(Stdio::null()).spawn().unwrap();
        until("the children are ready", || dir.path().join("ready").exists());
        let mark = format!("{TEST}-{}", driver.id());
        let processes = marked(&mark);
        assert!(processes.len() >= 3, "{:?}", orphans::find(&mark));
        driver.kill().unwrap();
        driver.wait().unwrap();
        assert!(processes.iter().all(|process| process.ends_within(BROKEN)));
        assert_eq!(orphans::find(&mark), []);
        return;
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async {
        let world = World::new(TEST);
        let ready = Path::new(&std::env::var_os(ALONE).unwrap()).join("ready");
        let script =
            format!("setsid -f sh -c 'echo; exec sleep 1000'; (trap '' INT TERM; exec sleep 1001) & {STUBBORN}");
        let mut log = Log::acting(|bytes| {
            if bytes.iter().filter(|&&byte| byte == b'\n').count() == 2 {
                fs::write(&ready, "").unwrap();
            }
        });
        world.run(&world.sh("a", &script), &limits(), &mut log).await;
    });
}
