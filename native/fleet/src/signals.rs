//! SIGTERM and SIGINT, read like a file: a run ends with its report written.

use crate::error::FleetError;
use nix::sys::signal::{SigSet, Signal};
use nix::sys::signalfd::{SfdFlags, SignalFd};
use std::os::fd::{AsFd, BorrowedFd};

/// Signals that ask for an end.
#[derive(Debug)]
pub struct StopSignals(SignalFd);

impl StopSignals {
    /// From now on they are kept here instead of ending the process.
    ///
    /// # Errors
    /// The system refuses.
    pub fn new() -> Result<Self, FleetError> {
        let mut set = SigSet::empty();
        set.add(Signal::SIGTERM);
        set.add(Signal::SIGINT);
        set.thread_block().map_err(FleetError::system("signals"))?;
        let flags = SfdFlags::SFD_NONBLOCK | SfdFlags::SFD_CLOEXEC;
        SignalFd::with_flags(&set, flags).map(Self).map_err(FleetError::system("signals"))
    }

    /// Whether one has come.
    pub fn came(&self) -> bool {
        matches!(self.0.read_signal(), Ok(Some(_)))
    }
}

impl AsFd for StopSignals {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}
