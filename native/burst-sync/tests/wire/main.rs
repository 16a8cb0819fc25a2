//! The wire format: what is written is read, and nothing else is.

mod cost;
mod encoding;
mod frames;
mod hostile;
mod keys;
mod vector_list;
mod vectors;
