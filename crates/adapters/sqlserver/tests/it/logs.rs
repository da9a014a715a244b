//! What the server says stays here.

use sqlserver::SqlServer;
use testkit::log_lines::log_lines;

use crate::outages::apply_one;
use crate::scripted::{Scripted, Step, error};

#[tokio::test]
async fn the_servers_text_is_in_no_log_line_and_no_fault() {
    let (lines, _guard) = log_lines();
    let message = "Violation of UNIQUE KEY constraint 'uq_users_email'. The duplicate key value is (canary@example.com).";
    let server = Scripted::open(vec![vec![Step::Answer(error(2627, 14, message))]]).await;
    let fault = apply_one(&SqlServer::new(server.config())).await.unwrap_err();
    tracing::error!("a line of our own");
    assert!(!format!("{fault} {fault:?}").contains("canary"));
    let lines = lines.all().join("\n");
    assert!(lines.contains("a line of our own"), "lines are kept at all");
    for secret in ["canary", "Violation", "hunter2"] {
        assert!(!lines.contains(secret), "{lines}");
    }
}
