//! Tells the crate which compiler builds it, for the metric `build_info`.

use std::env;
use std::process::Command;

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    // "rustc 1.89.0 (29483883e 2025-08-04)": the second word.
    let answer = env::var_os("RUSTC").and_then(|rustc| Command::new(rustc).arg("--version").output().ok());
    let version = answer.and_then(|output| String::from_utf8(output.stdout).ok()?.split_whitespace().nth(1).map(str::to_owned));
    println!("cargo::rustc-env=RUST_VERSION={}", version.as_deref().unwrap_or("unknown"));
}
