//! What can go wrong between user space and the kernel.

use std::fmt;
use std::io;

/// Why the filter could not be loaded, attached, changed or read. Each says what to do about it.
#[derive(Debug)]
pub enum XdpError {
    /// The kernel or libbpf refused.
    Kernel {
        /// What was tried.
        what: &'static str,
        /// What it said.
        error: libbpf_rs::Error,
    },
    /// The process may not do this.
    NotPermitted {
        /// What was tried.
        what: &'static str,
    },
    /// A part of the program that the loader counts on is missing: loader and program are not of one build.
    Missing(&'static str),
    /// The kernel would not map a table.
    Mapping {
        /// Its name.
        map: &'static str,
        /// Why.
        error: io::Error,
    },
    /// A filter needs at least one device.
    NoDevices,
    /// There is no interface of this name in the process's network namespace.
    NoInterface {
        /// The name.
        interface: String,
    },
    /// Another XDP program is attached to the interface.
    Busy {
        /// Its name.
        interface: String,
    },
    /// Packets of the interface, or of its peer where it is a veth, may be longer than the driver's hook takes.
    Mtu {
        /// Its name.
        interface: String,
        /// Its own MTU in bytes, where the kernel tells.
        mtu: Option<u32>,
    },
    /// The interface's driver cannot run XDP programs.
    NoNativeSupport {
        /// Its name.
        interface: String,
    },
    /// The interface has fewer queues for receiving than its peer has for sending.
    Queues {
        /// Its name.
        interface: String,
    },
    /// The kernel would not attach the program, for a reason of its own.
    Attach {
        /// The interface's name.
        interface: String,
        /// What it said.
        error: io::Error,
    },
    /// As many ranges are blocked as the filter holds.
    PrefixesFull {
        /// So many.
        most: usize,
    },
    /// More addresses than the filter tells from others.
    TooManyAddresses {
        /// It tells so many.
        most: usize,
    },
    /// More shards than the filter tells apart.
    Shards(u32),
}

impl XdpError {
    /// A refusal by libbpf while doing `what`.
    pub(crate) fn refused(what: &'static str) -> impl Fn(libbpf_rs::Error) -> Self {
        move |error| match error.kind() {
            libbpf_rs::ErrorKind::PermissionDenied => Self::NotPermitted { what },
            _ => Self::Kernel { what, error },
        }
    }

    /// Whether the interface might take the program in its generic hook, though not in its driver.
    #[must_use]
    pub fn is_of_the_driver(&self) -> bool {
        matches!(self, Self::Mtu { .. } | Self::NoNativeSupport { .. } | Self::Queues { .. })
    }
}

impl fmt::Display for XdpError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Kernel { what, error } => {
                write!(f, "{what}: {error} (it needs Linux 5.15 or newer)")
            }
            Self::NotPermitted { what } => {
                write!(f, "{what}: not permitted; run as root, or with CAP_BPF and CAP_NET_ADMIN")
            }
            Self::Missing(name) => write!(f, "the BPF program has no {name}: build it again"),
            Self::Mapping { map, error } => write!(f, "cannot map the table {map}: {error}"),
            Self::NoDevices => f.write_str("a filter needs at least one device"),
            Self::NoInterface { interface } => write!(
                f,
                "there is no interface {interface} in this network namespace; `ip link` lists those that are"
            ),
            Self::Busy { interface } => write!(
                f,
                "another XDP program is attached to {interface}: stop the klais-gatewayd that runs on it, or take \
                 another program off with `ip link set dev {interface} xdp off` (or xdpgeneric off)"
            ),
            Self::Mtu { interface, mtu } => {
                write!(f, "packets of {interface} may be too long for its driver's hook")?;
                if let Some(mtu) = mtu {
                    write!(f, " (MTU {mtu})")?;
                }
                write!(
                    f,
                    "; `ip link set dev {interface} mtu 1500`, of a veth at both ends (it takes 3,500 or so)"
                )
            }
            Self::NoNativeSupport { interface } => {
                write!(f, "the driver of {interface} cannot run XDP programs; the generic hook can")
            }
            Self::Queues { interface } => write!(
                f,
                "{interface} has fewer receive queues than its peer has for sending; \
                 `ethtool --set-channels {interface} rx N`"
            ),
            Self::Attach { interface, error } => write!(f, "the kernel refuses it on {interface}: {error}"),
            Self::PrefixesFull { most } => {
                write!(f, "{most} address ranges are blocked, and no more can be; unblock some first")
            }
            Self::TooManyAddresses { most } => {
                write!(f, "at most {most} addresses can be told from others; name none, and the port decides")
            }
            Self::Shards(asked) => {
                write!(
                    f,
                    "{asked} shards are more than the filter tells apart: at most {}",
                    crate::Filter::SHARDS_MAX
                )
            }
        }
    }
}

impl std::error::Error for XdpError {}
