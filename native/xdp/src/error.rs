//! What can go wrong between user space and the kernel.

use std::fmt;

/// Why the filter could not be loaded, changed or read.
#[derive(Debug)]
pub enum XdpError {
    /// The kernel or libbpf refused. Loading needs root (or `CAP_BPF` and `CAP_NET_ADMIN`) and Linux 5.15.
    Kernel {
        /// What was tried.
        what: &'static str,
        /// What it said.
        error: libbpf_rs::Error,
    },
    /// A part of the program that the loader counts on is missing: loader and program are not of one build.
    Missing(&'static str),
    /// The kernel would not map a table.
    Mapping {
        /// Its name.
        map: &'static str,
        /// Why.
        error: std::io::Error,
    },
    /// A filter needs at least one device.
    NoDevices,
}

impl fmt::Display for XdpError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Kernel { what, error } => {
                write!(f, "{what}: {error} (it needs root and Linux 5.15 or newer)")
            }
            Self::Missing(name) => write!(f, "the BPF program has no {name}: build it again"),
            Self::Mapping { map, error } => write!(f, "cannot map the table {map}: {error}"),
            Self::NoDevices => f.write_str("a filter needs at least one device"),
        }
    }
}

impl std::error::Error for XdpError {}
