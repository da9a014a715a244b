//! `/admin` over the parts that a process consumes with.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use kafka::{KafkaConfig, KafkaProgress, KafkaPublisher};
use pipeline::ports::DeadLetterArchive;

use super::compact_over_http;
use crate::admin::{self, AdminConfig, AdminParts};
use crate::ledger::LedgerTables;
use crate::operator::{OperatorParts, OperatorQueue, OperatorTables};

/// The routes of `/admin` in a process that answers at `address`, for whoever has a token. What is folded is that of `tables`.
pub fn admin_routes<T, Q>(
    access: Arc<AdminConfig>,
    shared: OperatorParts<KafkaProgress, T, Q, KafkaPublisher>,
    (tables, kafka): (&T, &KafkaConfig),
    address: SocketAddr,
) -> Router
where
    T: OperatorTables + LedgerTables + Clone,
    Q: OperatorQueue + DeadLetterArchive,
{
    let compact = compact_over_http(tables.clone(), shared.context.queue.clone(), kafka.clone());
    admin::routes(access, AdminParts { shared, address, compact })
}
