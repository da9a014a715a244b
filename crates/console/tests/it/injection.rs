//! Markup in any text of any view is shown, not run.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::client::Client;
use super::fake::Fake;

/// Leaves an attribute, an element and a comment, and would set a flag.
pub const MARKUP: &str = "<script>window.ran=1</script>\"><img src=x onerror=window.ran=1>'--><svg onload=window.ran=1></textarea><a href=javascript:window.ran=1>";

pub fn poisoned() -> Arc<Fake> {
    Arc::new(Fake { depth: 40.into(), markup: Some(MARKUP), ..Fake::default() })
}

#[tokio::test]
async fn markup_is_escaped_wherever_it_comes_from() {
    let fake = poisoned();
    let client = Client::editor(&fake).await;
    let in_address = form_urlencoded::byte_serialize(MARKUP.as_bytes()).collect::<String>();
    let mut pages = Vec::new();
    for away in [false, true] {
        fake.away.store(away, Ordering::SeqCst);
        for address in [
            "/console/".to_owned(),
            "/console/health".to_owned(),
            "/console/held".to_owned(),
            "/console/jobs".to_owned(),
            "/console/jobs/2".to_owned(),
            format!("/console/jobs/3?after={in_address}"),
            format!("/console/jobs/{in_address}"),
            "/console/parked".to_owned(),
            "/console/audit".to_owned(),
            "/console/verify".to_owned(),
            format!("/console/audit?before={in_address}"),
            "/console/trace?event=none".to_owned(),
            "/console/dead-letters".to_owned(),
            "/console/dead-letters/3fa9c1d20000".to_owned(),
            "/console/dead-letters/ffffffffffff".to_owned(),
            format!("/console/dead-letters/{in_address}"),
            format!("/console/dead-letters?reason={in_address}&type={in_address}&fingerprint={in_address}&older={in_address}&start=1"),
            format!("/console/dead-letters?id={in_address}"),
            format!("/console/redrive?id={in_address}"),
            format!("/console/redrive?reason={in_address}&id=3fa9c1d20000"),
            format!("/console/redrive?fingerprint={in_address}&rehearse=1"),
            format!("/console/purge?reason={in_address}&older={in_address}"),
            format!("/console/trace?event={in_address}"),
            format!("/console/login?next=/console/{in_address}"),
            format!("/console/{in_address}"),
        ] {
            pages.push((address.clone(), client.get(&address).await));
        }
    }
    fake.away.store(false, Ordering::SeqCst);
    let letter = "/console/dead-letters/3fa9c1d20000";
    for payload in [MARKUP.to_owned(), format!("{MARKUP}@"), format!("{{\"a\": \"{MARKUP} at \"}}")] {
        for action in ["check", "send"] {
            pages.push((action.to_owned(), client.post(&format!("{letter}/{action}"), &[("payload", &payload)]).await));
        }
    }
    // What is told after a form, too.
    client.post(&format!("{letter}/send"), &[("payload", "a@b")]).await;
    pages.push(("notice".to_owned(), client.get("/console/jobs").await));
    let mut shown = 0;
    for (address, page) in pages {
        for dangerous in ["<script>window", "<img", "<svg onload", "--><svg", "<a href=javascript", "\"><svg onload"] {
            page.lacks(dangerous);
        }
        // Nothing is inside a textarea that ends it early.
        assert_eq!(page.body.matches("<textarea").count(), page.body.matches("</textarea>").count(), "{address}");
        shown += page.body.matches("&#60;script&#62;window.ran").count();
    }
    assert!(shown > 500, "the markup is shown {shown} times");
}
