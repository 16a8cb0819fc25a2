//! What can go wrong in a tool, and the exit code that says so.

use std::fmt;

/// Why a tool gave up.
#[derive(Debug)]
pub enum ToolError {
    /// The kernel refused a program, a map or a test run.
    Bpf {
        /// What was tried.
        what: String,
        /// What libbpf says.
        source: libbpf_rs::Error,
    },
    /// A system call failed.
    System {
        /// What was tried.
        what: String,
        /// What the system says.
        source: std::io::Error,
    },
    /// A program that the tool needs failed.
    Command {
        /// The whole command.
        command: String,
        /// Its own complaint.
        complaint: String,
    },
    /// This machine, or this user, cannot do it.
    Unable(String),
    /// Bad arguments.
    Usage(String),
    /// The library's refusal, which says what to do.
    Filter(klais_xdp::XdpError),
    /// A packet did not meet the fate that was to be measured: the figure would mean something else.
    Unexpected(String),
}

impl ToolError {
    pub fn bpf(what: impl Into<String>) -> impl FnOnce(libbpf_rs::Error) -> Self {
        let what = what.into();
        move |source| Self::Bpf { what, source }
    }

    pub fn system<E: Into<std::io::Error>>(what: impl Into<String>) -> impl FnOnce(E) -> Self {
        let what = what.into();
        move |source| Self::System { what, source: source.into() }
    }

    /// 1 for what was found out, 2 for what was asked wrongly or failed, 3 for what cannot be done here.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Unexpected(_) => 1,
            Self::Unable(_) => 3,
            _ => 2,
        }
    }
}

impl fmt::Display for ToolError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bpf { what, source } => write!(f, "{what}: {source:#}"),
            Self::Filter(error) => write!(f, "{error}"),
            Self::System { what, source } => write!(f, "{what}: {source}"),
            Self::Command { command, complaint } => write!(f, "`{command}` failed: {complaint}"),
            Self::Unable(reason) | Self::Usage(reason) | Self::Unexpected(reason) => f.write_str(reason),
        }
    }
}

impl std::error::Error for ToolError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Bpf { source, .. } => Some(source),
            Self::System { source, .. } => Some(source),
            _ => None,
        }
    }
}
