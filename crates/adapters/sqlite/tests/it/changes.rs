//! What a shadow notes of its rows.

use pipeline::ports::RowChanges as _;
use pipeline::rows::Table;
use sqlite::Sqlite;
use testkit::builders::{Build as _, adjustment, id, user};
use testkit::delivery::apply;

#[tokio::test]
async fn rows_are_noted_from_the_first_mark_on_until_they_were_compared() {
    let store = Sqlite::temporary().unwrap();
    let (before, user_id) = (id(), id());
    apply(&store, &[user(before)]).await;
    let first = store.note_changes().await.unwrap();
    assert_eq!(store.changed(first, 10).await.unwrap(), None, "nobody has compared the others");
    apply(&store, &[user(user_id)]).await;
    store.compared(first, true).await.unwrap();
    let ledger_line = adjustment("A-1", 1);
    apply(&store, std::slice::from_ref(&ledger_line)).await;
    apply(&store, &[user(user_id).later(60)]).await;
    let second = store.note_changes().await.unwrap();
    let changed = [(Table::Users, user_id), (Table::Adjustments, ledger_line.id)];
    assert_eq!(store.changed(second, 2).await.unwrap().as_deref(), Some(&changed[..]), "each once, and those of after the mark");
    assert_eq!(store.changed(second, 1).await.unwrap(), None, "too many");
    apply(&store, &[user(before).later(60)]).await;
    assert_eq!(store.changed(second, 2).await.unwrap().as_deref(), Some(&changed[..]), "up to the mark");
    store.compared(second, true).await.unwrap();
    let third = store.note_changes().await.unwrap();
    assert_eq!(store.changed(third, 2).await.unwrap(), Some(vec![(Table::Users, before)]));
    store.compared(third, false).await.unwrap();
    assert_eq!(store.changed(third, 2).await.unwrap(), None, "something was different");
}
