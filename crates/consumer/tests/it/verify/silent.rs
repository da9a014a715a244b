//! Losses that no error and no metric tells, each as a defect of some program once made it. `verify` finds them all.

use super::*;

/// A consumer begins behind the first records, because somebody has moved the group's offsets, and its positions go on from there.
#[tokio::test(start_paused = true)]
async fn records_that_were_skipped_are_missing() {
    let (topic, tables) = (Topic::default(), Sqlite::temporary().unwrap());
    let users = [id(), id(), id()];
    users.iter().for_each(|user_id| topic.append_bytes(0, user(*user_id).to_json()));
    let skipped = LogPosition { log: LOG, topic: "events".into(), partition: 0, next_offset: 2 };
    tables.advance(&[skipped]).await.unwrap();
    fold(&topic, &tables).await.fold_to(&topic.ends()).await.unwrap();
    let report = verify_tables(&topic, &tables, &Sqlite::temporary().unwrap()).await.unwrap();
    let mut missing: Vec<_> = found(&report).into_iter().map(|(kind, table, key)| (kind, table, Uuid::parse_str(key).unwrap())).collect();
    missing.sort_by_key(|(.., key)| users.iter().position(|user| user == key));
    assert_eq!(missing, [(Kind::Missing, "users", users[0]), (Kind::Missing, "users", users[1])]);
}

/// Parked events were told apart by their places alone: of a topic that was created anew, the second event at one place was taken for the first.
#[tokio::test(start_paused = true)]
async fn an_event_that_was_taken_for_another_one_at_its_place_is_lost() {
    let (first, second) = (order(id(), id()), order(id(), id()));
    let mut scene = Scene::of(std::slice::from_ref(&first)).await;
    scene.topic.append(&second);
    scene.consume().await;
    scene.damage("DELETE FROM parked_events WHERE event_id = ?1", second.id);
    assert_eq!(found(&scene.verify().await.unwrap()), [(Kind::Lost, "parked_events", second.id.to_string().as_str())]);
}

/// The offset is committed before the dead letter is durable, and the process ends in between.
#[tokio::test(start_paused = true)]
async fn a_record_whose_dead_letter_was_never_pushed_is_told() {
    let mut scene = Scene::of(&[user(id())]).await;
    let place = format!("2/{}", scene.topic.ends().get(&2).copied().unwrap_or_default());
    scene.topic.append_bytes(2, b"no event".to_vec());
    scene.consume().await;
    scene.damage("DELETE FROM dead_letters", id());
    assert_eq!(found(&scene.verify().await.unwrap()), [(Kind::NoDeadLetter, "dead_letters", place.as_str())]);
}

/// A record that is delivered again is added to the stock again: the guard is the ledger, and it was not asked.
#[tokio::test(start_paused = true)]
async fn stock_that_counts_a_record_twice_is_no_sum_of_its_ledger() {
    let event = adjustment("sku", 5);
    let scene = Scene::of(std::slice::from_ref(&event)).await;
    scene.damage("UPDATE inventory SET quantity = quantity + 5", event.id);
    assert_eq!(found(&scene.verify().await.unwrap()), [(Kind::Stock, "inventory", "sku")]);
}

/// The statement's guard lets the later record win instead of the newer event.
#[tokio::test(start_paused = true)]
async fn an_older_event_that_was_written_over_a_newer_one_is_told() {
    let user_id = id();
    let older = user(user_id);
    let newer = user(user_id).with_user(|user| user.first_name = "Newer".into()).later(5);
    let scene = Scene::of(&[newer, older.clone()]).await;
    // What a statement without the guard leaves.
    assert_eq!(
        scene.tables.outdate(Table::Users, user_id, scene.tables.rows(Table::Users, &[user_id]).await.unwrap()[0].event_id).await,
        Ok(true)
    );
    scene.tables.apply(Batch::new(&[Item { event: &older, releases: Vec::new() }])).await.unwrap();
    assert_eq!(found(&scene.verify().await.unwrap()), [(Kind::Older, "users", user_id.to_string().as_str())]);
}

/// A newer version of an order has fewer items, and those of the version before were left.
#[tokio::test(start_paused = true)]
async fn an_item_of_an_older_version_of_its_order_is_told() {
    let (user_id, order_id) = (id(), id());
    let scene = Scene::of(&[user(user_id), order(order_id, user_id)]).await;
    let sql = "INSERT INTO order_items (order_row, line_no, sku, quantity, price) SELECT order_row, 7, 'left', 1, '1' FROM orders WHERE order_id = ?1";
    scene.damage(sql, order_id);
    let report = scene.verify().await.unwrap();
    assert_eq!(found(&report), [(Kind::Changed, "orders", order_id.to_string().as_str())]);
    assert_eq!(report.differences[0].columns, ["items.7.sku", "items.7.quantity", "items.7.price"]);
}
