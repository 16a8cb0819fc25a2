//! Our forecaster, fed minute by minute as a gateway would feed it.

use klais_brain::forecast::{Forecaster, Holdings, Lead, Settings};

use crate::measures::{Says, error_at_peaks, peaks};
use crate::trace::{BUFFER_READINGS, INTERVAL_SECONDS, Trace};

const MINUTE: u64 = 60_000_000;

/// How far ahead, in minutes, the peak is stated best on `tune`; `None`: the expected load states it better.
pub fn reads(tune: &Trace, settings: Settings) -> Option<u16> {
    let loads = tune.loads();
    let peaks = peaks(&loads);
    let error = |reads: &Option<u16>| error_at_peaks(&says(tune, settings, *reads).stated, &loads, &peaks);
    let choices = [None, Some(60), Some(180)].map(|reads| (error(&reads), reads));
    choices.into_iter().min_by(|(a, _), (b, _)| a.total_cmp(b)).and_then(|(_, reads)| reads)
}

pub fn says(trace: &Trace, settings: Settings, reads: Option<u16>) -> Says {
    let peak_horizon_steps = reads.unwrap_or(settings.peak_horizon_steps);
    let mut forecaster = Forecaster::new(Settings { peak_horizon_steps, ..settings });
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
        let peak = forecaster.coming_peak();
        says.load.push(wave.expected_readings as f64);
        says.stated.push(if reads.is_some() { peak.p50 } else { wave.expected_readings } as f64);
        says.low.push(wave.readings.p05 as f64);
        says.high.push(wave.readings.p95 as f64);
    }
    says
}
