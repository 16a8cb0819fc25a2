//! Forecasts of the wave that is coming, with quantiles.
//!
//! A gateway knows which devices are silent and since when, and so what they will bring: `min(silence / interval, buffer)`
//! readings each. When they come it has to learn: a return hazard per cohort (devices that fell silent together), drawn
//! towards the one of all, and how lumpy returns are. A band's width follows from the lumps, and is then calibrated online
//! against what really came. Definitions, sources and figures: `docs/forecast.md`.
//!
//! **What a gateway feeds.** `fell_silent` when a session ends by its keep-alive's time-out, with the moment that the device
//! was last heard. `returned` for every HELLO of a device without a session: the silence is `backlog * interval`, or the
//! gateway's own record where it has one; the readings are the backlog it states. A HELLO that is sent again counts once.
//! `tick` once a second or so. Then ask `forecast` and `coming_peak`.
//!
//! **Cost.** `fell_silent` and `returned` search a table of at most `MAX_COHORTS`; a step (a minute, say) is linear in it and
//! in `LEADS`. Memory is a fixed few dozen KiB, whatever the fleet.

mod band;
mod cohorts;
mod forecaster;
mod hazard;
mod height;
mod order;
mod settings;
mod target;

pub use band::Band;
pub use cohorts::{Holdings, MAX_COHORTS};
pub use forecaster::{Forecaster, Wave};
pub use settings::{LEADS, Lead, MAX_STEPS, Settings};
