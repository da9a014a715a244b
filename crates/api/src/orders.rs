//! `GET /orders/{id}`.

use std::sync::Arc;

use axum::Json;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use readmodel::{OrderView, ReadStore};

use crate::problem::Problem;
use crate::reads::Reads;
use crate::users::uuid_of;

pub(crate) async fn order<S: ReadStore>(
    State(reads): State<Arc<Reads<S>>>,
    id: Result<Path<String>, PathRejection>,
) -> Result<Json<OrderView>, Problem> {
    let id = uuid_of(id).ok_or(Problem::NoSuchOrder)?;
    reads.ask("order", reads.store.order(id)).await?.map(Json).ok_or(Problem::NoSuchOrder)
}
