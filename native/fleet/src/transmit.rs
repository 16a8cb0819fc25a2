//! From a device's decision to a datagram.

use crate::addresses::Addresses;
use crate::clock::Clock;
use crate::config::FleetSetup;
use crate::error::FleetError;
use crate::fleet::Outgoing;
use crate::lag::{SendErrors, histogram};
use crate::payload;
use crate::port::Port;
use hdrhistogram::Histogram;
use klais_burst_sync::Frame;
use klais_burst_sync::wire::{FRAME_BYTES_MAX, MasterKeys, encode, gateway_number};
use nix::errno::Errno;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::net::SocketAddrV4;
use std::path::PathBuf;
use std::time::Duration;

/// A send buffer that stays full for so long loses the frame.
const FULL_BUFFER_PATIENCE: Duration = Duration::from_secs(1);
const NANOS_PER_MICRO: u64 = 1_000;

/// Signs frames and sends each from its device's address to the device's gateway.
pub struct Transmitter {
    clock: Clock,
    /// Which address is whose.
    pub addresses: Addresses,
    gateways: Vec<SocketAddrV4>,
    keys: MasterKeys,
    reading_bytes: usize,
    tap: Option<(BufWriter<File>, PathBuf)>,
    /// How late frames went.
    pub lag: Histogram<u64>,
    /// Frames that could not go.
    pub errors: SendErrors,
}

impl Transmitter {
    /// A transmitter of a fleet.
    ///
    /// # Errors
    /// The tap's file cannot be written.
    pub fn new(setup: &FleetSetup, clock: Clock) -> Result<Self, FleetError> {
        let open = |path: &PathBuf| {
            let file = File::create(path).map_err(FleetError::file(path))?;
            Ok((BufWriter::new(file), path.clone()))
        };
        Ok(Self {
            clock,
            addresses: setup.addresses,
            gateways: setup.settings.gateways.clone(),
            keys: setup.settings.keys(),
            reading_bytes: usize::from(setup.settings.reading_bytes),
            tap: setup.settings.tap.as_ref().map(open).transpose()?,
            lag: histogram()?,
            errors: SendErrors::default(),
        })
    }

    /// Sends what waits: how many frames went. Those that cannot go are counted.
    ///
    /// # Errors
    /// The tap's file cannot be written.
    pub fn send_all(&mut self, port: &Port, outgoing: &mut Vec<Outgoing>) -> Result<u64, FleetError> {
        let mut sent = 0;
        for frame in outgoing.drain(..) {
            let mut datagram = [0; FRAME_BYTES_MAX];
            let Some(bytes) = self.sign(&frame, &mut datagram) else {
                // The configuration was checked so that every frame fits.
                self.errors.count(Errno::EMSGSIZE);
                continue;
            };
            let datagram = datagram.get(..bytes).unwrap_or_default();
            if matches!(frame.frame, Frame::Hello(_)) {
                self.copy_to_tap(datagram)?;
            }
            match self.send(port, &frame, datagram) {
                Ok(()) => {
                    sent += 1;
                    let due = self.clock.monotonic_at(frame.intended);
                    let late = Clock::monotonic_nanos().saturating_sub(due) / NANOS_PER_MICRO;
                    self.lag.saturating_record(late);
                }
                Err(error) => self.errors.count(error),
            }
        }
        Ok(sent)
    }

    /// Deriving a key takes less time than fetching one from a table of a million.
    fn sign(&self, outgoing: &Outgoing, out: &mut [u8]) -> Option<usize> {
        let Outgoing { device, gateway, mut frame, .. } = *outgoing;
        if let Frame::Hello(hello) = &mut frame {
            hello.gateway = gateway_number((*self.gateways.get(usize::from(gateway))?.ip()).into());
        }
        let epoch = self.keys.epoch();
        let key = self.keys.device_key(device, epoch)?;
        let mut readings = [0; FRAME_BYTES_MAX];
        let bytes = match &frame {
            Frame::Data(data) => payload::fill(device, data, self.reading_bytes, &mut readings)?,
            _ => 0,
        };
        encode(&frame, device, epoch, &key, readings.get(..bytes)?, out).ok()
    }

    /// Where a frame that redirects leads: `None` if it is no such frame, `Some(None)` if to no gateway of the list.
    pub fn redirected(&self, frame: &Frame) -> Option<Option<u16>> {
        let Frame::Redirect { address, port, .. } = frame else { return None };
        let is_it = |gateway: &SocketAddrV4| {
            gateway.ip().to_ipv6_mapped().octets() == *address && gateway.port() == *port
        };
        Some(self.gateways.iter().position(is_it).and_then(|place| u16::try_from(place).ok()))
    }

    /// The gateway at an address, as an index into the list.
    pub fn gateway_at(&self, address: SocketAddrV4) -> Option<u16> {
        let place = self.gateways.iter().position(|gateway| *gateway == address);
        place.and_then(|place| u16::try_from(place).ok())
    }

    fn send(&self, port: &Port, frame: &Outgoing, datagram: &[u8]) -> Result<(), Errno> {
        let from = self.addresses.of(frame.device);
        let to = *self.gateways.get(usize::from(frame.gateway)).ok_or(Errno::EDESTADDRREQ)?;
        let mut waited_since = None;
        loop {
            match port.send(from, to, datagram) {
                Err(Errno::EAGAIN) => {}
                done => return done,
            }
            let now = Clock::monotonic_nanos();
            let since = *waited_since.get_or_insert(now);
            let left = FULL_BUFFER_PATIENCE.saturating_sub(Duration::from_nanos(now - since));
            if left.is_zero() {
                return Err(Errno::EAGAIN);
            }
            port.wait_writable(left);
        }
    }

    fn copy_to_tap(&mut self, datagram: &[u8]) -> Result<(), FleetError> {
        let Some((file, path)) = &mut self.tap else { return Ok(()) };
        let line = hex::encode(datagram) + "\n";
        file.write_all(line.as_bytes()).map_err(FleetError::file(path))
    }

    /// Makes what the tap has taken visible to others.
    ///
    /// # Errors
    /// The tap's file cannot be written.
    pub fn flush_tap(&mut self) -> Result<(), FleetError> {
        match &mut self.tap {
            Some((file, path)) => file.flush().map_err(FleetError::file(path)),
            None => Ok(()),
        }
    }
}
