//! The bytes of a file, a record at a time, and how far it has been read.

use std::io::{self, Read};

use super::error::{CaptureError, Fault, Part};

/// A file and the record that is being read.
pub struct Source<R> {
    reader: R,
    /// Bytes read and skipped so far.
    offset: u64,
    /// Where the record begins.
    record: u64,
    buffer: Vec<u8>,
}

impl<R: Read> Source<R> {
    pub fn new(reader: R) -> Self {
        Self { reader, offset: 0, record: 0, buffer: Vec::new() }
    }

    /// The bytes of the record that have been read.
    pub fn bytes(&self) -> &[u8] {
        &self.buffer
    }

    /// Begins a record with its first bytes; false at the end of the file.
    pub fn begin(&mut self, bytes: u32, part: Part) -> Result<bool, CaptureError> {
        self.record = self.offset;
        self.buffer.clear();
        let found = self.read(bytes)?;
        if found == 0 {
            return Ok(false);
        }
        self.whole(bytes, found, part)?;
        Ok(true)
    }

    /// Reads on until the record has so many bytes.
    pub fn extend_to(&mut self, bytes: u32, part: Part) -> Result<(), CaptureError> {
        self.read(bytes)?;
        self.whole(bytes, self.buffer.len() as u64, part)
    }

    /// Passes over so many bytes, which enter no buffer.
    pub fn skip(&mut self, bytes: u32, part: Part) -> Result<(), CaptureError> {
        let mut rest = (&mut self.reader).take(bytes.into());
        let found =
            io::copy(&mut rest, &mut io::sink()).map_err(|error| self.fault(Fault::Unreadable(error)))?;
        self.offset += found;
        self.whole(bytes, found, part)
    }

    /// What is wrong with the record.
    pub fn fault(&self, fault: Fault) -> CaptureError {
        CaptureError { offset: self.record, fault }
    }

    /// Reads until the buffer holds so many bytes, or the file ends: how many it holds. The buffer grows as they come.
    fn read(&mut self, bytes: u32) -> Result<u64, CaptureError> {
        let missing = u64::from(bytes).saturating_sub(self.buffer.len() as u64);
        let got = (&mut self.reader).take(missing).read_to_end(&mut self.buffer);
        self.offset += got.map_err(|error| self.fault(Fault::Unreadable(error)))? as u64;
        Ok(self.buffer.len() as u64)
    }

    fn whole(&self, wanted: u32, found: u64, part: Part) -> Result<(), CaptureError> {
        if found < wanted.into() {
            return Err(self.fault(Fault::CutOff { part, wanted, found }));
        }
        Ok(())
    }
}
