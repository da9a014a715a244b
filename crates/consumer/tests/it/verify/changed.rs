//! Comparing only what the log has changed.

use super::*;

const SETTINGS: Settings = Settings { rate: None, patience: Duration::ZERO, values: false, dead_letters: false, changed_only: true };

impl Scene {
    async fn verify_changed(&self) -> Report {
        self.verify_changed_until(&CancellationToken::new()).await.unwrap()
    }

    async fn verify_changed_until(&self, stop: &CancellationToken) -> Result<Report, Unfinished> {
        verify_as(SETTINGS, &self.topic, &self.tables, &self.tables, &self.shadow, stop).await
    }

    async fn append(&mut self, event: &Event<'_>) {
        self.topic.append(event);
        self.consume().await;
    }
}

/// Rows that were compared.
fn compared(report: &Report) -> u64 {
    report.tables.values().map(|table| table.rows).sum()
}

const DAMAGE: &str = "UPDATE users SET first_name = 'somebody' WHERE user_id = ?1";

#[tokio::test]
async fn the_rows_that_the_log_has_changed_are_compared_and_the_others_are_not() {
    let (old, new, order_id) = (id(), id(), id());
    let mut scene = Scene::of(&[user(old), order(order_id, old)]).await;
    let first = scene.verify_changed().await;
    assert!(first.is_equal() && !first.changed_only, "nothing was compared before, so everything is: {first}");
    assert_eq!(compared(&first), 2);
    let again = scene.verify_changed().await;
    assert!(again.is_equal() && again.changed_only && again.to_string().contains("the others were not looked at"), "{again}");
    assert_eq!(compared(&again), 0);

    for event in [user(new), payment(id(), order_id), adjustment("A-1", 3), order(order_id, old).later(60)] {
        scene.append(&event).await;
    }
    scene.damage(DAMAGE, old);
    let changed = scene.verify_changed().await;
    assert!(changed.is_equal() && changed.changed_only, "the damage is in a row that the log has not changed: {changed}");
    assert_eq!(compared(&changed), 4);
    assert_eq!(found(&scene.verify().await.unwrap()), [(Kind::Changed, "users", &*old.to_string())], "all of them are compared");
    let after = scene.verify_changed().await;
    assert!(!after.changed_only && !after.is_equal(), "after a difference, everything is compared until it is gone: {after}");
}

#[tokio::test]
async fn a_row_that_the_log_has_changed_is_found_different_missing_or_older() {
    for (sql, kind) in [
        (DAMAGE, Kind::Changed),
        ("DELETE FROM users WHERE user_id = ?1", Kind::Missing),
        ("UPDATE users SET event_id = zeroblob(16), event_at = event_at - 1 WHERE user_id = ?1", Kind::Older),
    ] {
        let (old, new) = (id(), id());
        let mut scene = Scene::of(&[user(old)]).await;
        assert!(scene.verify_changed().await.is_equal());
        scene.append(&user(new)).await;
        scene.append(&user(old).later(60)).await;
        for key in [old, new] {
            scene.damage(sql, key);
        }
        let report = scene.verify_changed().await;
        let mut keys = [old.to_string(), new.to_string()];
        keys.sort();
        let mut expected: Vec<_> = keys.iter().map(|key| (kind, "users", &**key)).collect();
        expected.sort_by_key(|(_, _, key)| *key);
        let mut found = found(&report);
        found.sort_by_key(|(_, _, key)| *key);
        assert!(report.changed_only && found == expected, "{sql}: {report}");
    }
}

#[tokio::test]
async fn what_a_run_did_not_come_to_is_compared_by_the_next() {
    let new = id();
    let mut scene = Scene::of(&[user(id())]).await;
    assert!(scene.verify_changed().await.is_equal());
    scene.append(&user(new)).await;
    // The shadow is brought up to the tables, and then it ends.
    fold(&scene.topic, &scene.shadow).await.fold_to(&scene.topic.ends()).await.unwrap();
    let stopped = CancellationToken::new();
    stopped.cancel();
    assert_eq!(scene.verify_changed_until(&stopped).await, Err(Unfinished::Stopped));
    scene.damage(DAMAGE, new);
    let report = scene.verify_changed().await;
    assert!(report.changed_only, "{report}");
    assert_eq!(found(&report), [(Kind::Changed, "users", &*new.to_string())]);
}
