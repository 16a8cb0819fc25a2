//! What became of every reading of one device, told from outside.

use klais_burst_sync::{Data, DeviceConfig, Lane, Mark};
use std::collections::BTreeSet;

#[derive(Debug, Default)]
pub struct Ledger {
    /// Runs of readings taken, by the power schedule alone.
    produced: Vec<(u32, u32)>,
    senses_since: Option<u32>,
    /// Sent from the ring as it is now, per lane.
    sent: [BTreeSet<u32>; 2],
    /// Sent in this session, per lane.
    in_session: [BTreeSet<u32>; 2],
    credit: u16,
    lost_in_session: bool,
    pub overflow: u64,
    pub volatile: u64,
    acked: [Mark; 2],
}

impl Ledger {
    pub fn sensor_on(&mut self, taken: u32) {
        self.senses_since.get_or_insert(taken);
    }

    pub fn sensor_off(&mut self, taken: u32) {
        if let Some(from) = self.senses_since.take() {
            self.produced.push((from, taken));
        }
    }

    pub fn produced(&self) -> u64 {
        self.produced.iter().map(|(from, to)| u64::from(to - from)).sum()
    }

    pub fn was_produced(&self, reading: u32) -> bool {
        self.produced.iter().any(|(from, to)| (*from..*to).contains(&reading))
    }

    pub fn ring_lost(&mut self) {
        self.sent = Default::default();
    }

    pub fn lost(&mut self, overflow: u32, volatile: u32) {
        self.overflow += u64::from(overflow);
        self.volatile += u64::from(volatile);
        self.lost_in_session |= overflow > 0;
    }

    pub fn connected(&mut self, credit: u16) {
        self.in_session = Default::default();
        // What the live lane still owed belongs to the backfill lane from here on.
        self.sent[Lane::Live as usize].clear();
        self.lost_in_session = false;
        self.credit = credit;
    }

    pub fn data(&mut self, config: &DeviceConfig, data: &Data, taken: u32, acked: (Mark, Mark)) {
        let lane = data.lane as usize;
        assert!(data.count <= u16::from(config.frame_readings), "frame too large: {data:?}");
        assert!(
            data.count == 0 || data.first >= data.prev,
            "run begins before its predecessor ends: {data:?}"
        );
        for n in 0..u32::from(data.count) {
            let reading = data.first + n * u32::from(data.stride);
            assert!(reading < taken, "sent before it was taken: {data:?}");
            self.sent[lane].insert(reading);
            self.in_session[lane].insert(reading);
        }
        if self.lost_in_session {
            return;
        }
        let mark = if data.lane == Lane::Live { acked.0 } else { acked.1 };
        let on_their_way = self.in_session[lane].range(mark..).count();
        let window = usize::from(config.window_frames) * usize::from(config.frame_readings);
        assert!(on_their_way <= window, "{on_their_way} in flight, window {window}: {data:?}");
        let backfilled = self.in_session[Lane::Backfill as usize].len();
        assert!(backfilled <= usize::from(self.credit), "{backfilled} sent on a credit of {}", self.credit);
    }

    /// Readings acknowledged just now that were sent and are not in `durable`.
    pub fn acked(&mut self, acked: (Mark, Mark), durable: &BTreeSet<u32>) {
        let marks = [acked.0, acked.1];
        for (lane, mark) in marks.into_iter().enumerate() {
            let before = std::mem::replace(&mut self.acked[lane], mark);
            if mark > before && self.overflow == 0 {
                let lie = self.sent[lane].range(before..mark).find(|r| !durable.contains(r));
                assert_eq!(lie, None, "acknowledged, not durable (lane {lane}, mark {before} to {mark})");
            }
        }
    }
}
