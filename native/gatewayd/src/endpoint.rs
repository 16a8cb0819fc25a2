//! The daemon's two sockets.

use crate::error::StartError;
use nix::sys::socket::{setsockopt, sockopt};
use std::net::{SocketAddr, TcpListener, UdpSocket};
use tracing::{info, warn};

/// Bytes of datagrams that may wait in the kernel: some 40,000 small frames, as the kernel accounts for them.
const RECEIVE_BUFFER_BYTES: usize = 32 << 20;
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
