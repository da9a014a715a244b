//! How servers failed when the master, or the owner of the list, could not be reached: a fault tells one thing, and there are several servers.

use std::sync::{Mutex, PoisonError};

use pipeline::Fault;

/// What is known of the last look for the master.
#[derive(Debug, Default)]
pub(crate) struct Tried(Mutex<Option<String>>);

impl Tried {
    /// How each server failed when it was last looked for in vain.
    pub(crate) fn told(&self) -> Option<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// One was found.
    pub(crate) fn found(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// None was found. Logs how they failed when it is news: they are asked each second while they are away.
    pub(crate) fn failed(&self, servers: &[(String, Fault)]) {
        let sentences: Vec<_> = servers.iter().map(|(server, fault)| format!("{server}: {}", fault.subject)).collect();
        let servers = sentences.join("; ");
        let mut last = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if last.as_ref() != Some(&servers) {
            tracing::warn!(servers, "Redis is not found where it is looked for");
            *last = Some(servers);
        }
    }
}
