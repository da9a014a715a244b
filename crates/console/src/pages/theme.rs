//! Light, dark or high contrast: as the machine is set, or as was chosen here.

use axum::Extension;
use axum::http::HeaderMap;
use axum::http::header::SET_COOKIE;
use axum::response::{IntoResponse as _, Redirect, Response};

use crate::access::cookie;
use crate::fields::{Fields, own_address};

const COOKIE: &str = "console_theme";
/// A year.
const SECONDS: u32 = 365 * 24 * 60 * 60;

/// Which colours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Theme {
    System,
    Light,
    Dark,
    Contrast,
}

impl Theme {
    pub const ALL: [Self; 4] = [Self::System, Self::Light, Self::Dark, Self::Contrast];

    /// What was chosen, by its cookie.
    pub fn of(headers: &HeaderMap) -> Self {
        Self::named(cookie(headers, COOKIE).unwrap_or_default())
    }

    fn named(name: &str) -> Self {
        Self::ALL.into_iter().find(|theme| theme.name() == name).unwrap_or(Self::System)
    }

    pub const fn name(self) -> &'static str {
        match self {
            Self::System => "system",
            Self::Light => "light",
            Self::Dark => "dark",
            Self::Contrast => "contrast",
        }
    }

    pub const fn words(self) -> &'static str {
        match self {
            Self::System => "As the system",
            Self::Light => "Light",
            Self::Dark => "Dark",
            Self::Contrast => "High contrast",
        }
    }
}

/// `POST /console/theme`.
pub(crate) async fn choose(Extension(fields): Extension<Fields>) -> Response {
    let theme = Theme::named(fields.get("theme").unwrap_or_default()).name();
    let cookie = format!("{COOKIE}={theme}; Path=/console; HttpOnly; SameSite=Strict; Max-Age={SECONDS}");
    ([(SET_COOKIE, cookie)], Redirect::to(&own_address(fields.get("next")))).into_response()
}
