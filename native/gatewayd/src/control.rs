//! Requests of the admin interface, answered between two turns of the loop.

use crate::clock::monotonic_nanos;
use crate::daemon::Daemon;
use crate::kernel::Kernel;
use crate::mailbox::Request;
use crate::patch::{ConfigView, LayerName, Patch, PatchError};
use crate::snapshot::{CpuSeconds, FrameCounts, GatewayCounts, KernelCount, Named};
use crate::snapshot::{Readiness, SinkCounts, Snapshot};
use klais_burst_sync::wire::WireError;
use klais_gateway::{DROP_NAMES, GatewayError};
use klais_units::NANOS_PER_SECOND;
use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeVal;
use std::collections::BTreeMap;
use tracing::{info, warn};

/// What the kernel counts a HELLO under that it has answered by itself.
const KERNEL_ANSWER: &str = "defer";
/// What it counts authenticated HELLOs under and nothing else. Those of blocked devices are not among them: it counts
/// them together with DATA.
const KERNEL_HELLOS: [&str; 6] =
    ["pass-hello", KERNEL_ANSWER, "session-rate", "horizon", "replayed", "unanswered"];

impl Daemon {
    /// Answers a request. Whoever asked may be gone by now: then nobody hears it.
    pub(crate) fn answer(&mut self, request: Request) {
        match request {
            Request::Ready(to) => drop(to.send(self.readiness())),
            Request::Stats(to) => drop(to.send(Box::new(self.snapshot()))),
            Request::Config(to) => drop(to.send(Box::new(self.config_view()))),
            Request::Patch(patch, to) => {
                let done = self.apply(&patch).map(|()| Box::new(self.config_view()));
                match &done {
                    Ok(_) => info!(?patch, "configuration changed"),
                    Err(PatchError { key, problem }) => warn!(key, problem, "change refused"),
                }
                drop(to.send(done));
            }
        }
    }

    fn readiness(&self) -> Readiness {
        let draining = self.is_draining();
        let ready = self.has_settled && !draining;
        Readiness { ready, draining, xdp: self.placement(), reason: self.reason.clone() }
    }

    /// Everything that is counted.
    pub(crate) fn snapshot(&self) -> Snapshot {
        let uptime_nanos = monotonic_nanos().saturating_sub(self.started_nanos);
        let sink = self.sink.counters();
        let kernel = self.kernel.as_ref().map(Kernel::counters).unwrap_or_default();
        Snapshot {
            xdp: self.placement(),
            reason: self.reason.clone(),
            uptime_seconds: uptime_nanos as f64 / NANOS_PER_SECOND as f64,
            draining: self.is_draining(),
            gateway: self.gateway_counts(&kernel),
            kernel,
            drops: self.drops(),
            wire_errors: Named(
                WireError::ALL.iter().map(|error| error.name()).zip(self.tallies.wire_errors).collect(),
            ),
            sink: SinkCounts {
                readings: sink.readings,
                duplicates: sink.duplicates,
                reordered: sink.reordered,
                transactions: sink.transactions,
                undecided: self.sink.undecided() as u64,
            },
            #[cfg(feature = "kafka")]
            kafka: self.sink.kafka(),
            turnaround_nanos: self.turnaround.histogram().clone(),
            service: self.service.fit(),
            cpu: cpu_seconds(),
            frames: FrameCounts {
                received: self.tallies.received,
                sent: self.sender.sent,
                unstamped: self.tallies.unstamped,
                socket_drops: 0,
            },
            swarm: self.swarm_counts(),
        }
    }

    fn drops(&self) -> Named {
        let gateway = DROP_NAMES.iter().copied().zip(self.gateway.drops().iter().copied());
        let own = [
            ("prefix", self.tallies.prefix),
            ("frame", self.tallies.frame),
            ("other-gateway", self.tallies.other_gateway),
            ("draining", self.tallies.draining),
            ("no-address", self.tallies.no_address),
            ("no-key", self.tallies.no_key),
            ("send-full", self.sender.full),
            ("send-refused", self.sender.refused),
        ];
        Named(gateway.chain(own).collect())
    }

    /// The gateway's counts, with what the kernel decided before it reached them.
    fn gateway_counts(&self, kernel: &BTreeMap<&'static str, KernelCount>) -> GatewayCounts {
        let stats = self.gateway.stats();
        let packets = |name: &&str| kernel.get(*name).map_or(0, |count| count.packets);
        GatewayCounts {
            hellos: stats.hellos + KERNEL_HELLOS.iter().map(packets).sum::<u64>(),
            deferred: stats.deferred + packets(&KERNEL_ANSWER),
            offered: stats.offered + kernel.values().map(|count| count.readings).sum::<u64>(),
            admitted: stats.admitted,
            turned_away: stats.turned_away,
            online: stats.online,
            queued: stats.queued,
            queued_max: stats.queued_max,
            redirected: stats.redirected,
            shards: stats.shards,
            takeovers: stats.takeovers,
            fenced: stats.fenced,
            capacity_per_second: self.gateway.capacity_per_second(),
            level: self.gateway.decision().level.number(),
            decision: self.gateway.decision().reason.name(),
        }
    }

    fn config_view(&self) -> ConfigView {
        let listen = self.socket.local_addr().unwrap_or(self.config.listen);
        ConfigView {
            gateway: self.config.gateway,
            gateways: self.config.gateways,
            listen: listen.to_string(),
            interface: self.config.interface.clone(),
            devices: self.config.devices,
            origin_nanos: self.clock.origin_nanos().to_string(),
            time_scale: self.clock.scale(),
            key_epoch: self.keys.epoch(),
            capacity_per_second: self.capacity_per_second,
            sessions_per_second: self.sessions_per_second,
            limits: self.limits.clone(),
            blocked: self.blocked.len(),
            blocked_prefixes: self.prefixes.iter().collect(),
        }
    }

    /// Applies all of a patch or nothing of it: first what may be refused, each with its way back, then the rest.
    fn apply(&mut self, patch: &Patch) -> Result<(), PatchError> {
        patch.check(&self.dam_config, self.keys.epoch(), &self.prefixes)?;
        self.apply_rates(patch)?;
        if let Some(kernel) = &mut self.kernel
            && let Err(error) = kernel.change_prefixes(&patch.unblock_prefixes, &patch.block_prefixes)
        {
            self.undo_rates(patch);
            return Err(PatchError::new("blockPrefixes", error.to_string()));
        }
        if let Some(capacity) = patch.capacity_per_second {
            self.capacity_per_second = capacity;
            self.limits.remove(&LayerName::Live);
            self.limits.remove(&LayerName::Global);
        }
        if let Some(sessions) = patch.sessions_per_second {
            self.sessions_per_second = sessions;
            self.limits.remove(&LayerName::Sessions);
        }
        let dam = self.gateway.dam();
        for (layer, limit) in patch.limits.iter() {
            // Checked: the layer is on and the limit can be kept.
            if dam.set_limit(layer.layer(), limit.into()).is_ok() {
                self.limits.insert(layer, limit);
            }
        }
        for device in &patch.block {
            dam.block(*device);
            self.blocked.insert(*device);
        }
        for device in &patch.unblock {
            dam.unblock(*device);
            self.blocked.remove(device);
        }
        for prefix in &patch.unblock_prefixes {
            self.prefixes.remove(*prefix);
        }
        patch.unblock.iter().for_each(|device| self.pardon_device(*device));
        patch.unblock_prefixes.iter().for_each(|prefix| self.pardon_prefix(*prefix));
        for prefix in &patch.block_prefixes {
            self.prefixes.insert(*prefix);
        }
        if let Some(rotation) = &patch.rotate_master_key {
            // Here first: what the kernel lets in by the new key is then known here as well.
            self.keys.rotate(rotation.key.0, rotation.epoch);
            if let Some(kernel) = &mut self.kernel {
                kernel.rotate_master_key(rotation.key, rotation.epoch);
            }
        }
        Ok(())
    }

    fn apply_rates(&mut self, patch: &Patch) -> Result<(), PatchError> {
        if let Some(capacity) = patch.capacity_per_second {
            self.gateway.set_capacity(capacity).map_err(|error| refusal("capacityPerSecond", error))?;
        }
        if let Some(sessions) = patch.sessions_per_second
            && let Err(error) = self.gateway.set_sessions(sessions)
        {
            self.undo_rates(&Patch { capacity_per_second: patch.capacity_per_second, ..Patch::default() });
            return Err(refusal("sessionsPerSecond", error));
        }
        Ok(())
    }

    /// Back to the rates from before a patch. They were good then.
    fn undo_rates(&mut self, patch: &Patch) {
        if patch.capacity_per_second.is_some() {
            let _ = self.gateway.set_capacity(self.capacity_per_second);
        }
        if patch.sessions_per_second.is_some() {
            let _ = self.gateway.set_sessions(self.sessions_per_second);
        }
    }
}

fn refusal(key: &str, error: GatewayError) -> PatchError {
    let problem = match error {
        GatewayError::Dam(error) => error.to_string(),
        GatewayError::Zero(_) => "must be at least 1".to_owned(),
        other => format!("{other:?}"),
    };
    PatchError::new(key, problem)
}

fn cpu_seconds() -> CpuSeconds {
    let seconds = |time: TimeVal| time.tv_sec() as f64 + time.tv_usec() as f64 / 1e6;
    getrusage(UsageWho::RUSAGE_SELF).map_or_else(
        |_| CpuSeconds::default(),
        |usage| CpuSeconds {
            user_seconds: seconds(usage.user_time()),
            system_seconds: seconds(usage.system_time()),
        },
    )
}
