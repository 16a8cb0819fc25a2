//! What stops a program of the fleet.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

/// Exit status for a file that the user has to mend.
const EXIT_INPUT: u8 = 2;
const EXIT_SYSTEM: u8 = 1;

/// Every error of the fleet's programs.
#[derive(Debug)]
pub enum FleetError {
    /// A configuration is wrong.
    Config {
        /// Which file.
        file: PathBuf,
        /// Path of the key, `.` for the whole.
        key: String,
        /// What is wrong with it.
        problem: String,
    },
    /// A line of another input file is wrong.
    Line {
        /// Which file.
        file: PathBuf,
        /// From 1.
        line: usize,
        /// What is wrong with it.
        problem: String,
    },
    /// A file cannot be read or written.
    File {
        /// Which.
        file: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The operating system refuses.
    System {
        /// What was asked of it.
        what: &'static str,
        /// Its answer.
        source: nix::Error,
    },
}

impl FleetError {
    /// Wraps an error of a file.
    pub fn file(file: &Path) -> impl FnOnce(io::Error) -> Self + '_ {
        move |source| Self::File { file: file.to_owned(), source }
    }

    /// Wraps an answer of the operating system.
    pub fn system(what: &'static str) -> impl FnOnce(nix::Error) -> Self {
        move |source| Self::System { what, source }
    }

    /// Status of the process: 2 where a file has to be mended, else 1.
    pub const fn exit_status(&self) -> u8 {
        match self {
            Self::Config { .. } | Self::Line { .. } => EXIT_INPUT,
            Self::File { .. } | Self::System { .. } => EXIT_SYSTEM,
        }
    }
}

impl fmt::Display for FleetError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Config { file, key, problem } => write!(f, "{}: {key}: {problem}", file.display()),
            Self::Line { file, line, problem } => write!(f, "{}:{line}: {problem}", file.display()),
            Self::File { file, source } => write!(f, "{}: {source}", file.display()),
            Self::System { what, source } => write!(f, "{what}: {source}"),
        }
    }
}

impl std::error::Error for FleetError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::File { source, .. } => Some(source),
            Self::System { source, .. } => Some(source),
            Self::Config { .. } | Self::Line { .. } => None,
        }
    }
}
