//! What was measured on what.

use std::fs::read_to_string;
use std::path::Path;
use std::process::Command;

/// Libraries whose versions the report names: those between an event and its row.
const LIBRARIES: [&str; 8] = ["tokio", "rdkafka-sys", "rusqlite", "libsqlite3-sys", "tiberius", "redis", "axum", "serde_json"];

/// The versions that this program was built with.
const LOCK_FILE: &str = include_str!("../../../Cargo.lock");

/// The machine and the versions, each with its name.
pub fn facts(folder: &Path) -> Vec<(&'static str, String)> {
    let unknown = || "unknown".to_owned();
    let cores = std::thread::available_parallelism().map_or(0, std::num::NonZero::get);
    let build = if cfg!(debug_assertions) { "debug: no figures to go by" } else { "release" };
    vec![
        ("processor", format!("{}, {cores} threads", of("/proc/cpuinfo", "model name").unwrap_or_else(unknown))),
        ("memory", of("/proc/meminfo", "MemTotal").unwrap_or_else(unknown)),
        ("system", format!("{} {}", std::env::consts::OS, line("/proc/sys/kernel/osrelease").unwrap_or_else(unknown))),
        ("file system of the embedded tables", file_system(folder).unwrap_or_else(unknown)),
        ("compiler", rustc().unwrap_or_else(unknown)),
        ("build", build.to_owned()),
        ("libraries", versions(LOCK_FILE)),
    ]
}

/// The load of the machine, over 1, 5 and 15 minutes: more than a few tenths before a run means that it was not alone.
pub fn load() -> String {
    let load = line("/proc/loadavg").unwrap_or_default();
    let first: Vec<_> = load.split(' ').take(3).collect();
    if first.len() == 3 { first.join(", ") } else { "unknown".to_owned() }
}

fn line(path: &str) -> Option<String> {
    Some(read_to_string(path).ok()?.trim().to_owned())
}

/// The first value under this name in a file of `name : value` lines.
fn of(path: &str, name: &str) -> Option<String> {
    let text = read_to_string(path).ok()?;
    let (_, value) = text.lines().filter_map(|line| line.split_once(':')).find(|(key, _)| key.trim() == name)?;
    Some(value.trim().to_owned())
}

fn rustc() -> Option<String> {
    let output = Command::new("rustc").arg("--version").output().ok()?;
    Some(String::from_utf8(output.stdout).ok()?.trim().to_owned())
}

/// The type of the file system that holds a folder: that of the longest mount point above it.
fn file_system(folder: &Path) -> Option<String> {
    let folder = folder.canonicalize().ok()?;
    let mounts = read_to_string("/proc/self/mounts").ok()?;
    let above = mounts.lines().filter_map(|line| {
        let mut words = line.split(' ').skip(1);
        let (point, kind) = (words.next()?, words.next()?);
        folder.starts_with(point).then_some((point.len(), kind))
    });
    above.max_by_key(|(length, _)| *length).map(|(_, kind)| kind.to_owned())
}

/// The versions of [`LIBRARIES`] in a lock file.
fn versions(lock_file: &str) -> String {
    let version = |name: &str| {
        let (_, rest) = lock_file.split_once(&format!("name = \"{name}\"\nversion = \""))?;
        Some(format!("{name} {}", rest.split_once('"')?.0))
    };
    LIBRARIES.into_iter().filter_map(version).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_library_is_named_with_its_version() {
        let versions = versions(LOCK_FILE);
        assert_eq!(versions.split(", ").count(), LIBRARIES.len(), "{versions}");
        assert!(versions.contains("rdkafka-sys 4."), "{versions}");
    }

    #[test]
    fn no_fact_is_empty() {
        for (name, value) in facts(&std::env::temp_dir()) {
            assert!(!value.is_empty(), "{name}");
        }
    }
}
