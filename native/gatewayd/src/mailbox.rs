//! The one way into the loop from other threads: a bounded queue of requests, and a bell that wakes it.

use crate::patch::{ConfigView, Patch, PatchError};
use crate::snapshot::{Readiness, Snapshot};
use nix::sys::eventfd::{EfdFlags, EventFd};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use tokio::sync::oneshot;

/// Requests that wait for the loop at most; more are told to come again.
const REQUESTS_MAX: usize = 64;

/// What may be asked of the loop.
pub enum Request {
    Ready(oneshot::Sender<Readiness>),
    Stats(oneshot::Sender<Box<Snapshot>>),
    Config(oneshot::Sender<Box<ConfigView>>),
    Patch(Box<Patch>, oneshot::Sender<Result<Box<ConfigView>, PatchError>>),
}

/// The askers' end.
#[derive(Clone)]
pub struct Mailbox {
    requests: SyncSender<Request>,
    shared: Arc<Shared>,
}

struct Shared {
    bell: EventFd,
    stops: AtomicU32,
}

/// The loop's end.
pub struct Inbox {
    requests: Receiver<Request>,
    shared: Arc<Shared>,
}

/// Both ends.
///
/// # Errors
/// No file descriptor is left for the bell.
pub fn mailbox() -> Result<(Mailbox, Inbox), std::io::Error> {
    let (sender, receiver) = sync_channel(REQUESTS_MAX);
    let bell = EventFd::from_flags(EfdFlags::EFD_NONBLOCK | EfdFlags::EFD_CLOEXEC)?;
    let shared = Arc::new(Shared { bell, stops: AtomicU32::new(0) });
    Ok((Mailbox { requests: sender, shared: Arc::clone(&shared) }, Inbox { requests: receiver, shared }))
}

impl Mailbox {
    /// Leaves a request. Whether there was room.
    pub fn send(&self, request: Request) -> bool {
        let sent = match self.requests.try_send(request) {
            Ok(()) => true,
            Err(TrySendError::Full(_) | TrySendError::Disconnected(_)) => false,
        };
        self.ring();
        sent
    }

    /// Asks the loop to come to an end; a second time, at once.
    pub fn stop(&self) {
        self.shared.stops.fetch_add(1, Relaxed);
        self.ring();
    }

    fn ring(&self) {
        // Refused only if the counter is full: then it rings already.
        let _ = self.shared.bell.write(1);
    }
}

impl Inbox {
    /// The next request.
    pub fn next(&self) -> Option<Request> {
        self.requests.try_recv().ok()
    }

    /// How often it was asked to stop.
    pub fn stops(&self) -> u32 {
        self.shared.stops.load(Relaxed)
    }

    /// What to poll for.
    pub fn bell(&self) -> &EventFd {
        &self.shared.bell
    }

    /// Silences the bell.
    pub fn silence(&self) {
        // Nothing to read means that it does not ring.
        let _ = self.shared.bell.read();
    }
}
