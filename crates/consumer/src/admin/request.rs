//! What a request asks for. A field that is not known is refused: a misspelt filter must not mean everything.

use axum::body::Bytes;
use axum::extract::Query;
use axum::extract::rejection::{BytesRejection, QueryRejection};
use serde::de::DeserializeOwned;
use uuid::Uuid;

use super::answer::Refused;

/// The parameters of a request, as they are extracted.
pub(super) type Asked<T> = Result<Query<T>, QueryRejection>;
/// The body of a request, as it is extracted.
pub(super) type Content = Result<Bytes, BytesRejection>;

/// The parameters, or why they are not understood.
pub(super) fn asked<T>(query: Asked<T>) -> Result<T, Refused> {
    query.map(|Query(query)| query).map_err(|rejection| {
        let told = rejection.body_text();
        // What it begins with is for whoever writes such code.
        let which = told.strip_prefix("Failed to deserialize query string: ").unwrap_or(&told);
        Refused::bad(format!("A parameter is not what is asked for here: {which}."))
    })
}

/// The body, or why it was not taken.
pub(super) fn received(content: Content) -> Result<Bytes, Refused> {
    content.map_err(|rejection| Refused::with(rejection.status(), format!("{}.", rejection.body_text())))
}

/// A body as JSON; an empty one is an empty object.
pub(super) fn body<T: DeserializeOwned + Default>(bytes: &[u8]) -> Result<T, Refused> {
    if bytes.trim_ascii().is_empty() {
        return Ok(T::default());
    }
    serde_json::from_slice(bytes).map_err(|error| Refused::bad(format!("The body is not what is asked for here: {error}.")))
}

/// The parameter of this name as the id that it is to be.
pub(super) fn id(name: &str, text: &str) -> Result<Uuid, Refused> {
    Uuid::try_parse(text.trim())
        .map_err(|_| Refused::bad(format!("{name} must be a UUID in full, such as 2f1c7d5e-0001-4000-8000-000000000001.")))
}
