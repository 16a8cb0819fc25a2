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
use std::cmp::Reverse;

/// A device on standby comes by itself, should its call be lost, after twice the wait that the list predicts plus this.
const STANDBY_MICROS: u64 = 600_000_000;
/// Devices are called until this share of the backfill queue (in thousandths) is spoken for.
const CALL_PERMILLE: u64 = 750;

/// Who is called and has not come after about so many ticks of the controller is not waited for.
const CALLED_TICKS: u64 = 32;

/// Who is called and has not begun by then is called again, so often in all, and from some call on after twice the time: for
/// about five minutes.
const CALL_AGAIN_MICROS: u64 = 5_000_000;
const CALLS_IN_A_ROW: u8 = 4;
const CALLS_MAX: u8 = 9;

/// A device that was given a backfill slot. The order of fields is the order of calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Promise {
    /// When its slot is; once it has been called, when it is called again.
    due: u64,
    device: u32,
    calls: u8,
}

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
                self.promise(now, device, slot.delay_nanos / NANOS_PER_MICRO);
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
        let most = self.backfill_queue_max();
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

    fn standby_wait_micros(&self) -> u64 {
        let predicted = self.standby_readings.saturating_mul(1_000_000) / self.backfill_rate.max(1);
        predicted.saturating_mul(2).saturating_add(STANDBY_MICROS)
    }

    /// Calls devices from the standby list while the backfill queue has room for what they owe.
    fn call_standby(&mut self, now: u64) {
        let mut spoken_for = self.queued_backfill.saturating_add(self.called_readings);
        let most = self.backfill_queue_max() * CALL_PERMILLE / 1_000;
        while spoken_for < most {
            let Some(device) = self.standby.pop_front() else {
                self.standby_readings = 0;
                return;
            };
            let Some(entry) = self.entry_mut(device) else { continue };
            if !entry.is_online() || !entry.is_on_standby() {
                continue;
            }
            let owed = self.call(now, device, 0);
            spoken_for += owed;
            self.standby_readings = self.standby_readings.saturating_sub(owed);
        }
    }

    /// Tells a device to send its history now: what it owes.
    fn call(&mut self, now: u64, device: u32, calls: u8) -> u64 {
        let Some(entry) = self.entry_mut(device) else { return 0 };
        entry.set_on_standby(false);
        entry.set_nacked(Lane::Backfill, false);
        let owed = u64::from(entry.owed(CREDIT_SLACK as u16));
        let (session, lane, mark) = (entry.session, Lane::Backfill, entry.mark(Lane::Backfill));
        let round = entry.next_round();
        let call = Nack { session, lane, mark, delay_millis: 0, round, reason: NackReason::Later };
        self.transmit(now, device, Frame::Nack(call));
        if self.control.is_active() {
            self.called_readings += owed;
            self.expect(now, device, calls + 1);
        }
        owed
    }

    /// A device is told when its history may come. Where the rate is learnt, slots promised while it was low lie too far
    /// ahead: their devices can be called.
    fn promise(&mut self, now: u64, device: u32, delay_micros: u64) {
        let is_room = self.promised.len() < self.config.standby_devices_max;
        if !self.control.is_active() || delay_micros == 0 || !is_room {
            return;
        }
        if let Some(entry) = self.entry_mut(device)
            && !entry.is_promised()
        {
            entry.set_promised(true);
            self.promised.push_back(Promise { due: now.saturating_add(delay_micros), device, calls: 0 });
        }
    }

    /// Calls those who were turned away, then those whose slots are yet to come, in their order.
    pub(crate) fn call_waiting(&mut self, now: u64) {
        self.called_readings -= self.called_readings.div_ceil(CALLED_TICKS);
        self.call_again(now);
        self.call_standby(now);
        let most = self.backfill_queue_max() * CALL_PERMILLE / 1_000;
        let window = self.config.dam.session_window_nanos / NANOS_PER_MICRO;
        while let Some(promise) = self.promised.front().copied() {
            let entry = self.entry(promise.device);
            let is_gone = !entry.is_online() || !entry.is_promised();
            let is_past = now >= promise.due.saturating_add(window);
            let has_room = self.queued_backfill.saturating_add(self.called_readings) < most;
            if !is_gone && !is_past && !has_room {
                return;
            }
            self.promised.pop_front();
            if is_gone {
                continue;
            }
            if is_past {
                self.control.on_slot(false);
                if let Some(entry) = self.entry_mut(promise.device) {
                    entry.set_promised(false);
                }
            } else {
                self.call(now, promise.device, 0);
            }
        }
    }

    /// A device that was called is to begin: until it has, it counts as one that was promised something.
    fn expect(&mut self, now: u64, device: u32, calls: u8) {
        let is_called_again = calls < CALLS_MAX && self.called.len() < self.config.standby_devices_max;
        if let Some(entry) = self.entry_mut(device) {
            entry.set_promised(is_called_again);
        }
        if is_called_again {
            let pause = CALL_AGAIN_MICROS << calls.saturating_sub(CALLS_IN_A_ROW);
            self.called.push(Reverse(Promise { due: now.saturating_add(pause), device, calls }));
        } else {
            self.control.on_slot(false);
        }
    }

    /// A call, or what it led to, may have been lost.
    fn call_again(&mut self, now: u64) {
        while let Some(Reverse(promise)) = self.called.peek().copied().filter(|next| next.0.due <= now) {
            self.called.pop();
            let entry = self.entry(promise.device);
            if entry.is_online() && entry.is_promised() {
                self.call(now, promise.device, promise.calls);
            }
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
        if !self.control.is_active() {
            self.call_standby(at);
        }
    }
}

fn per_second(limit: &Limit) -> u64 {
    let events = u128::from(limit.events) * u128::from(NANOS_PER_SECOND);
    u64::try_from(events / u128::from(limit.period_nanos.max(1))).unwrap_or(u64::MAX)
}
