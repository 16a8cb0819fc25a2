//! Why the daemon does not start, in words for whoever started it.

use klais_dam::DamError;
use klais_xdp::XdpError;
use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;

/// What a build without Kafka says of a sink that wants it.
#[cfg(not(feature = "kafka"))]
pub const NO_KAFKA: &str =
    "this klais-gatewayd is built without Kafka: build it with `--features kafka`, or configure the mock";

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
    /// The sink cannot be made.
    #[cfg(feature = "kafka")]
    Sink(klais_kafka::SinkError),
    /// Kafka was asked for, and is not in this build.
    #[cfg(not(feature = "kafka"))]
    NoKafka,
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
            #[cfg(feature = "kafka")]
            Self::Sink(error) => write!(f, "the sink cannot be made: {error}"),
            #[cfg(not(feature = "kafka"))]
            Self::NoKafka => f.write_str(NO_KAFKA),
        }
    }
}

impl std::error::Error for StartError {}
