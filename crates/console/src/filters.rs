//! What templates do to values.
#![allow(clippy::unnecessary_wraps, clippy::trivially_copy_pass_by_ref, reason = "the signature that askama calls")]

use askama::{Result, Values};

use crate::words;

/// A number with separators.
#[askama::filter_fn]
pub(crate) fn thousands(number: &u64, _: &dyn Values) -> Result<String> {
    Ok(words::thousands(*number))
}

/// A label as words.
#[askama::filter_fn]
pub(crate) fn spaced(label: &str, _: &dyn Values) -> Result<String> {
    Ok(words::spaced(label))
}
