//! Loads the program, sets it up, runs single packets through it.
#![allow(unsafe_code)]

use crate::XdpError;
use crate::counters::{COUNTER_NAMES, Count};
use crate::layout::{ADDRESSES_MAX, Config, KEY_SETS, Keys, SHARD_WORDS, Test};
use crate::memory::Memory;
use crate::prefixes::Prefix;
use klais_dam::{DamConfig, DamTables, SessionMode};
use libbpf_rs::{Map, MapCore, MapFlags, Object, ObjectBuilder, Program, ProgramInput};
use std::collections::BTreeSet;
use std::mem::offset_of;

static PROGRAM: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/klais.bpf.o"));
const NAME: &str = "klais";

/// A secret and its number.
#[derive(Clone, Copy)]
pub struct Key {
    /// The secret.
    pub key: [u8; 16],
    /// Its number, which frames or cookies are bound to.
    pub epoch: u8,
}

/// What a filter is set to.
#[derive(Clone)]
pub struct FilterConfig {
    /// The dam that it is to be; its cookie key too. Its limits are set by a `Dam` over [`Filter::tables`].
    pub dam: DamConfig,
    /// Whether backfill was charged when its slot was reserved.
    pub slots: bool,
    /// The UDP port of the gateway.
    pub port: u16,
    /// What a HELLO must call this gateway (`klais_burst_sync::wire::gateway_number`); 0: whatever it says.
    pub gateway: u32,
    /// The key that device keys come from.
    pub master: Key,
    /// Time 0, on `CLOCK_MONOTONIC`, in nanoseconds.
    pub origin_nanos: u64,
    /// Virtual nanoseconds per nanosecond, at least 1.
    pub scale: u64,
    /// The clock is [`Filter::set_test_now`], not the kernel's. Fixed when loaded.
    pub test: bool,
}

/// What became of one packet.
#[derive(Debug)]
pub struct TestRun {
    /// `XDP_DROP` 1, `XDP_PASS` 2, `XDP_TX` 3.
    pub action: u32,
    /// The packet afterwards.
    pub packet: Vec<u8>,
    /// With a test clock: the counter under which it was counted.
    pub outcome: &'static str,
}

/// The loaded program and its memory.
pub struct Filter {
    object: Object,
    pub(crate) config: Memory,
    test: Memory,
    tables: DamTables,
    pub(crate) blocked_prefixes: BTreeSet<Prefix>,
}

impl Filter {
    /// Shards that can be told apart.
    pub const SHARDS_MAX: u32 = SHARD_WORDS as u32 * u64::BITS;

    /// Loads the program, not yet attached to anything. All buckets are idle and off: a `Dam` over [`Filter::tables`] sets
    /// them.
    ///
    /// # Errors
    /// [`XdpError`]; nothing stays in the kernel then.
    pub fn load(config: &FilterConfig) -> Result<Self, XdpError> {
        if config.dam.devices == 0 {
            return Err(XdpError::NoDevices);
        }
        let object = Self::load_object(config)?;
        let memory = |name| Memory::of(&object, name);
        let state = memory(".data.dam")?;
        let (tats, slots, blocked) = (memory("device_tats")?, memory("slots")?, memory("blocked")?);
        // SAFETY: DamState has the layout of struct klais_dam_state and AtomicU64 that of a word, and both are atomics only.
        let tables = unsafe {
            DamTables {
                state: state.entries().first().ok_or(XdpError::Missing(".data.dam"))?,
                device_tats: tats.entries(),
                slots: slots.entries(),
                blocked: blocked.entries(),
            }
        };
        let (settings, test) = (memory(".data.config")?, memory(".data.test")?);
        // SAFETY: the map holds a klais_config, which has this layout, and the program does not run yet.
        unsafe { settings.at::<Config>().write_volatile(first_settings(config)) };
        Ok(Self { object, config: settings, test, tables, blocked_prefixes: BTreeSet::new() })
    }

    fn load_object(config: &FilterConfig) -> Result<Object, XdpError> {
        let failed = XdpError::refused;
        let mut open =
            ObjectBuilder::default().open_memory(PROGRAM).map_err(failed("reading the BPF program"))?;
        let devices = config.dam.devices;
        for mut map in open.maps_mut() {
            let name = map.name().to_os_string();
            let entries = match name.to_str() {
                Some("device_tats" | "slots") => devices,
                Some("blocked") => devices.div_ceil(u64::BITS),
                Some(".rodata.options") => {
                    if let Some(options) = map.initial_value_mut().and_then(|bytes| bytes.first_mut()) {
                        *options = u8::from(config.test);
                    }
                    continue;
                }
                _ => continue,
            };
            map.set_max_entries(entries).map_err(failed("sizing a table"))?;
        }
        open.load().map_err(failed("loading the BPF program"))
    }

    /// The kernel's memory, for `klais_dam::Dam::over`. It stays mapped for as long as the process lives.
    #[must_use]
    pub fn tables(&self) -> DamTables {
        self.tables
    }

    /// Checks frames with another master key from now on; the one before stays good. As in `MasterKeys::rotate`, a repeated
    /// epoch replaces the key of that number, and the one before that stays.
    pub fn rotate_master_key(&mut self, key: Key) {
        self.rotate(key, offset_of!(Config, master), offset_of!(Config, master_index), |before| {
            if before.present_epoch == key.epoch { older(before) } else { replaced(before) }
        });
    }

    /// Signs cookies with another key from now on; those under the one before stay good, as in `Dam::rotate_key`.
    pub fn rotate_cookie_key(&mut self, key: Key) {
        self.rotate(key, offset_of!(Config, cookie), offset_of!(Config, cookie_index), replaced);
    }

    /// Fills the next key set, then stores its index: whoever reads meanwhile sees one set or the other. `kept` says
    /// which key stays good beside the new one.
    fn rotate(&mut self, key: Key, sets_offset: usize, index_offset: usize, kept: impl FnOnce(Keys) -> Keys) {
        let config = self.config.at::<Config>();
        // SAFETY: the pointers lie within the mapped configuration; only this function writes key sets, under &mut.
        unsafe {
            let sets = config.byte_add(sets_offset).cast::<Keys>();
            let index = config.byte_add(index_offset).cast::<u32>();
            let present = index.read_volatile() % KEY_SETS;
            let next = (present + 1) % KEY_SETS;
            let before = sets.add(present as usize).read_volatile();
            sets.add(next as usize).write_volatile(Keys {
                present: words(key.key),
                present_epoch: key.epoch,
                ..kept(before)
            });
            std::sync::atomic::fence(std::sync::atomic::Ordering::Release);
            index.write_volatile(next);
        }
    }

    pub(crate) fn program(&self) -> Result<Program<'_>, XdpError> {
        self.object.progs().find(|program| program.name() == NAME).ok_or(XdpError::Missing(NAME))
    }

    pub(crate) fn map(&self, name: &'static str) -> Result<Map<'_>, XdpError> {
        self.object.maps().find(|map| map.name() == name).ok_or(XdpError::Missing(name))
    }

    /// Says which of the shards are another gateway's: frames of their devices pass uncharged, for user space to send them on.
    /// Device d is in shard d % `shards`.
    ///
    /// # Errors
    /// [`XdpError::Shards`] for more than [`Filter::SHARDS_MAX`]. Nothing has changed then.
    pub fn set_elsewhere(&mut self, shards: u32, is_elsewhere: impl Fn(u32) -> bool) -> Result<(), XdpError> {
        if shards > Self::SHARDS_MAX {
            return Err(XdpError::Shards(shards));
        }
        let mut words = [0u64; SHARD_WORDS];
        for shard in (0..shards).filter(|shard| is_elsewhere(*shard)) {
            words[(shard / u64::BITS) as usize] |= 1 << (shard % u64::BITS);
        }
        let config = self.config.at::<Config>();
        // SAFETY: within the mapped configuration; aligned words, each of which is right by itself.
        unsafe {
            let places = (&raw mut (*config).elsewhere).cast::<u64>();
            for (n, word) in words.iter().enumerate() {
                places.add(n).write_volatile(*word);
            }
            (&raw mut (*config).shards).write_volatile(shards);
        }
        Ok(())
    }

    /// Sets the test clock.
    pub fn set_test_now(&self, now_nanos: u64) {
        // SAFETY: within the mapped structure; an aligned word.
        unsafe { (&raw mut (*self.test.at::<Test>()).now_nanos).write_volatile(now_nanos) };
    }

    /// Sends one packet through the program, which sees it as it would on a wire.
    ///
    /// # Errors
    /// The kernel's refusal: a packet below 14 bytes or above a page.
    pub fn test_run(&self, packet: &[u8]) -> Result<TestRun, XdpError> {
        // Long frames come back whole; answers are shorter than what they answer.
        let mut room = vec![0; packet.len().max(4_096)];
        let input = ProgramInput {
            data_in: Some(packet),
            data_out: Some(&mut room),
            repeat: 1,
            ..Default::default()
        };
        let program = self.object.progs_mut().find(|program| program.name() == NAME);
        let output = program
            .ok_or(XdpError::Missing(NAME))?
            .test_run(input)
            .map_err(XdpError::refused("running a packet through the program"))?;
        // SAFETY: within the mapped structure; an aligned word.
        let outcome = unsafe { (&raw const (*self.test.at::<Test>()).outcome).read_volatile() };
        Ok(TestRun {
            action: output.return_value,
            packet: output.data.map(|data| data.to_vec()).unwrap_or_default(),
            outcome: COUNTER_NAMES.get(outcome as usize).copied().ok_or(XdpError::Missing("such counter"))?,
        })
    }

    /// All counters by name, over all CPUs.
    ///
    /// # Errors
    /// The kernel's refusal to read the map.
    pub fn counters(&self) -> Result<Vec<(&'static str, Count)>, XdpError> {
        let map = self.map("counters")?;
        let failed = XdpError::refused("reading the counters");
        (0_u32..)
            .zip(COUNTER_NAMES)
            .map(|(counter, name)| {
                let cpus = map.lookup_percpu(&counter.to_ne_bytes(), MapFlags::ANY).map_err(&failed)?;
                let mut sum = Count::default();
                for bytes in cpus.into_iter().flatten() {
                    let word = |word: &[u8]| u64::from_ne_bytes(word.try_into().unwrap_or_default());
                    let mut words = bytes.chunks_exact(8).map(word);
                    sum.packets += words.next().unwrap_or_default();
                    sum.readings += words.next().unwrap_or_default();
                }
                Ok((name, sum))
            })
            .collect()
    }
}

/// The key that a new one follows stays good.
fn replaced(before: Keys) -> Keys {
    Keys {
        previous: before.present,
        previous_epoch: before.present_epoch,
        has_previous: 1,
        ..Keys::default()
    }
}

/// The key that a new one replaces goes; the one before that stays good.
fn older(before: Keys) -> Keys {
    Keys {
        previous: before.previous,
        previous_epoch: before.previous_epoch,
        has_previous: before.has_previous,
        ..Keys::default()
    }
}

fn first_settings(config: &FilterConfig) -> Config {
    let scale = config.scale.max(1);
    let keys = |key: Key| Keys { present: words(key.key), present_epoch: key.epoch, ..Keys::default() };
    let mut settings = Config {
        port: config.port.to_be(),
        slots: u8::from(config.slots),
        session_mode: match config.dam.session_mode {
            SessionMode::Open => 0,
            SessionMode::Drop => 1,
            SessionMode::Slots => 2,
        },
        devices: config.dam.devices,
        prefixes: 0,
        addresses: 0,
        master_index: 0,
        cookie_index: 0,
        gateway: config.gateway.to_be(),
        shards: 0,
        origin_nanos: config.origin_nanos,
        scale,
        elapsed_nanos_max: u64::MAX / scale,
        session_window_nanos: config.dam.session_window_nanos,
        horizon_nanos: config.dam.horizon_nanos,
        address: [[0; 2]; ADDRESSES_MAX],
        master: [Keys::default(); KEY_SETS as usize],
        cookie: [Keys::default(); KEY_SETS as usize],
        elsewhere: [0; SHARD_WORDS],
    };
    settings.master[0] = keys(config.master);
    settings.cookie[0] = keys(Key { key: config.dam.cookie_key, epoch: config.dam.key_epoch });
    settings
}

/// A key as the two little-endian words that SipHash starts from.
fn words(key: [u8; 16]) -> [u64; 2] {
    let number = u128::from_le_bytes(key);
    [number as u64, (number >> 64) as u64]
}
