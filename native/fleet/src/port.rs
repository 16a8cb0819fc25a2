//! One UDP socket that sends from, and receives for, a whole block of local addresses.
//!
//! Frames go out one `sendmsg` each, with IP_PKTINFO naming the source address: one `sendmmsg` of raw packets took as
//! long (2.8 us against 2.9 us a frame into a veth: what costs is the packet's way, not the call). They come in by
//! `recvmmsg`.

use crate::error::FleetError;
use nix::cmsg_space;
use nix::errno::Errno;
use nix::libc::{in_addr, in_pktinfo, sock_extended_err, sockaddr_in};
use nix::poll::{PollFd, PollFlags, ppoll};
use nix::sys::socket::sockopt::{Ipv4PacketInfo, Ipv4RecvErr, RcvBuf, RcvBufForce, SndBuf, SndBufForce};
use nix::sys::socket::{
    AddressFamily, ControlMessage, ControlMessageOwned, MsgFlags, MultiHeaders, SockFlag, SockProtocol,
    SockType, SockaddrIn, bind, getsockname, recvmmsg, recvmsg, sendmsg, setsockopt, socket,
};
use nix::sys::time::TimeSpec;
use std::fs;
use std::io::{IoSlice, IoSliceMut};
use std::net::{Ipv4Addr, SocketAddrV4};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::time::Duration;

/// Datagrams per `recvmmsg`.
const RECEIVE_BATCH: usize = 64;
/// Longer than any frame: what does not fit is no frame.
const RECEIVE_BYTES: usize = 2_048;
/// A burst of answers to a whole fleet waits here.
const RECEIVE_BUFFER_BYTES: usize = 64 << 20;
const SEND_BUFFER_BYTES: usize = 8 << 20;
/// News of datagrams sent before that one call to send may meet.
const SEND_NEWS_MAX: usize = 16;

/// A datagram that has arrived.
#[derive(Clone, Copy, Debug)]
struct Arrival {
    bytes: usize,
    to: Ipv4Addr,
}

/// A datagram came back: where it was to go, nobody listens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// Whose it was.
    pub from: Ipv4Addr,
    /// Whom it was for.
    pub to: SocketAddrV4,
}

/// The socket and the memory that it receives into.
pub struct Port {
    fd: OwnedFd,
    number: u16,
    headers: MultiHeaders<SockaddrIn>,
    buffers: Vec<[u8; RECEIVE_BYTES]>,
    arrivals: Vec<Arrival>,
}

impl Port {
    /// Opens it on every address of this host at UDP port `number`; 0: any that is free.
    ///
    /// # Errors
    /// The port is taken, or the system refuses.
    pub fn open(number: u16) -> Result<Self, FleetError> {
        let refused = || FleetError::system("UDP socket");
        let flags = SockFlag::SOCK_NONBLOCK | SockFlag::SOCK_CLOEXEC;
        let fd =
            socket(AddressFamily::Inet, SockType::Datagram, flags, SockProtocol::Udp).map_err(refused())?;
        setsockopt(&fd, Ipv4PacketInfo, &true).map_err(refused())?;
        setsockopt(&fd, Ipv4RecvErr, &true).map_err(refused())?;
        // Without the right to force it, as much as the system allows.
        if setsockopt(&fd, RcvBufForce, &RECEIVE_BUFFER_BYTES).is_err() {
            setsockopt(&fd, RcvBuf, &RECEIVE_BUFFER_BYTES).map_err(refused())?;
        }
        if setsockopt(&fd, SndBufForce, &SEND_BUFFER_BYTES).is_err() {
            setsockopt(&fd, SndBuf, &SEND_BUFFER_BYTES).map_err(refused())?;
        }
        bind(fd.as_raw_fd(), &SockaddrIn::new(0, 0, 0, 0, number)).map_err(refused())?;
        let bound: SockaddrIn = getsockname(fd.as_raw_fd()).map_err(refused())?;
        Ok(Self {
            fd,
            number: bound.port(),
            headers: MultiHeaders::preallocate(RECEIVE_BATCH, Some(cmsg_space!(in_pktinfo))),
            buffers: vec![[0; RECEIVE_BYTES]; RECEIVE_BATCH],
            arrivals: Vec::with_capacity(RECEIVE_BATCH),
        })
    }

    /// Sends a datagram from a local address: never waits.
    ///
    /// # Errors
    /// `EAGAIN` where the send buffer is full; else why it cannot go.
    pub fn send(&self, from: Ipv4Addr, to: SocketAddrV4, datagram: &[u8]) -> Result<(), Errno> {
        let source = in_addr { s_addr: u32::from(from).to_be() };
        let info = in_pktinfo { ipi_ifindex: 0, ipi_spec_dst: source, ipi_addr: in_addr { s_addr: 0 } };
        let control = [ControlMessage::Ipv4PacketInfo(&info)];
        let to = SockaddrIn::from(to);
        let (data, now) = ([IoSlice::new(datagram)], MsgFlags::MSG_DONTWAIT);
        let mut news = 0;
        loop {
            match sendmsg(self.fd.as_raw_fd(), &data, &control, now, Some(&to)) {
                // Of an earlier datagram, and told once: this one did not go.
                Err(Errno::ECONNREFUSED) if news < SEND_NEWS_MAX => news += 1,
                done => return done.map(drop),
            }
        }
    }

    /// The next datagram that came back, if any. Never waits.
    pub fn refusal(&self) -> Option<Refusal> {
        let mut quoted = [0; 64];
        let mut space = cmsg_space!(in_pktinfo, (sock_extended_err, sockaddr_in));
        loop {
            let mut slices = [IoSliceMut::new(&mut quoted)];
            let flags = MsgFlags::MSG_ERRQUEUE | MsgFlags::MSG_DONTWAIT;
            let message =
                recvmsg::<SockaddrIn>(self.fd.as_raw_fd(), &mut slices, Some(&mut space), flags).ok()?;
            let (mut from, mut is_refused) = (None, false);
            for control in message.cmsgs().ok()? {
                match control {
                    ControlMessageOwned::Ipv4PacketInfo(info) => {
                        from = Some(Ipv4Addr::from(u32::from_be(info.ipi_addr.s_addr)));
                    }
                    ControlMessageOwned::Ipv4RecvErr(error, _) => {
                        is_refused = error.ee_errno == Errno::ECONNREFUSED as u32;
                    }
                    _ => {}
                }
            }
            if let (true, Some(from), Some(to)) = (is_refused, from, message.address) {
                return Some(Refusal { from, to: SocketAddrV4::new(to.ip(), to.port()) });
            }
        }
    }

    /// Takes what has arrived, at most a batch: how many. Never waits.
    ///
    /// # Errors
    /// The socket is broken.
    pub fn receive(&mut self) -> Result<usize, FleetError> {
        self.arrivals.clear();
        let mut slices: Vec<[IoSliceMut<'_>; 1]> =
            self.buffers.iter_mut().map(|buffer| [IoSliceMut::new(buffer)]).collect();
        let flags = MsgFlags::MSG_DONTWAIT;
        match recvmmsg(self.fd.as_raw_fd(), &mut self.headers, slices.iter_mut(), flags, None) {
            Ok(messages) => self.arrivals.extend(messages.map(|message| {
                let control = message.cmsgs().ok().and_then(|mut all| all.next());
                let to = match control {
                    Some(ControlMessageOwned::Ipv4PacketInfo(info)) => info.ipi_addr.s_addr,
                    _ => 0,
                };
                Arrival { bytes: message.bytes, to: Ipv4Addr::from(u32::from_be(to)) }
            })),
            Err(Errno::EAGAIN | Errno::EINTR | Errno::ECONNREFUSED) => {}
            Err(error) => return Err(FleetError::system("receive")(error)),
        }
        Ok(self.arrivals.len())
    }

    /// Number `n` of the datagrams that `receive` has taken, and the local address that it was sent to.
    pub fn datagram(&self, n: usize) -> Option<(Ipv4Addr, &[u8])> {
        let arrival = self.arrivals.get(n)?;
        Some((arrival.to, self.buffers.get(n)?.get(..arrival.bytes)?))
    }

    /// Waits until something can be received, or until `other` can be read, or for so long.
    pub fn wait_readable(&self, other: BorrowedFd<'_>, most: Duration) {
        let mut fds =
            [PollFd::new(self.fd.as_fd(), PollFlags::POLLIN), PollFd::new(other, PollFlags::POLLIN)];
        // Whatever it answers, the caller looks at the clock and the sockets anew.
        let _ = ppoll(&mut fds, Some(TimeSpec::from_duration(most)), None);
    }

    /// Waits until something can be sent, or for so long.
    pub fn wait_writable(&self, most: Duration) {
        let mut fds = [PollFd::new(self.fd.as_fd(), PollFlags::POLLOUT)];
        let _ = ppoll(&mut fds, Some(TimeSpec::from_duration(most)), None);
    }

    /// Datagrams that the system has dropped because the receive buffer was full; `None` where it does not say.
    pub fn overflows(&self) -> Option<u64> {
        let table = fs::read_to_string("/proc/self/net/udp").ok()?;
        let local = format!("00000000:{:04X}", self.number);
        let row = table.lines().find(|line| line.split_whitespace().nth(1) == Some(&local))?;
        row.split_whitespace().last()?.parse().ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::signals::StopSignals;
    use std::net::UdpSocket;

    #[test]
    fn a_datagram_that_nobody_listens_for_comes_back() {
        let port = Port::open(0).expect("a socket");
        let gone = UdpSocket::bind("127.0.0.1:0").and_then(|socket| socket.local_addr()).expect("an address");
        let std::net::SocketAddr::V4(to) = gone else { unreachable!("bound to IPv4") };
        let from = Ipv4Addr::new(127, 200, 3, 5);
        assert_eq!(port.refusal(), None);
        port.send(from, to, b"anybody").expect("sent");
        let signals = StopSignals::new().expect("signals");
        port.wait_readable(signals.as_fd(), Duration::from_secs(5));
        assert_eq!(port.refusal(), Some(Refusal { from, to }));
        assert_eq!(port.refusal(), None);
        port.send(from, to, b"still").expect("the news of the first is not this one's");
    }

    #[test]
    fn datagrams_leave_from_and_arrive_at_any_local_address() {
        let mut port = Port::open(0).expect("a socket");
        let peer = UdpSocket::bind("127.0.0.1:0").expect("a socket");
        let to = match peer.local_addr().expect("bound") {
            std::net::SocketAddr::V4(to) => to,
            std::net::SocketAddr::V6(_) => unreachable!("bound to IPv4"),
        };
        let from = Ipv4Addr::new(127, 200, 3, 4);
        port.send(from, to, b"up").expect("sent");
        let mut buffer = [0; 16];
        let (bytes, source) = peer.recv_from(&mut buffer).expect("received");
        assert_eq!((&buffer[..bytes], source.ip()), (&b"up"[..], from.into()));
        peer.send_to(b"down", source).expect("sent");
        let signals = StopSignals::new().expect("signals");
        port.wait_readable(signals.as_fd(), Duration::from_secs(5));
        assert_eq!(port.receive().expect("received"), 1);
        assert_eq!(port.datagram(0), Some((from, &b"down"[..])));
        assert_eq!(port.datagram(1), None);
        assert_eq!(port.overflows(), Some(0));
        assert!(port.send(Ipv4Addr::new(192, 0, 2, 1), to, b"x").is_err());
    }
}
