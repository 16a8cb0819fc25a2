//! The world's own count of the readings that each device has taken, from the sampling grid and from the times at which
//! its sensor had power: what the devices say is held against it. The engine counts the same way.

use klais_burst_sync::DeviceConfig;

/// Five bytes a device.
#[derive(Debug)]
pub struct Production {
    /// Taken in the spans that are over; of a sensor at work also minus what the grid had when its span began.
    sums: Vec<i32>,
    /// The sensor works.
    at_work: Vec<bool>,
}

impl Production {
    /// Bytes per device.
    pub const BYTES_PER_DEVICE: usize = 5;

    /// `powered`: all sensors work from time 0 on; else none does.
    pub fn new(devices: u32, powered: bool) -> Self {
        Self { sums: vec![0; devices as usize], at_work: vec![powered; devices as usize] }
    }

    /// A device loses or regains its mains power at `now`.
    pub fn power(&mut self, config: &DeviceConfig, device: u32, now: u64, on: bool) {
        let place = device as usize;
        let goes_on = !on && config.sensing_backup;
        if self.at_work[place] == on || goes_on {
            return;
        }
        let taken = on_grid(config, device, now);
        self.sums[place] += if on { -taken } else { taken };
        self.at_work[place] = on;
    }

    /// Readings taken up to and including `now`.
    pub fn taken(&self, config: &DeviceConfig, device: u32, now: u64) -> u64 {
        let place = device as usize;
        let running = if self.at_work[place] { on_grid(config, device, now) } else { 0 };
        u64::try_from(self.sums[place] + running).unwrap_or(0)
    }
}

fn on_grid(config: &DeviceConfig, device: u32, now: u64) -> i32 {
    let interval = config.schedule.reading_micros;
    let first = config.schedule.phase(device) % interval;
    let taken = if now < first { 0 } else { (now - first) / interval + 1 };
    i32::try_from(taken).unwrap_or(i32::MAX)
}
