//! Style and script: part of the program, each under an address that changes with its bytes.

use std::sync::LazyLock;

use axum::extract::Path;
use axum::http::StatusCode;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::response::{IntoResponse as _, Response};
use sha2::{Digest as _, Sha256};

/// A file that pages name.
struct Asset {
    name: &'static str,
    kind: &'static str,
    bytes: &'static [u8],
}

const STYLE: Asset = Asset { name: "console.css", kind: "text/css; charset=utf-8", bytes: include_bytes!("../assets/console.css") };
const SCRIPT: Asset = Asset { name: "console.js", kind: "text/javascript; charset=utf-8", bytes: include_bytes!("../assets/console.js") };
const HTMX: Asset = Asset { name: "htmx.min.js", kind: "text/javascript; charset=utf-8", bytes: include_bytes!("../assets/htmx.min.js") };
const ICON: Asset = Asset { name: "icon.svg", kind: "image/svg+xml", bytes: include_bytes!("../assets/icon.svg") };

/// The addresses of the files.
pub(crate) struct Addresses {
    pub style: String,
    pub script: String,
    pub htmx: String,
    pub icon: String,
}

/// What pages write into their head.
pub(crate) static ADDRESSES: LazyLock<Addresses> = LazyLock::new(|| {
    let of = |asset: Asset| format!("/console/assets/{}", asset.hashed());
    Addresses { style: of(STYLE), script: of(SCRIPT), htmx: of(HTMX), icon: of(ICON) }
});

impl Asset {
    /// `console.css` → `console-0123456789abcdef.css`.
    fn hashed(&self) -> String {
        let digest: String = Sha256::digest(self.bytes)[..8].iter().map(|byte| format!("{byte:02x}")).collect();
        let (stem, ending) = self.name.split_once('.').unwrap_or((self.name, ""));
        format!("{stem}-{digest}.{ending}")
    }
}

/// `GET /console/assets/{name}`: without a login, because the login page needs them too. They hold nothing but what is in the source.
pub(crate) async fn serve(Path(name): Path<String>) -> Response {
    let Some(asset) = [STYLE, SCRIPT, HTMX, ICON].into_iter().find(|asset| asset.hashed() == name) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    ([(CONTENT_TYPE, asset.kind), (CACHE_CONTROL, "public, max-age=31536000, immutable")], asset.bytes).into_response()
}

/// For templates.
pub(crate) fn addresses() -> &'static Addresses {
    &ADDRESSES
}
