//! What each screen shows.

use std::sync::atomic::Ordering;

use axum::http::StatusCode;

use super::client::Client;
use super::fake::Fake;

async fn page(depth: u64, address: &str) -> super::client::Answer {
    let answer = Client::editor(&Fake::with(depth)).await.get(address).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
    answer
}

#[tokio::test]
async fn the_flow_is_drawn_and_told() {
    let page = page(40, "/console/").await;
    page.has("<svg class=\"diagram wide\"").has("<svg class=\"diagram narrow\"").has("dead letters 1,337").has("and 2 more below");
    page.has("<strong>Flow is down.</strong> 312 of the last 500 records").has("13 min ago").has(" UTC");
    page.has("this process").has("14,388,402").has("Verified 14,388,402 rows");
    page.has("12 dead letters more are claimed by a redrive");
}

#[tokio::test]
async fn every_consumer_is_told_with_what_it_reads_and_what_holds_it() {
    for address in ["/console/", "/console/health"] {
        let page = page(40, address).await;
        page.has("consumer-5f6c9d7b8-2xkqv").has("process 1, this one").has("0, 2, 3, 5, 6, 8, 9, 11");
        page.has("<strong>Flow is down at consumer-5f6c9d7b8-hm4tz (process 1).</strong> 41 records").has("class=\"badge bad\">held");
        page.has("class=\"badge warn\">silent").has("7 s ago").has("class=\"badge bad\">lost").has("had 10");
        page.has("consumer-5f6c9d7b8-z71fn (process 1) was last seen 24 s ago and has not said that it stops. Partition 10 goes");
        assert_eq!(page.body.matches("name=\"records\"").count(), 1, "what is let pass is let pass everywhere");
    }
    page(40, "/console/").await.has("3 read 11 of 12").has("nobody known").lacks("another process");
}

#[tokio::test]
async fn a_few_of_the_records_that_are_held_stand_beside_the_permit() {
    let fake = Fake::with(40);
    let (editor, operator, viewer) = (Client::editor(&fake).await, Client::operator(&fake).await, Client::viewer(&fake).await);
    for address in ["/console/", "/console/health"] {
        let page = editor.get(address).await;
        page.has("shop.events/1/1211343").has("shop.events/1/1211345").lacks("shop.events/1/1211346").has("held-key-2");
        page.has("The 200 oldest records were looked at (49,724 offsets are not consumed): 5 of them cannot be written.");
        page.has("so that only the contract was checked").has("<a href=\"/console/held\">All of them</a>").has("name=\"records\"");
        // A key may be personal data.
        operator.get(address).await.has("shop.events/1/1211343").has("not JSON").lacks("held-key").has("name=\"records\"");
        viewer.get(address).await.has("shop.events/1/1211343").lacks("held-key").lacks("name=\"records\"");
    }
    let all = editor.get("/console/held").await;
    all.has("shop.events/1/1211347").has("held-key-4").has("value=\"5\"");
    operator.get("/console/held").await.has("shop.events/1/1211347").lacks("held-key");
    viewer.get("/console/held").await.has("shop.events/1/1211347").lacks("held-key").lacks("name=\"records\"");

    fake.reading.store(true, Ordering::SeqCst);
    editor.get("/console/").await.has("What is held is not known yet: The log is being looked at.").has("name=\"records\"");
    fake.reading.store(false, Ordering::SeqCst);
    fake.away.store(true, Ordering::SeqCst);
    editor.get("/console/").await.has("What is held is not known yet").has("name=\"records\"");
    assert_eq!(editor.get("/console/held").await.status, StatusCode::SERVICE_UNAVAILABLE);
}

#[tokio::test]
async fn without_the_database_only_this_process_is_known() {
    let fake = Fake::with(40);
    fake.away.store(true, Ordering::SeqCst);
    let client = Client::editor(&fake).await;
    for address in ["/console/", "/console/health"] {
        client.get(address).await.has("The consumers are not known: the database does not answer").lacks("nobody known");
    }
}

#[tokio::test]
async fn rates_come_from_two_looks() {
    let fake = Fake::with(40);
    let client = Client::viewer(&fake).await;
    client.get("/console/").await.has("measuring");
    let start = std::time::Instant::now();
    loop {
        // Looks closer together than a second tell nothing.
        let page = client.get("/console/").await;
        if !page.body.contains("measuring") {
            page.has("caught up").has("/s</td>");
            break;
        }
        assert!(start.elapsed().as_secs() < 10, "no rates came");
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn parts_that_cannot_be_asked_say_so() {
    let fake = Fake::with(40);
    fake.away.store(true, Ordering::SeqCst);
    let client = Client::editor(&fake).await;
    let page = client.get("/console/").await;
    page.has("The partitions are not known: the broker does not answer").has("the database does not answer").has("unknown");
    for address in [
        "/console/dead-letters",
        "/console/dead-letters/3fa9c1d20000",
        "/console/parked",
        "/console/audit",
        "/console/redrive?all=1&rehearse=1",
    ] {
        let answer = client.get(address).await;
        assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE, "{address}");
        answer.has("The dead letter queue does not answer.").has("aria-label=\"Screens\"");
        assert!(answer.headers.contains_key("retry-after"));
    }
    assert_eq!(client.get("/console/health").await.status, StatusCode::OK);
}

#[tokio::test]
async fn dead_letters_are_grouped_and_listed() {
    let letters = page(1_337, "/console/dead-letters").await;
    letters.has("1,337").has("invalid_value:UserCreated:payload.email").has("1,204").has("<svg class=\"spark\"").has("missing_parent");
    letters.has("/console/dead-letters?fingerprint=invalid_value%3AUserCreated%3Apayload.email").has("all 1,337 dead letters");
    letters.has("href=\"/console/dead-letters?start=50\" rel=\"next\"").lacks("Newest");
    let second = page(1_337, "/console/dead-letters?reason=too_large&start=50").await;
    second.has("showing dead letters with the reason too_large").has("value=\"too_large\"").has("Newest");
    second.has("/console/dead-letters?reason=too_large&#38;start=100").lacks("Groups</h2>");
    page(10, "/console/dead-letters?reason=none").await.has("No dead letter matches this filter.");
}

#[tokio::test]
async fn a_long_list_that_is_read_for_the_first_time_is_shown_without_groups_and_asked_for_again() {
    let fake = Fake::with(1_337);
    fake.reading.store(true, Ordering::SeqCst);
    let client = Client::editor(&fake).await;
    let letters = client.get("/console/dead-letters").await;
    assert_eq!(letters.status, StatusCode::OK);
    letters
        .has("34000 of 100000 so far.")
        .has("hx-trigger=\"load delay:1s\"")
        .has("data-row")
        .lacks("Groups</h2>")
        .lacks("class=\"alarm\"");
    let filtered = client.get("/console/dead-letters?reason=too_large").await;
    assert_eq!((filtered.status, filtered.headers["refresh"].to_str().unwrap()), (StatusCode::SERVICE_UNAVAILABLE, "1"));
    filtered.has("Just a moment").has("34000 of 100000 so far.");
    fake.reading.store(false, Ordering::SeqCst);
    client.get("/console/dead-letters").await.has("id=\"groups\"").lacks("load delay:1s");
}

#[tokio::test]
async fn beyond_its_end_a_list_leads_back() {
    let end = page(40, "/console/dead-letters?start=50").await;
    end.has("The list ends before this place.").has("<a href=\"/console/dead-letters\" rel=\"first\">").lacks("matches this filter");
    let end = page(40, "/console/dead-letters?reason=too_large&start=50").await;
    end.has("<a href=\"/console/dead-letters?reason=too_large\" rel=\"first\">");
}

#[tokio::test]
async fn what_is_left_out_is_counted() {
    let fake = Fake::with(40);
    let client = Client::editor(&fake).await;
    for (many, groups, bytes, parents, waits) in [
        (1, "1 smaller group is not shown.", "1 more byte is not dumped.", "and 1 more parent is not shown.", "8 missing parents"),
        (
            1_204,
            "1,204 smaller groups are",
            "1,204 more bytes are not dumped.",
            "and 1,204 more parents are not shown.",
            "1,211 missing parents",
        ),
    ] {
        fake.beyond.store(many, Ordering::SeqCst);
        let old = if many == 1 { "1 older dead letter is not counted." } else { "1,204 older dead letters are not counted." };
        client.get("/console/dead-letters").await.has(groups).has(old);
        client.get("/console/dead-letters/3fa9c1d20000").await.has(bytes);
        client.get("/console/parked").await.has(parents).has(waits);
    }
}

#[tokio::test]
async fn what_another_program_wrote_is_for_editors() {
    let fake = Fake::with(40);
    let letter = "/console/dead-letters/3fa9c1d20000";
    Client::editor(&fake).await.get(letter).await.has(">It tells</h2>").has("grace@example.org is on the list of another program");
    Client::editor(&fake).await.get("/console/dead-letters/3fa9c1d20003").await.lacks("It tells");
    for client in [Client::operator(&fake).await, Client::viewer(&fake).await] {
        client.get(letter).await.lacks("It tells").lacks("grace@example.org");
    }
}

#[tokio::test]
async fn empty_screens_say_what_that_means() {
    page(0, "/console/dead-letters").await.has("No dead letters are in the list.");
    page(0, "/console/jobs").await.has("No jobs: nothing was redriven yet.");
    page(0, "/console/parked").await.has("Nothing is parked: no event waits for a parent now.");
    page(0, "/console/audit").await.has("No entries: no operator has changed anything yet.");
    page(0, "/console/redrive?reason=too_large").await.has("The selection means no dead letter now");
}

#[tokio::test]
async fn a_letter_is_shown_with_its_field_marked() {
    let letter = page(40, "/console/dead-letters/3fa9c1d20000").await;
    letter.has("<mark>&#34;email&#34;: &#34;ada at example.org&#34;</mark>").has(">payload.phone</th>").has("is missing</td>");
    letter.has("00000000  7b 22 65 76").has("user-42").has("<textarea");
    let bytes = page(40, "/console/dead-letters/3fa9c1d20003").await;
    bytes.has("The bytes are not text.").has("It cannot be edited").has("5,000 bytes, not text").lacks("<textarea");
    let client = Client::editor(&Fake::with(4)).await;
    let answer = client.get("/console/dead-letters/ffffffffffff").await;
    assert_eq!(answer.status, StatusCode::NOT_FOUND);
    answer.has("There is no such dead letter (any more).");
    assert_eq!(client.get("/console/dead-letters?older=soon").await.status, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn the_values_of_the_fields_are_for_editors() {
    let viewer = Client::viewer(&Fake::with(40)).await;
    let letter = viewer.get("/console/dead-letters/3fa9c1d20000").await;
    letter.lacks("ada at example.org").lacks("fields-title");
}

#[tokio::test]
async fn a_check_names_every_field_that_is_wrong_with_its_line() {
    let client = Client::editor(&Fake::with(40)).await;
    let draft = [("payload", "{\n\"payload\": {\n\"email\": \"ada at example.org\"\n}\n}")];
    let page = client.post("/console/dead-letters/3fa9c1d20000/check", &draft).await;
    page.has("2 fields are wrong").has("<code>payload.email</code> is no e-mail address").has("line 3");
    page.has("<code>payload.phone</code> is missing</li>");
}

#[tokio::test]
async fn what_operators_have_done_to_a_letter_stands_on_its_page() {
    let fake = Fake::with(40);
    let client = Client::viewer(&fake).await;
    let letter = client.get("/console/dead-letters/3fa9c1d20000").await;
    letter.has(">History</h2>").has("/console/audit?before=227\"").has(">sent</td>").lacks("stopped by grace");
    client.get("/console/dead-letters/3fa9c1d20003").await.has("None of these entries is about it.");
    fake.hangs.store(true, Ordering::SeqCst);
    let letter = client.get("/console/dead-letters/3fa9c1d20000").await;
    letter.has("The audit log could not be asked: There was no answer within 3 s.").has("Fingerprint");
}

#[tokio::test]
async fn the_times_of_a_letter_are_told_as_far_as_they_are_known() {
    let letter = page(40, "/console/dead-letters/3fa9c1d20000").await;
    letter.has("2026-11-29 09:14:02 UTC").has("2026-11-29 09:14:03 UTC").has("Kafka's time of the record").has("Dead since");
    letter.has("by the broker&#39;s clock");
    page(40, "/console/dead-letters/3fa9c1d20003").await.has("own time</dt><dd><span class=\"at\">unknown</span>");
}

#[tokio::test]
async fn the_other_screens_show_what_they_are_for() {
    let jobs = page(40, "/console/jobs").await;
    jobs.has("3 jobs, 1 running").has("id=\"job-3\"").has("action=\"/console/jobs/3/pause\"").lacks("/console/jobs/3/resume");
    jobs.lacks("/console/jobs/2/cancel").has("/console/jobs/1/resume").has("/console/jobs/1/cancel").lacks("/console/jobs/1/pause");
    jobs.has("by grace").has("The broker did not answer for 30 s.").has("10 at most").has("All dead letters.").has("57 of 1,410 done");
    let parked = page(40, "/console/parked").await;
    parked
        .has("418 events wait for 7 missing parents.")
        .has("<details")
        .has("361 events")
        .has("min left")
        .has(">and 353 more<")
        .lacks("more parent");
    parked.has("/console/trace?event=0190a2b4").has("/console/trace?user=0190a2b4-0000-7000-8000-000000000042");
    let letter = "<a class=\"id\" href=\"/console/dead-letters/3fa9c1d20000\">3fa9c1d20000</a>";
    parked
        .has(&format!("Its event is dead letter {letter}: open."))
        .has("never seen</span> It is in no table, not parked, and no dead letter.");
    parked.has(&format!("By its key, dead letter {letter} is its event: open. 2 more are about it."));
    parked
        .has("is released within seconds")
        .has("It is in no table. It is no dead letter; it may be parked itself")
        .has("The queue does not answer.");
    let trace = page(40, "/console/trace?event=0190a2b4-7c1e-7d3a-9f00-5a3c1e9b7d21").await;
    trace.has("It is a dead letter and was never written.").has("href=\"/console/dead-letters/3fa9c1d20000\"");
    trace.has("/console/trace?event=0190a2b4-7c1e-7d3a-9f00-5a3c1e9b7dff").has("redrive by ada");
    page(40, "/console/trace").await.has("name=\"id\"").lacks("ledger");
    for by in ["user", "order", "payment", "sku"] {
        let chosen = format!("<option value=\"{by}\" selected>");
        page(40, &format!("/console/trace?{by}=A-1")).await.has(&chosen).has("value=\"A-1\"").has("Timeline");
        page(40, &format!("/console/trace?by={by}&id=A-1")).await.has(&chosen).has("Timeline");
    }
    let health = page(40, "/console/health").await;
    health.has("dead letter queue").has("PARKING_DEADLINE").has("password=(hidden)").has("Verified");
    let wrong = Client::viewer(&Fake::with(4)).await.get("/console/trace?event=none").await;
    assert_eq!(wrong.status, StatusCode::BAD_REQUEST);
    wrong.has("Event id is a UUID.").has("value=\"none\"");
}

#[tokio::test]
async fn a_job_says_how_its_letters_ended_and_what_needs_somebody_comes_first() {
    page(40, "/console/jobs").await.has("<a class=\"main\" href=\"/console/jobs/2\">How its letters ended");
    let canary = page(40, "/console/jobs/2").await;
    canary.has("The canary has ended: 8 applied, 1 parked and 1 failed again. Look at those that failed before you go on with the rest.");
    let places = ["failed again</span>", "parked</span>", "applied</span>"].map(|end| canary.body.find(end).expect(end));
    assert!(places.is_sorted(), "{places:?}");
    canary
        .has("href=\"/console/dead-letters/3fa9c1d20009\"")
        .has("href=\"/console/trace?event=")
        .lacks("rel=\"next\"")
        .lacks("rel=\"first\"");
    canary.has("href=\"/console/redrive?fingerprint=").has("Go on with the rest");
    let viewer = Client::viewer(&Fake::with(40)).await.get("/console/jobs/2").await;
    viewer.has("The canary has ended: 8 applied").lacks("Go on with the rest").lacks("/console/jobs/2/cancel");

    let many = page(40, "/console/jobs/3").await;
    many.has("Of the 200 letters on this page: 120 applied")
        .has("href=\"/console/jobs/3?after=200\" rel=\"next\"")
        .lacks("Go on with the rest");
    many.has("action=\"/console/jobs/3/pause\"");
    let last = page(40, "/console/jobs/3?after=400").await;
    last.has("Of the 50 letters on this page").has("href=\"/console/jobs/3\" rel=\"first\"").lacks("rel=\"next\"");
    page(40, "/console/jobs/3?after=450").await.has("Its letters end before this place.");
    let client = Client::viewer(&Fake::with(40)).await;
    assert_eq!(client.get("/console/jobs/9").await.status, StatusCode::NOT_FOUND);
    assert_eq!(client.get("/console/jobs/x").await.status, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn what_operators_have_changed_is_paged_from_the_newest_on() {
    let first = page(40, "/console/audit").await;
    first.has(">230<").has("stopped by grace").has("command line").has("href=\"/console/audit?before=131\"").lacks(">Newest<");
    let last = page(40, "/console/audit?before=31").await;
    last.has(">30<").has(">1<").lacks(">31<").lacks("rel=\"next\"").has(">Newest<");
    page(40, "/console/audit?before=1").await.has("The log begins behind this place.");
    let client = Client::viewer(&Fake::with(4)).await;
    client.get("/console/audit").await.has("dead letter 3fa9c1d20000");
    assert_eq!(client.get("/console/audit?before=soon").await.status, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn a_rehearsal_is_totals_and_rows() {
    let page = page(40, "/console/redrive?all=1&rehearse=1").await;
    page.has("every dead letter").has("None of 40 would come back at once; 10 would wait for a parent; 10 would not be sent.");
    page.has("waits for user 0190a2b4").has("50 %").has("Redrive 10");
}
