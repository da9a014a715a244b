//! All consumers, the parts of this process, the last verification, and the settings.

use std::sync::Arc;
use std::time::SystemTime;

use askama::Template;
use axum::Extension;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;

use super::consumers::{self, ConsumerRow, down, lost};
use super::flow::Down;
use super::{Screen, Shell, html};
use crate::access::Visitor;
use crate::filters;
use crate::port::{Flow, Known, Operations, Part, PartState};
use crate::routes::Console;
use crate::words::When;

#[derive(Template)]
#[template(path = "health.html")]
struct HealthPage {
    shell: Shell,
    flow: Flow,
    at: When,
    parts: Vec<(Part, When)>,
    lost: Vec<String>,
    down: Vec<Down>,
    consumers: Known<Vec<ConsumerRow>>,
    settings: Vec<(String, String)>,
}

/// `GET /console/health`.
pub(crate) async fn show<O: Operations>(State(console): State<Arc<Console<O>>>, Extension(visitor): Extension<Visitor>) -> Response {
    let (flow, _) = console.flow(&visitor).await;
    let now = SystemTime::now();
    let parts = flow.here.parts.iter().map(|part| (part.clone(), When::of(&part.since, now))).collect();
    let page = HealthPage {
        shell: Shell::new(&console.gate, &visitor, Screen::Health, "Health"),
        at: When::of(&flow.at, now),
        parts,
        lost: lost(&flow),
        down: down(&flow, now),
        consumers: consumers::rows(&flow.consumers, now),
        settings: console.operations.settings(),
        flow,
    };
    html(StatusCode::OK, &page)
}
