//! Captures as bytes.

/// A packet to be written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Written {
    /// Since 1970. Formats that count in microseconds cut the rest off.
    pub nanos: u64,
    /// On the wire; more than `frame` has where it was cut.
    pub wire_bytes: u32,
    pub frame: Vec<u8>,
}

/// How.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    Pcap {
        is_big_endian: bool,
        is_nano: bool,
    },
    /// Two interfaces in turn, one in microseconds and one in nanoseconds; half-way a new section in the other byte
    /// order; and blocks that are no packets.
    Pcapng {
        is_big_endian: bool,
    },
}

pub const FORMATS: [Format; 6] = [
    Format::Pcap { is_big_endian: false, is_nano: false },
    Format::Pcap { is_big_endian: true, is_nano: false },
    Format::Pcap { is_big_endian: false, is_nano: true },
    Format::Pcap { is_big_endian: true, is_nano: true },
    Format::Pcapng { is_big_endian: false },
    Format::Pcapng { is_big_endian: true },
];

/// Numbers in one byte order.
pub struct Writer {
    is_big_endian: bool,
    pub out: Vec<u8>,
}

impl Writer {
    pub fn new(is_big_endian: bool) -> Self {
        Self { is_big_endian, out: Vec::new() }
    }

    fn u16(&mut self, number: u16) {
        self.out.extend(if self.is_big_endian { number.to_be_bytes() } else { number.to_le_bytes() });
    }

    fn u32(&mut self, number: u32) {
        self.out.extend(if self.is_big_endian { number.to_be_bytes() } else { number.to_le_bytes() });
    }

    /// The header of a classic file.
    pub fn pcap_header(&mut self, is_nano: bool, link_type: u32) {
        self.u32(if is_nano { 0xa1b2_3c4d } else { 0xa1b2_c3d4 });
        self.u16(2);
        self.u16(4);
        for number in [0, 0, 262_144, link_type] {
            self.u32(number);
        }
    }

    pub fn record(&mut self, is_nano: bool, packet: &Written) {
        let rest = packet.nanos % 1_000_000_000;
        self.u32((packet.nanos / 1_000_000_000) as u32);
        self.u32((if is_nano { rest } else { rest / 1_000 }) as u32);
        self.u32(packet.frame.len() as u32);
        self.u32(packet.wire_bytes);
        self.out.extend(&packet.frame);
    }

    /// A block of a pcapng file; its content is of whole words.
    pub fn block(&mut self, kind: u32, content: impl FnOnce(&mut Self)) {
        let start = self.out.len();
        self.u32(kind);
        self.u32(0);
        content(self);
        self.out.resize(self.out.len().next_multiple_of(4), 0);
        let length = (self.out.len() - start + 4) as u32;
        self.u32(length);
        let ordered = if self.is_big_endian { length.to_be_bytes() } else { length.to_le_bytes() };
        self.out[start + 4..start + 8].copy_from_slice(&ordered);
    }

    pub fn section(&mut self) {
        self.block(0x0a0d_0d0a, |writer| {
            writer.u32(0x1a2b_3c4d);
            writer.u16(1);
            writer.u16(0);
            writer.out.extend([0xff; 8]);
        });
    }

    /// An interface with these options: code and value.
    pub fn interface(&mut self, link_type: u16, snap_bytes: u32, options: &[(u16, &[u8])]) {
        self.block(1, |writer| {
            writer.u16(link_type);
            writer.u16(0);
            writer.u32(snap_bytes);
            for (code, value) in options {
                writer.u16(*code);
                writer.u16(value.len() as u16);
                writer.out.extend_from_slice(value);
                writer.out.resize(writer.out.len().next_multiple_of(4), 0);
            }
            writer.u32(0);
        });
    }

    pub fn enhanced(&mut self, interface: u32, units: u64, packet: &Written) {
        self.block(6, |writer| {
            writer.u32(interface);
            writer.u32((units >> 32) as u32);
            writer.u32(units as u32);
            writer.u32(packet.frame.len() as u32);
            writer.u32(packet.wire_bytes);
            writer.out.extend(&packet.frame);
        });
    }

    pub fn simple(&mut self, packet: &Written) {
        self.block(3, |writer| {
            writer.u32(packet.wire_bytes);
            writer.out.extend(&packet.frame);
        });
    }

    /// Two interfaces, the second one in nanoseconds.
    fn interfaces(&mut self) {
        self.interface(1, 0, &[]);
        self.interface(1, 262_144, &[(2, b"eth1"), (9, &[9])]);
    }

    /// A table of names, as tools write it behind the packets.
    fn names(&mut self) {
        self.block(4, |writer| writer.out.extend([0; 4]));
    }
}

/// A whole file.
pub fn capture(format: Format, packets: &[Written]) -> Vec<u8> {
    match format {
        Format::Pcap { is_big_endian, is_nano } => {
            let mut writer = Writer::new(is_big_endian);
            writer.pcap_header(is_nano, 1);
            packets.iter().for_each(|packet| writer.record(is_nano, packet));
            writer.out
        }
        Format::Pcapng { is_big_endian } => {
            let (first, second) = packets.split_at(packets.len() / 2);
            let mut out = Vec::new();
            for (is_big_endian, packets) in [(is_big_endian, first), (!is_big_endian, second)] {
                let mut writer = Writer::new(is_big_endian);
                writer.section();
                writer.interfaces();
                for (number, packet) in (0_u32..).zip(packets) {
                    let units = if number % 2 == 0 { packet.nanos / 1_000 } else { packet.nanos };
                    writer.enhanced(number % 2, units, packet);
                }
                writer.names();
                out.extend(writer.out);
            }
            out
        }
    }
}
