//! The gossip socket and what goes in and out by it.

use super::config::are_devices_judged;
use crate::clock::{monotonic_nanos, realtime_nanos};
use crate::config::Config;
use crate::endpoint;
use crate::error::StartError;
use crate::prefixes::Prefixes;
use crate::random::random;
use klais_gateway_swarm::{Seat, SeatConfig};
use klais_swarm::{DATAGRAM_BYTES_MAX, Identity, Swarm, SwarmConfig};
use klais_units::NANOS_PER_MICRO;
use std::collections::BTreeSet;
use std::io::ErrorKind;
use std::net::UdpSocket;
use std::os::fd::{AsFd, BorrowedFd};

/// Datagrams taken per turn of the loop; what is beyond waits for the next one.
const DATAGRAMS_PER_TURN: usize = 128;
/// While frames keep the loop busy, the gossip socket is looked at so often.
const LOOK_MICROS: u64 = 1_000;
/// Frames that are dropped by their MAC at a time. More are let in: the protocol stands copies.
pub(super) const FRAMES_MAX: usize = 65_536;

/// What the socket did, beside what the swarm counts.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct SocketCounts {
    pub(super) received_bytes: u64,
    /// Datagrams that the kernel did not take.
    pub(super) send_failed: u64,
    pub(super) receive_failed: u64,
    /// Blocks for which there was no room in the dam.
    pub(super) unplaced: u64,
    /// CPU time of all this.
    pub(super) cpu_nanos: u64,
}

/// This gateway's part in the swarm. Times in microseconds of CLOCK_MONOTONIC.
pub struct Gossip {
    pub(super) seat: Seat,
    socket: UdpSocket,
    buffer: Box<[u8]>,
    /// Ranges that the swarm has blocked, beside the operator's.
    pub(super) prefixes: Prefixes,
    /// Frames that the swarm has blocked.
    pub(super) frames: BTreeSet<u64>,
    /// There is something to read.
    pub(super) is_readable: bool,
    next_look: u64,
    pub(super) due: u64,
    /// When the frames that are observed were received.
    pub(super) seen_at: u64,
    pub(super) counts: SocketCounts,
}

impl Gossip {
    /// Bound, and ready to knock at the others' doors.
    ///
    /// # Errors
    /// The socket or chance cannot be had, or what the swarm says to its configuration.
    pub fn new(config: &Config, swarm: SwarmConfig) -> Result<Option<Self>, StartError> {
        let Some(section) = &config.swarm else { return Ok(None) };
        let system = |what| move |error| StartError::System { what, error };
        let socket = endpoint::gossip_socket(section.listen)?;
        let seed = random().map_err(system("no random number"))?;
        let now = monotonic_nanos() / NANOS_PER_MICRO;
        let own = config.gateway;
        let identity = Identity {
            gateway: u16::try_from(own).unwrap_or(u16::MAX),
            incarnation: realtime_nanos() / NANOS_PER_MICRO,
        };
        let seat_config = SeatConfig {
            gateway: own,
            gateways: config.gateways,
            devices: config.devices,
            judges: are_devices_judged(config.time_scale),
            window_micros: swarm.detect.window_micros,
        };
        let swarm = Swarm::new(swarm, identity, u64::from_le_bytes(seed), now)
            .map_err(|error| system("no swarm")(std::io::Error::other(error.to_string())))?;
        Ok(Some(Self {
            due: swarm.next_deadline(),
            seat: Seat::new(swarm, seat_config, now),
            socket,
            // A byte more than the longest, so that what is cut is too long.
            buffer: vec![0; DATAGRAM_BYTES_MAX + 1].into_boxed_slice(),
            prefixes: Prefixes::default(),
            frames: BTreeSet::new(),
            is_readable: true,
            next_look: now,
            seen_at: now,
            counts: SocketCounts::default(),
        }))
    }

    /// What to poll for.
    pub fn socket(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }

    /// There is something to read.
    pub fn ring(&mut self) {
        self.is_readable = true;
    }

    /// When there is something to do, whether a datagram comes or not: nanoseconds of CLOCK_MONOTONIC.
    pub fn due_nanos(&self) -> u64 {
        self.due.saturating_mul(NANOS_PER_MICRO)
    }

    /// Whether anything is to be done now.
    pub(super) fn has_work(&self, now: u64) -> bool {
        self.is_readable || now >= self.due.min(self.next_look)
    }

    /// Takes what waits, up to a limit. Whether there was anything.
    pub(super) fn receive(&mut self, now: u64) -> bool {
        self.next_look = now.saturating_add(LOOK_MICROS);
        for n in 0..DATAGRAMS_PER_TURN {
            match self.socket.recv_from(&mut self.buffer) {
                Ok((length, from)) => {
                    self.counts.received_bytes += length as u64;
                    // Counted by the swarm, by its reason.
                    let _ = self.seat.swarm.handle(now, from, self.buffer.get(..length).unwrap_or_default());
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => {
                    self.counts.receive_failed += u64::from(error.kind() != ErrorKind::WouldBlock);
                    self.is_readable = false;
                    return n > 0;
                }
            }
        }
        self.is_readable = true;
        true
    }

    /// Sends what is to be sent. What the kernel does not take is gone: it is told again.
    pub(super) fn send(&mut self) {
        for datagram in self.seat.swarm.take_datagrams() {
            if self.socket.send_to(&datagram.bytes, datagram.to).is_err() {
                self.counts.send_failed += 1;
            }
        }
    }
}
