//! Why the daemon does not start, in words for whoever started it.

use klais_dam::DamError;
use klais_xdp::XdpError;
use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;

/// What is wrong, and where. All of these end the process with exit code 2.
#[derive(Debug)]
pub enum StartError {
    /// The configuration file cannot be read.
    Unreadable { path: PathBuf, error: std::io::Error },
    /// The configuration says what it must not.
    Config { path: PathBuf, place: Option<(usize, usize)>, key: String, problem: String },
    /// An address cannot be bound.
    Bind { what: &'static str, address: SocketAddr, error: std::io::Error },
    /// The operating system refuses something that the daemon cannot do without.
    System { what: &'static str, error: std::io::Error },
    /// XDP was asked for and cannot be had.
    Xdp { interface: String, error: XdpError },
    /// The policy makes no dam.
    Dam(DamError),
}

impl fmt::Display for StartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreadable { path, error } => write!(f, "{}: {error}", path.display()),
            Self::Config { path, place, key, problem } => {
                write!(f, "{}", path.display())?;
                if let Some((line, column)) = place {
                    write!(f, ":{line}:{column}")?;
                }
                if key.is_empty() { write!(f, ": {problem}") } else { write!(f, ": {key}: {problem}") }
            }
            Self::Bind { what, address, error } if error.kind() == std::io::ErrorKind::AddrInUse => write!(
                f,
                "{what} {address} is in use: stop the process that has it (is another klais-gatewayd running?) \
                 or configure another port"
            ),
            Self::Bind { what, address, error } => write!(f, "{what} {address} cannot be bound: {error}"),
            Self::System { what, error } => write!(f, "{what}: {error}"),
            Self::Xdp { interface, error } => write!(
                f,
                "XDP cannot be had on {interface}: {error}. Or set xdp to auto, which goes on without where it must"
            ),
            Self::Dam(error) => write!(f, "no dam can be made of the policy: {error}"),
        }
    }
}

impl std::error::Error for StartError {}
