//! `GET /inventory/{sku}`.

use std::sync::Arc;

use axum::Json;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use readmodel::{InventoryView, ReadStore};

use crate::problem::Problem;
use crate::reads::Reads;

pub(crate) async fn inventory<S: ReadStore>(
    State(reads): State<Arc<Reads<S>>>,
    sku: Result<Path<String>, PathRejection>,
) -> Result<Json<InventoryView>, Problem> {
    let Path(sku) = sku.map_err(|_| Problem::NoSuchArticle)?;
    // Not left to the database: SQL Server would find 'X' when asked for 'X '.
    events::rules::sku(&sku).map_err(|_| Problem::NoSuchArticle)?;
    reads.ask("inventory", reads.store.inventory(&sku)).await?.map(Json).ok_or(Problem::NoSuchArticle)
}
