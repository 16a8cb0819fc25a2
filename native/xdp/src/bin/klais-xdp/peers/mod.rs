//! `klais-xdp peers`: what a packet that is thrown away costs, by who throws it.
//!
//! One sender of live frames floods a veth pair in a namespace of its own; at the other end stands, in turn, each of the
//! contenders. Counted is all CPU time that the journey takes (see [`crate::cpu`]), over the frames sent, every one of which
//! has to be counted at the receiver.

mod drain;
mod records;

use std::mem::MaybeUninit;
use std::net::UdpSocket;

use crate::bench::stage::Stage;
use crate::bench::{self, rows};
use crate::cpu::{self, Softirqs};
use crate::error::ToolError;
use crate::namespace::{self, Wire, run};
use crate::packets::{self, Route};
use crate::record::Record;
use crate::sender::{FRAMES_PER_CALL, Plan, Sender};
use drain::Drain;
use records::records;

/// What to say wherever these figures are shown.
pub const CAVEAT: &str =
    "A veth pair is no network card: these figures say how programs compare, not what a card's driver does.";

/// Sources at random in 10.96.0.0/16.
const SOURCES: (u32, u32) = (0x0a60_0000, 0xffff);
const NFT_ALL: &str = "udp dport 7447 limit rate over 1/second burst 1 packets counter drop";
const NFT_EACH: &str =
    "udp dport 7447 update @each { ip saddr limit rate over 1/day burst 1 packets } counter drop";

/// How much is sent, and how often.
pub struct Size {
    pub devices: u32,
    pub frames: u32,
    pub rounds: u32,
    /// Whether figures are held against what is wanted.
    pub is_judged: bool,
}

impl Size {
    pub const FULL: Self = Self { devices: 1 << 20, frames: FRAMES_PER_CALL, rounds: 5, is_judged: true };
    pub const QUICK: Self =
        Self { devices: 1 << 12, frames: FRAMES_PER_CALL / 8, rounds: 2, is_judged: false };
}

/// Who is measured.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Contender {
    Alone,
    Refused,
    Bare,
    DamDevice,
    DamGlobal,
    DamBlocked,
    DamPrefix,
    NftAll,
    NftEach,
    Recvmmsg,
}

impl Contender {
    const ALL: [Self; 10] = [
        Self::Alone,
        Self::Refused,
        Self::Bare,
        Self::DamDevice,
        Self::DamGlobal,
        Self::DamBlocked,
        Self::DamPrefix,
        Self::NftAll,
        Self::NftEach,
        Self::Recvmmsg,
    ];

    fn name(self) -> &'static str {
        match self {
            Self::Alone => "sender alone, dropped before it leaves",
            Self::Refused => "sender and redirect, refused by a peer without a program",
            Self::Bare => "bare: sender, veth, an empty program that drops",
            Self::DamDevice => "dam, dropped by the device's bucket",
            Self::DamGlobal => "dam, dropped by the global bucket",
            Self::DamBlocked => "dam, blocked by device",
            Self::DamPrefix => "dam, blocked by prefix",
            Self::NftAll => "nftables ingress, one rate limit",
            Self::NftEach => "nftables ingress, a rate limit per source",
            Self::Recvmmsg => "recvmmsg and discard",
        }
    }
}

impl Contender {
    /// The share of frames that must have met the end which the contender is named after: all, but for those that a rate
    /// limit lets through, and for what a socket's buffer had no room for while others had the CPU.
    fn check(self, cost: &Cost) -> Result<(), ToolError> {
        let least = match self {
            Self::Alone | Self::Refused => return Ok(()),
            Self::Bare | Self::DamDevice | Self::DamGlobal | Self::DamBlocked | Self::DamPrefix => 1.0,
            Self::NftAll => 0.9999,
            Self::NftEach | Self::Recvmmsg => 0.9,
        };
        if cost.received >= 1.0 && cost.ended >= least {
            return Ok(());
        }
        let (received, ended) = (cost.received * 100.0, cost.ended * 100.0);
        let reason = format!("{}: {received:.3} % of the frames arrived, {ended:.3} % ended so", self.name());
        Err(ToolError::Unexpected(reason))
    }
}

/// What one flood cost and where it ended.
struct Cost {
    nanos: f64,
    sender: f64,
    /// What the whole machine was busy meanwhile, others' work included.
    machine: f64,
    received: f64,
    ended: f64,
}

/// Measures everybody in turn.
pub fn measure(size: &Size, say: &dyn Fn(&str)) -> Result<Vec<Record>, ToolError> {
    let wire = namespace::enter_own()?;
    cpu::pin(0)?;
    let softirqs = Softirqs::find()?;
    let load_before = cpu::load_average()?;
    let mut costs: Vec<Vec<Cost>> = Contender::ALL.iter().map(|_| Vec::new()).collect();
    for round in 0..size.rounds {
        let mut order: Vec<usize> = (0..Contender::ALL.len()).collect();
        if round % 2 == 1 {
            order.reverse();
        }
        for at in order {
            let contender = Contender::ALL[at];
            say(&format!("round {} of {}: {}", round + 1, size.rounds, contender.name()));
            let cost = flood(contender, size, &wire, &softirqs)?;
            contender.check(&cost)?;
            costs[at].push(cost);
        }
    }
    let load = format!("{load_before} before, {} after", cpu::load_average()?);
    let records = records(&costs, size).into_iter();
    Ok(records.map(|record| record.with("loadAverage", &load).with("wire", "veth")).collect())
}

fn flood(contender: Contender, size: &Size, wire: &Wire, softirqs: &Softirqs) -> Result<Cost, ToolError> {
    let keys = rows::keys();
    let route = Route {
        from_mac: wire.flood.mac,
        to_mac: wire.gate.mac,
        from: (packets::STRANGER, 40_000).into(),
        to: (wire.address, klais_burst_sync::wire::PORT).into(),
    };
    let plan = Plan {
        packet: route.unsummed(&packets::data(&keys, 0)?)?,
        devices: Some((0, size.devices)),
        sources: Some(SOURCES),
        drops: contender == Contender::Alone,
        ..Plan::default()
    };
    let mut storage = MaybeUninit::uninit();
    let sender = Sender::load(&mut storage, &plan, wire.flood.index)?;
    let gate = wire.gate.index;
    match contender {
        Contender::Alone | Contender::Refused => timed(&sender, size, wire, softirqs, &|| Ok(0)),
        Contender::Bare => {
            let _program = sender.attach_swallow(gate)?;
            timed(&sender, size, wire, softirqs, &|| namespace::received(wire.gate.name))
        }
        Contender::DamDevice => dam(&sender, size, wire, softirqs, "device-rate", rows::close_devices),
        Contender::DamGlobal => dam(&sender, size, wire, softirqs, "global-rate", rows::close_global),
        Contender::DamBlocked => dam(&sender, size, wire, softirqs, "blocked", rows::block_devices),
        Contender::DamPrefix => dam(&sender, size, wire, softirqs, "prefix", rows::block_prefixes),
        Contender::NftAll => nft(&sender, size, wire, softirqs, NFT_ALL),
        Contender::NftEach => nft(&sender, size, wire, softirqs, NFT_EACH),
        Contender::Recvmmsg => recvmmsg(&sender, size, wire, softirqs),
    }
}

/// One flood to warm up, one that counts. `ended` counts the frames that met the end they were to meet.
fn timed(
    sender: &Sender<'_>,
    size: &Size,
    wire: &Wire,
    softirqs: &Softirqs,
    ended: &dyn Fn() -> Result<u64, ToolError>,
) -> Result<Cost, ToolError> {
    sender.send(size.frames / 4)?;
    let (ends, arrivals, elsewhere) = (ended()?, namespace::received(wire.gate.name)?, softirqs.nanos()?);
    let busy = cpu::busy_nanos()?;
    let sent = sender.send(size.frames)?;
    let per_frame = |count: u64| count as f64 / sent.frames as f64;
    Ok(Cost {
        nanos: per_frame(sent.cpu_nanos + softirqs.nanos()? - elsewhere),
        sender: per_frame(sent.cpu_nanos),
        machine: per_frame(cpu::busy_nanos()? - busy),
        received: per_frame(namespace::received(wire.gate.name)? - arrivals),
        ended: per_frame(ended()? - ends),
    })
}

fn dam(
    sender: &Sender<'_>,
    size: &Size,
    wire: &Wire,
    softirqs: &Softirqs,
    counter: &str,
    arrange: rows::Arrange,
) -> Result<Cost, ToolError> {
    let mut storage = MaybeUninit::uninit();
    let packets = vec![vec![0; 64]; size.devices as usize];
    let mut stage = Stage::load(&mut storage, &packets)?;
    bench::prepare(&mut stage);
    arrange(&mut stage)?;
    let _program = stage.attach(wire.gate.index)?;
    timed(sender, size, wire, softirqs, &|| stage.counter(counter))
}

fn nft(
    sender: &Sender<'_>,
    size: &Size,
    wire: &Wire,
    softirqs: &Softirqs,
    rule: &str,
) -> Result<Cost, ToolError> {
    let _program = sender.attach_let_through(wire.gate.index)?;
    let rules = format!(
        "table netdev klais {{\nset each {{ type ipv4_addr; size 131072; flags dynamic; }}
         chain ingress {{\ntype filter hook ingress device {} priority 0;\n{rule}\n}}\n}}",
        wire.gate.name
    );
    run("nft", &[&rules])?;
    let cost = timed(sender, size, wire, softirqs, &nft_dropped);
    run("nft", &["delete table netdev klais"])?;
    cost
}

fn nft_dropped() -> Result<u64, ToolError> {
    let text = run("nft", &["list", "chain", "netdev", "klais", "ingress"])?;
    let count =
        text.split_once("counter packets ").and_then(|(_, rest)| rest.split(' ').next()?.parse().ok());
    count.ok_or_else(|| ToolError::Unexpected(format!("nft lists no counter: {text}")))
}

fn recvmmsg(sender: &Sender<'_>, size: &Size, wire: &Wire, softirqs: &Softirqs) -> Result<Cost, ToolError> {
    let _program = sender.attach_let_through(wire.gate.index)?;
    let socket = UdpSocket::bind((wire.address, klais_burst_sync::wire::PORT))
        .map_err(ToolError::system("binding a socket"))?;
    let drain = Drain::start(socket, cpu::count() - 1)?;
    let (arrivals, elsewhere) = (namespace::received(wire.gate.name)?, softirqs.nanos()?);
    let busy = cpu::busy_nanos()?;
    let sent = sender.send(size.frames)?;
    let per_frame = |count: u64| count as f64 / sent.frames as f64;
    let elsewhere = softirqs.nanos()? - elsewhere;
    let received = drain.received_at_rest();
    let reader = drain.stop()?;
    Ok(Cost {
        nanos: per_frame(sent.cpu_nanos + elsewhere + reader),
        sender: per_frame(sent.cpu_nanos),
        machine: per_frame(cpu::busy_nanos()? - busy),
        received: per_frame(namespace::received(wire.gate.name)? - arrivals),
        ended: per_frame(received),
    })
}
