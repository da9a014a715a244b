//! `/admin`: who is answered, and what. Every answer that a test gets is held to the OpenAPI document.

mod bodies;
mod commands;
mod document;
mod letters;
pub mod office;
mod openapi;
mod operating;
