//! A small world for devices: a gateway built on `Intake`, a bad network, power cuts, and a ledger of every reading.

pub mod chance;
pub mod gateway;
pub mod ledger;
pub mod network;
pub mod plan;
pub mod world;
