//! What gateways tell each other of their load.

use crate::wire::{Reader, WireError, Writer};

/// One gateway's load, as it says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Load {
    /// What its share of the sink takes, in readings per second.
    pub capacity_per_second: u32,
    /// What it admits, in readings per second.
    pub admitted_per_second: u32,
    /// Readings that wait for the sink.
    pub queued_readings: u32,
    /// How far ahead the next session slot lies, in milliseconds.
    pub session_slots_millis: u32,
    /// How far ahead the next backfill slot lies, in milliseconds.
    pub backfill_slots_millis: u32,
}

/// Bytes of a load.
pub(crate) const LOAD_BYTES: usize = 20;

impl Load {
    pub(crate) fn write(&self, to: &mut Writer<'_>) -> Result<(), WireError> {
        to.u32(self.capacity_per_second)?;
        to.u32(self.admitted_per_second)?;
        to.u32(self.queued_readings)?;
        to.u32(self.session_slots_millis)?;
        to.u32(self.backfill_slots_millis)
    }

    pub(crate) fn read(from: &mut Reader<'_>) -> Result<Self, WireError> {
        Ok(Self {
            capacity_per_second: from.u32()?,
            admitted_per_second: from.u32()?,
            queued_readings: from.u32()?,
            session_slots_millis: from.u32()?,
            backfill_slots_millis: from.u32()?,
        })
    }
}
