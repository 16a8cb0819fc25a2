//! Many frames through the layers at once.

use crate::gcra::{self, Ask, Charge};
use crate::{Bucket, Class, Dam, DropReason, Verdict};

/// One frame of a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Request {
    /// Its sender.
    pub device: u32,
    /// Its class.
    pub class: Class,
    /// The events that it is worth.
    pub cost: u32,
}

/// Frames that share one lease.
const CHUNK: usize = 32;

/// What a chunk asks of the shared buckets: control, live, backfill, global.
type Leases = [Ask; SHARED];
const SHARED: usize = 4;

impl Dam {
    /// [`Dam::admit`] for a batch, in order, with the same verdicts and at a fraction of the cost: one time for all,
    /// one change of each shared bucket per 32 frames, and the cache misses on device buckets overlapped.
    ///
    /// Answers the first `requests.len().min(verdicts.len())` requests, and returns how many passed.
    pub fn admit_batch(&self, now: u64, requests: &[Request], verdicts: &mut [Verdict]) -> usize {
        let now = self.units(now);
        let len = requests.len().min(verdicts.len());
        let chunks = requests[..len].chunks(CHUNK).zip(verdicts[..len].chunks_mut(CHUNK));
        chunks.map(|(requests, verdicts)| self.admit_chunk(now, requests, verdicts)).sum()
    }

    fn admit_chunk(&self, now: u64, requests: &[Request], verdicts: &mut [Verdict]) -> usize {
        // Loads that do not wait for each other: their cache misses overlap.
        let mut seen = [0; CHUNK];
        for (seen, request) in seen.iter_mut().zip(requests) {
            *seen = self.device_tat(request.device);
        }
        let mut sums = self.check_chunk(requests, verdicts);
        // If all of them fit together, so does each in its turn; if not, each turn decides.
        if self.leases(&sums).is_none_or(|leases| self.look_at_shared(now, &leases).is_none()) {
            return self.admit_one_by_one(now, requests, verdicts);
        }
        let mut charges = [Charge::NONE; CHUNK];
        if !self.device_tats.is_empty() {
            self.charge_devices(now, requests, verdicts, &seen, &mut charges, &mut sums);
        }
        if self.leases(&sums).is_some_and(|leases| self.lease(now, &leases)) {
            return verdicts.iter().filter(|verdict| verdict.is_ok()).count();
        }
        // The last first: a device may have been charged twice.
        for (request, charge) in requests.iter().zip(charges).rev() {
            if let Some(tat) = self.device_tats.get(request.device as usize) {
                gcra::refund(tat, charge);
            }
        }
        self.admit_one_by_one(now, requests, verdicts)
    }

    /// Answers what needs no bucket, and sums up the costs of the rest by class.
    fn check_chunk(&self, requests: &[Request], verdicts: &mut [Verdict]) -> [u64; Class::COUNT] {
        let most_of_all = self.device_pace().burst.min(self.state.global.pace().burst);
        let most = Class::ALL.map(|class| {
            self.class_bucket(class).map_or(most_of_all, |bucket| bucket.pace().burst.min(most_of_all))
        });
        let mut sums = [0; Class::COUNT];
        for (request, verdict) in requests.iter().zip(verdicts) {
            let class = request.class as usize;
            *verdict = self.knows(request.device);
            if verdict.is_ok() {
                if request.cost.wrapping_sub(1) < most[class] {
                    sums[class] += u64::from(request.cost);
                } else {
                    *verdict = Err(DropReason::InvalidCost);
                }
            }
        }
        sums
    }

    /// Charges each device that is still in, and takes the refused ones out of the sums.
    fn charge_devices(
        &self,
        now: u64,
        requests: &[Request],
        verdicts: &mut [Verdict],
        seen: &[u64; CHUNK],
        charges: &mut [Charge; CHUNK],
        sums: &mut [u64; Class::COUNT],
    ) {
        let pace = self.device_pace();
        for (((request, verdict), seen), charge) in requests.iter().zip(verdicts).zip(seen).zip(charges) {
            if verdict.is_err() {
                continue;
            }
            let charged = self.device_tats.get(request.device as usize).ok_or(DropReason::UnknownDevice);
            let charged = charged.and_then(|tat| {
                let ask = pace.ask(request.cost).map_err(|r| DropReason::of(r, DropReason::InvalidCost))?;
                let charged =
                    gcra::look_at(*seen, now, ask).and_then(|looked| gcra::commit(tat, looked, now, ask));
                charged.map_err(|r| DropReason::of(r, DropReason::DeviceRate))
            });
            match charged {
                Ok(charged) => *charge = charged,
                Err(reason) => {
                    *verdict = Err(reason);
                    sums[request.class as usize] -= u64::from(request.cost);
                }
            }
        }
    }

    /// What the sums ask of the shared buckets, in the strictest order of the frames; `None` if more than a burst.
    fn leases(&self, sums: &[u64; Class::COUNT]) -> Option<Leases> {
        let [control, live, backfill, reserved] = *sums;
        let mut all = self.state.global.pace().ask_sum(control + live + backfill + reserved)?;
        if backfill + reserved > 0 {
            // Stricter than the rule for one frame, whatever its place in the chunk.
            let kept = (all.tolerance + all.work) >> gcra::YIELD_SHIFT;
            all.tolerance = all.tolerance.checked_sub(kept)?;
        }
        let [of_control, of_live, of_backfill] = &self.state.classes;
        Some([
            of_control.pace().ask_sum(control)?,
            of_live.pace().ask_sum(live)?,
            of_backfill.pace().ask_sum(backfill)?,
            all,
        ])
    }

    fn shared(&self) -> [&Bucket; SHARED] {
        let [control, live, backfill] = &self.state.classes;
        [control, live, backfill, &self.state.global]
    }

    /// Whether all shared buckets have room. Changes nothing.
    fn look_at_shared(&self, now: u64, leases: &Leases) -> Option<[Charge; SHARED]> {
        let mut looked = [Charge::NONE; SHARED];
        for ((bucket, ask), place) in self.shared().iter().zip(leases).zip(&mut looked) {
            *place = bucket.look(now, *ask).ok()?;
        }
        Some(looked)
    }

    /// Charges all shared buckets or none.
    fn lease(&self, now: u64, leases: &Leases) -> bool {
        let Some(mut charges) = self.look_at_shared(now, leases) else {
            return false;
        };
        for n in 0..SHARED {
            match self.shared()[n].commit(charges[n], now, leases[n]) {
                Ok(charge) => charges[n] = charge,
                Err(_) => {
                    for (bucket, charge) in self.shared().iter().zip(charges).take(n) {
                        bucket.refund(charge);
                    }
                    return false;
                }
            }
        }
        true
    }

    /// The way back: the chunk as a whole did not fit, so each frame is decided by itself.
    #[cold]
    fn admit_one_by_one(&self, now: u64, requests: &[Request], verdicts: &mut [Verdict]) -> usize {
        let mut passes = 0;
        for (request, verdict) in requests.iter().zip(verdicts) {
            let known = self.knows(request.device);
            *verdict =
                known.and_then(|()| self.admit_known(now, request.device, request.class, request.cost));
            passes += usize::from(verdict.is_ok());
        }
        passes
    }
}
