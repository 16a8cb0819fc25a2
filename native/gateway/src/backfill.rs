//! History: slots reserved by work, and what happens when the promises and the sink disagree.
//!
//! The queue of slots has no memory, so promises are overbooked against no-shows; who arrives and finds no room goes on
//! a bounded standby list and is called as soon as there is. No slot moves, nobody polls, and the sink never idles while
//! anyone waits.

use crate::Drop;
use crate::Payload;
use crate::entry::Entry;
use crate::gateway::{CREDIT_SLACK, Gateway, millis};
use crate::pace::Load;
use klais_burst_sync::{Data, Frame, Hello, Lane, Nack, NackReason};
use klais_dam::{Layer, Limit};
use klais_units::{NANOS_PER_MICRO, NANOS_PER_SECOND};

/// A device on standby comes by itself, should its call be lost, after twice the wait that the list predicts plus this.
const STANDBY_MICROS: u64 = 600_000_000;
/// Devices are called until this share of the backfill queue (in thousandths) is spoken for.
const CALL_PERMILLE: u64 = 750;

impl<P: Payload> Gateway<P> {
    /// The backfill slot of a device that owes `backlog` readings: (delay, credit).
    pub(crate) fn reserve(&mut self, now: u64, device: u32, backlog: u32) -> (u64, u16) {
        if !self.config.slots {
            return (0, u16::MAX);
        }
        let credit = u16::try_from(backlog + CREDIT_SLACK).unwrap_or(u16::MAX);
        if backlog == 0 {
            return (0, credit);
        }
        match self.dam.reserve_backfill(now.saturating_mul(NANOS_PER_MICRO), self.dam_index(device), backlog)
        {
            Ok(slot) => {
                // A slot already held was paid for with the credit granted then.
                let granted = self.entry(device).credit;
                let credit = if slot.held && granted > 0 { granted } else { credit };
                (slot.delay_nanos / NANOS_PER_MICRO, credit)
            }
            Err(reason) => {
                self.count_drop(Drop::Dam(reason));
                (self.config.commit_interval_micros, 0)
            }
        }
    }

    /// What a device says that it owes, as far as it can be: no more than its own bucket lets through at once. A liar reserves
    /// that much of everybody's time, and not 65,535 readings.
    pub(crate) fn believed(&self, hello: &Hello) -> u32 {
        let most = self.config.dam.device.map_or(u64::MAX, |limit| limit.burst);
        u32::from(hello.backlog).min(u32::try_from(most).unwrap_or(u32::MAX))
    }

    /// Those who began, or were sent away before, may fill the queue to twice what newcomers may.
    pub(crate) fn has_room_for_backfill(&self, entry: &Entry) -> bool {
        let most = self.config.backfill_queue_readings;
        self.queued_backfill < if entry.is_flushing() { most.saturating_mul(2) } else { most }
    }

    /// Puts a device that found no room on standby; where the list is full it gets a new slot at the end of the queue.
    pub(crate) fn turn_away(&mut self, now: u64, device: u32, data: &Data) {
        self.stats.turned_away += u64::from(data.count);
        let is_room = self.standby.len() < self.config.standby_devices_max;
        let Some(entry) = self.entry_mut(device) else { return };
        entry.set_flushing(true);
        // The rest of its window now shows a gap: one answer is enough.
        entry.set_nacked(Lane::Backfill, true);
        let owed = entry.owed(CREDIT_SLACK as u16);
        let delay_micros = if entry.is_on_standby() {
            self.standby_wait_micros()
        } else if is_room {
            entry.set_on_standby(true);
            self.standby.push_back(device);
            self.standby_readings += u64::from(owed);
            self.standby_wait_micros()
        } else {
            self.dam.backfill_started(self.dam_index(device));
            self.reserve(now, device, u32::from(owed)).0
        };
        self.nack(now, device, data, NackReason::Later, millis(delay_micros).max(1));
    }

    /// Tells a device to come back so much later, as the controller wants it.
    pub(crate) fn send_away(&mut self, now: u64, device: u32, data: &Data, delay_micros: u64) {
        self.stats.turned_away += u64::from(data.count);
        if let Some(entry) = self.entry_mut(device) {
            entry.set_nacked(Lane::Backfill, true);
        }
        self.nack(now, device, data, NackReason::Later, millis(delay_micros).max(1));
    }

    fn standby_wait_micros(&self) -> u64 {
        let predicted = self.standby_readings.saturating_mul(1_000_000) / self.backfill_rate.max(1);
        predicted.saturating_mul(2).saturating_add(STANDBY_MICROS)
    }

    /// Calls devices from the standby list while the backfill queue has room for what they owe.
    fn call_standby(&mut self, now: u64) {
        let mut spoken_for = self.queued_backfill;
        let most = self.config.backfill_queue_readings * CALL_PERMILLE / 1_000;
        while spoken_for < most {
            let Some(device) = self.standby.pop_front() else {
                self.standby_readings = 0;
                return;
            };
            let Some(entry) = self.entry_mut(device) else { continue };
            if !entry.is_online() || !entry.is_on_standby() {
                continue;
            }
            entry.set_on_standby(false);
            entry.set_nacked(Lane::Backfill, false);
            let owed = u64::from(entry.owed(CREDIT_SLACK as u16));
            let (session, lane, mark) = (entry.session, Lane::Backfill, entry.mark(Lane::Backfill));
            let round = entry.next_round();
            spoken_for += owed;
            self.standby_readings = self.standby_readings.saturating_sub(owed);
            let call = Nack { session, lane, mark, delay_millis: 0, round, reason: NackReason::Later };
            self.transmit(now, device, Frame::Nack(call));
        }
    }

    pub(crate) fn pace_tick(&mut self, at: u64) {
        self.pace.tick(at, self.stats.online);
        let nanos = at.saturating_mul(NANOS_PER_MICRO);
        let load = Load {
            online: self.stats.online,
            sessions_per_second: self.config.dam.sessions.map_or(0, |l| per_second(&l)),
            session_queue_micros: self.dam.session_queue_nanos(nanos) / NANOS_PER_MICRO,
            backfill_queue_micros: self.dam.backfill_queue_nanos(nanos) / NANOS_PER_MICRO,
        };
        let overbook = self.control.decision.overbook_permille.unwrap_or(self.config.overbook_permille);
        let rate = self.pace.backfill_rate(self.capacity_per_second, overbook, load);
        if rate != self.backfill_rate {
            self.backfill_rate = rate;
            // A rate in 1..=capacity is always a valid limit; were it not, the old one stays.
            let _ = self.dam.set_limit(Layer::Backfill, Limit::per_second(rate, rate));
        }
        self.call_standby(at);
    }
}

fn per_second(limit: &Limit) -> u64 {
    let events = u128::from(limit.events) * u128::from(NANOS_PER_SECOND);
    u64::try_from(events / u128::from(limit.period_nanos.max(1))).unwrap_or(u64::MAX)
}
