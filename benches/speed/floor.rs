//! What the machine allows: threads that start the same program, its output in one fresh file on the same disk, its prompt
//! from memory, and one append with one sync for all ends that are at hand.

use std::fs::{File, OpenOptions};
use std::io::{Seek as _, Write as _};
use std::os::unix::fs::FileExt as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};

use rustix::fs::{MemfdFlags, memfd_create};

/// As long as a prompt of cco.
const PROMPT: [u8; 4_000] = [b'x'; 4_000];

/// A step that ended, and who waits until that is durable.
type End = (usize, SyncSender<()>);

/// Runs `count` steps, `at_once` at a time.
pub fn run(dir: &Path, program: &Path, count: usize, at_once: usize) {
    let journal = OpenOptions::new().create_new(true).append(true).open(dir.join("journal")).unwrap();
    let (ends, arrived) = channel();
    let next = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        scope.spawn(move || commit(journal, &arrived));
        for _ in 0..at_once {
            let (ends, next) = (ends.clone(), &next);
            scope.spawn(move || steps(dir, program, count, next, &ends));
        }
        drop(ends);
    });
}

fn steps(dir: &Path, program: &Path, count: usize, next: &AtomicUsize, ends: &Sender<End>) {
    loop {
        let step = next.fetch_add(1, Ordering::Relaxed);
        if step >= count {
            return;
        }
        let mut prompt = File::from(memfd_create("prompt", MemfdFlags::CLOEXEC).unwrap());
        prompt.write_all(&PROMPT).unwrap();
        prompt.rewind().unwrap();
        let path = dir.join(format!("{step}.stream.jsonl"));
        let output = OpenOptions::new().create_new(true).read(true).append(true).open(path).unwrap();
        let mut command = Command::new(program);
        command.stdin(prompt).stdout(output.try_clone().unwrap()).stderr(Stdio::null());
        assert!(command.status().unwrap().success());
        let mut answer = [0; 4_096];
        assert!(output.read_at(&mut answer, 0).unwrap() > 0);
        let (durable, wait) = sync_channel(1);
        ends.send((step, durable)).unwrap();
        wait.recv().unwrap();
    }
}

fn commit(mut journal: File, arrived: &Receiver<End>) {
    let mut lines = Vec::new();
    while let Ok(first) = arrived.recv() {
        let ends: Vec<End> = std::iter::once(first).chain(arrived.try_iter()).collect();
        lines.clear();
        for (step, _) in &ends {
            // As long as the records of a step.
            writeln!(lines, "{{\"step\":{step},\"what\":\"{:0>500}\"}}", "").unwrap();
        }
        journal.write_all(&lines).unwrap();
        journal.sync_data().unwrap();
        ends.iter().for_each(|(_, durable)| durable.send(()).unwrap());
    }
}
