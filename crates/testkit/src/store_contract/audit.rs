//! What operators have changed. Other cases may have added entries before, so each begins at the end that it finds.

use events::Timestamp;
use pipeline::audit::{AuditAction, AuditEntry, AuditRecord, AuditTail, Origin, Sha256Digest, chain};
use pipeline::ports::{AUDIT_LOOKED_THROUGH, AuditPage};
use uuid::Uuid;

use super::Database;
use crate::builders::id;

/// More than any case adds.
const MANY: usize = 1000;

fn record(operation: Uuid, subject: &str) -> AuditRecord {
    AuditRecord {
        at: Timestamp::parse("2026-01-15T10:30:00.123456Z").expect("a time"),
        actor: "ada".to_owned(),
        origin: Origin::Http.label().to_owned(),
        action: AuditAction::Purge.label().to_owned(),
        operation,
        subject: subject.to_owned(),
        before: None,
        after: None,
        outcome: "begun".to_owned(),
    }
}

async fn append<S: Database>(store: &S, records: &[AuditRecord]) -> AuditTail {
    store.append_audit(records).await.expect("the store adds entries")
}

async fn page<S: Database>(store: &S, page: AuditPage, limit: usize) -> Vec<AuditEntry> {
    store.audit_page(page, limit).await.expect("the store reads entries")
}

/// The end of the log: adding nothing says where it is.
async fn end<S: Database>(store: &S) -> AuditTail {
    append(store, &[]).await
}

fn numbers(entries: &[AuditEntry]) -> Vec<i64> {
    entries.iter().map(|entry| entry.number).collect()
}

pub async fn an_entry_comes_back_as_it_was_written<S: Database>(store: &S) {
    let before = end(store).await;
    let (old, new) = (Sha256Digest::of(b"old"), Sha256Digest::of(b"new"));
    let full =
        AuditRecord { subject: "Zoë 😀 \"dead letter\" \\ 'x'".to_owned(), before: Some(old), after: Some(new), ..record(id(), "") };
    let half = AuditRecord { before: Some(old), subject: String::new(), at: Timestamp::UNIX_EPOCH, ..record(id(), "") };
    let records = [full, half, record(id(), "plain")];
    let after = append(store, &records).await;
    let entries = page(store, AuditPage::After(before.number), MANY).await;
    assert_eq!(entries, chain(before, &records));
    assert_eq!(after, AuditTail { number: before.number + 3, hash: entries[2].hash });
    assert_eq!(end(store).await, after, "adding nothing changes nothing");
}

pub async fn entries_are_chained_over_appends<S: Database>(store: &S) {
    let before = end(store).await;
    let (first, second) = ([record(id(), "1"), record(id(), "2")], [record(id(), "3")]);
    append(store, &first).await;
    append(store, &second).await;
    let entries = page(store, AuditPage::After(before.number), MANY).await;
    assert_eq!(entries, chain(before, &[&first[..], &second].concat()));
}

pub async fn writers_at_one_time_all_add_their_entries_in_one_piece<S: Database>(store: &S) {
    let before = end(store).await;
    let operations = [id(), id(), id(), id()];
    let both = |operation| [record(operation, "begun"), record(operation, "ended")];
    let [a, b, c, d] = operations.map(both);
    tokio::join!(append(store, &a), append(store, &b), append(store, &c), append(store, &d));
    let entries = page(store, AuditPage::After(before.number), MANY).await;
    let records: Vec<_> = entries.iter().map(|entry| entry.record.clone()).collect();
    assert_eq!(entries, chain(before, &records), "the chain is whole");
    assert_eq!(entries.len(), 8);
    assert!(entries.chunks(2).all(|two| two[0].record.operation == two[1].record.operation), "each in one piece");
    assert!(operations.iter().all(|operation| entries.iter().any(|entry| entry.record.operation == *operation)));
}

pub async fn pages_go_in_either_direction<S: Database>(store: &S) {
    let before = end(store).await.number;
    append(store, &["1", "2", "3", "4"].map(|subject| record(id(), subject))).await;
    let after = |number| AuditPage::After(before + number);
    assert_eq!(numbers(&page(store, after(0), 2).await), [before + 1, before + 2]);
    assert_eq!(numbers(&page(store, after(2), MANY).await), [before + 3, before + 4]);
    assert!(page(store, after(4), MANY).await.is_empty());
    assert_eq!(numbers(&page(store, AuditPage::Before(i64::MAX), 2).await), [before + 4, before + 3]);
    assert_eq!(numbers(&page(store, AuditPage::Before(before + 3), 2).await), [before + 2, before + 1]);
    assert!(page(store, AuditPage::Before(1), MANY).await.is_empty());
}

pub async fn the_entries_of_one_operation_are_found<S: Database>(store: &S) {
    let (operation, other) = (id(), id());
    let last = append(store, &[operation, other, operation, other, operation].map(|operation| record(operation, "x"))).await.number;
    let of = |after| AuditPage::Of { operation, after };
    assert_eq!(numbers(&page(store, of(0), MANY).await), [last - 4, last - 2, last]);
    assert_eq!(numbers(&page(store, of(0), 2).await), [last - 4, last - 2]);
    assert_eq!(numbers(&page(store, of(last - 2), 2).await), [last]);
    assert!(page(store, AuditPage::Of { operation: id(), after: 0 }, MANY).await.is_empty());
}

pub async fn the_newest_entries_about_one_thing_are_found<S: Database>(store: &S) {
    let letter = format!("dead letter {}", &id().simple().to_string()[20..]);
    let about = [letter.clone(), format!("{letter}, event {}", id())];
    let others = [format!("{letter}0"), format!("{letter} "), letter[..20].to_owned(), format!("all but {letter}")];
    let of = |subjects: &[String]| subjects.iter().map(|subject| record(id(), subject)).collect::<Vec<_>>();
    let last = append(store, &[of(&about), of(&others)].concat()).await.number;
    let found = async |limit| page(store, AuditPage::About(letter.clone()), limit).await;
    assert_eq!(numbers(&found(MANY).await), [last - 4, last - 5], "{others:?}");
    assert_eq!(numbers(&found(1).await), [last - 4]);
    assert_eq!(numbers(&page(store, AuditPage::About("dead letter".to_owned()), MANY).await), [0; 0]);
    // Of a long log, the newest alone are looked through.
    append(store, &of(&about[..1])).await;
    let many = vec![record(id(), "another"); AUDIT_LOOKED_THROUGH as usize - 1];
    for some in many.chunks(2000) {
        append(store, some).await;
    }
    assert_eq!(numbers(&found(MANY).await), [last + 1]);
}

pub async fn what_does_not_fit_is_shortened_and_the_chain_holds<S: Database>(store: &S) {
    let before = end(store).await;
    let long = "😀".repeat(3000);
    let records = [AuditRecord { actor: long.clone(), subject: long.clone(), outcome: long, ..record(id(), "") }, record(id(), "a\0b")];
    append(store, &records).await;
    assert_eq!(page(store, AuditPage::After(before.number), MANY).await, chain(before, &records));
}
