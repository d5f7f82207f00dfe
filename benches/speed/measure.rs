//! Running things and taking their time.

use std::fmt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use jiff::Timestamp;

/// Measurements of one thing, in the order in which they were taken.
#[derive(Debug, Clone, Default)]
pub struct Series(pub Vec<f64>);

impl Series {
    /// The middle one.
    pub fn median(&self) -> f64 {
        let mut sorted = self.0.clone();
        sorted.sort_by(f64::total_cmp);
        sorted[sorted.len() / 2]
    }

    /// Each divided by that of the other which was taken in the same round.
    pub fn over(&self, other: &Self) -> Self {
        Self(self.0.iter().zip(&other.0).map(|(one, other)| one / other).collect())
    }

    /// Each times `factor`.
    pub fn times(&self, factor: f64) -> Self {
        Self(self.0.iter().map(|value| value * factor).collect())
    }
}

/// `median (least–most)`.
impl fmt::Display for Series {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let most = self.0.iter().copied().fold(f64::MIN, f64::max);
        let least = self.0.iter().copied().fold(f64::MAX, f64::min);
        let digits = if most < 10.0 { 2 } else { usize::from(most < 100.0) };
        write!(f, "{:.digits$} ({least:.digits$}–{most:.digits$})", self.median())
    }
}

/// Measures several things in turn, `rounds` times: what disturbs one disturbs the others too. Each gives seconds.
pub fn in_turn<const N: usize>(rounds: usize, mut things: [&mut dyn FnMut() -> f64; N]) -> [Series; N] {
    let mut series: [Series; N] = std::array::from_fn(|_| Series::default());
    for _ in 0..rounds {
        for (thing, series) in things.iter_mut().zip(&mut series) {
            // What the one before left to be written is not the next one's to pay.
            rustix::fs::sync();
            series.0.push(thing());
        }
    }
    series
}

/// The seconds that `work` takes.
pub fn seconds<T>(work: impl FnOnce() -> T) -> f64 {
    let begun = Instant::now();
    std::hint::black_box(work());
    begun.elapsed().as_secs_f64()
}

/// The seconds from the start of `command` to its end, which must be a success.
pub fn run(command: &mut Command) -> f64 {
    seconds(|| {
        let status = start(command).wait().unwrap();
        assert!(status.success(), "{command:?} ended with {status}");
    })
}

/// Starts `command` without input and output.
pub fn start(command: &mut Command) -> Child {
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
}

/// cco on the spec in `spec`, with `agent` in place of claude.
pub fn cco(spec: &Path, agent: &Path, jobs: usize) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_cco"));
    command.arg("run").arg(spec).arg("--agent").arg(agent).args(["-j", &jobs.to_string()]);
    // Nothing of the user's own settings.
    command.env("HOME", spec).env_remove("XDG_CONFIG_HOME").env_remove("XDG_STATE_HOME");
    command
}

/// The most memory that a process takes until its end, in MiB.
pub fn peak_memory(child: &mut Child) -> f64 {
    let path = format!("/proc/{}/status", child.id());
    let mut peak = 0.0;
    while child.try_wait().unwrap().is_none() {
        let status = std::fs::read_to_string(&path).unwrap_or_default();
        let kib = status.lines().find_map(|line| line.strip_prefix("VmHWM:")?.trim().strip_suffix("kB"));
        peak = kib.and_then(|kib| kib.trim().parse::<f64>().ok()).map_or(peak, |kib| kib / 1024.0);
        std::thread::sleep(Duration::from_millis(2));
    }
    peak
}

/// The processor time that all threads of a process took so far, in seconds.
pub fn processor_seconds(pid: u32) -> f64 {
    let threads = std::fs::read_dir(format!("/proc/{pid}/task")).unwrap().flatten();
    let nanos = threads.filter_map(|thread| {
        let text = std::fs::read_to_string(thread.path().join("schedstat")).ok()?;
        text.split(' ').next()?.parse::<f64>().ok()
    });
    nanos.sum::<f64>() / 1e9
}

/// Where and when, on one line.
pub fn machine() -> String {
    let read = |path: &str| std::fs::read_to_string(path).unwrap_or_default();
    let field = |path: &str, name: &str| {
        let text = read(path);
        let line = text.lines().find(|line| line.starts_with(name)).unwrap_or_default().to_owned();
        line.split_once(':').map_or_else(String::new, |(_, value)| value.trim().to_owned())
    };
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let memory = field("/proc/meminfo", "MemTotal").trim_end_matches(" kB").parse::<f64>().unwrap_or(0.0) / 1048576.0;
    let load = read("/proc/loadavg");
    format!(
        "{}: {}, {cores} cores, {memory:.0} GiB, Linux {}, load {}",
        Timestamp::now().strftime("%Y-%m-%d"),
        field("/proc/cpuinfo", "model name"),
        read("/proc/sys/kernel/osrelease").trim(),
        load.split(' ').next().unwrap_or_default(),
    )
}
