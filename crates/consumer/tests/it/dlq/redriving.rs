//! What a redrive takes, sends, and leaves.

use std::time::Duration;

use consumer::dlq::{Filter, RedriveRequest};
use events::Timestamp;
use pipeline::Header;
use pipeline::dead_letter::{Entry, entry_id};
use pipeline::fault::FaultClass;
use pipeline::headers::Redriven;
use testkit::builders::{dead_letter, id, order as order_of, payment, second, user};
use tokio_util::sync::CancellationToken;

use super::bench::{Broker, Queue, five_fields, ids, of_topic, order, orphan, push, run, run_until};

/// What a redrive says of an entry.
fn headers(entry: &str, retry_count: u32, since: Option<Timestamp>) -> Vec<Header> {
    Redriven { retry_count, id: Some(entry_id(entry)), since }.headers()
}

#[tokio::test]
async fn an_entry_goes_to_its_topic_under_its_key_with_its_count_raised() {
    let (queue, broker) = (Queue::new(), Broker::default());
    let event = order_of(id(), id());
    let dead_letter = orphan(&event);
    let theirs = five_fields("{}", 4);
    push(&queue, std::slice::from_ref(&dead_letter)).await;
    queue.put(std::slice::from_ref(&theirs)).await;

    let summary = run(&queue, &broker, &order(Filter::default())).await;
    assert_eq!((summary.redriven, summary.examined(), summary.is_whole()), (2, 2, true));
    let sent = broker.sent();
    assert_eq!(Some(&sent[0].topic), Entry::parse(&dead_letter.json).unwrap().topic.as_ref());
    assert_eq!(sent[0].message.key, Some(event.key().into_bytes()));
    assert_eq!(sent[0].message.value, Some(event.to_json()));
    assert_eq!(sent[0].message.headers, headers(&dead_letter.json, 1, Some(second(0))));
    assert_eq!((sent[1].topic.as_str(), sent[1].message.key.clone()), ("events", None), "others name no topic and no key");
    assert_eq!(sent[1].message.headers, headers(&theirs, 5, Timestamp::parse("2026-01-15T10:00:00Z").ok()));
    assert_eq!(queue.texts().await, Vec::<String>::new());
}

#[tokio::test]
async fn each_filter_takes_what_it_names_and_the_numbers_add_up() {
    let broken = dead_letter("boom");
    let parentless = orphan(&payment(id(), id()));
    let theirs = five_fields(r#"{"eventType":"UserCreated"}"#, 0);
    let some = |text: &str| Some(text.to_owned());
    for (filter, redriven) in [
        (Filter { reason: some("not_json"), ..Filter::default() }, vec![&broken.json]),
        (Filter { fingerprint: some("missing_parent:PaymentSettled:orderId"), ..Filter::default() }, vec![&parentless.json]),
        (Filter { event_type: some("UserCreated"), ..Filter::default() }, vec![&theirs]),
        (Filter { older_than: Some(Duration::from_secs(60)), ..Filter::default() }, vec![&broken.json, &parentless.json, &theirs]),
        (Filter { older_than: Some(Duration::from_secs(1 << 40)), ..Filter::default() }, vec![]),
        (ids(&[&broken.json, &theirs]), vec![&broken.json, &theirs]),
    ] {
        let (queue, broker) = (Queue::new(), Broker::default());
        push(&queue, &[broken.clone(), parentless.clone()]).await;
        queue.put(std::slice::from_ref(&theirs)).await;
        let summary = run(&queue, &broker, &order(filter.clone())).await;
        assert_eq!((summary.redriven, summary.not_selected), (redriven.len() as u64, 3 - redriven.len() as u64), "{filter:?}");
        let values: Vec<_> = redriven.iter().map(|text| Entry::parse(text).unwrap().value().unwrap()).collect();
        assert_eq!(broker.values(), values, "{filter:?}");
        let left = [&broken.json, &parentless.json, &theirs].into_iter().filter(|text| !redriven.contains(text));
        assert_eq!(queue.texts().await, left.cloned().collect::<Vec<_>>());
    }
}

#[tokio::test]
async fn what_cannot_be_read_or_came_back_too_often_stays_and_is_counted() {
    let (queue, broker) = (Queue::new(), Broker::default());
    let broken_base64 = r#"{"eventId":null,"originalData":"%%%","error":"","timestamp":"","retryCount":0,"encoding":"base64"}"#;
    let stay = ["boom".to_owned(), "{}".to_owned(), broken_base64.to_owned(), five_fields("{}", 5), five_fields("{}", 6)];
    queue.put(&stay).await;
    queue.put(&[five_fields("{}", 4)]).await;
    let summary = run(&queue, &broker, &order(Filter::default())).await;
    assert_eq!((summary.redriven, summary.unreadable, summary.too_many_retries, summary.examined()), (1, 3, 2, 6));
    assert_eq!(queue.texts().await, stay);
    assert!(summary.is_whole(), "what stays is not a failure");

    let patient = RedriveRequest { max_retries: 6, ..order(Filter::default()) };
    assert_eq!(run(&queue, &broker, &patient).await.redriven, 1, "--max-retries raises the limit");
}

#[tokio::test]
async fn the_limit_takes_the_oldest_across_pages() {
    let (queue, broker) = (Queue::new(), Broker::default());
    let texts: Vec<_> = (0..1300).map(|number| five_fields(&number.to_string(), 0)).collect();
    queue.put(&texts).await;
    let summary = run(&queue, &broker, &RedriveRequest { limit: Some(1200), ..order(Filter::default()) }).await;
    assert_eq!((summary.redriven, summary.examined()), (1200, 1200));
    assert_eq!(broker.values(), (0..1200).map(|number| number.to_string().into_bytes()).collect::<Vec<_>>());
    assert_eq!(queue.texts().await, texts[1200..]);
}

#[tokio::test]
async fn every_entry_of_a_long_mixed_list_is_met_once() {
    let (queue, broker) = (Queue::new(), Broker::default());
    let texts: Vec<_> = (0..2500).map(|number| five_fields(&number.to_string(), if number % 3 == 0 { 9 } else { 0 })).collect();
    queue.put(&texts).await;
    // One that the broker never takes goes back to the old end, before those that are still to come.
    broker.refuse(|message| (message.value.as_deref() == Some(b"700")).then_some(FaultClass::Poison));
    let summary = run(&queue, &broker, &order(Filter::default())).await;
    assert_eq!((summary.too_many_retries, summary.redriven, summary.failed, summary.examined()), (834, 1665, 1, 2500));
    assert_eq!(queue.texts().await.len(), 835);
}

#[tokio::test]
async fn what_fails_again_while_a_redrive_runs_is_not_sent_twice() {
    let (queue, broker) = (Queue::new(), Broker::default());
    queue.put(&(0..3).map(|number| five_fields(&number.to_string(), 0)).collect::<Vec<_>>()).await;
    let (failing_again, runtime) = (queue.clone(), tokio::runtime::Handle::current());
    // The consumer is as fast as it can be: the dead letter is back before the acknowledgement.
    broker.refuse(move |message| {
        let text = five_fields(std::str::from_utf8(message.value.as_deref().unwrap()).unwrap(), 1);
        let queue = failing_again.clone();
        std::thread::scope(|scope| scope.spawn(|| runtime.block_on(queue.put(&[text]))).join().unwrap());
        None
    });
    let summary = run(&queue, &broker, &order(Filter::default())).await;
    assert_eq!((summary.redriven, broker.sent().len(), queue.texts().await.len()), (3, 3, 3));
}

#[tokio::test]
async fn two_redrives_at_once_send_every_entry_and_empty_the_list() {
    let (queue, broker) = (Queue::new(), Broker::default());
    let events: Vec<_> = (0..1200).map(|_| user(id())).collect();
    push(&queue, &events.iter().map(orphan).collect::<Vec<_>>()).await;
    let everything = order(Filter::default());
    let (one, other) = tokio::join!(run(&queue, &broker, &everything), run(&queue, &broker, &everything));
    assert_eq!(one.redriven + other.redriven, 1200);
    assert!(one.is_whole() && other.is_whole());
    assert_eq!(queue.texts().await, Vec::<String>::new());
    let mut values = broker.values();
    let mut expected: Vec<_> = events.iter().map(|event| event.to_json()).collect();
    values.sort();
    expected.sort();
    assert_eq!(values, expected);
}

#[tokio::test(start_paused = true)]
async fn a_rate_is_kept_over_the_whole_run() {
    let (queue, broker) = (Queue::new(), Broker::default());
    queue.put(&(0..11).map(|number| five_fields(&number.to_string(), 0)).collect::<Vec<_>>()).await;
    let summary = run(&queue, &broker, &RedriveRequest { rate: Some(2.0), ..order(Filter::default()) }).await;
    assert_eq!(summary.redriven, 11);
    let sent = broker.sent();
    for (place, sent_then) in sent.iter().enumerate() {
        let since = sent_then.at - sent[0].at;
        let due = Duration::from_millis(500) * place as u32;
        assert!(since >= due && since < due + Duration::from_millis(400), "number {place} after {since:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_redrive_that_is_told_to_stop_puts_back_what_is_not_sent() {
    let (queue, broker) = (Queue::new(), Broker::default());
    let texts: Vec<_> = (0..40).map(|number| five_fields(&number.to_string(), 0)).collect();
    queue.put(&texts).await;
    let stop = CancellationToken::new();
    let (asking, mut seen) = (stop.clone(), 0);
    broker.refuse(move |_| {
        seen += 1;
        if seen == 5 {
            asking.cancel();
        }
        None
    });
    let summary = run_until(&queue, &broker, &RedriveRequest { rate: Some(20.0), ..order(Filter::default()) }, &stop).await;
    assert!(summary.stopped && !summary.is_whole());
    assert_eq!(summary.redriven, broker.sent().len() as u64);
    assert!(summary.redriven >= 5 && summary.redriven < 40);
    assert_eq!(queue.texts().await, texts[summary.redriven as usize..], "in their order");
}

#[tokio::test]
async fn a_topic_that_is_gone_concerns_its_own_entries_alone() {
    let (queue, broker) = (Queue::new(), Broker::default());
    broker.miss("gone");
    let entries: Vec<_> = (0..1300).map(|number| of_topic(if number % 2 == 0 { "gone" } else { "here" }, &number.to_string())).collect();
    queue.put(&entries).await;
    let gone: Vec<_> = entries.iter().step_by(2).cloned().collect();

    let summary = run(&queue, &broker, &order(Filter::default())).await;
    assert_eq!((summary.redriven, summary.failed, summary.is_whole()), (650, 0, false), "{summary}");
    assert_eq!(summary.refused.iter().collect::<Vec<_>>(), [(&"gone".to_owned(), &650)]);
    assert_eq!(summary.fault, None, "it did not end early");
    assert_eq!(queue.texts().await, gone, "in their order");
    assert!(broker.asked_for_missing() <= 250, "only those of the first group are tried: {}", broker.asked_for_missing());

    let limited = RedriveRequest { limit: Some(1), ..order(Filter::default()) };
    queue.put(&[of_topic("here", "last")]).await;
    let summary = run(&queue, &broker, &limited).await;
    assert_eq!(summary.redriven, 1, "what is refused does not use the limit up: {summary}");
}
