//! Style and script: what they are, how large, and how long they are kept.

use std::io::Write as _;

use axum::http::StatusCode;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use flate2::Compression;
use flate2::write::GzEncoder;
use sha2::{Digest as _, Sha256};

use super::client::Client;
use super::fake::Fake;

const FILES: [(&str, &[u8]); 4] = [
    ("console.css", include_bytes!("../../assets/console.css")),
    ("console.js", include_bytes!("../../assets/console.js")),
    ("htmx.min.js", include_bytes!("../../assets/htmx.min.js")),
    ("icon.svg", include_bytes!("../../assets/icon.svg")),
];

#[test]
fn what_others_wrote_is_what_they_published() {
    let sums = include_str!("../../assets/SHA256SUMS");
    let files: [(&str, &[u8]); 2] =
        [("htmx.min.js", include_bytes!("../../assets/htmx.min.js")), ("htmx.LICENSE", include_bytes!("../../assets/htmx.LICENSE"))];
    for (name, bytes) in files {
        let digest: String = Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect();
        assert!(sums.lines().any(|line| line == format!("{digest}  {name}")), "{name} has the digest {digest}");
    }
}

#[test]
fn they_are_small_on_the_way() {
    let mut sum = 0;
    for (name, bytes) in FILES {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(bytes).unwrap();
        let length = encoder.finish().unwrap().len();
        println!("{name}: {} bytes, {length} compressed", bytes.len());
        sum += length;
    }
    assert!(sum < 100_000, "{sum} bytes");
}

#[tokio::test]
async fn each_has_an_address_of_its_own_bytes() {
    let client = Client::new(&Fake::with(1));
    let page = Client::viewer(&Fake::with(1)).await.get("/console/").await;
    for (name, bytes) in FILES {
        let (stem, ending) = name.split_once('.').unwrap();
        let named = page
            .body
            .split('"')
            .find(|text| text.starts_with(&format!("/console/assets/{stem}-")) && text.ends_with(&format!(".{ending}")));
        let answer = client.get(named.unwrap()).await;
        assert_eq!((answer.status, answer.body.as_bytes()), (StatusCode::OK, bytes), "{name}");
        assert_eq!(answer.headers[CACHE_CONTROL], "public, max-age=31536000, immutable");
        assert!(
            ["text/css; charset=utf-8", "text/javascript; charset=utf-8", "image/svg+xml"]
                .contains(&answer.headers[CONTENT_TYPE].to_str().unwrap())
        );
    }
    assert_eq!(client.get("/console/assets/console.css").await.status, StatusCode::NOT_FOUND);
}

#[test]
fn nothing_is_fetched_from_elsewhere() {
    for (name, bytes) in FILES {
        let text = std::str::from_utf8(bytes).unwrap();
        let own = text.replace("http://www.w3.org/", "");
        assert!(name.starts_with("htmx") || !(own.contains("http://") || own.contains("https://") || own.contains("@import")), "{name}");
    }
}
