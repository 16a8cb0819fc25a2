//! The loop: one thread that owns the sockets, the gateway and the sink.

use crate::addresses::Addresses;
use crate::clock::{Clock, monotonic_nanos, thread_cpu_nanos};
use crate::config::{Config, PollMode};
use crate::endpoint;
use crate::kernel::Kernel;
use crate::mailbox::Inbox;
use crate::patch::{LayerName, LimitConfig};
use crate::prefixes::Prefixes;
use crate::readings::Readings;
use crate::receiver::Receiver;
use crate::sender::Sender;
use crate::service::{ServiceMeter, Work};
use crate::sink::Sink;
use crate::snapshot::Placement;
use crate::swarm::Gossip;
use crate::turnaround::Turnaround;
use klais_burst_sync::wire::{MasterKeys, WireError};
use klais_dam::DamConfig;
use klais_gateway::{Gateway, Transmit};
use klais_units::NANOS_PER_SECOND;
use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, ppoll};
use nix::sys::prctl::set_timerslack;
use nix::sys::time::TimeSpec;
use std::collections::{BTreeMap, BTreeSet};
use std::net::UdpSocket;
use std::os::fd::AsFd;
use std::time::Duration;
use tracing::{error, info, warn};

/// How long a drain may take; what the sink has not decided by then stays with the devices, which send it again.
pub const DRAIN_NANOS_MAX: u64 = 10 * NANOS_PER_SECOND;
/// How long it may take to open the first shards before devices are served without them.
const SETTLE_NANOS_MAX: u64 = 10 * NANOS_PER_SECOND;
const SETTLE_PAUSE: Duration = Duration::from_millis(1);
/// The longest sleep.
const SLEEP_NANOS_MAX: u64 = NANOS_PER_SECOND;
/// How late a sleep may end; 50 us is the kernel's default.
const TIMER_SLACK_NANOS: u64 = 1;
/// How often it is asked whether the filter still is attached.
const LOOK_NANOS: u64 = NANOS_PER_SECOND;
/// Receive errors are logged once in so many.
const ERRORS_PER_LINE: u64 = 10_000;

/// Frames that went no further in this process, beside what the gateway drops.
#[derive(Clone, Copy, Debug, Default)]
pub struct Tallies {
    /// Datagrams.
    pub received: u64,
    pub wire_errors: [u64; WireError::ALL.len()],
    /// From a blocked range.
    pub prefix: u64,
    /// Frames that the swarm has blocked one by one.
    pub frame: u64,
    /// HELLOs for another gateway.
    pub other_gateway: u64,
    /// Came while the process was ending.
    pub draining: u64,
    /// Answers to a device of which no address is known.
    pub no_address: u64,
    /// Answers to a device whose key is two rotations old.
    pub no_key: u64,
    /// Calls to receive that failed.
    pub receive_errors: u64,
    /// Received without a sensible time of arrival.
    pub unstamped: u64,
}

/// How a drain ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// The sink has decided everything that was accepted, and the devices were told.
    Drained,
    /// The limit came first, or a second signal.
    CutShort,
}

/// What there is beside the configuration when the loop begins.
pub struct Parts {
    pub socket: UdpSocket,
    pub inbox: Inbox,
    pub gateway: Gateway<Readings>,
    pub sink: Box<dyn Sink>,
    pub dam_config: DamConfig,
    pub kernel: Option<Kernel>,
    pub reason: Option<String>,
    pub clock: Clock,
    pub turnaround: Turnaround,
    /// Without it all gateways are alive.
    pub gossip: Option<Gossip>,
}

/// See the module.
pub struct Daemon {
    pub(crate) config: Config,
    pub(crate) socket: UdpSocket,
    pub(crate) inbox: Inbox,
    pub(crate) gateway: Gateway<Readings>,
    pub(crate) dam_config: DamConfig,
    pub(crate) kernel: Option<Kernel>,
    /// Why the dam is not where it was to be.
    pub(crate) reason: Option<String>,
    pub(crate) clock: Clock,
    pub(crate) keys: MasterKeys,
    /// What HELLOs call this gateway; 0: whatever they say.
    pub(crate) number: u32,
    pub(crate) addresses: Addresses,
    pub(crate) prefixes: Prefixes,
    pub(crate) sink: Box<dyn Sink>,
    pub(crate) sender: Sender,
    /// Empty between turns.
    pub(crate) transmits: Vec<Transmit>,
    /// Every shard that it is to own has been served once.
    pub(crate) has_settled: bool,
    /// Of the gateway, when the kernel was told last.
    ownership_told: u64,
    pub(crate) turnaround: Turnaround,
    pub(crate) service: ServiceMeter,
    pub(crate) tallies: Tallies,
    pub(crate) capacity_per_second: u64,
    pub(crate) sessions_per_second: u64,
    pub(crate) limits: BTreeMap<LayerName, LimitConfig>,
    /// By the operator.
    pub(crate) blocked: BTreeSet<u32>,
    pub(crate) gossip: Option<Gossip>,
    pub(crate) started_nanos: u64,
    drain_until_nanos: Option<u64>,
    next_look_nanos: u64,
}

impl Daemon {
    /// Ready to run.
    pub fn new(config: Config, parts: Parts) -> Self {
        let Parts { socket, inbox, gateway, sink, dam_config, kernel, reason, clock, turnaround, gossip } =
            parts;
        let now = monotonic_nanos();
        let mut daemon = Self {
            number: config.gateway_number(config.listen.ip()),
            keys: MasterKeys::new(config.master_key.0, config.key_epoch),
            addresses: Addresses::new(config.devices, config.listen),
            prefixes: Prefixes::default(),
            sink,
            sender: Sender::new(),
            transmits: Vec::new(),
            has_settled: false,
            ownership_told: 0,
            service: ServiceMeter::default(),
            tallies: Tallies::default(),
            capacity_per_second: config.policy.capacity_per_second.max(1).into(),
            sessions_per_second: config.policy.sessions_per_second.max(1).into(),
            limits: BTreeMap::new(),
            blocked: BTreeSet::new(),
            gossip,
            started_nanos: now,
            drain_until_nanos: None,
            next_look_nanos: now.saturating_add(LOOK_NANOS),
            socket,
            inbox,
            gateway,
            dam_config,
            kernel,
            reason,
            clock,
            turnaround,
            config,
        };
        let micros = daemon.clock.micros(now);
        let own = daemon.config.gateway;
        // Itself last: alone among the living it would own, and fence, everybody's shards for a moment.
        for member in (0..daemon.config.gateways).filter(|member| *member != own).chain([own]) {
            daemon.gateway.set_member(micros, member, true);
        }
        daemon
    }

    /// Opens the shards that it is to serve, for so long at most: whether it serves them. What comes meanwhile waits in the
    /// socket.
    pub fn settle(&mut self) -> bool {
        let until = monotonic_nanos().saturating_add(SETTLE_NANOS_MAX);
        loop {
            let now = monotonic_nanos();
            // Those who serve its shards meanwhile let go of them when they hear of it.
            self.gossip(now);
            self.advance();
            self.tell_ownership();
            if self.has_settled || now >= until || self.inbox.stops() > 0 {
                return self.has_settled;
            }
            let mut polled: Vec<_> =
                self.sink.bell().map(|bell| PollFd::new(bell, PollFlags::POLLIN)).into_iter().collect();
            // Whatever ends the pause, everything is looked at anew.
            let _ = ppoll(&mut polled, Some(TimeSpec::from_duration(SETTLE_PAUSE)), None);
        }
    }

    /// Runs until it is asked to stop and has drained.
    pub fn run(&mut self) -> Ending {
        let mut receiver = Receiver::new();
        if let Err(error) = set_timerslack(TIMER_SLACK_NANOS) {
            warn!(%error, "sleeps may end 50 us late");
        }
        loop {
            while let Some(request) = self.inbox.next() {
                self.answer(request);
            }
            let now = monotonic_nanos();
            if let Some(ending) = self.ending(now) {
                self.leave();
                return ending;
            }
            if now >= self.next_look_nanos {
                self.next_look_nanos = now.saturating_add(LOOK_NANOS);
                self.look_at_the_filter();
            }
            self.gossip(now);
            if !self.turn(&mut receiver) {
                self.wait();
            }
        }
    }

    /// Whether it accepts no frames any more.
    pub(crate) fn is_draining(&self) -> bool {
        self.drain_until_nanos.is_some()
    }

    /// Where the dam runs.
    pub(crate) fn placement(&self) -> Placement {
        self.kernel.as_ref().map_or(Placement::Off, Kernel::placement)
    }

    /// Takes over from the filter where it has been lost, with the same tables: no bucket is filled anew, no slot is
    /// forgotten. What it passed and nobody has read yet is asked about a second time, which may cost a few devices a
    /// HELLO.
    fn look_at_the_filter(&mut self) {
        if let Some(lost) = self.kernel.as_mut().and_then(Kernel::look) {
            error!(reason = lost, "the dam runs in user space from now on");
            endpoint::take_from_anywhere(&self.socket);
            self.reason = Some(lost);
        }
    }

    /// One batch in, what is due done, answers out. Whether a frame came or went.
    fn turn(&mut self, receiver: &mut Receiver) -> bool {
        let timing = self.service.is_timing();
        let cpu = if timing { thread_cpu_nanos() } else { 0 };
        let work = self.receive(receiver);
        let sent = self.advance();
        self.tell_ownership();
        let busy = work.is_some() || sent > 0;
        if busy {
            let spent = if timing { thread_cpu_nanos().saturating_sub(cpu) } else { 0 };
            self.service.add(work.unwrap_or_default(), spent);
        }
        busy
    }

    /// Receives a batch: what was in it, or `None` if nothing was there.
    fn receive(&mut self, receiver: &mut Receiver) -> Option<Work> {
        match receiver.receive(&self.socket) {
            Ok(0) => None,
            Ok(_) => Some(self.take_batch(receiver)),
            Err(error) => {
                if self.tallies.receive_errors.is_multiple_of(ERRORS_PER_LINE) {
                    warn!(%error, "cannot receive");
                }
                self.tallies.receive_errors += 1;
                None
            }
        }
    }

    /// Tells the kernel whose shards are whose, where that has changed.
    fn tell_ownership(&mut self) {
        let changes = self.gateway.ownership_changes();
        if changes == self.ownership_told {
            return;
        }
        self.ownership_told = changes;
        self.has_settled |= self.gateway.shards_coming() == 0;
        let gateway = &self.gateway;
        if let Some(kernel) = &mut self.kernel
            && let Err(error) =
                kernel.set_elsewhere(self.config.policy.shards, |shard| gateway.is_elsewhere(shard))
        {
            warn!(%error, "frames for other gateways are charged here before they are sent on");
        }
    }

    fn wait(&mut self) {
        match self.config.poll {
            PollMode::Busy => std::hint::spin_loop(),
            PollMode::Sleep => self.sleep(),
        }
    }

    /// Until a frame comes, the bell rings, or something is due.
    fn sleep(&mut self) {
        let due =
            [(!self.gateway.is_idle()).then(|| self.gateway.next_deadline()), self.sink.next_deadline()];
        let due = due.into_iter().flatten().map(|micros| self.clock.monotonic(micros));
        let due = due.chain(self.gossip.as_ref().map(Gossip::due_nanos)).min();
        let now = monotonic_nanos();
        let until = due.map_or(u64::MAX, |due| due.saturating_sub(now)).min(SLEEP_NANOS_MAX);
        let timeout = TimeSpec::from_duration(Duration::from_nanos(until));
        let sink = self.sink.bell();
        let mut polled = vec![
            PollFd::new(self.socket.as_fd(), PollFlags::POLLIN),
            PollFd::new(self.inbox.bell().as_fd(), PollFlags::POLLIN),
        ];
        polled.extend(sink.map(|bell| PollFd::new(bell, PollFlags::POLLIN)));
        polled.extend(self.gossip.as_ref().map(|gossip| PollFd::new(gossip.socket(), PollFlags::POLLIN)));
        match ppoll(&mut polled, Some(timeout), None) {
            Ok(_) | Err(Errno::EINTR) => {}
            Err(error) => error!(%error, "cannot wait"),
        }
        if polled[1].any().unwrap_or(false) {
            self.inbox.silence();
        }
        let has_gossip = polled.last().and_then(PollFd::any).unwrap_or(false);
        drop(polled);
        if let Some(gossip) = self.gossip.as_mut().filter(|_| has_gossip) {
            gossip.ring();
        }
    }

    /// Begins the drain when it is asked to stop, and says when it is over.
    fn ending(&mut self, now: u64) -> Option<Ending> {
        let stops = self.inbox.stops();
        if stops == 0 {
            return None;
        }
        let queued_readings = self.gateway.stats().queued;
        let undecided = self.sink.undecided();
        let until = *self.drain_until_nanos.get_or_insert_with(|| {
            info!(queued_readings, undecided, "draining: frames that come now are not taken any more");
            now.saturating_add(DRAIN_NANOS_MAX)
        });
        if queued_readings == 0 && undecided == 0 {
            return Some(Ending::Drained);
        }
        if stops > 1 || now >= until {
            warn!(queued_readings, undecided, "drain cut short: devices keep what was not acknowledged");
            return Some(Ending::CutShort);
        }
        None
    }
}
