//! Why a replay gave up, or what it found.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use klais_dam::DamError;
use klais_xdp::XdpError;

use super::capture::CaptureError;
use crate::error::ToolError;

/// Everything that ends a replay.
#[derive(Debug)]
pub enum ReplayError {
    /// A file is no capture, or a broken one.
    Capture {
        /// Which.
        file: PathBuf,
        /// What, and where.
        error: CaptureError,
    },
    /// A file cannot be opened.
    File {
        /// Which.
        file: PathBuf,
        /// What the system says.
        error: io::Error,
    },
    /// A pipe or a folder: a capture is read twice, once before anything is loaded.
    NoFile(PathBuf),
    /// The configuration is wrong.
    Config {
        /// Which.
        file: PathBuf,
        /// What, with its place.
        problem: String,
    },
    /// The program could not be loaded or run.
    Kernel(XdpError),
    /// The limits of the configuration make no dam.
    Dam(DamError),
    /// The kernel's counters and what the packets came back with say different things.
    Miscounted {
        /// The capture.
        file: PathBuf,
        /// Packets run.
        packets: u64,
        /// Packets counted.
        counted: u64,
    },
    /// The program returned what it never returns.
    Verdict(u32),
    /// Packets of others did not get through as they were. The report says which.
    Harmed(u64),
}

impl ReplayError {
    /// Names the capture that an error belongs to.
    pub fn capture(file: &Path) -> impl Fn(CaptureError) -> Self + Copy + '_ {
        |error| Self::Capture { file: file.to_owned(), error }
    }
}

/// A name for a terminal: no control character of it gets there.
pub fn shown(file: &Path) -> String {
    file.display().to_string().replace(char::is_control, " ")
}

impl fmt::Display for ReplayError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Capture { file, error } => write!(f, "{}: {error}", shown(file)),
            Self::File { file, error } => write!(f, "{}: {error}", shown(file)),
            Self::NoFile(file) => write!(f, "{}: not a regular file: write the capture to one", shown(file)),
            Self::Config { file, problem } => write!(f, "{}: {problem}", shown(file)),
            Self::Kernel(error) => write!(f, "{error}"),
            Self::Dam(error) => write!(f, "limits: {error}"),
            Self::Miscounted { file, packets, counted } => {
                write!(f, "{}: {packets} packets were run and {counted} counted", shown(file))
            }
            Self::Verdict(action) => {
                write!(f, "the program returned {action}, which it never does: build it again")
            }
            Self::Harmed(packets) => {
                write!(f, "{packets} foreign packets did not pass unchanged, which is a fault of the program")
            }
        }
    }
}

impl std::error::Error for ReplayError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Capture { error, .. } => Some(error),
            Self::File { error, .. } => Some(error),
            Self::Kernel(error) => Some(error),
            Self::Dam(error) => Some(error),
            _ => None,
        }
    }
}

impl From<ReplayError> for ToolError {
    fn from(error: ReplayError) -> Self {
        match error {
            ReplayError::Harmed(_) | ReplayError::Miscounted { .. } | ReplayError::Verdict(_) => {
                Self::Unexpected(error.to_string())
            }
            _ => Self::Usage(error.to_string()),
        }
    }
}
