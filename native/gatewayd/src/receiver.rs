//! Datagrams in, in batches, without an allocation per datagram.

use crate::clock::realtime_nanos;
use klais_burst_sync::wire::FRAME_BYTES_MAX;
use nix::cmsg_space;
use nix::errno::Errno;
use nix::sys::socket::{ControlMessageOwned, MsgFlags, MultiHeaders, SockaddrStorage, recvmmsg};
use nix::sys::time::TimeSpec;
use std::io::IoSliceMut;
use std::net::{SocketAddr, SocketAddrV4, SocketAddrV6, UdpSocket};
use std::os::fd::AsRawFd;

/// Datagrams taken from the kernel by one call.
pub const RECEIVE_BATCH: usize = 64;
/// Room for a datagram: a byte more than the longest frame, so that what is cut still has a length that no frame has.
const DATAGRAM_BYTES: usize = FRAME_BYTES_MAX + 8;
/// A stamp further in the past than this is the clock's fault and not the queue's.
const QUEUE_NANOS_MAX: u64 = 60_000_000_000;

/// One datagram of the last batch.
#[derive(Clone, Copy, Debug)]
pub struct Datagram {
    bytes: usize,
    /// Who sent it, or says so.
    pub from: SocketAddr,
    /// How long it had been waiting when the batch was received; 0 if the kernel did not say.
    pub waited_nanos: u64,
}

/// The buffers of one receiving loop.
pub struct Receiver {
    headers: MultiHeaders<SockaddrStorage>,
    buffer: Box<[u8]>,
    batch: Vec<Datagram>,
    /// Datagrams whose stamp was missing or nonsense, as after a jump of the wall clock.
    pub unstamped: u64,
}

impl Receiver {
    /// Allocates all that it will ever need.
    pub fn new() -> Self {
        Self {
            headers: MultiHeaders::preallocate(RECEIVE_BATCH, Some(cmsg_space!(TimeSpec))),
            buffer: vec![0; RECEIVE_BATCH * DATAGRAM_BYTES].into_boxed_slice(),
            batch: Vec::with_capacity(RECEIVE_BATCH),
            unstamped: 0,
        }
    }

    /// Takes what waits, up to [`RECEIVE_BATCH`], and never waits itself: how many.
    ///
    /// # Errors
    /// What the socket reports beside having nothing to give.
    pub fn receive(&mut self, socket: &UdpSocket) -> Result<usize, Errno> {
        self.batch.clear();
        let mut places = self.buffer.chunks_exact_mut(DATAGRAM_BYTES);
        let mut slices: [[IoSliceMut<'_>; 1]; RECEIVE_BATCH] =
            std::array::from_fn(|_| [IoSliceMut::new(places.next().unwrap_or_default())]);
        let results =
            recvmmsg(socket.as_raw_fd(), &mut self.headers, slices.iter_mut(), MsgFlags::MSG_DONTWAIT, None);
        let results = match results {
            Ok(results) => results,
            Err(Errno::EAGAIN | Errno::EINTR) => return Ok(0),
            Err(error) => return Err(error),
        };
        let now = realtime_nanos();
        for message in results {
            let stamp = message.cmsgs().ok().and_then(|mut controls| {
                controls.find_map(|control| match control {
                    ControlMessageOwned::ScmTimestampns(time) => Some(nanos(time)),
                    _ => None,
                })
            });
            let waited = stamp.and_then(|at| now.checked_sub(at)).filter(|waited| *waited <= QUEUE_NANOS_MAX);
            self.unstamped += u64::from(waited.is_none());
            let Some(from) = message.address.as_ref().and_then(socket_address) else { continue };
            self.batch.push(Datagram { bytes: message.bytes, from, waited_nanos: waited.unwrap_or(0) });
        }
        Ok(self.batch.len())
    }

    /// The datagrams of the last batch.
    pub fn datagrams(&self) -> impl Iterator<Item = (Datagram, &[u8])> {
        let places = self.buffer.chunks_exact(DATAGRAM_BYTES);
        self.batch.iter().zip(places).map(|(datagram, place)| {
            let bytes = place.get(..datagram.bytes).unwrap_or(place);
            (*datagram, bytes)
        })
    }
}

fn nanos(time: TimeSpec) -> u64 {
    let seconds = u64::try_from(time.tv_sec()).unwrap_or(0);
    seconds.saturating_mul(1_000_000_000).saturating_add(u64::try_from(time.tv_nsec()).unwrap_or(0))
}

fn socket_address(address: &SockaddrStorage) -> Option<SocketAddr> {
    let v4 = address.as_sockaddr_in().map(|a| SocketAddr::V4(SocketAddrV4::from(*a)));
    v4.or_else(|| address.as_sockaddr_in6().map(|a| SocketAddr::V6(SocketAddrV6::from(*a))))
}
