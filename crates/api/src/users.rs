//! `GET /users/{id}` and `GET /users/recent`.

use std::sync::Arc;

use axum::Json;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, Query, State};
use readmodel::{ReadStore, RecentUser, UserView};
use uuid::Uuid;

use crate::problem::Problem;
use crate::reads::Reads;

const LIMIT_DEFAULT: u16 = 10;
const LIMIT_MAX: u16 = 100;

pub(crate) async fn user<S: ReadStore>(
    State(reads): State<Arc<Reads<S>>>,
    id: Result<Path<String>, PathRejection>,
) -> Result<Json<UserView>, Problem> {
    let id = uuid_of(id).ok_or(Problem::NoSuchUser)?;
    reads.ask("user", reads.store.user(id)).await?.map(Json).ok_or(Problem::NoSuchUser)
}

pub(crate) async fn recent_users<S: ReadStore>(
    State(reads): State<Arc<Reads<S>>>,
    Query(parameters): Query<Vec<(String, String)>>,
) -> Result<Json<Vec<RecentUser>>, Problem> {
    let limit = limit_of(&parameters).ok_or(Problem::InvalidLimit)?;
    reads.ask("recent_users", reads.store.recent_users(limit)).await.map(Json)
}

/// An id in the form of the events, with hyphens; `None` for any other text, which no row has.
pub(crate) fn uuid_of(segment: Result<Path<String>, PathRejection>) -> Option<Uuid> {
    let Path(text) = segment.ok()?;
    // The parser also takes forms without hyphens, in braces, and as a URN; their lengths differ.
    Uuid::try_parse(&text).ok().filter(|_| text.len() == uuid::fmt::Hyphenated::LENGTH)
}

/// The limit, which may be given once; other parameters are not ours.
fn limit_of(parameters: &[(String, String)]) -> Option<u16> {
    let mut limits = parameters.iter().filter(|(name, _)| name == "limit").map(|(_, value)| value);
    match (limits.next(), limits.next()) {
        (None, _) => Some(LIMIT_DEFAULT),
        (Some(value), None) => value.parse().ok().filter(|limit| (1..=LIMIT_MAX).contains(limit)),
        (Some(_), Some(_)) => None,
    }
}
