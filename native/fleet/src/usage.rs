//! What the process has used.

use nix::sys::resource::{Usage, UsageWho, getrusage};
use nix::sys::time::{TimeVal, TimeValLike};
use serde::Serialize;

const MICROS_PER_SECOND: f64 = 1_000_000.0;

/// CPU time.
#[derive(Clone, Copy, Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Cpu {
    user_seconds: f64,
    system_seconds: f64,
}

/// CPU time so far, and the most memory the process had at once, bytes.
pub fn usage() -> (Cpu, u64) {
    let seconds = |time: TimeVal| time.num_microseconds() as f64 / MICROS_PER_SECOND;
    let read = |usage: Usage| {
        let cpu =
            Cpu { user_seconds: seconds(usage.user_time()), system_seconds: seconds(usage.system_time()) };
        (cpu, u64::try_from(usage.max_rss()).unwrap_or(0) * 1_024)
    };
    getrusage(UsageWho::RUSAGE_SELF).map(read).unwrap_or_default()
}
