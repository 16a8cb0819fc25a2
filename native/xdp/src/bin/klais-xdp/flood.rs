//! `klais-xdp flood`: an attack, at the speed of the kernel.

use std::mem::MaybeUninit;
use std::net::{Ipv4Addr, SocketAddrV4};

use clap::ValueEnum;
use klais_burst_sync::wire::{MasterKeys, PORT};

use crate::error::ToolError;
use crate::namespace;
use crate::packets::{self, Route};
use crate::sender::{FRAMES_PER_CALL, Plan, Sender};

/// What the flood says.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Kind {
    /// DATA of random devices.
    Data,
    /// HELLOs of random devices, whose MAC is another device's.
    Forged,
    /// One HELLO, as its device signed it, again and again.
    Replayed,
}

#[derive(clap::Args)]
pub struct Arguments {
    /// Where the frames leave: a veth interface, whose peer has a native XDP program.
    #[arg(long)]
    interface: String,
    /// Ethernet address of the peer.
    #[arg(long, value_parser = mac)]
    to_mac: Mac,
    /// Address of the gateway.
    #[arg(long)]
    to: Ipv4Addr,
    #[arg(long, default_value_t = PORT)]
    port: u16,
    #[arg(long, value_enum)]
    kind: Kind,
    /// Devices that it pretends to be, from 0 on; a replayed HELLO is of the last.
    #[arg(long, default_value_t = 1 << 20)]
    devices: u32,
    /// The network that it pretends to come from.
    #[arg(long, default_value = "10.96.0.0")]
    network: Ipv4Addr,
    /// Bits of that network.
    #[arg(long, default_value_t = 12, value_parser = clap::value_parser!(u32).range(1..=32))]
    network_bits: u32,
    /// 32 hexadecimal digits: a replayed HELLO is signed under it.
    #[arg(long, value_parser = key, default_value = "00000000000000000000000000000000")]
    master_key: Key,
    #[arg(long, default_value_t = 0)]
    key_epoch: u8,
    #[arg(long, default_value_t = FRAMES_PER_CALL)]
    frames: u32,
}

type Mac = [u8; 6];
type Key = [u8; 16];

/// Floods, and prints what was sent and what it took.
pub fn run(arguments: &Arguments) -> Result<(), ToolError> {
    let keys = MasterKeys::new(arguments.master_key, arguments.key_epoch);
    let last = arguments.devices.saturating_sub(1);
    let payload = match arguments.kind {
        Kind::Data => packets::data(&keys, last)?,
        Kind::Forged | Kind::Replayed => packets::hello(&keys, last, 1, None)?,
    };
    let route = Route {
        from_mac: [2, 0x6b, 0x6c, 0, 0, 1],
        to_mac: arguments.to_mac,
        from: SocketAddrV4::new(arguments.network, 40_000).into(),
        to: SocketAddrV4::new(arguments.to, arguments.port).into(),
    };
    let mask = u32::MAX.checked_shr(arguments.network_bits).unwrap_or(0);
    let packet = route.unsummed(&payload)?;
    let plan = Plan {
        // An answer overwrites the packet that asked: each is written anew.
        prepared: vec![crate::sender::prepared(&packet)?],
        packet,
        devices: (arguments.kind != Kind::Replayed).then_some((0, arguments.devices)),
        sources: Some((u32::from(arguments.network) & !mask, mask)),
        drops: false,
    };
    let mut storage = MaybeUninit::uninit();
    let sender = Sender::load(&mut storage, &plan, namespace::index_of(&arguments.interface)?)?;
    let sent = sender.send(arguments.frames)?;
    println!(
        "{{\"frames\":{},\"cpuNanos\":{},\"wallNanos\":{}}}",
        sent.frames, sent.cpu_nanos, sent.wall_nanos
    );
    Ok(())
}

fn mac(text: &str) -> Result<Mac, String> {
    let bytes: Result<Vec<u8>, _> = text.split(':').map(|byte| u8::from_str_radix(byte, 16)).collect();
    bytes
        .ok()
        .and_then(|bytes| bytes.try_into().ok())
        .ok_or_else(|| "six bytes like 02:00:00:00:00:01".into())
}

fn key(text: &str) -> Result<Key, String> {
    u128::from_str_radix(text, 16)
        .ok()
        .filter(|_| text.len() == 32)
        .map(u128::to_be_bytes)
        .ok_or_else(|| "32 hexadecimal digits".into())
}
