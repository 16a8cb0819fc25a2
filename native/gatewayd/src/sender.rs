//! Frames out, in batches, without an allocation per frame.

use klais_burst_sync::wire::WireError;
use nix::errno::Errno;
use nix::sys::socket::{MsgFlags, MultiHeaders, SockaddrStorage, sendmmsg};
use std::io::IoSlice;
use std::net::{SocketAddr, UdpSocket};
use std::os::fd::AsRawFd;

/// Frames given to the kernel by one call.
pub const SEND_BATCH: usize = 64;
/// Room for a frame: gateways send none longer than REDIRECT's 56 bytes.
const ANSWER_BYTES: usize = 64;

/// The buffers of one sending loop. A frame that the kernel does not take is counted and gone: the protocol repeats.
pub struct Sender {
    headers: MultiHeaders<SockaddrStorage>,
    buffer: Box<[u8]>,
    addresses: Vec<Option<SockaddrStorage>>,
    lengths: Vec<usize>,
    /// When the frame that each frame answers came in, in the caller's clock; `None` where that is not asked.
    since: Vec<Option<u64>>,
    /// Frames that the kernel took.
    pub sent: u64,
    /// Frames that found the socket's buffer full.
    pub full: u64,
    /// Frames refused for another reason, such as no route.
    pub refused: u64,
}

impl Sender {
    /// Allocates all that it will ever need.
    pub fn new() -> Self {
        Self {
            headers: MultiHeaders::preallocate(SEND_BATCH, None),
            buffer: vec![0; SEND_BATCH * ANSWER_BYTES].into_boxed_slice(),
            addresses: Vec::with_capacity(SEND_BATCH),
            lengths: Vec::with_capacity(SEND_BATCH),
            since: Vec::with_capacity(SEND_BATCH),
            sent: 0,
            full: 0,
            refused: 0,
        }
    }

    /// Whether the batch must be flushed before the next frame.
    pub fn is_full(&self) -> bool {
        self.lengths.len() == SEND_BATCH
    }

    /// Frames that wait to be flushed.
    pub fn len(&self) -> usize {
        self.lengths.len()
    }

    /// Adds a frame to the batch, which is not full. `write` fills it in and says how long it is.
    ///
    /// # Errors
    /// What `write` returns; nothing is added then.
    pub fn push(
        &mut self,
        to: SocketAddr,
        since: Option<u64>,
        write: impl FnOnce(&mut [u8]) -> Result<usize, WireError>,
    ) -> Result<(), WireError> {
        let start = self.lengths.len() * ANSWER_BYTES;
        let place = self.buffer.get_mut(start..start + ANSWER_BYTES).ok_or(WireError::Length)?;
        self.lengths.push(write(place)?);
        self.addresses.push(Some(SockaddrStorage::from(to)));
        self.since.push(since);
        Ok(())
    }

    /// Sends the batch. `on_sent` is told of each frame that went out with a `since`, after the call that took it.
    pub fn flush(&mut self, socket: &UdpSocket, mut on_sent: impl FnMut(&[Option<u64>])) {
        let mut first = 0;
        while first < self.lengths.len() {
            match self.send_from(socket, first) {
                Ok(taken) => {
                    self.sent += taken as u64;
                    on_sent(self.since.get(first..first + taken).unwrap_or_default());
                    first += taken;
                    if taken == 0 {
                        break;
                    }
                }
                Err(Errno::EINTR) => {}
                Err(Errno::EAGAIN | Errno::ENOBUFS) => {
                    self.full += (self.lengths.len() - first) as u64;
                    break;
                }
                Err(_) => {
                    self.refused += 1;
                    first += 1;
                }
            }
        }
        self.lengths.clear();
        self.addresses.clear();
        self.since.clear();
    }

    fn send_from(&mut self, socket: &UdpSocket, first: usize) -> Result<usize, Errno> {
        let places = self.buffer.chunks_exact(ANSWER_BYTES).zip(&self.lengths).skip(first);
        let mut frames = places.map(|(place, length)| place.get(..*length).unwrap_or_default());
        let slices: [[IoSlice<'_>; 1]; SEND_BATCH] =
            std::array::from_fn(|_| [IoSlice::new(frames.next().unwrap_or_default())]);
        let addresses = self.addresses.get(first..).unwrap_or_default();
        let count = addresses.len();
        let results = sendmmsg(
            socket.as_raw_fd(),
            &mut self.headers,
            slices.iter().take(count),
            addresses,
            [],
            MsgFlags::MSG_DONTWAIT,
        )?;
        Ok(results.count().min(count))
    }
}
