//! This gateway's share of the sink, and how it is changed at run time.

use crate::gateway::Gateway;
use crate::{GatewayError, Payload};
use klais_dam::{DamError, Layer, Limit};
use klais_units::NANOS_PER_SECOND;

/// Where the rate is learnt: history that waits in a gateway, in seconds of it.
const LEARNT_QUEUE_SECONDS: u64 = 4;

impl<P: Payload> Gateway<P> {
    /// Changes this gateway's share of the sink while it serves its home shards, in readings per second, from now on. Promised
    /// slots stay.
    ///
    /// # Errors
    /// [`GatewayError::Zero`] for no capacity at all, or what the dam refuses. Nothing has changed then.
    pub fn set_capacity(&mut self, readings_per_second: u64) -> Result<(), GatewayError> {
        if readings_per_second == 0 {
            return Err(GatewayError::Zero("capacity_per_second"));
        }
        let factor = (readings_per_second, self.config.capacity_per_second.max(1));
        let before = self.config.clone();
        self.config.dam.live = before.dam.live.map(|limit| scaled(limit, factor));
        self.config.dam.global = before.dam.global.map(|limit| scaled(limit, factor));
        self.config.capacity_per_second = readings_per_second;
        self.set_shared_limits().inspect_err(|_| {
            self.config = before;
            // They were good when they were set.
            let _ = self.set_shared_limits();
        })?;
        Ok(())
    }

    /// What the controller has found out for the shards that are served now, in readings per second. The dam stays as it is.
    pub(crate) fn set_share(&mut self, readings_per_second: u64) {
        self.learnt_capacity = Some(readings_per_second.max(1));
        self.capacity_per_second = readings_per_second.max(1);
    }

    /// Readings per second that the dam lets in: live, and in all.
    ///
    /// # Errors
    /// What the dam refuses. Some of its limits may have changed then.
    pub(crate) fn set_admitted(&mut self, readings_per_second: u64) -> Result<(), DamError> {
        let factor = (readings_per_second, self.config.capacity_per_second.max(1));
        for (layer, limit) in [(Layer::Live, self.config.dam.live), (Layer::Global, self.config.dam.global)] {
            if let Some(limit) = limit {
                self.dam.set_limit(layer, scaled(limit, factor))?;
            }
        }
        Ok(())
    }

    /// Backfill readings that may wait for the sink before devices are told to come later.
    pub(crate) fn backfill_queue_max(&self) -> u64 {
        let most = self.config.backfill_queue_readings;
        let wanted =
            |rate: u64| rate.saturating_mul(LEARNT_QUEUE_SECONDS).max(self.config.frame_readings * 2);
        self.learnt_capacity.map_or(most, |rate| wanted(rate).min(most))
    }

    /// Of the sink, for the shards that are served now, in readings per second.
    #[must_use]
    pub fn capacity_per_second(&self) -> u64 {
        self.capacity_per_second
    }

    /// Changes how many sessions per second are admitted, from now on. Promised slots stay.
    ///
    /// # Errors
    /// What the dam refuses: a rate of 0, or sessions that were never limited. Nothing has changed then.
    pub fn set_sessions(&mut self, per_second: u64) -> Result<(), GatewayError> {
        let Some(limit) = self.config.dam.sessions else {
            return Err(DamError::LayerOff.into());
        };
        let was = limit.events.saturating_mul(NANOS_PER_SECOND) / limit.period_nanos.max(1);
        let limit = scaled(limit, (per_second, was.max(1)));
        self.dam.set_limit(Layer::Sessions, limit)?;
        self.config.dam.sessions = Some(limit);
        Ok(())
    }

    /// The sink is shared out by shards: who serves more of them than its own has more of it.
    pub(crate) fn apply_capacity(&mut self) {
        if self.config.deduplicate {
            // Scaled limits of what was accepted before: were one refused, the former would stay.
            let _ = self.set_shared_limits();
        }
    }

    fn set_shared_limits(&mut self) -> Result<(), DamError> {
        let (served, home) = self.share();
        let factor = (served, home);
        if let Some(limit) = self.config.dam.live {
            self.dam.set_limit(Layer::Live, scaled(limit, factor))?;
        }
        if let Some(limit) = self.config.dam.global {
            self.dam.set_limit(Layer::Global, scaled(limit, factor))?;
        }
        let capacity =
            u128::from(self.config.capacity_per_second) * u128::from(factor.0) / u128::from(factor.1);
        let configured = u64::try_from(capacity).unwrap_or(u64::MAX).max(1);
        self.capacity_per_second = self.learnt_capacity.unwrap_or(configured);
        Ok(())
    }

    /// Shards served, to home shards; to one, where none has its home here. Who serves none keeps its own share: it is about to.
    fn share(&self) -> (u64, u64) {
        let (gateway, gateways, shards) = (self.config.gateway, self.config.gateways, self.config.shards);
        let home = u64::from(shards.saturating_sub(gateway).div_ceil(gateways).max(1));
        let served = self.serving.len() as u64;
        let keeps = !self.config.deduplicate || served == 0;
        if keeps { (1, 1) } else { (served, home) }
    }
}

/// Rate and burst times `now / was`, at least one event each unless the rate is to be 0.
fn scaled(limit: Limit, (now, was): (u64, u64)) -> Limit {
    let scale = |n: u64| {
        let scaled = u128::from(n) * u128::from(now) / u128::from(was);
        u64::try_from(scaled).unwrap_or(u64::MAX)
    };
    let burst = scale(limit.burst).clamp(1, u64::from(u32::MAX));
    let events = if now == 0 { 0 } else { scale(limit.events).max(1) };
    Limit { events, burst, ..limit }
}
