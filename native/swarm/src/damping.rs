//! Flapping gateways: BGP route flap damping (RFC 2439) with a half-life of seconds.

use crate::DampingConfig;

/// What one flap costs; the other figures are in the same unit.
pub(crate) const PENALTY_PER_FLAP: u32 = 1_000;

/// One gateway's record.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Damper {
    penalty: u32,
    at: u64,
    suppressed: bool,
}

impl Damper {
    /// It went down.
    pub(crate) fn flap(&mut self, now: u64, config: &DampingConfig) {
        let penalty = self.penalty(now, config).saturating_add(PENALTY_PER_FLAP);
        self.penalty = penalty.min(config.ceiling());
        self.at = now;
        self.suppressed |= self.penalty >= config.suppress_above;
    }

    /// Whether it may count as up.
    pub(crate) fn allows(&mut self, now: u64, config: &DampingConfig) -> bool {
        if self.suppressed && self.penalty(now, config) < config.reuse_below {
            self.suppressed = false;
        }
        !self.suppressed
    }

    /// The penalty halves in every half-life, and falls in a straight line in between.
    fn penalty(&self, now: u64, config: &DampingConfig) -> u32 {
        let elapsed = now.saturating_sub(self.at);
        let half_life = config.half_life_micros.max(1);
        let halved = u32::try_from(elapsed / half_life).ok().and_then(|n| self.penalty.checked_shr(n));
        let Some(whole) = halved else { return 0 };
        let part = u64::from(whole / 2) * (elapsed % half_life) / half_life;
        whole - part as u32
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use klais_units::MICROS_PER_SECOND;

    #[test]
    fn one_restart_costs_nothing_and_flapping_does() {
        let config = DampingConfig::default();
        let mut damper = Damper::default();
        damper.flap(0, &config);
        assert!(damper.allows(1, &config));
        damper.flap(MICROS_PER_SECOND, &config);
        assert!(damper.allows(MICROS_PER_SECOND, &config));
        damper.flap(2 * MICROS_PER_SECOND, &config);
        assert!(!damper.allows(2 * MICROS_PER_SECOND, &config));
        let longest = config.suppressed_micros_max();
        for n in 0..100 {
            damper.flap(2 * MICROS_PER_SECOND + n, &config);
        }
        assert!(damper.allows(3 * MICROS_PER_SECOND + longest, &config), "not for ever");
    }

    #[test]
    fn a_penalty_halves() {
        let config = DampingConfig::default();
        let damper = Damper { penalty: 4_000, at: 10, suppressed: true };
        assert_eq!(damper.penalty(10 + config.half_life_micros, &config), 2_000);
        assert_eq!(damper.penalty(10 + config.half_life_micros * 3 / 2, &config), 1_500);
        assert_eq!(damper.penalty(u64::MAX, &config), 0);
    }
}
