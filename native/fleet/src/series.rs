//! A row per interval of virtual time.

use crate::counts::Counts;
use serde::Serialize;

/// How things stood at the end of an interval, and what was counted in it.
#[derive(Clone, Copy, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Row {
    /// End of the interval.
    time_micros: u64,
    /// Devices with a session.
    online: u32,
    /// Owed by powered devices.
    backlog_readings: u64,
    frames_sent: u64,
    frames_received: u64,
    hellos: u64,
    admits: u64,
    defers: u64,
    acks: u64,
    nacks: u64,
    connects: u64,
    acked: i64,
}

/// The rows so far.
#[derive(Debug)]
pub struct Series {
    rows: Vec<Row>,
    interval: u64,
    next: u64,
    before: Counts,
}

impl Series {
    /// Rows every `interval` microseconds of virtual time.
    pub fn new(interval: u64) -> Self {
        Self { rows: Vec::new(), interval, next: interval, before: Counts::default() }
    }

    /// Time has come to `now`: ends the intervals that are over. To be called before what happens at `now` is counted.
    pub fn advance(&mut self, now: u64, counts: &Counts, online: u32, backlog_readings: u64) {
        while self.next <= now {
            let before = self.before;
            self.rows.push(Row {
                time_micros: self.next,
                online,
                backlog_readings,
                frames_sent: counts.frames_sent - before.frames_sent,
                frames_received: counts.frames_received - before.frames_received,
                hellos: counts.hellos - before.hellos,
                admits: counts.admits - before.admits,
                defers: counts.defers - before.defers,
                acks: counts.acks - before.acks,
                nacks: counts.nacks - before.nacks,
                connects: counts.connects - before.connects,
                acked: counts.acked - before.acked,
            });
            self.before = *counts;
            self.next += self.interval;
        }
    }

    /// The rows.
    pub fn rows(&self) -> &[Row] {
        &self.rows
    }
}
