//! Twin of the structures in `bpf/klais.h`.

pub const KEY_SETS: u32 = 8;
pub const ADDRESSES_MAX: usize = 8;
pub const PREFIXES_MAX: usize = 65_536;
pub const SHARD_WORDS: usize = 64;

/// `struct klais_keys`.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub struct Keys {
    pub present: [u64; 2],
    pub previous: [u64; 2],
    pub present_epoch: u8,
    pub previous_epoch: u8,
    pub has_previous: u8,
    pub reserved: [u8; 5],
}

/// `struct klais_config`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct Config {
    pub port: u16,
    pub slots: u8,
    pub session_mode: u8,
    pub devices: u32,
    pub prefixes: u32,
    pub addresses: u32,
    pub master_index: u32,
    pub cookie_index: u32,
    pub gateway: u32,
    pub shards: u32,
    pub origin_nanos: u64,
    pub scale: u64,
    pub elapsed_nanos_max: u64,
    pub session_window_nanos: u64,
    pub horizon_nanos: u64,
    pub address: [[u64; 2]; ADDRESSES_MAX],
    pub master: [Keys; KEY_SETS as usize],
    pub cookie: [Keys; KEY_SETS as usize],
    pub elsewhere: [u64; SHARD_WORDS],
}

/// `struct klais_test`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct Test {
    pub now_nanos: u64,
    pub outcome: u32,
    pub reserved: u32,
}
