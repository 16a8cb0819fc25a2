//! The forecaster from outside: bounds that always hold, and bands that are right where the truth is known.

use klais_brain::forecast::{Band, Forecaster, Holdings, Lead, Settings};
use klais_units::{draw, scale};
use proptest::collection::vec;
use proptest::prelude::*;

const MINUTE: u64 = 60_000_000;
const METER: Holdings = Holdings { interval_micros: 15 * MINUTE, buffer_readings: 672 };
const LEADS: [Lead; 3] = [Lead::Short, Lead::Middle, Lead::Long];

#[derive(Clone, Copy, Debug)]
enum Event {
    Silent(u64, u64, Holdings),
    Returned(u64, u64, u64, u64),
    Tick(u64),
}

fn number() -> impl Strategy<Value = u64> {
    prop_oneof![0..10_u64, 0..1_000_000_000_u64, any::<u64>(), Just(u64::MAX)]
}

fn event() -> impl Strategy<Value = Event> {
    let holdings = (number(), number())
        .prop_map(|(interval_micros, buffer_readings)| Holdings { interval_micros, buffer_readings });
    prop_oneof![
        (number(), number(), holdings).prop_map(|(at, devices, what)| Event::Silent(at, devices, what)),
        (number(), number(), number(), number()).prop_map(|(a, b, c, d)| Event::Returned(a, b, c, d)),
        number().prop_map(Event::Tick),
        (0..600_u64).prop_map(|minutes| Event::Tick(minutes * MINUTE)),
    ]
}

fn feed(forecaster: &mut Forecaster, event: Event) {
    match event {
        Event::Silent(at, devices, holdings) => forecaster.fell_silent(at, devices, holdings),
        Event::Returned(now, silent, devices, readings) => {
            forecaster.returned(now, silent, devices, readings);
        }
        Event::Tick(now) => forecaster.tick(now),
    }
}

fn is_ordered(band: Band) -> bool {
    band.p05 <= band.p50 && band.p50 <= band.p95
}

proptest! {
    #[test]
    fn any_input_gives_ordered_bands(events in vec(event(), 0..200)) {
        let mut forecaster = Forecaster::new(Settings::default());
        for event in events {
            feed(&mut forecaster, event);
            for lead in LEADS {
                prop_assert!(is_ordered(forecaster.forecast(lead).readings));
            }
            prop_assert!(is_ordered(forecaster.coming_peak()));
        }
    }

    #[test]
    fn the_silent_are_those_who_went_less_those_who_came(
        steps in vec((0..5_000_u64, 0..5_000_u64, 0..2_000_u64), 1..400),
    ) {
        let mut forecaster = Forecaster::new(Settings::default());
        let mut silent = 0_u64;
        for (minute, (went, came, age)) in (1..).zip(steps) {
            let now = minute * MINUTE;
            forecaster.fell_silent(now, went, METER);
            forecaster.returned(now, age * MINUTE, came, came);
            forecaster.tick(now + MINUTE);
            silent = (silent + went).saturating_sub(came);
            let counted = forecaster.silent_devices();
            // What is rounded away are cohorts of less than half a device.
            prop_assert!(counted.abs_diff(silent) <= 1, "{counted}, not {silent}");
        }
    }

    #[test]
    fn nobody_expects_more_than_all_that_is_silent(went in 1..1_000_000_u64, minutes in 1..3_000_u64) {
        let mut forecaster = Forecaster::new(Settings::default());
        forecaster.tick(1);
        forecaster.fell_silent(1, went, METER);
        for minute in 1..=minutes {
            forecaster.tick(minute * MINUTE);
        }
        let wave = forecaster.forecast(Lead::Long);
        prop_assert!(wave.expected_devices <= went);
        prop_assert!(wave.expected_readings <= went * METER.buffer_readings);
    }
}

/// Plays 200,000 devices whose returns `hazard(minutes since the loss)` rules, in lumps of `lump`: the share of minutes of
/// which the band for ten minutes spoke true, after the first three hours.
fn coverage(seed: u64, lump: u64, hazard: impl Fn(u64) -> f64) -> f64 {
    const MINUTES: u64 = 1_500;
    let mut forecaster = Forecaster::new(Settings::default());
    let (mut silent, mut bands, mut brought) = (200_000 / lump, Vec::new(), Vec::new());
    forecaster.tick(1);
    forecaster.fell_silent(1, silent * lump, METER);
    for minute in 1..=MINUTES {
        let chance = (hazard(minute) * 1e9) as u64;
        let lumps = (0..silent)
            .filter(|each| scale(draw(seed, *each, minute, 7), 1_000_000_000) < chance)
            .count() as u64;
        silent -= lumps;
        let readings = lumps * lump * (minute / 15);
        if lumps > 0 {
            forecaster.returned(minute * MINUTE, minute * MINUTE, lumps * lump, readings);
        }
        brought.push(readings);
        forecaster.tick(minute * MINUTE + 1);
        bands.push(forecaster.forecast(Lead::Middle).readings);
    }
    let judged = bands.iter().enumerate().skip(180).take(bands.len() - 190);
    let inside =
        judged.clone().filter(|(at, band)| band.covers(brought[at + 1..=at + 10].iter().sum::<u64>()));
    inside.count() as f64 / judged.count() as f64
}

#[test]
fn bands_cover_nine_in_ten_of_an_exponential_return() {
    let covered = coverage(1, 1, |_| 1.0 / 600.0);
    assert!((0.85..=0.95).contains(&covered), "{covered}");
}

#[test]
fn bands_cover_nine_in_ten_of_a_heavy_tail() {
    // Weibull of shape 0.5 and scale 600 minutes: the hazard falls with the root of time.
    let covered = coverage(2, 1, |minute| 0.5 / (600.0 * minute as f64).sqrt());
    assert!((0.85..=0.95).contains(&covered), "{covered}");
}

#[test]
fn bands_cover_nine_in_ten_of_returns_in_lumps() {
    let covered = coverage(3, 400, |_| 1.0 / 600.0);
    assert!((0.85..=0.95).contains(&covered), "{covered}");
}

#[test]
fn an_even_hazard_is_learnt() {
    let mut forecaster = Forecaster::new(Settings::default());
    forecaster.tick(1);
    forecaster.fell_silent(1, 100_000, METER);
    let mut silent = 100_000.0;
    for minute in 1..=240_u64 {
        let back = silent / 500.0;
        silent -= back;
        forecaster.returned(minute * MINUTE, minute * MINUTE, back as u64, back as u64 * (minute / 15));
        forecaster.tick(minute * MINUTE + 1);
    }
    let expected = forecaster.forecast(Lead::Middle).expected_devices as f64;
    let truth = silent * 10.0 / 500.0;
    assert!((expected / truth - 1.0).abs() < 0.05, "{expected}, not {truth}");
}

#[test]
fn devices_that_bring_less_than_assumed_are_believed() {
    let mut forecaster = Forecaster::new(Settings::default());
    forecaster.tick(1);
    forecaster.fell_silent(1, 1_000_000, METER);
    for minute in 1..=600_u64 {
        // They lost half of what they took.
        forecaster.returned(minute * MINUTE, minute * MINUTE, 100, 100 * (minute / 15) / 2);
        forecaster.tick(minute * MINUTE + 1);
    }
    let owed = forecaster.owed_readings() as f64;
    let truth = 940_000.0 * 40.0 / 2.0;
    assert!((owed / truth - 1.0).abs() < 0.1, "{owed}, not {truth}");
}

#[test]
fn a_lone_tick_after_years_ends_soon() {
    let mut forecaster = Forecaster::new(Settings::default());
    forecaster.tick(1);
    forecaster.fell_silent(1, 1_000, METER);
    forecaster.tick(u64::MAX);
    forecaster.tick(u64::MAX);
    assert_eq!(forecaster.silent_devices(), 1_000);
}
