//! Our forecaster, fed minute by minute as a gateway would feed it.

use klais_brain::forecast::{Forecaster, Holdings, Lead, Settings};

use crate::measures::{Says, error_at_peaks, peaks};
use crate::trace::{BUFFER_READINGS, INTERVAL_SECONDS, Trace};

const MINUTE: u64 = 60_000_000;

/// What our forecaster states as the peak that is coming.
#[derive(Clone, Copy, Debug)]
pub enum Reads {
    /// The load that it expects in ten minutes.
    Load,
    /// The height of the next wave, whenever that comes.
    WaveHeight,
    /// The middle of the band for the highest load within the horizon.
    ComingPeak,
}

/// What states peaks best on `tune`.
pub fn reads(tune: &Trace) -> Reads {
    let loads = tune.loads();
    let peaks = peaks(&loads);
    let error = |reads: &Reads| error_at_peaks(&says(tune, *reads).stated, &loads, &peaks);
    let choices = [Reads::WaveHeight, Reads::Load, Reads::ComingPeak].map(|reads| (error(&reads), reads));
    choices.into_iter().min_by(|(a, _), (b, _)| a.total_cmp(b)).map_or(Reads::WaveHeight, |(_, reads)| reads)
}

pub fn says(trace: &Trace, reads: Reads) -> Says {
    let mut forecaster = Forecaster::new(Settings::default());
    let holdings = Holdings {
        interval_micros: (INTERVAL_SECONDS * 1e6) as u64,
        buffer_readings: BUFFER_READINGS as u64,
    };
    let mut says = Says::default();
    forecaster.tick(0);
    for (minute, events) in trace.minutes.iter().enumerate() {
        let start = minute as u64 * MINUTE;
        for back in &events.returns {
            let silent = (back.silent_seconds * 1e6) as u64;
            forecaster.returned(start + MINUTE / 2, silent, back.devices as u64, back.readings as u64);
        }
        forecaster.fell_silent(start + MINUTE / 2, events.lost as u64, holdings);
        forecaster.tick(start + MINUTE);
        let wave = forecaster.forecast(Lead::Middle);
        says.load.push(wave.expected_readings as f64);
        let stated = match reads {
            Reads::Load => wave.expected_readings,
            Reads::WaveHeight => forecaster.wave_height(),
            Reads::ComingPeak => forecaster.coming_peak().p50,
        };
        says.stated.push(stated as f64);
        says.low.push(wave.readings.p05 as f64);
        says.high.push(wave.readings.p95 as f64);
    }
    says
}
