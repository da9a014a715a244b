//! What forms do.

use std::sync::atomic::Ordering;

use axum::http::StatusCode;
use console::{JobControl, Order, Permit, Selection};

use super::client::{Client, page_fields};
use super::data;
use super::fake::{Asked, Fake};

/// The time of a page.
const LONG_AGO: (&str, &str) = ("until", "2000-01-01T00:00:00Z");

fn reason(reason: &str) -> Selection {
    Selection { reason: Some(reason.to_owned()), ..Selection::default() }
}

#[tokio::test]
async fn what_is_picked_becomes_an_address() {
    let fake = Fake::with(400);
    let client = Client::operator(&fake).await;
    let lead = async |query: &str| client.get(query).await.location().to_owned();
    let picked = "scope=list&reason=too_large&id=3fa9c1d20000&id=3fa9c1d20001";
    assert_eq!(lead(&format!("/console/redrive?{picked}&rehearse=1")).await, "/console/redrive?id=3fa9c1d20000&id=3fa9c1d20001&rehearse=1");
    assert_eq!(lead(&format!("/console/purge?{picked}")).await, "/console/purge?id=3fa9c1d20000&id=3fa9c1d20001");
    let matching = lead(&format!("/console/redrive?{picked}&older=1h&matching=1")).await;
    assert_eq!(matching, "/console/redrive?reason=too_large&older=1h", "the filter counts, not the page");
    let of = "scope=list&of=3fa9c1d20000&of=3fa9c1d20001&id=3fa9c1d20001";
    let two = "/console/purge?id=3fa9c1d20000&id=3fa9c1d20001";
    assert_eq!(lead(&format!("/console/purge?{of}&matching=1")).await, two, "those that the list was of");
    assert_eq!(lead(&format!("/console/purge?{of}")).await, "/console/purge?id=3fa9c1d20001", "those that were ticked");
    assert_eq!(lead("/console/purge?scope=list&scope=everything").await, "/console/purge?all=1");
    let nothing = [
        "?scope=list&reason=too_large",
        "?scope=list",
        "",
        "?reason=",
        "?scope=list&matching=1",
        "?scope=list&matching=1&all=1",
        "?scope=list&scope=everything&reason=too_large",
        "?scope=list&scope=everything&of=3fa9c1d20000",
    ];
    for nothing in nothing {
        for screen in ["redrive", "purge"] {
            let answer = client.get(&format!("/console/{screen}{nothing}")).await;
            assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{screen}{nothing}");
            answer.has("Nothing is picked");
        }
    }
    for screen in ["redrive", "purge"] {
        let answer = client.get(&format!("/console/{screen}?id=3fa9c1d20000&id=z%3Cz")).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST);
        answer.has("\u{201c}z&#60;z\u{201d} is no id of a dead letter");
    }
}

#[tokio::test]
async fn a_list_of_picked_ones_does_not_become_every_dead_letter() {
    let client = Client::operator(&Fake::with(400)).await;
    let page = client.get("/console/redrive?id=3fa9c1d20000&id=3fa9c1d20001&rehearse=1").await;
    page.has("href=\"/console/dead-letters?id=3fa9c1d20000&#38;id=3fa9c1d20001\"");
    let list = client.get("/console/dead-letters?id=3fa9c1d20000&id=3fa9c1d20001").await;
    list.has("name=\"of\" value=\"3fa9c1d20000\"").has("name=\"of\" value=\"3fa9c1d20001\"").has("data-filtered");
    list.has("name=\"matching\"").lacks("value=\"everything\"");
    for (unfiltered, filtered) in [("", "?reason=too_large"), ("?start=50", "?reason=too_large&start=50")] {
        let all = client.get(&format!("/console/dead-letters{unfiltered}")).await;
        all.has("name=\"scope\" value=\"everything\" id=\"matching\"> all 400 dead letters")
            .lacks("name=\"matching\"")
            .lacks("data-filtered");
        let some = client.get(&format!("/console/dead-letters{filtered}")).await;
        some.has("name=\"matching\"").has("data-filtered").lacks("everything");
    }
}

#[tokio::test]
async fn what_came_after_the_page_is_not_meant() {
    let fake = Fake::with(40);
    let client = Client::operator(&fake).await;
    for address in ["/console/purge?reason=too_large", "/console/redrive?reason=too_large", "/console/redrive?reason=too_large&rehearse=1"]
    {
        let page = client.get(address).await;
        let until = page_fields(&page)[0];
        let form = [("reason", "too_large"), ("sure", "1"), until];
        let screen = address.split_once('?').unwrap().0;
        assert_eq!(client.post(screen, &form).await.status, StatusCode::SEE_OTHER, "{address}");
        assert_eq!(fake.untils().pop().unwrap().as_deref(), Some(until.1));
        let asked = fake.asked();
        for wrong in ["", "soon", "2026-11-30", "9999-01-01T00:00:00Z"] {
            let answer = client.post(screen, &[("reason", "too_large"), ("sure", "1"), ("until", wrong)]).await;
            assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{wrong:?}");
            answer.has("Nothing was done: the form does not tell when its page was made.");
        }
        assert_eq!(client.post(screen, &[("reason", "too_large"), ("sure", "1")]).await.status, StatusCode::BAD_REQUEST, "none at all");
        assert_eq!(fake.asked(), asked);
    }
    let rehearsed = fake.untils()[2].clone();
    assert_eq!(fake.untils()[3], rehearsed, "what is begun is what was rehearsed");
}

#[tokio::test]
async fn a_small_redrive_needs_no_rehearsal() {
    let fake = Fake::with(400);
    let client = Client::operator(&fake).await;
    let page = client.get("/console/redrive?reason=too_large").await;
    page.has("100 dead letters selected").has("Start the redrive").has(">Rehearse</a>");
    assert_eq!(fake.asked(), [], "a look asks for no rehearsal");
    let form = [&page_fields(&page)[..], &[("reason", "too_large"), ("limit", "1,000"), ("rate", "2.5")]].concat();
    let answer = client.post("/console/redrive", &form).await;
    assert_eq!((answer.status, answer.location()), (StatusCode::SEE_OTHER, "/console/jobs#job-3"));
    let order = Order { selection: reason("too_large"), limit: Some(1_000), rate: Some(2.5), is_canary: false };
    assert_eq!(fake.asked(), [Asked::Redrive("olga".to_owned(), order)]);
    client.get("/console/jobs").await.has("Job 3 has begun.");
    client.get("/console/jobs").await.lacks("Job 3 has begun.");
}

#[tokio::test]
async fn a_large_redrive_needs_the_rehearsal_of_its_very_selection() {
    let fake = Fake::with(404);
    let client = Client::operator(&fake).await;
    let page = client.get("/console/redrive?reason=too_large").await;
    page.has("More than 100 dead letters selected").has("So many are not redriven without a rehearsal").lacks("Start the redrive");
    let now = data::ago(0);
    let bare = [("reason", "too_large"), ("rate", ""), ("until", now.as_str())];
    for canary in [&[("canary", "1")][..], &[("limit", "5")], &[("proof", "1.ab"), ("selected", "101")], &[]] {
        let answer = client.post("/console/redrive", &[&bare[..], canary].concat()).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST);
        answer.has("a rehearsal must come first");
    }
    assert_eq!(fake.asked(), []);

    let page = client.get("/console/redrive?reason=too_large&rehearse=1").await;
    page.has("Start the redrive").has("101 dead letters selected").has("25 would not be sent");
    let proof = page_fields(&page);
    assert_eq!(proof[2], ("selected", "101"));
    let form = [&proof[..], &[("reason", "too_large"), ("rate", "")]].concat();
    let other = client.post("/console/redrive", &[&proof[..], &[("all", "1")]].concat()).await;
    assert_eq!(other.status, StatusCode::BAD_REQUEST, "another selection");
    let forged = [&[("selected", "404")], &form[..]].concat();
    assert_eq!(client.post("/console/redrive", &forged).await.status, StatusCode::BAD_REQUEST, "another number");
    let thief = Client::editor(&fake).await.post("/console/redrive", &form).await;
    assert_eq!(thief.status, StatusCode::BAD_REQUEST, "someone else has seen it");
    let answer = client.post("/console/redrive", &[&form[..], &[("canary", "1")]].concat()).await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER);
    let told = client.get("/console/jobs").await;
    told.has("It is a canary: when it has ended well, the rest waits for your word.").has("href=\"/console/redrive?reason=too_large\"");
    let answer = client.post("/console/redrive", &form).await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER, "the rest, after the canary");
    let order =
        |limit, is_canary| Asked::Redrive("olga".to_owned(), Order { selection: reason("too_large"), limit, rate: None, is_canary });
    assert_eq!(fake.asked(), [Asked::Rehearse(reason("too_large")), order(Some(10), true), order(None, false)]);
}

#[tokio::test]
async fn a_rehearsal_opens_no_more_than_it_was_of() {
    let fake = Fake::with(12);
    let client = Client::operator(&fake).await;
    let page = client.get("/console/redrive?reason=too_large&rehearse=1").await;
    page.has("3 dead letters selected");
    let form = [&page_fields(&page)[..], &[("reason", "too_large")]].concat();
    fake.depth.store(400, Ordering::SeqCst);
    let answer = client.post("/console/redrive", &form).await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER, "100 of them need no rehearsal at all");
    fake.depth.store(404, Ordering::SeqCst);
    let answer = client.post("/console/redrive", &form).await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST);
    answer.has("3 dead letters were rehearsed, and now the selection means more than 100 dead letters. A new rehearsal must come first.");

    // A large one is counted to its end: more than one look takes.
    fake.depth.store(9_000, Ordering::SeqCst);
    let page = client.get("/console/redrive?reason=too_large&rehearse=1").await;
    let form = [&page_fields(&page)[..], &[("reason", "too_large")]].concat();
    assert_eq!(client.post("/console/redrive", &form).await.status, StatusCode::SEE_OTHER);
    fake.depth.store(9_004, Ordering::SeqCst);
    let answer = client.post("/console/redrive", &form).await;
    answer.has("2,250 dead letters were rehearsed, and now the selection means more than 2,250 dead letters.");
    assert_eq!(fake.asked().iter().filter(|asked| matches!(asked, Asked::Redrive(..))).count(), 2);
}

#[tokio::test]
async fn numbers_that_are_none_are_refused() {
    let fake = Fake::with(4);
    let client = Client::operator(&fake).await;
    for (name, value) in [
        ("limit", "0"),
        ("limit", "-1"),
        ("limit", "x"),
        ("rate", "0"),
        ("rate", "NaN"),
        ("rate", "inf"),
        ("rate", "-2"),
        ("rate", "2,5"),
        ("rate", "0.009"),
        ("rate", "1,000,000.5"),
        ("rate", "1e7"),
    ] {
        let answer = client.post("/console/redrive", &[("reason", "too_large"), LONG_AGO, (name, value)]).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{name}={value}");
    }
    for form in [&[("permit", "records"), ("records", "0")][..], &[("permit", "records")], &[("permit", "some")], &[]] {
        assert_eq!(client.post("/console/permit", form).await.status, StatusCode::BAD_REQUEST);
    }
    assert_eq!(client.post("/console/jobs/x/pause", &[]).await.status, StatusCode::BAD_REQUEST);
    assert_eq!(client.post("/console/jobs/3/stop", &[]).await.status, StatusCode::BAD_REQUEST);
    assert_eq!(fake.asked(), []);
}

#[tokio::test]
async fn a_rate_has_a_floor_and_a_ceiling() {
    let fake = Fake::with(4);
    let client = Client::operator(&fake).await;
    for (text, number) in [("1,000", 1_000.0), ("0.01", 0.01), ("1,000,000", 1e6), ("2.5", 2.5)] {
        let answer = client.post("/console/redrive", &[("reason", "too_large"), LONG_AGO, ("rate", text)]).await;
        assert_eq!(answer.status, StatusCode::SEE_OTHER, "{text}");
        let Some(Asked::Redrive(_, order)) = fake.asked().pop() else { panic!("nothing was begun") };
        assert_eq!(order.rate, Some(number));
    }
    let answer = client.post("/console/redrive", &[("reason", "too_large"), LONG_AGO, ("rate", "0.001")]).await;
    answer.has("The rate must be a number from 0.01 to 1,000,000: so many per second.");
}

#[tokio::test]
async fn a_canary_says_how_many_there_are() {
    let client = Client::operator(&Fake::with(400)).await;
    client.get("/console/redrive?reason=too_large").await.has(">Redrive 10<").has("the 10 oldest,");
    let three = "/console/redrive?id=3fa9c1d20000&id=3fa9c1d20001&id=3fa9c1d20002";
    for address in [three.to_owned(), format!("{three}&rehearse=1")] {
        client.get(&address).await.has(">Redrive 3<").has("the 3 oldest,");
    }
    client.get("/console/redrive?id=3fa9c1d20000").await.has(">Redrive 1<").has("the oldest,");
}

#[tokio::test]
async fn a_flood_is_let_pass() {
    let fake = Fake::with(4);
    let client = Client::operator(&fake).await;
    client.get("/console/").await.has("action=\"/console/permit\"");
    let cases = [
        ("records", Permit::Records(1_200), "1,200 unwritable records may become dead letters."),
        ("everything", Permit::Everything, "Every unwritable record may become a dead letter from now on."),
        ("nothing", Permit::Nothing, "Nothing may pass"),
    ];
    for (name, permit, sentence) in cases {
        let answer = client.post("/console/permit", &[("permit", name), ("records", "1,200")]).await;
        assert_eq!(answer.location(), "/console/");
        client.get("/console/").await.has(sentence);
        assert_eq!(fake.asked().pop().unwrap(), Asked::Permit("olga".to_owned(), permit));
    }
    Client::viewer(&fake).await.get("/console/").await.has("An operator can let records pass.").lacks("/console/permit");
}

#[tokio::test]
async fn a_purge_is_asked_for_and_meant() {
    let fake = Fake::with(40);
    let client = Client::operator(&fake).await;
    let page = client.get("/console/purge?reason=too_large").await;
    page.has("10 dead letters would be deleted for good").has("name=\"sure\"");
    let until = page_fields(&page)[0];
    let answer = client.post("/console/purge", &[("reason", "too_large"), until]).await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST);
    assert_eq!(fake.asked(), []);
    let answer = client.post("/console/purge", &[("reason", "too_large"), ("sure", "1"), until]).await;
    assert_eq!(answer.location(), "/console/dead-letters");
    assert_eq!(fake.asked(), [Asked::Purge("olga".to_owned(), reason("too_large"))]);
    client.get("/console/dead-letters").await.has("10 dead letters were deleted for good.");
}

#[tokio::test]
async fn a_job_is_paused_resumed_and_cancelled() {
    let fake = Fake::with(40);
    let client = Client::operator(&fake).await;
    for (wanted, told) in [("pause", "Job 3 pauses"), ("resume", "Job 3 goes on"), ("cancel", "Job 3 ends")] {
        assert_eq!(client.post(&format!("/console/jobs/3/{wanted}"), &[]).await.location(), "/console/jobs#job-3");
        client.get("/console/jobs").await.has(told);
    }
    let refused = client.post("/console/jobs/9/cancel", &[]).await;
    assert_eq!(refused.status, StatusCode::CONFLICT);
    refused.has("Job 9 is done, and nothing was changed.");
    let asked = [(3, JobControl::Pause), (3, JobControl::Resume), (3, JobControl::Cancel), (9, JobControl::Cancel)];
    assert_eq!(fake.asked(), asked.map(|(job, wanted)| Asked::Control("olga".to_owned(), job, wanted)));
}

#[tokio::test]
async fn a_payload_is_checked_and_sent() {
    let fake = Fake::with(40);
    let client = Client::editor(&fake).await;
    let letter = "/console/dead-letters/3fa9c1d20000";
    let (wrong, right) = (data::payload("ada at example.org"), data::payload("ada@example.org"));
    let page = client.post(&format!("{letter}/check"), &[("payload", &wrong)]).await;
    page.has("<html")
        .has("is no e-mail address")
        .has("<span class=\"hit\"><span class=\"gutter\">   7</span>")
        .lacks("The decoder takes it");
    let page = client.post(&format!("{letter}/check"), &[("payload", &right)]).await;
    page.has("The decoder takes it").has("The database foresees: <strong>applied</strong>").has("<span class=\"add\">+    &#34;email&#34;");
    page.has("ada@example.org").has("<textarea");
    assert_eq!(fake.asked(), [], "a check changes nothing");

    let part = Client { headers: vec![("hx-request", "true".to_owned())], ..client.clone() };
    let part = part.post(&format!("{letter}/check"), &[("payload", &right)]).await;
    part.has("The decoder takes it").lacks("<html").lacks("<form");

    let page = client.post(&format!("{letter}/send"), &[("payload", &wrong)]).await;
    assert_eq!(page.status, StatusCode::BAD_REQUEST);
    page.has("It was not sent: payload.email is no e-mail address.").has("ada at example.org").has("class=\"hit\"");
    let answer = client.post(&format!("{letter}/send"), &[("payload", &right.replace('\n', "\r\n"))]).await;
    assert_eq!((answer.status, answer.location()), (StatusCode::SEE_OTHER, "/console/dead-letters"));
    assert_eq!(fake.asked(), [Asked::Send("ada".to_owned(), "3fa9c1d20000".to_owned(), right)], "line ends as they were");
    let page = client.get("/console/dead-letters").await;
    page.has(&format!("Dead letter 3fa9c1d20000 was sent as event {} to shop.events/4/1204399", data::EVENT)).has("Trace the event");
}

#[tokio::test]
async fn a_draft_is_kept_when_its_letter_is_gone_or_a_part_is_away() {
    let fake = Fake::with(10);
    let client = Client::editor(&fake).await;
    for (letter, status, why) in [
        ("ffffffffffff", StatusCode::NOT_FOUND, "There is no such dead letter"),
        ("3fa9c1d20000", StatusCode::SERVICE_UNAVAILABLE, "does not answer"),
    ] {
        fake.away.store(status == StatusCode::SERVICE_UNAVAILABLE, Ordering::SeqCst);
        for verb in ["check", "send"] {
            let kept = client.post(&format!("/console/dead-letters/{letter}/{verb}"), &[("payload", "{\"mine\": \"@\"}")]).await;
            if verb == "send" && status == StatusCode::NOT_FOUND {
                continue;
            }
            assert!(kept.status == status || kept.status == StatusCode::OK, "{letter} {verb}: {}", kept.status);
            kept.has(why).has("{&#34;mine&#34;: &#34;@&#34;}");
        }
    }
}

#[tokio::test]
async fn a_letter_whose_bytes_are_no_text_is_edited_with_a_warning() {
    let client = Client::editor(&Fake::with(10)).await;
    client.get("/console/dead-letters/eeee00000000").await.has("id=\"lossy\"").has("U+FFFD").has("aria-describedby=\"lossy draft\"");
    client.get("/console/dead-letters/3fa9c1d20000").await.lacks("U+FFFD");
}

#[tokio::test]
async fn a_verification_is_shown_and_begun_by_an_operator() {
    let fake = Fake::with(10);
    let (viewer, operator) = (Client::viewer(&fake).await, Client::operator(&fake).await);
    let shown = viewer.get("/console/verify").await;
    shown
        .has("There are 4 differences from the log.")
        .has("The log makes this row, and it is not there.")
        .has("consumer verify")
        .lacks("Verify now");
    shown
        .has("consumer-5f6c9d7b8-p9wlc")
        .has("The tables were what the log says.")
        .has("14,388,402 rows, 20,904,399 offsets of what the log still holds");
    shown.has("process 1, lost").has("Partition 3: nothing has come for 60 s");
    let order = [">equal<", ">different<", ">not finished<"].map(|outcome| shown.body.find(outcome).unwrap());
    assert!(order.is_sorted(), "the last one first");
    fake.away.store(true, Ordering::SeqCst);
    viewer.get("/console/verify").await.has("The consumers are not known: the database does not answer").has("There are 4 differences");
    fake.away.store(false, Ordering::SeqCst);
    operator.get("/console/verify").await.has("Verify now");
    let answer = operator.post("/console/verify/now", &[]).await;
    assert_eq!((answer.status, answer.location()), (StatusCode::SEE_OTHER, "/console/verify"));
    operator.get("/console/verify").await.has("The tables are verified now");
    assert_eq!(fake.asked(), [Asked::Verify("olga".to_owned())]);
}

#[tokio::test]
async fn a_check_is_run_by_an_operator_and_its_result_is_shown_to_everyone() {
    let fake = Fake::with(0);
    let (viewer, operator) = (Client::viewer(&fake).await, Client::operator(&fake).await);
    let before = viewer.get("/console/health").await;
    before.has("None was run since this process started. An operator can run one.").lacks("Run the check");
    assert_eq!(viewer.post("/console/health/check", &[]).await.status, StatusCode::FORBIDDEN);
    operator.get("/console/health").await.has("Run the check").lacks("An operator can run one");
    let answer = operator.post("/console/health/check", &[]).await;
    assert_eq!((answer.status, answer.location()), (StatusCode::SEE_OTHER, "/console/health#check-title"));
    operator.get("/console/health").await.has("1 of 7 findings failed; 1 warning. <a href=\"/console/health#check-title\">");
    let after = viewer.get("/console/health").await;
    after.has("1 of 7 findings failed; 1 warning.").has("use 3 where events matter").has("0.4 s");
    let order = ["cannot be reached", "replication factor 1", "57 variables"].map(|found| after.body.find(found).unwrap());
    assert!(order.is_sorted(), "what has to be acted on stands first");
    assert_eq!(fake.asked(), [Asked::Check("olga".to_owned())], "the viewer's was refused");
}

#[tokio::test]
async fn colours_are_chosen_and_kept() {
    let client = Client::viewer(&Fake::with(4)).await;
    let answer = client.post("/console/theme", &[("theme", "contrast"), ("next", "/console/parked")]).await;
    assert_eq!(answer.location(), "/console/parked");
    let cookie = answer.headers["set-cookie"].to_str().unwrap().split(';').next().unwrap().to_owned();
    let with = Client { cookie: Some(format!("{}; {cookie}", client.cookie.clone().unwrap())), ..client.clone() };
    with.get("/console/parked").await.has("data-theme=\"contrast\"").has("<option value=\"contrast\" selected>");
    client.get("/console/parked").await.has("data-theme=\"system\"");
    let answer = client.post("/console/theme", &[("theme", "\r\nx"), ("next", "//evil")]).await;
    assert_eq!(answer.location(), "/console/");
    assert!(answer.headers["set-cookie"].to_str().unwrap().starts_with("console_theme=system;"));
}
