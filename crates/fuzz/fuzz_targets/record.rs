//! Looks for bytes that break what holds for any record's value.
#![no_main]
#![allow(dead_code, reason = "each target needs one of the properties")]

#[path = "../../pipeline/tests/properties/mod.rs"]
mod properties;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| properties::record::holds(bytes));
