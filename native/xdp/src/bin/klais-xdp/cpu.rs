//! Where CPU time goes.
//!
//! A packet's journey is accounted to whoever runs when it is made: to the sender, in whose softirq a veth pair delivers,
//! to ksoftirqd when that is overrun, and to a receiver's own thread. The scheduler's clock counts all three in nanoseconds
//! (the kernel is asked whether it takes softirqs out of a thread's time). Idle time of the whole machine, a second witness,
//! is coarser, and hears of every other process.

use std::fs;

use nix::sched::{CpuSet, sched_setaffinity};
use nix::time::{ClockId, clock_gettime};
use nix::unistd::Pid;

use crate::error::ToolError;

/// Nanoseconds of a clock.
fn nanos(clock: ClockId) -> Result<u64, ToolError> {
    let time = clock_gettime(clock).map_err(ToolError::system("reading a clock"))?;
    Ok(time.tv_sec() as u64 * 1_000_000_000 + time.tv_nsec() as u64)
}

/// CPU time of the calling thread so far.
pub fn thread_nanos() -> Result<u64, ToolError> {
    nanos(ClockId::CLOCK_THREAD_CPUTIME_ID)
}

/// Time that passes for everybody.
pub fn wall_nanos() -> Result<u64, ToolError> {
    nanos(ClockId::CLOCK_MONOTONIC)
}

/// Keeps the calling thread on one CPU.
pub fn pin(cpu: usize) -> Result<(), ToolError> {
    let what = || format!("pinning a thread to CPU {cpu}");
    let mut set = CpuSet::new();
    set.set(cpu).map_err(ToolError::system(what()))?;
    sched_setaffinity(Pid::from_raw(0), &set).map_err(ToolError::system(what()))
}

/// How many CPUs there are.
pub fn count() -> usize {
    std::thread::available_parallelism().map_or(1, std::num::NonZero::get)
}

/// Softirqs that are on no thread of ours: the kernel's own threads for those that found no time elsewhere, and where it
/// was built so, all others too.
pub struct Softirqs {
    files: Vec<String>,
    apart: bool,
}

impl Softirqs {
    /// Finds the threads; there are none to be seen in a process namespace of one's own.
    pub fn find() -> Result<Self, ToolError> {
        let entries = fs::read_dir("/proc").map_err(ToolError::system("/proc"))?;
        let files = entries
            .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
            .filter(|name| name.bytes().all(|byte| byte.is_ascii_digit()))
            .filter(|pid| {
                fs::read_to_string(format!("/proc/{pid}/comm"))
                    .is_ok_and(|name| name.starts_with("ksoftirqd/"))
            })
            .map(|pid| format!("/proc/{pid}/schedstat"))
            .collect();
        Ok(Self { files, apart: books_softirqs_apart() })
    }

    /// CPU time of all of them so far.
    pub fn nanos(&self) -> Result<u64, ToolError> {
        // irq, softirq.
        let apart = if self.apart { stat_nanos(&[5, 6])? } else { 0 };
        self.files.iter().try_fold(apart, |sum, file| {
            let text = fs::read_to_string(file).map_err(ToolError::system(file.as_str()))?;
            let first = text.split_whitespace().next().and_then(|field| field.parse::<u64>().ok());
            first.map(|nanos| sum + nanos).ok_or_else(|| ToolError::Unexpected(format!("{file}: {text:?}")))
        })
    }
}

/// Time of all CPUs together in which they were not idle, to hundredths of a second.
pub fn busy_nanos() -> Result<u64, ToolError> {
    // user, nice, system, irq, softirq, steal.
    stat_nanos(&[0, 1, 2, 5, 6, 7])
}

/// Columns of the first line of /proc/stat, added up.
fn stat_nanos(columns: &[usize]) -> Result<u64, ToolError> {
    const FILE: &str = "/proc/stat";
    const NANOS_PER_TICK: u64 = 10_000_000;
    let text = fs::read_to_string(FILE).map_err(ToolError::system(FILE))?;
    let line = text.lines().next().unwrap_or_default();
    let fields: Vec<u64> = line.split_whitespace().skip(1).filter_map(|field| field.parse().ok()).collect();
    let ticks: u64 = columns.iter().filter_map(|column| fields.get(*column)).sum();
    Ok(ticks * NANOS_PER_TICK)
}

/// Whether this kernel was built to book interrupts and softirqs apart, on no thread.
fn books_softirqs_apart() -> bool {
    let built = |text: String| text.lines().any(|line| line == "CONFIG_IRQ_TIME_ACCOUNTING=y");
    let release = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    let packed = std::process::Command::new("zcat").arg("/proc/config.gz").output();
    packed.is_ok_and(|output| built(String::from_utf8_lossy(&output.stdout).into_owned()))
        || fs::read_to_string(format!("/boot/config-{}", release.trim())).is_ok_and(built)
}

/// How many were running or waiting for a CPU, on average over the last minute.
pub fn load_average() -> Result<String, ToolError> {
    const FILE: &str = "/proc/loadavg";
    let text = fs::read_to_string(FILE).map_err(ToolError::system(FILE))?;
    Ok(text.split(' ').next().unwrap_or_default().to_owned())
}
