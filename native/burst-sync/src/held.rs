//! What a device still has, for whoever keeps account of it.

use crate::{Device, DeviceConfig, Range};

impl Device {
    /// The readings that it has and that nobody has acknowledged, as runs of rising indexes. Those too for which a full buffer
    /// will find no room when it is looked at next.
    pub fn held(&self, config: &DeviceConfig, id: u32, now: u64) -> impl Iterator<Item = Range> + use<> {
        let taken = config.schedule.taken(config.schedule.phase(id), now);
        let live_base = self.live_from.max(self.live_acked);
        let has_live = self.live_is_open() && live_base < taken;
        let live = has_live.then(|| Range { first: live_base, count: taken - live_base, stride: 1 });
        let (backlog, mut position) = (self.backlog, 0);
        let runs = core::iter::from_fn(move || {
            let run = backlog.next(position, taken, u32::MAX)?;
            position = run.last() + 1;
            Some(run)
        });
        runs.chain(live)
    }
}
