//! What the server says stays here.

use std::fmt::Debug;
use std::sync::{Arc, Mutex};

use sqlserver::SqlServer;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

use crate::outages::apply_one;
use crate::scripted::{Scripted, Step, error};

/// Keeps every line of every level.
#[derive(Clone, Default)]
struct Lines(Arc<Mutex<String>>);

impl Visit for Lines {
    fn record_debug(&mut self, _: &Field, value: &dyn Debug) {
        self.0.lock().unwrap().push_str(&format!("{value:?}\n"));
    }
}

impl Subscriber for Lines {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        event.record(&mut self.clone());
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

#[tokio::test]
async fn the_servers_text_is_in_no_log_line_and_no_fault() {
    let lines = Lines::default();
    let _guard = tracing::subscriber::set_default(lines.clone());
    let message = "Violation of UNIQUE KEY constraint 'uq_users_email'. The duplicate key value is (canary@example.com).";
    let server = Scripted::open(vec![vec![Step::Answer(error(2627, 14, message))]]).await;
    let fault = apply_one(&SqlServer::new(server.config())).await.unwrap_err();
    tracing::error!("a line of our own");
    assert!(!format!("{fault} {fault:?}").contains("canary"));
    let lines = lines.0.lock().unwrap();
    assert!(lines.contains("a line of our own"), "lines are kept at all");
    for secret in ["canary", "Violation", "hunter2"] {
        assert!(!lines.contains(secret), "{lines}");
    }
}
