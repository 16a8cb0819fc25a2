//! The dam in the kernel: the BPF program in `bpf/`, loaded, set up and read.
//!
//! The program decides what `klais_gateway::ingress` decides, over the same words: [`Filter::tables`] lends the kernel's
//! memory to a `klais_dam::Dam`, so that there is one state and not two. Linux only.
#![cfg(target_os = "linux")]

mod attach;
mod counters;
mod error;
mod filter;
mod layout;
mod log;
mod memory;
mod pass;
mod prefixes;

pub use attach::{AttachMode, Attachment, LinkState};
pub use counters::{COUNTER_NAMES, Count};
pub use error::XdpError;
pub use filter::{Filter, FilterConfig, Key, TestRun};
pub use log::log_to;
pub use pass::let_pass;
pub use prefixes::Prefix;
