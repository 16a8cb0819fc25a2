//! `kernel.bpf_stats_enabled`: with it, the kernel times every run of every program, which costs more than most programs.

use std::fs;

use nix::sys::signal::{SigSet, Signal};

use crate::error::ToolError;

const FILE: &str = "/proc/sys/kernel/bpf_stats_enabled";
const OFF: &str = "0";
const CAUGHT: [Signal; 3] = [Signal::SIGINT, Signal::SIGTERM, Signal::SIGHUP];

/// Off for as long as this lives; then again what it was.
pub struct BpfStatsOff {
    before: Option<String>,
}

impl BpfStatsOff {
    /// Turns it off, and says so. To be called before any other thread begins: a signal that ends the process has to find
    /// the one thread that sets it back.
    pub fn hold(say: &dyn Fn(&str)) -> Result<Self, ToolError> {
        let before = fs::read_to_string(FILE).map_err(ToolError::system(FILE))?.trim().to_owned();
        if before == OFF {
            return Ok(Self { before: None });
        }
        let signals: SigSet = CAUGHT.into_iter().collect();
        signals.thread_block().map_err(ToolError::system("holding signals back"))?;
        let restored = before.clone();
        std::thread::spawn(move || {
            if let Ok(signal) = signals.wait() {
                set(&restored);
                std::process::exit(128 + signal as i32);
            }
        });
        fs::write(FILE, OFF).map_err(ToolError::system(FILE))?;
        say(&format!("kernel.bpf_stats_enabled was {before}: off while this measures"));
        Ok(Self { before: Some(before) })
    }
}

impl Drop for BpfStatsOff {
    fn drop(&mut self) {
        if let Some(before) = &self.before {
            set(before);
        }
    }
}

fn set(value: &str) {
    if let Err(error) = fs::write(FILE, value) {
        eprintln!("{FILE} could not be set back to {value}: {error}");
    }
}
