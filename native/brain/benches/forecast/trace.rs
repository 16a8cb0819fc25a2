//! An outage trace as minutes: who falls silent, who comes back and with how much.

use std::fs;

/// A smart meter: a reading each quarter of an hour, a week of them kept.
pub const INTERVAL_SECONDS: f64 = 900.0;
pub const BUFFER_READINGS: f64 = 672.0;
/// Ten minutes, in minutes: the lead, and the window over which load is counted.
pub const LEAD: usize = 10;
const MINUTES_MAX: usize = 70_560;

#[derive(Clone, Copy, Debug)]
pub struct Row {
    pub devices: f64,
    pub out_seconds: f64,
    pub back_seconds: Option<f64>,
    pub spread_seconds: f64,
}

/// Devices that come back within one minute, all silent for as long.
#[derive(Clone, Copy, Debug)]
pub struct Return {
    pub silent_seconds: f64,
    pub devices: f64,
    pub readings: f64,
}

#[derive(Clone, Debug, Default)]
pub struct Minute {
    pub lost: f64,
    pub returns: Vec<Return>,
}

#[derive(Clone, Debug)]
pub struct Trace {
    pub name: String,
    /// Those who fell silent on one day, alone.
    pub is_part: bool,
    rows: Vec<Row>,
    pub minutes: Vec<Minute>,
    /// Most devices that are silent at one time.
    pub fleet: f64,
}

impl Trace {
    /// Reads a cohort file: `devices,out_at_s,back_at_s,spread_s`.
    pub fn read(name: &str, file: &str) -> Result<Self, String> {
        let text = fs::read_to_string(file).map_err(|error| format!("{file}: {error}"))?;
        let rows = text.lines().enumerate().skip(1).filter(|(_, line)| !line.is_empty());
        let rows: Result<Vec<Row>, String> = rows
            .map(|(n, line)| row(line).ok_or(format!("{file}:{}: expected four numbers", n + 1)))
            .collect();
        Self::of(name.into(), rows?).ok_or(format!("{file}: expected cohorts of up to 49 days"))
    }

    fn of(name: String, rows: Vec<Row>) -> Option<Self> {
        let last =
            rows.iter().map(|row| row.back_seconds.map_or(row.out_seconds, |back| back + row.spread_seconds));
        let length = (last.fold(0.0, f64::max) / 60.0) as usize + 2;
        if rows.is_empty() || length > MINUTES_MAX {
            return None;
        }
        let mut minutes = vec![Minute::default(); length];
        for row in &rows {
            minutes[(row.out_seconds / 60.0) as usize].lost += row.devices;
            let Some(back) = row.back_seconds else { continue };
            let pieces = (row.spread_seconds / 60.0) as usize + 1;
            for piece in 0..pieces {
                let at = back + row.spread_seconds * piece as f64 / pieces as f64;
                let share = whole_share(row.devices, piece, pieces);
                let silent = at - row.out_seconds;
                let each = (silent / INTERVAL_SECONDS).floor().min(BUFFER_READINGS);
                if share > 0.0 {
                    let arrival = Return { silent_seconds: silent, devices: share, readings: share * each };
                    minutes[(at / 60.0) as usize].returns.push(arrival);
                }
            }
        }
        let (mut silent, mut fleet): (f64, f64) = (0.0, 0.0);
        for minute in &minutes {
            silent += minute.lost - minute.returns.iter().map(|back| back.devices).sum::<f64>();
            fleet = fleet.max(silent);
        }
        Some(Self { name, is_part: false, rows, minutes, fleet })
    }

    /// Readings brought in the ten minutes that end with each minute.
    pub fn loads(&self) -> Vec<f64> {
        let brought: Vec<f64> =
            self.minutes.iter().map(|minute| minute.returns.iter().map(|back| back.readings).sum()).collect();
        (0..brought.len()).map(|end| brought[(end + 1).saturating_sub(LEAD)..=end].iter().sum()).collect()
    }

    /// Devices that are silent at the end of each minute.
    pub fn silent(&self) -> Vec<f64> {
        let mut silent = 0.0;
        let step = |minute: &Minute| {
            silent += minute.lost - minute.returns.iter().map(|back| back.devices).sum::<f64>();
            silent
        };
        self.minutes.iter().map(step).collect()
    }

    /// One trace for each day's losses that hold at least a twentieth of all.
    pub fn by_day_of_loss(&self) -> Vec<Self> {
        let day = |row: &Row| (row.out_seconds / 86_400.0) as usize;
        let all: f64 = self.rows.iter().map(|row| row.devices).sum();
        let days = self.rows.iter().map(day).max().unwrap_or(0);
        let parts = (0..=days).filter_map(|which| {
            let rows: Vec<Row> = self.rows.iter().copied().filter(|row| day(row) == which).collect();
            let large = rows.iter().map(|row| row.devices).sum::<f64>() >= all / 20.0;
            let name = format!("{}, silent since day {}", self.name, which + 1);
            let part = if large { Self::of(name, rows) } else { None };
            part.map(|part| Self { is_part: true, ..part })
        });
        parts.collect()
    }
}

/// Devices are whole: the `piece`th of `pieces` even parts.
fn whole_share(devices: f64, piece: usize, pieces: usize) -> f64 {
    let upto = |n: usize| (devices * n as f64 / pieces as f64).floor();
    upto(piece + 1) - upto(piece)
}

fn row(line: &str) -> Option<Row> {
    let mut cells = line.split(',');
    let mut number = || cells.next().map(str::trim);
    let devices = number()?.parse().ok()?;
    let out_seconds: f64 = number()?.parse().ok()?;
    let back = number()?;
    let back_seconds = if back.is_empty() { None } else { Some(back.parse().ok()?) };
    let spread_seconds = number().unwrap_or("0").parse().unwrap_or(0.0);
    (out_seconds >= 0.0).then_some(Row { devices, out_seconds, back_seconds, spread_seconds })
}
