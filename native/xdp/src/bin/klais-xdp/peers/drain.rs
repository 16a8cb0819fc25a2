//! The peer that every UDP server is at heart: a socket, `recvmmsg`, and what came is thrown away.

use std::io::IoSliceMut;
use std::net::UdpSocket;
use std::os::fd::AsRawFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::thread::JoinHandle;
use std::time::Duration;

use nix::errno::Errno;
use nix::sys::socket::{MsgFlags, MultiHeaders, SockaddrIn, recvmmsg, setsockopt, sockopt};

use crate::cpu;
use crate::error::ToolError;

/// Datagrams asked for at once.
const BATCH: usize = 64;
/// Each datagram takes a page and its bookkeeping: this holds about fifty thousand.
const BUFFER_BYTES: usize = 256 << 20;
const DATAGRAM_BYTES: usize = 2_048;
/// How often it looks whether it is to end.
const PATIENCE: Duration = Duration::from_millis(20);

/// A thread that reads and discards.
pub struct Drain {
    received: Arc<AtomicU64>,
    stopping: Arc<AtomicBool>,
    thread: JoinHandle<Result<u64, ToolError>>,
}

impl Drain {
    /// Begins to read from `socket`, on CPU `cpu`.
    pub fn start(socket: UdpSocket, cpu: usize) -> Result<Self, ToolError> {
        setsockopt(&socket, sockopt::RcvBufForce, &BUFFER_BYTES)
            .map_err(ToolError::system("giving the socket a buffer"))?;
        socket.set_read_timeout(Some(PATIENCE)).map_err(ToolError::system("a socket's time-out"))?;
        let (received, stopping) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicBool::new(false)));
        let (count, stop) = (received.clone(), stopping.clone());
        let thread = std::thread::spawn(move || discard(&socket, cpu, &count, &stop));
        Ok(Self { received, stopping, thread })
    }

    /// Datagrams so far.
    pub fn received(&self) -> u64 {
        self.received.load(Relaxed)
    }

    /// Datagrams once no more come.
    pub fn received_at_rest(&self) -> u64 {
        let mut seen = self.received();
        loop {
            #[allow(clippy::disallowed_methods, reason = "datagrams under way take real time")]
            std::thread::sleep(PATIENCE);
            let now = self.received();
            if now == seen {
                return now;
            }
            seen = now;
        }
    }

    /// Ends it: CPU time of its thread.
    pub fn stop(self) -> Result<u64, ToolError> {
        self.stopping.store(true, Relaxed);
        self.thread.join().unwrap_or_else(|_| Err(ToolError::Unexpected("the receiver panicked".into())))
    }
}

fn discard(
    socket: &UdpSocket,
    cpu: usize,
    received: &AtomicU64,
    stopping: &AtomicBool,
) -> Result<u64, ToolError> {
    cpu::pin(cpu)?;
    let mut headers = MultiHeaders::<SockaddrIn>::preallocate(BATCH, None);
    let mut buffers = Box::new([[0; DATAGRAM_BYTES]; BATCH]);
    while !stopping.load(Relaxed) {
        let mut slices = buffers.each_mut().map(|buffer| [IoSliceMut::new(buffer)]);
        let outcome =
            recvmmsg(socket.as_raw_fd(), &mut headers, slices.iter_mut(), MsgFlags::MSG_WAITFORONE, None);
        match outcome {
            Ok(messages) => {
                received.fetch_add(messages.count() as u64, Relaxed);
            }
            Err(Errno::EAGAIN | Errno::EINTR) => {}
            Err(error) => return Err(ToolError::system("recvmmsg")(error)),
        }
    }
    cpu::thread_nanos()
}
