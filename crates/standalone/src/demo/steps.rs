//! The six steps.

use std::time::Duration;

use consumer::audit::Unwitnessed;
use consumer::dlq::{Filter, RedriveRequest, Route, redrive};
use pipeline::dead_letter::{Entry, entry_id};
use pipeline::ports::{ClaimQueue, DeadLetterReader, GroupProgress};
use pipeline::{DeadLetterQueue, Publisher};
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use super::report::words;
use super::{Demo, Stage};

/// How long the claim of a dead letter lasts: longer than a delivery may take.
const LEASE: Duration = Duration::from_secs(60);

impl<P, G, Q> Demo<P, G, Q>
where
    P: Publisher,
    G: GroupProgress,
    Q: DeadLetterQueue + DeadLetterReader + ClaimQueue,
{
    pub(super) async fn initial_state(&mut self) -> anyhow::Result<()> {
        self.report.step(1, "initial state");
        let health = self.client.get("/health").await?;
        self.report.say(format!("API at {}, health: {}", self.stage.api, words(&health["status"])));
        let user = self.client.get(&format!("/users/{}", self.story.user_id)).await?;
        let stock = self.client.get(&format!("/inventory/{}", self.story.sku)).await?;
        self.report.check_json("the user of this run", &Value::Null, &user);
        self.report.check_json("the article of this run", &Value::Null, &stock);
        self.report.say(format!("dead letters in the queue: {}", self.stage.dead_letters.depth().await?));
        Ok(())
    }

    pub(super) async fn journey(&mut self) -> anyhow::Result<()> {
        self.report.step(2, "an e-commerce journey, out of order on purpose");
        self.report.say("payment first, then the order, its user last: children wait for their parents");
        for event in self.story.journey().iter().rev() {
            let sent = self.send_event(event).await?;
            // One at a time, so that the children really are consumed before their parents.
            self.report.check("consumed and committed", true, self.consumed(&[sent]).await?);
        }
        let path = format!("/orders/{}", self.story.order_id);
        let order = self.client.get_until(&path, |order| order["payment"]["status"] == "settled").await?;
        self.report.say(format!("GET {path}"));
        order_lines(&order).into_iter().for_each(|line| self.report.say(line));
        self.report.check_json("totalAmount", &json!(299.99), &order["totalAmount"]);
        self.report.check_json("payment amount", &json!(299.99), &order["payment"]["amount"]);
        let user = self.client.get(&format!("/users/{}", self.story.user_id)).await?;
        self.report.check_json("the user's newest order", &json!(self.story.order_id.to_string()), &user["orders"][0]["orderId"]);
        self.check_stock(98).await
    }

    pub(super) async fn idempotency(&mut self) -> anyhow::Result<()> {
        self.report.step(3, "idempotency: one event three times, and the whole journey again");
        let path = format!("/orders/{}", self.story.order_id);
        let before = self.client.get(&path).await?;
        let mut sent = Vec::new();
        let delivery = self.story.delivery();
        for event in [&delivery, &delivery, &delivery].into_iter().chain(&self.story.journey()) {
            sent.push(self.send_event(event).await?);
        }
        self.report.check("consumed and committed", true, self.consumed(&sent).await?);
        self.report.say("the delivery of 10 counts once, the rest not at all");
        self.check_stock(108).await?;
        let after = self.client.get(&path).await?;
        self.report.check("the order, updatedAt included, is unchanged", true, before == after);
        Ok(())
    }

    pub(super) async fn error_handling(&mut self) -> anyhow::Result<()> {
        self.report.step(4, "error handling: three bad records, and an order without a user");
        let mut sent = Vec::new();
        for (name, bytes) in self.story.broken() {
            self.report.say(format!("sent {name}"));
            sent.push(self.send("demo", bytes.into_bytes()).await?);
        }
        sent.push(self.send_event(&self.story.orphan()).await?);
        self.report.check("consumed and committed", true, self.consumed(&sent).await?);
        let orphan = format!("/orders/{}", self.story.orphan_order_id);
        self.report.check_json("the orphan's row", &Value::Null, &self.client.get(&orphan).await?);
        let expected = if self.stage.gives_up_soon { 4 } else { 3 };
        if self.stage.gives_up_soon {
            self.report.say("the orphan is parked; its user does not come before the deadline of two seconds");
        } else {
            self.report.say("the orphan is parked until its user comes or the deadline is over");
        }
        let dead_letters = self.dead_letters(expected).await?;
        self.report.check("dead letters of this run", expected, dead_letters.len());
        self.show_dead_letters(&dead_letters);

        self.report.say("now its user comes");
        let user = self.send_event(&self.story.late_user()).await?;
        self.report.check("consumed and committed", true, self.consumed(&[user]).await?);
        if self.stage.gives_up_soon {
            self.redrive_orphan(&dead_letters).await?;
        }
        let order = self.client.get_until(&orphan, |order| !order.is_null()).await?;
        self.report.check_json("the orphan's row", &json!(self.story.orphan_order_id.to_string()), &order["orderId"]);
        Ok(())
    }

    async fn redrive_orphan(&mut self, dead_letters: &[String]) -> anyhow::Result<()> {
        let is_orphan = |json: &&String| Entry::parse(json).is_ok_and(|entry| entry.reason.as_deref() == Some("missing_parent"));
        let Some(dead_letter) = dead_letters.iter().find(is_orphan) else {
            self.report.check("a dead letter with the reason missing_parent", true, false);
            return Ok(());
        };
        let Stage { dead_letters: queue, publisher, topic, .. } = &self.stage;
        let route = Route { queue, publisher, default_topic: topic, lease: LEASE, stop: &CancellationToken::new() };
        let filter = Filter { ids: [entry_id(dead_letter)].into(), ..Filter::default() };
        let summary =
            redrive(route, &RedriveRequest { filter, limit: None, rate: None, max_retries: u32::MAX }, &mut Unwitnessed, |_| {}).await;
        self.report.check("the orphan's dead letter is redriven", 1, summary.redriven);
        let left = self.dead_letters(3).await?;
        self.report.check("dead letters of this run after the redrive", 3, left.len());
        Ok(())
    }

    pub(super) async fn metrics(&mut self) -> anyhow::Result<()> {
        self.report.step(5, "metrics");
        let text = self.client.all(&self.stage.metrics, "/metrics").await?;
        let shown = ["events_processed_total{", "dlq_entries_total", "pipeline_released_total", "pipeline_dlq_depth"];
        for line in text.lines().filter(|line| shown.iter().any(|name| line.starts_with(name)) && !line.ends_with(" 0")) {
            self.report.say(line);
        }
        let histograms = ["db_operation_duration_seconds_count", "kafka_consume_duration_seconds_count"];
        for name in histograms {
            let found = text.lines().any(|line| line.starts_with(name) && !line.ends_with(" 0"));
            self.report.check(format!("{name} has counted"), true, found);
        }
        Ok(())
    }

    pub(super) async fn final_state(&mut self) -> anyhow::Result<()> {
        self.report.step(6, "final state");
        self.report.say("stock: 100 delivered - 2 ordered + 10 delivered, however often each event came");
        self.check_stock(108).await?;
        let user = self.client.get(&format!("/users/{}", self.story.user_id)).await?;
        let orders = user["orders"].as_array().map_or(0, Vec::len);
        self.report.check("orders of the user", 1, orders);
        let late = self.client.get(&format!("/users/{}", self.story.late_user_id)).await?;
        self.report.check("orders of the late user", 1, late["orders"].as_array().map_or(0, Vec::len));
        self.report.check("dead letters of this run", 3, self.dead_letters(3).await?.len());
        if let Some(verification) = self.stage.verification.take() {
            self.report.say("verify: the whole log is read once more, and every row compared with what it makes");
            self.report.check("differences between tables and log", 0, verification.await?.differences.len());
        }
        Ok(())
    }

    async fn check_stock(&mut self, expected: i64) -> anyhow::Result<()> {
        let path = format!("/inventory/{}", self.story.sku);
        let stock = self.client.get_until(&path, |stock| stock["quantity"] == expected).await?;
        self.report.check_json(format!("stock of {}", self.story.sku), &json!(expected), &stock["quantity"]);
        Ok(())
    }
}

/// An order, as the API answers it, in lines for a person.
fn order_lines(order: &Value) -> Vec<String> {
    let said = |value: &Value| words(value);
    let item = |item: &Value| format!("  {} of {} at {}", said(&item["quantity"]), said(&item["sku"]), said(&item["price"]));
    let payment = &order["payment"];
    let items = order["items"].as_array().into_iter().flatten().map(item);
    let first = format!("  {} {}, placed at {}", said(&order["totalAmount"]), said(&order["currency"]), said(&order["placedAt"]));
    let last = format!("  paid {} by {}: {}", said(&payment["amount"]), said(&payment["paymentMethod"]), said(&payment["status"]));
    std::iter::once(first).chain(items).chain([last]).collect()
}
