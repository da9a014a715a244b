//! What holds for any bytes, whoever sent them. Each function panics where it does not.
//!
//! | module | bytes of |
//! |---|---|
//! | [`record`] | a record's value |
//! | [`field`] | one field of an otherwise good message |
//! | [`entry`] | an entry of the dead letter queue |
//!
//! The corpus in `crates/fuzz` is replayed through them with the other tests, and the fuzz targets there look for bytes that are not in it.

pub mod entry;
pub mod field;
pub mod record;
