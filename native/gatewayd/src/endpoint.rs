//! The daemon's two sockets.

use crate::error::StartError;
use nix::errno::Errno;
use nix::ifaddrs::getifaddrs;
use nix::sys::socket::{SockaddrStorage, setsockopt, sockopt};
use std::ffi::OsString;
use std::net::{IpAddr, SocketAddr, TcpListener, UdpSocket};
use tracing::{info, warn};

/// Bytes of datagrams that may wait in the kernel: some 40,000 small frames, as the kernel accounts for them.
const RECEIVE_BUFFER_BYTES: usize = 32 << 20;
/// Datagrams that may wait in that, however small.
const WAITING_MAX: usize = 1 << 17;
/// Bytes of answers that may wait in the kernel.
const SEND_BUFFER_BYTES: usize = 8 << 20;

/// The socket that frames come to.
///
/// # Errors
/// [`StartError::Bind`], where another process has the port; [`StartError::System`].
pub fn data_socket(address: SocketAddr) -> Result<UdpSocket, StartError> {
    let bind = |error| StartError::Bind { what: "listen", address, error };
    let system = |what: &'static str| move |error| StartError::System { what, error };
    let socket = UdpSocket::bind(address).map_err(bind)?;
    socket.set_nonblocking(true).map_err(system("the socket cannot be made non-blocking"))?;
    // Beyond net.core.rmem_max where the process may; else as much as that allows.
    if setsockopt(&socket, sockopt::RcvBufForce, &RECEIVE_BUFFER_BYTES).is_err() {
        let set = setsockopt(&socket, sockopt::RcvBuf, &RECEIVE_BUFFER_BYTES);
        set.map_err(|error| system("SO_RCVBUF")(error.into()))?;
    }
    if setsockopt(&socket, sockopt::SndBufForce, &SEND_BUFFER_BYTES).is_err() {
        let set = setsockopt(&socket, sockopt::SndBuf, &SEND_BUFFER_BYTES);
        set.map_err(|error| system("SO_SNDBUF")(error.into()))?;
    }
    if let Err(error) = setsockopt(&socket, sockopt::ReceiveTimestampns, &true) {
        warn!(%error, "no receive timestamps: turnaround counts from the call that received a frame");
    }
    let receive_buffer_bytes = nix::sys::socket::getsockopt(&socket, sockopt::RcvBuf).unwrap_or(0);
    info!(receive_buffer_bytes, "listening for frames");
    Ok(socket)
}

/// From now on only what has passed the filter on `interface`: the socket is bound to that interface, and what came before
/// is thrown away.
///
/// Not where `listen` is an address of another interface, as of a bridge or a VLAN above this one: whatever the filter
/// passes would come in by that one and find no socket. Then what comes in by another way is not limited.
pub fn take_from(socket: &UdpSocket, interface: &str, listen: IpAddr) {
    let is_there = listen.is_unspecified() || is_address_of(listen, interface);
    if !is_there {
        warn!(
            %listen,
            interface,
            "the address is not this interface's own: frames that come by another interface pass no filter"
        );
    } else if let Err(error) = bind_to(socket, interface) {
        warn!(%error, interface, "frames that come by another interface pass no filter");
    }
    let mut bytes = [0; 1];
    for _ in 0..WAITING_MAX {
        if socket.recv_from(&mut bytes).is_err() {
            break;
        }
    }
}

/// From any interface again.
pub fn take_from_anywhere(socket: &UdpSocket) {
    if let Err(error) = bind_to(socket, "") {
        warn!(%error, "the data socket stays bound to the interface");
    }
}

fn bind_to(socket: &UdpSocket, interface: &str) -> Result<(), Errno> {
    setsockopt(socket, sockopt::BindToDevice, &OsString::from(interface))
}

fn is_address_of(ip: IpAddr, interface: &str) -> bool {
    let address_of = |address: SockaddrStorage| {
        let v4 = address.as_sockaddr_in().map(|a| IpAddr::V4(a.ip()));
        v4.or_else(|| address.as_sockaddr_in6().map(|a| IpAddr::V6(a.ip())))
    };
    getifaddrs().is_ok_and(|mut all| {
        all.any(|a| {
            a.interface_name == interface && a.address.and_then(address_of) == Some(ip.to_canonical())
        })
    })
}

/// The socket that gossip comes to.
///
/// # Errors
/// [`StartError::Bind`] or [`StartError::System`].
pub fn gossip_socket(address: SocketAddr) -> Result<UdpSocket, StartError> {
    let bind = |error| StartError::Bind { what: "swarm.listen", address, error };
    let socket = UdpSocket::bind(address).map_err(bind)?;
    let system = |error| StartError::System { what: "the gossip socket cannot be made non-blocking", error };
    socket.set_nonblocking(true).map_err(system)?;
    Ok(socket)
}

/// The socket that the admin interface listens on.
///
/// # Errors
/// [`StartError::Bind`] or [`StartError::System`].
pub fn admin_socket(address: SocketAddr) -> Result<TcpListener, StartError> {
    let bind = |error| StartError::Bind { what: "admin", address, error };
    let socket = TcpListener::bind(address).map_err(bind)?;
    let system = |error| StartError::System { what: "the admin socket cannot be made non-blocking", error };
    socket.set_nonblocking(true).map_err(system)?;
    Ok(socket)
}
