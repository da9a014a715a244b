//! The read API: what the pipeline wrote, as JSON over HTTP.
//!
//! | route | answer |
//! |---|---|
//! | `GET /users/{id}` | [`UserView`](readmodel::UserView): a user with the last five orders |
//! | `GET /users/recent?limit=N` | a list of [`RecentUser`](readmodel::RecentUser), newest first; `limit` from 1 to 100, 10 if absent |
//! | `GET /orders/{id}` | [`OrderView`](readmodel::OrderView): an order with its items and its newest payment |
//! | `GET /inventory/{sku}` | [`InventoryView`](readmodel::InventoryView): the stock of an article; the SKU is percent-encoded |
//! | `GET /health` | every part and its state; 200 if reading is possible, else 503 |
//! | `GET /health/live`, `/health/ready` | whether the process needs a restart; whether it should be sent requests |
//! | `GET /metrics` | metrics for Prometheus |
//! | `GET /openapi.json` | this API as an OpenAPI document |
//!
//! `HEAD` works wherever `GET` does. Errors are `application/problem+json` (RFC 9457) and name neither the database's words nor its rows:
//! 404 where there is no such row (an id that is not a UUID has none) or no such path, 400 for a `limit` that is not a number in its
//! bounds or is there twice, 405 with `Allow`, 503 with `Retry-After` while nothing can be read. Other query parameters are ignored.
//!
//! | module | what it holds |
//! |---|---|
//! | `check` | `api check` |
//! | `config` | the settings |
//! | `router` | [`router()`]: the routes and the layers around them |
//! | `users`, `orders`, `inventory`, `health`, `metrics` | the handlers |
//! | `reads` | asking the store: bounded, measured, and noted in the health |
//! | `observe` | what happens to every request: metrics, access log, headers |
//! | `problem` | the error bodies |
//! | `openapi` | the OpenAPI document |
//! | `schema` | whether the tables are those that this program was built for |
//! | [`wiring`] | the program `api`: the router on SQL Server |

mod check;
mod config;
mod health;
mod inventory;
mod metrics;
mod observe;
mod openapi;
mod orders;
mod problem;
mod reads;
mod router;
mod schema;
mod users;
pub mod wiring;

pub use check::check;
pub use config::{ApiConfig, Config};
pub use reads::{HealthTells, READ_STORE};
pub use router::router;
