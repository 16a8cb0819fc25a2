//! One frame through the layers.
//!
//! First all buckets are looked at, without changing any; then the frame is charged, from the narrowest layer to the
//! widest. So a refused frame has charged nothing, unless another thread took the last room between look and charge:
//! then the charges are refunded where nobody has built on them ([`gcra::refund`]), and never let more through.

use crate::gcra::{self, Ask, Charge};
use crate::{Bucket, Class, Dam, DropReason, Shift, Verdict};

/// Which bucket pays for the class layer, and what it was asked and answered.
struct Lane<'a> {
    /// None where the layer is off, the work was paid for, or promises have reached the horizon.
    bucket: Option<&'a Bucket>,
    ask: Ask,
    looked: Charge,
}

const FREE: Lane<'_> = Lane { bucket: None, ask: Ask { work: 0, tolerance: 0 }, looked: Charge::NONE };

impl Dam {
    /// Passes a frame worth `cost` events through all layers: blocklist, device, class, global.
    ///
    /// All or nothing: a refused frame charges no bucket (see the module for what threads can do to that). Where the
    /// live bucket is empty but the global one has room, live traffic borrows from backfill, whose queue moves out; with
    /// the global layer off, it borrows only what the backfill bucket itself has. History leaves the last eighth
    /// of the global burst to the others, so that at a full global bucket live traffic comes first.
    ///
    /// # Errors
    /// The reason of the first layer that refuses, in the order above.
    #[inline]
    pub fn admit(&self, now: u64, device: u32, class: Class, cost: u32) -> Verdict {
        self.knows(device)?;
        self.admit_known(self.units(now), device, class, cost)
    }

    /// [`Dam::admit`] for a device that is known and not blocked, `now` in units.
    #[inline]
    pub(crate) fn admit_known(&self, now: u64, device: u32, class: Class, cost: u32) -> Verdict {
        let own = self.device_pace().ask(cost).map_err(|_| DropReason::InvalidCost)?;
        let mut all = self.state.global.pace().ask(cost).map_err(|_| DropReason::InvalidCost)?;
        if class.is_history() {
            all = all.yielding();
        }
        let of_class = match self.class_bucket(class) {
            Some(bucket) => Some((bucket, bucket.pace().ask(cost).map_err(|_| DropReason::InvalidCost)?)),
            None => None,
        };
        let tat = self.device_tats.get(device as usize);
        let own_looked = match tat {
            Some(tat) => gcra::look(tat, now, own).map_err(|_| DropReason::DeviceRate)?,
            None => Charge::NONE,
        };
        let all_looked = self.state.global.look(now, all);
        let lane = match of_class {
            None => FREE,
            Some((bucket, ask)) => match bucket.look(now, ask) {
                Ok(looked) => Lane { bucket: Some(bucket), ask, looked },
                Err(_) if class == Class::Live => {
                    self.borrow_lane(now, cost, all, all_looked.is_ok()).ok_or(DropReason::ClassRate)?
                }
                Err(_) => return Err(DropReason::ClassRate),
            },
        };
        let all_looked = all_looked.map_err(|_| DropReason::GlobalRate)?;

        let charged = match tat {
            Some(tat) => gcra::commit(tat, own_looked, now, own)
                .map_err(|refusal| DropReason::of(refusal, DropReason::DeviceRate))?,
            None => Charge::NONE,
        };
        self.commit_shared(now, &lane, all, all_looked).inspect_err(|_| {
            if let Some(tat) = tat {
                gcra::refund(tat, charged);
            }
        })
    }

    /// The lane of live traffic over its own rate. Changes nothing.
    #[cold]
    fn borrow_lane(&self, now: u64, cost: u32, all: Ask, has_room: bool) -> Option<Lane<'_>> {
        let bucket = self.backfill_bucket();
        let pace = bucket.pace();
        if pace.is_off() || !has_room {
            return None;
        }
        if all.work == 0 {
            let ask = pace.ask(cost).ok()?;
            return bucket.look(now, ask).ok().map(|looked| Lane { bucket: Some(bucket), ask, looked });
        }
        // Backfill is pushed out as far as promises reach; at the end of that live traffic still comes before it.
        let work = pace.work(u64::from(cost));
        let pushed = self.horizon_units().checked_sub(work).and_then(|tolerance| {
            let ask = Ask { work, tolerance };
            bucket.look(now, ask).ok().map(|looked| Lane { bucket: Some(bucket), ask, looked })
        });
        Some(pushed.unwrap_or(FREE))
    }

    /// Charges the class layer and the global one, or neither.
    #[inline]
    fn commit_shared(&self, now: u64, lane: &Lane<'_>, all: Ask, all_looked: Charge) -> Verdict {
        let charged = match lane.bucket {
            Some(bucket) => bucket
                .commit(lane.looked, now, lane.ask)
                .map_err(|refusal| DropReason::of(refusal, DropReason::ClassRate))?,
            None => Charge::NONE,
        };
        let all_charged = self.state.global.commit(all_looked, now, all);
        all_charged.map(|_| ()).map_err(|refusal| {
            if let Some(bucket) = lane.bucket {
                bucket.refund(charged);
            }
            DropReason::of(refusal, DropReason::GlobalRate)
        })
    }

    /// The bucket that a class is charged to.
    #[inline]
    pub(crate) fn class_bucket(&self, class: Class) -> Option<&Bucket> {
        self.state.classes.get(class as usize)
    }

    /// The bucket of history, and the queue of its slots.
    pub(crate) fn backfill_bucket(&self) -> &Bucket {
        &self.state.classes[Class::Backfill as usize]
    }

    /// How far ahead promises may reach, in units.
    pub(crate) const fn horizon_units(&self) -> u64 {
        Shift::DAM.units(self.horizon_nanos)
    }
}
