//! What forecasts are judged by. `docs/forecast.md` has the definitions in words.

use crate::trace::{INTERVAL_SECONDS, LEAD, Trace};

/// A peak is the highest load for so many minutes before and after.
const PEAK_REACH: usize = 180;
/// Peaks, and busy minutes, have at least this share of the trace's highest load.
const BUSY_SHARE: f64 = 0.1;
/// A forecast is right about a peak within this share of it.
const LEAD_TOLERANCE: f64 = 0.25;
/// An alarm comes true, or is false, within so many minutes; alarms closer than that are one.
const ALARM_MINUTES: usize = 60;

/// What a forecaster said at the end of each minute.
#[derive(Clone, Debug, Default)]
pub struct Says {
    /// The load in ten minutes.
    pub load: Vec<f64>,
    /// The peak that is coming.
    pub stated: Vec<f64>,
    /// The 90 % band of the load in ten minutes.
    pub low: Vec<f64>,
    pub high: Vec<f64>,
}

#[derive(Clone, Copy, Debug)]
pub struct Score {
    pub peaks: usize,
    /// The median over all peaks of the load ten minutes before, over the peak: what there was to see.
    pub seen_before: Option<f64>,
    pub peak_error: Option<f64>,
    pub busy_error: Option<f64>,
    pub lead_minutes: Option<f64>,
    pub coverage: Option<f64>,
    pub busy_coverage: Option<f64>,
    pub false_alarms_per_day: Option<f64>,
}

/// `glitched`: the same trace with its glitch rows kept, and what the forecaster said of that.
pub fn score(trace: &Trace, says: &Says, glitched: Option<(&Trace, &Says)>) -> Score {
    let loads = trace.loads();
    let silent = trace.silent();
    let busy = busy_load(&loads);
    let peaks = peaks(&loads);
    let (mut error, mut came, mut covered, mut all, mut busy_covered, mut busy_all) = (0.0, 0.0, 0, 0, 0, 0);
    for now in 0..loads.len().saturating_sub(LEAD) {
        let load = loads[now + LEAD];
        let within = says.low[now] <= load && load <= says.high[now];
        if silent[now] > 0.0 {
            all += 1;
            covered += usize::from(within);
        }
        if load >= busy {
            error += (says.load[now] - load).abs();
            came += load;
            busy_all += 1;
            busy_covered += usize::from(within);
        }
    }
    let share = |part: usize, whole: usize| (whole > 0).then(|| part as f64 / whole as f64);
    Score {
        peaks: peaks.len(),
        seen_before: median(peaks.iter().map(|&peak| loads[peak - LEAD] / loads[peak]).collect()),
        peak_error: (!peaks.is_empty()).then(|| error_at_peaks(&says.stated, &loads, &peaks)),
        busy_error: (came > 0.0).then(|| error / came),
        lead_minutes: lead_minutes(&says.stated, &loads, &peaks),
        coverage: share(covered, all),
        busy_coverage: share(busy_covered, busy_all),
        false_alarms_per_day: glitched.map(|(seen, says)| false_alarms(trace, &loads, seen, says)),
    }
}

fn busy_load(loads: &[f64]) -> f64 {
    (loads.iter().copied().fold(0.0, f64::max) * BUSY_SHARE).max(1.0)
}

/// The minutes in which the load peaks: the first of equals.
pub fn peaks(loads: &[f64]) -> Vec<usize> {
    let busy = busy_load(loads);
    let is_peak = |now: &usize| {
        let before = &loads[now.saturating_sub(PEAK_REACH)..*now];
        let after = &loads[*now..(now + PEAK_REACH + 1).min(loads.len())];
        let load = loads[*now];
        load >= busy && before.iter().all(|each| *each < load) && after.iter().all(|each| *each <= load)
    };
    (LEAD..loads.len()).filter(is_peak).collect()
}

/// The mean over all peaks of |stated ten minutes before − peak| / peak.
pub fn error_at_peaks(stated: &[f64], loads: &[f64], peaks: &[usize]) -> f64 {
    let errors = peaks.iter().map(|&peak| (stated[peak - LEAD] - loads[peak]).abs() / loads[peak]);
    errors.sum::<f64>() / peaks.len().max(1) as f64
}

/// The median over all peaks of how long the stated peak had been right, without a break, when the peak came.
fn lead_minutes(stated: &[f64], loads: &[f64], peaks: &[usize]) -> Option<f64> {
    let leads = peaks.iter().map(|&peak| {
        let right = |now: &&f64| (**now - loads[peak]).abs() <= LEAD_TOLERANCE * loads[peak];
        stated[..peak].iter().rev().take_while(right).count() as f64
    });
    median(leads.collect())
}

fn median(mut values: Vec<f64>) -> Option<f64> {
    values.sort_unstable_by(f64::total_cmp);
    let middle = values.len() / 2;
    let upper = *values.get(middle)?;
    Some(if values.len() % 2 == 1 { upper } else { (upper + values[middle - 1]) / 2.0 })
}

fn false_alarms(trace: &Trace, truth: &[f64], seen: &Trace, says: &Says) -> f64 {
    let present = seen.loads();
    let floor = trace.fleet * LEAD as f64 * 60.0 / INTERVAL_SECONDS;
    let mut quiet_until = 0;
    let mut wrong = 0;
    for (now, load) in present.iter().enumerate() {
        let threshold = floor.max(2.0 * load);
        if says.high[now] <= threshold {
            continue;
        }
        let comes = truth.iter().skip(now + 1).take(ALARM_MINUTES).any(|load| *load >= threshold);
        if now >= quiet_until && !comes {
            wrong += 1;
        }
        quiet_until = now + ALARM_MINUTES;
    }
    f64::from(wrong) / (present.len() as f64 / 1_440.0)
}
