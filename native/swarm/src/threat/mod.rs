//! Threats: who is reported, by whom, what takes hold, and what is told on.

mod relay;
mod report;
mod subject;
mod table;
mod threats;

pub(crate) use relay::Relay;
pub use report::{Evidence, EvidenceKind};
pub(crate) use report::{Report, ReportId};
pub(crate) use subject::MAPPED_BITS;
pub use subject::Subject;
pub use table::Action;
pub(crate) use table::Local;
pub use threats::ThreatCounters;
pub(crate) use threats::Threats;
