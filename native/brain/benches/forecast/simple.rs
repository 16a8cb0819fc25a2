//! The simple forecasters: each sees nothing but the past of the series that it foretells.

use crate::measures::{Says, error_at_peaks, peaks};
use crate::trace::{LEAD, Trace};

const DAY: usize = 1_440;
/// Two-sided 90 % of a normal distribution.
const Z90: f64 = 1.645;
/// Forgetting of the residuals' variance: a time constant of eight hours.
const RESIDUAL_MEMORY: f64 = 480.0;

/// What the stated peak is read from.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Reads {
    /// The forecast of the load in ten minutes.
    Load,
    /// The forecast of the highest load within so many minutes, from the past of that series.
    HighestWithin(usize),
}

pub struct Method {
    pub name: &'static str,
    /// Smoothing of level, trend and season per minute.
    pub parameters: [f64; 3],
    pub reads: Reads,
}

/// Each with the parameters, and the series to read, that have the least peak error on `tune`.
pub fn fitted(tune: &Trace) -> Vec<Method> {
    let loads = tune.loads();
    let peaks = peaks(&loads);
    let levels = [0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.4];
    let trends = [0.0, 0.0001, 0.001, 0.01];
    let seasons = [0.05, 0.1, 0.3];
    let ewma = levels.map(|level| [level, 0.0, 0.0]).to_vec();
    let winters = levels
        .iter()
        .flat_map(|level| trends.map(|trend| [*level, trend]))
        .flat_map(|[level, trend]| seasons.map(|season| [level, trend, season]))
        .collect();
    let candidates = [("naive", vec![[1.0, 0.0, 0.0]]), ("EWMA", ewma), ("Holt-Winters", winters)];
    let best = |(name, grid): (&'static str, Vec<[f64; 3]>)| {
        let all = grid.into_iter().flat_map(|parameters| {
            [Reads::Load, Reads::HighestWithin(60), Reads::HighestWithin(180)].map(|reads| Method {
                name,
                parameters,
                reads,
            })
        });
        let error = |method: &Method| error_at_peaks(&method.says(&loads).stated, &loads, &peaks);
        let scored = all.map(|method| (error(&method), method));
        scored.min_by(|(a, _), (b, _)| a.total_cmp(b)).map(|(_, method)| method)
    };
    candidates.into_iter().filter_map(best).collect()
}

impl Method {
    pub fn says(&self, loads: &[f64]) -> Says {
        let load = self.foretell(loads, LEAD);
        let stated = match self.reads {
            Reads::Load => load.clone(),
            Reads::HighestWithin(minutes) => self.foretell(&highest_within(loads, minutes), minutes),
        };
        let (mut low, mut high) = (Vec::new(), Vec::new());
        let (mut squares, mut weight) = (0.0, 0.0);
        for (now, forecast) in load.iter().enumerate() {
            if now >= LEAD {
                let error = loads[now] - load[now - LEAD];
                squares = squares * (1.0 - 1.0 / RESIDUAL_MEMORY) + error * error;
                weight = weight * (1.0 - 1.0 / RESIDUAL_MEMORY) + 1.0;
            }
            let half = Z90 * (squares / f64::max(weight, 1.0)).sqrt();
            low.push((forecast - half).max(0.0));
            high.push(forecast + half);
        }
        Says { load, stated, low, high }
    }

    /// Additive Holt-Winters with a season of a day (Winters 1960); without trend and season it is an EWMA, and with a level
    /// that follows at once the last value.
    fn foretell(&self, series: &[f64], ahead: usize) -> Vec<f64> {
        let [alpha, beta, gamma] = self.parameters;
        let mut season = vec![0.0; DAY];
        let (mut level, mut trend) = (0.0, 0.0);
        let step = |(now, value): (usize, &f64)| {
            let seasonal = season[now % DAY];
            let before = level;
            level = alpha * (value - seasonal) + (1.0 - alpha) * (level + trend);
            trend = beta * (level - before) + (1.0 - beta) * trend;
            season[now % DAY] = gamma * (value - level) + (1.0 - gamma) * seasonal;
            (level + trend * ahead as f64 + season[(now + ahead) % DAY]).max(0.0)
        };
        series.iter().enumerate().map(step).collect()
    }
}

fn highest_within(loads: &[f64], minutes: usize) -> Vec<f64> {
    let highest =
        |now: usize| loads[(now + 1).saturating_sub(minutes)..=now].iter().copied().fold(0.0, f64::max);
    (0..loads.len()).map(highest).collect()
}
