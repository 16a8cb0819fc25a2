//! The digest of an event trace: XXH3-128 over every record in the order in which it was handled.

use crate::record::Record;
use xxhash_rust::xxh3::Xxh3;

#[derive(Default)]
pub struct Digest(Box<Xxh3>);

impl Digest {
    pub fn add(&mut self, record: &Record) {
        self.0.update(&record.bytes());
    }

    pub fn add_bytes(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    pub fn hex(&self) -> String {
        format!("{:032x}", self.0.digest128())
    }
}
