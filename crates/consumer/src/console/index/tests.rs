use std::time::Duration;

use pipeline::ports::{ClaimQueue, DeadLetterArchive as _, DeadLetterReader as _, End};
use sqlite::Sqlite;
use std::sync::Arc;

use super::*;
use crate::dlq::scan::Scan;

const LONG: Duration = Duration::from_secs(3600);
const NOW: &str = "2026-01-15T12:00:00Z";

fn now() -> Timestamp {
    Timestamp::parse(NOW).unwrap()
}

/// An entry of one of some kinds, as this program or another wrote it, some seconds before now.
fn entry(number: u64) -> String {
    let at = now().plus_micros(-i64::try_from(number % 97).unwrap() * 60_000_000).to_string();
    let event_id = Uuid::from_u128(u128::from(number % 11));
    let (reason, event_type) = [("too_long", "UserCreated"), ("not_json", "unknown"), ("constraint", "OrderPlaced")][number as usize % 3];
    match number % 7 {
        0 => format!("no dead letter {number}"),
        1 => serde_json::json!({"eventId": null, "originalData": number.to_string(), "error": "their words", "timestamp": at, "retryCount": 1}).to_string(),
        2 => serde_json::json!({"originalData": number.to_string(), "timestamp": "some day"}).to_string(),
        _ => serde_json::json!({
            "eventId": event_id, "originalData": number.to_string(), "error": format!("it is wrong in way {}", number % 5), "timestamp": at,
            "retryCount": number % 3, "topic": "events", "partition": number % 4, "offset": number, "reason": reason,
            "fingerprint": format!("{reason}:{event_type}:field{}", number % 4), "firstTimestamp": number.is_multiple_of(2).then_some("2026-01-14T12:00:00Z"),
        })
        .to_string(),
    }
}

/// All that an index says of a list: what this is for an index that was followed must be so for one that was read anew.
fn told(index: &Index) -> (ListState, Vec<console::Group>, Vec<Page>, Vec<usize>) {
    let pages = filters().iter().map(|filter| index.page(filter, now(), 0, usize::MAX)).collect();
    let events = (0..11).map(|number| index.of_event(Uuid::from_u128(number)).len()).collect();
    (index.state(), index.groups(), pages, events)
}

fn filters() -> Vec<Filter> {
    let some = |text: &str| Some(text.to_owned());
    let id = pipeline::dead_letter::entry_id(&entry(3));
    vec![
        Filter::default(),
        Filter { reason: some("constraint"), ..Filter::default() },
        Filter { reason: some("unreadable"), ..Filter::default() },
        Filter { fingerprint: some("too_long:UserCreated:field3"), ..Filter::default() },
        Filter { fingerprint: some("unknown:unknown:"), event_type: some("unknown"), ..Filter::default() },
        Filter { event_type: some("OrderPlaced"), older_than: Some(Duration::from_secs(1800)), ..Filter::default() },
        Filter { older_than: Some(Duration::ZERO), until: Some(now().plus_micros(-600_000_000)), ..Filter::default() },
        Filter { older_than: Some(Duration::from_secs(60)), until: Some(now().plus_micros(-600_000_000)), ..Filter::default() },
        Filter { ids: [id, "ffffffffffff".to_owned(), "0".to_owned()].into(), ..Filter::default() },
        Filter { reason: some("nobody has it"), ..Filter::default() },
    ]
}

/// What the filter means by the entries themselves, the newest first.
async fn meant(queue: &Sqlite, filter: &Filter) -> Vec<String> {
    let mut scan = Scan::start(queue).await.unwrap();
    let mut meant = Vec::new();
    loop {
        let page = scan.look().await.unwrap();
        if page.is_empty() {
            meant.reverse();
            return meant;
        }
        meant.extend(page.into_iter().filter(|listed| filter.selects(listed, now())).map(|listed| listed.id));
    }
}

async fn read_anew(queue: &Sqlite) -> Arc<Index> {
    Arc::new(read(queue, None, &Progress::default()).await.unwrap())
}

/// What a pipeline and its operators do to a list, and another program.
async fn change(queue: &Sqlite, number: u64, chance: u64) {
    let texts = |count| (0..count).map(|step| entry(number * 20 + step)).collect::<Vec<_>>();
    let page = queue.page(End::Oldest, chance % 13, 1 + chance % 5).await.unwrap();
    match chance % 6 {
        0 | 1 => queue.restore(&texts(1 + chance % 19)).await.unwrap(),
        // The same text once more.
        2 => queue.restore(&page).await.unwrap(),
        kind => {
            let lease = if kind == 4 { Duration::ZERO } else { LONG };
            let claims: Vec<_> = queue.claim(&page, lease).await.unwrap().into_iter().flatten().collect();
            match kind {
                3 => drop(queue.settle(&claims).await.unwrap()),
                4 => drop(queue.give_back_overdue().await.unwrap()),
                _ => {
                    queue.give_back(claims.get(1..).unwrap_or_default()).await.unwrap();
                }
            }
        }
    }
}

#[tokio::test]
async fn an_index_that_is_followed_is_what_a_full_look_finds_after_whatever_is_done_to_the_list() {
    for seed in 0..4 {
        let mut seed = testkit::seed::Seed::numbered(seed, "index");
        let queue = Sqlite::temporary().unwrap();
        let mut index = read_anew(&queue).await;
        let (mut followed, mut reread) = (0, 0);
        for number in 0..30 {
            for _ in 0..seed.number(1..=2) {
                change(&queue, number, u64::from(seed.number(0..=1 << 20).unsigned_abs())).await;
            }
            if follow(&queue, &mut index).await.unwrap() {
                followed += 1;
            } else {
                index = Arc::new(read(&queue, Some(&index), &Progress::default()).await.unwrap());
                reread += 1;
            }
            assert_eq!(told(&index), told(&*read_anew(&queue).await), "step {number}");
            for filter in filters() {
                let ids: Vec<_> = index.page(&filter, now(), 0, usize::MAX).rows.into_iter().map(|row| row.id).collect();
                assert_eq!(ids, meant(&queue, &filter).await, "step {number}, {filter:?}");
                assert_eq!(index.places(&filter, now()).len(), ids.len());
            }
            assert_eq!(index.groups().iter().map(|group| group.count).sum::<u64>(), index.state().depth);
        }
        assert!(followed > 5 && reread > 5, "{followed} followed, {reread} read anew");
    }
}

#[tokio::test]
async fn claimed_letters_are_not_there_and_come_back() {
    let queue = Sqlite::temporary().unwrap();
    queue.restore(&(0..20).map(entry).collect::<Vec<_>>()).await.unwrap();
    let mut index = read_anew(&queue).await;
    let claimed = queue.claim(&[entry(3)], LONG).await.unwrap();
    assert!(!follow(&queue, &mut index).await.unwrap(), "the list has not only grown");
    let without = read(&queue, Some(&index), &Progress::default()).await.unwrap();
    let id = pipeline::dead_letter::entry_id(&entry(3));
    assert_eq!((without.state().depth, without.by_id(&id)), (19, None));
    queue.give_back(&claimed.into_iter().flatten().collect::<Vec<_>>()).await.unwrap();
    let back = read(&queue, Some(&without), &Progress::default()).await.unwrap();
    assert_eq!(back.by_id(&id).map(|place| place.from_oldest), Some(0), "at the old end");
    assert_eq!(back.page(&Filter::default(), now(), 19, 1).rows[0].id, id);
}

#[tokio::test]
async fn entries_are_found_at_their_places_as_long_as_they_stand_there() {
    let queue = Sqlite::temporary().unwrap();
    let texts: Vec<_> = (0..300).map(entry).collect();
    queue.restore(&texts).await.unwrap();
    let index = read_anew(&queue).await;
    let filter = Filter { reason: Some("too_long".to_owned()), ..Filter::default() };
    let places = index.places(&filter, now());
    let expected: Vec<_> = texts.iter().filter(|text| filter.selects(&Listed::new((*text).clone()), now())).cloned().collect();
    assert_eq!(entries(&queue, &index, &places).await, Ok(Found::Same(expected.clone())));
    let part = Places::new(&queue, Arc::clone(&index), places.clone());
    assert_eq!(part.depth().await, Ok(expected.len() as u64));
    assert_eq!(part.page(End::Oldest, 2, 3).await.unwrap(), expected[2..5]);
    assert_eq!(part.page(End::Newest, 0, 2).await.unwrap(), [expected[expected.len() - 1].clone(), expected[expected.len() - 2].clone()]);
    assert!(!part.moved());
    queue.claim(&texts[..1], LONG).await.unwrap();
    assert_eq!(entries(&queue, &index, &places).await, Ok(Found::Moved));
    assert!(part.page(End::Oldest, 0, 3).await.unwrap().is_empty() && part.moved());
    let prefix = pipeline::dead_letter::entry_id(&texts[9]);
    assert_eq!(index.by_id(&prefix[..8]).map(|place| place.from_oldest), Some(9));
    assert_eq!((index.by_id("fffffffffffff"), index.by_id("zzzz"), index.by_id("")), (None, None, None));
}

#[tokio::test]
async fn what_other_programs_do_to_the_list_is_seen_at_its_ends() {
    for change in ["DELETE FROM dead_letters WHERE number = 1", "UPDATE dead_letters SET entry = 'x' WHERE number = 20"] {
        let queue = Sqlite::temporary().unwrap();
        queue.restore(&(0..20).map(entry).collect::<Vec<_>>()).await.unwrap();
        let mut index = read_anew(&queue).await;
        let file = rusqlite::Connection::open(queue.path()).unwrap();
        // As if it did not tell.
        file.execute_batch(&format!("{change}; UPDATE dead_letter_moves SET moves = {}", index.state().moves)).unwrap();
        file.execute_batch("INSERT INTO dead_letters (entry) VALUES ('y')").unwrap();
        assert!(!follow(&queue, &mut index).await.unwrap(), "{change}");
    }
}

#[test]
fn an_index_that_is_full_forgets_the_older_half_and_its_texts() {
    let mut index = Index::new(0, 0, RandomState::new());
    index.bounds = (100, MOST_BYTES);
    (0..1000).for_each(|number| index.add(entry(number)));
    assert!(index.rows.len() <= 100 && index.rows.len() > 40, "{}", index.rows.len());
    assert_eq!(index.state().depth, 1000, "none is forgotten of how many there are");
    assert_eq!(index.unknown() + index.rows.len() as u64, 1000);
    let newest = index.page(&Filter::default(), now(), 0, 1);
    assert_eq!(newest.rows[0].id, pipeline::dead_letter::entry_id(&entry(999)));
    assert_eq!(index.by_id(&newest.rows[0].id).map(|place| place.from_oldest), Some(999));
    index.bounds = (100, 4000);
    (1000..1100).for_each(|number| {
        let text = serde_json::json!({"originalData": "", "fingerprint": format!("{number}:{}", "x".repeat(200))}).to_string();
        index.add(text);
    });
    assert!(index.names.bytes() <= 4000 && index.state().depth == 1100, "{}", index.names.bytes());
    assert_eq!(index.groups().iter().map(|group| group.count).sum::<u64>(), 1100 - index.unknown());
}
