//! Forecasts of the wave that is coming, with quantiles.
