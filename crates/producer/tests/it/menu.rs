//! The menu, with a person who follows a script.

use std::sync::mpsc;

use events::{AdjustmentType, Body, Event, EventType};
use pipeline::FaultClass;
use producer::fields::Checked;
use producer::generate::Progress;
use producer::menu::{self, Left, Prompt};
use tokio::sync::watch;

use crate::fakes::{AWAY, Does, Recorder, Script, target};

/// Runs the script to its end, with what was shown.
async fn run(recorder: &Recorder, (script, shown): (Script, std::sync::Arc<std::sync::Mutex<Vec<String>>>)) -> String {
    let (_stop, stopped) = watch::channel(0);
    menu::run(recorder, &target(), script, stopped, std::future::pending()).await.unwrap();
    let shown = shown.lock().unwrap();
    shown.join("\n")
}

fn types(events: &[Event<'_>]) -> Vec<EventType> {
    events.iter().map(Event::event_type).collect()
}

#[tokio::test]
async fn each_entry_offers_what_the_entries_before_it_created() {
    let recorder = Recorder::default();
    let user = "1 Ada Lovelace ada@example.com - ";
    let order = "2 1 EUR 3 2 - y NEW-SKU 1 0.5 n - - ";
    let payment = "3 1 - - - - - ";
    let stock = "4 1 3 -2 - 0";
    let script: &'static str = format!("{user}{order}{payment}{stock}").leak();
    let shown = run(&recorder, Script::typing(script)).await;
    let events = recorder.events();
    assert_eq!(types(&events), EventType::ALL);
    let [Body::UserCreated(user), Body::OrderPlaced(order), Body::PaymentSettled(payment), Body::InventoryAdjusted(stock)] =
        [0, 1, 2, 3].map(|index| events[index].body.clone())
    else {
        panic!("one of each: {shown}");
    };
    assert_eq!((user.email.as_ref(), user.first_name.as_ref(), user.last_name.as_ref()), ("ada@example.com", "Ada", "Lovelace"));
    assert_eq!((order.user_id, order.items.len()), (user.user_id, 2));
    assert_eq!(order.total_amount, "100.3".parse().unwrap(), "two mice at 49.90 and one for 0.50");
    assert_eq!((payment.order_id, payment.amount, payment.currency), (order.order_id, order.total_amount, order.currency));
    let kind = AdjustmentType::OrderFulfilled;
    assert_eq!(
        (stock.sku.as_ref(), stock.quantity, stock.adjustment_type),
        ("MOUSE-01", -2, kind),
        "the article ordered first comes first"
    );
    assert!(shown.contains(&format!("topic events, partition 2, offset 41\n  event {} (UserCreated)", events[0].id)), "{shown}");
    assert!(shown.contains("100.30 EUR"), "{shown}");
}

/// Someone who never answers, until the other end of the channel is gone.
struct Silent(mpsc::Receiver<()>);

impl Prompt for Silent {
    fn ask(&mut self, _question: &str, _default: Option<&str>, _check: &dyn Fn(&str) -> Checked<()>) -> Result<String, Left> {
        self.0.recv().ok();
        Err(Left::Program)
    }

    fn say(&mut self, _line: &str) {}

    fn progress(&self, _total: u64) -> Progress {
        Progress::Silent
    }
}

#[tokio::test]
async fn a_question_that_nobody_answers_does_not_hold_up_who_terminates_the_menu() {
    let (_answer, nobody) = mpsc::channel();
    let (_stop, stopped) = watch::channel(0);
    let (terminate, terminated) = tokio::sync::oneshot::channel::<()>();
    let recorder = Recorder::default();
    let target = target();
    let menu = menu::run(&recorder, &target, Silent(nobody), stopped, async { terminated.await.unwrap() });
    let (ended, ()) = tokio::join!(menu, async { terminate.send(()).unwrap() });
    ended.unwrap();
}

#[tokio::test]
async fn every_default_can_simply_be_accepted() {
    let recorder = Recorder::default();
    let shown = run(&recorder, Script::typing("1 - - - - 2 - - - - - - - - 3 - - - - - - 4 - - - - 0")).await;
    assert_eq!(types(&recorder.events()), EventType::ALL, "{shown}");
}

#[tokio::test]
async fn a_wrong_answer_is_met_with_the_rule_and_asked_again() {
    let recorder = Recorder::default();
    let script = "7 2 not-a-uuid - eur EUR X five 5000000000 1 1.23456 1 maybe n - - 4 X lost 1 0 1 - 0";
    let shown = run(&recorder, Script::typing(script)).await;
    for line in [
        "Number must be 0 to 5",
        "User id must be a UUID with hyphens",
        "Currency must be three upper-case letters",
        "Quantity must be a whole number",
        "Quantity must fit in 32 bits",
        "Quantity must not be 0: nothing would change",
        "Price of one has more than 4 decimals",
        "Another item? (y/n) must be y or n",
        "Type (number or name) must be add, subtract, order_fulfilled or returned",
    ] {
        assert!(shown.contains(line), "{line}: {shown}");
    }
    assert_eq!(types(&recorder.events()), [EventType::OrderPlaced, EventType::InventoryAdjusted]);
}

#[tokio::test]
async fn esc_leads_back_to_the_menu_and_out_of_it() {
    let recorder = Recorder::default();
    let steps = [Does::Types("1"), Does::Types("Ada"), Does::Escapes, Does::Types("4"), Does::Escapes, Does::Escapes, Does::Types("1")];
    let shown = run(&recorder, Script::new(&steps)).await;
    assert_eq!(recorder.attempts(), 0);
    assert_eq!(shown.matches("0  Exit").count(), 3);
    assert!(shown.ends_with("Goodbye."), "{shown}");
}

#[tokio::test]
async fn a_failed_delivery_is_explained_and_the_menu_goes_on_without_offering_what_never_arrived() {
    let recorder = Recorder::failing(0, AWAY);
    let shown = run(&recorder, Script::typing("1 - - - - 2 - - - - - - - - 0")).await;
    assert_eq!(recorder.attempts(), 2);
    assert!(shown.contains("Not delivered: Kafka at kafka.example:9092") && shown.contains("KAFKA_BROKERS"), "{shown}");
    assert!(shown.contains("No user was created in this run."), "{shown}");
}

#[tokio::test]
async fn a_message_that_is_too_large_is_not_blamed_on_the_connection() {
    let recorder = Recorder::failing(0, FaultClass::Poison);
    let shown = run(&recorder, Script::typing("1 - - - - 0")).await;
    assert!(shown.contains("too large") && !shown.contains("KAFKA_BROKERS"), "{shown}");
}

#[tokio::test]
async fn generated_users_and_orders_are_offered_too() {
    let recorder = Recorder::default();
    let shown = run(&recorder, Script::typing("5 0 200 7 3 1 - - - - - 0")).await;
    assert!(shown.contains("How many events must be a whole number from 1 to 1000000"), "{shown}");
    let events = recorder.events();
    assert_eq!(events.len(), 201);
    let Body::PaymentSettled(payment) = &events[200].body else { panic!("the last is the payment") };
    let paid = events.iter().find_map(|event| match &event.body {
        Body::OrderPlaced(order) if order.order_id == payment.order_id => Some(order.total_amount),
        _ => None,
    });
    assert_eq!(paid, Some(payment.amount));
    assert!(shown.contains("total                       200        200          0"), "{shown}");
}

#[tokio::test]
async fn two_users_created_from_defaults_have_different_addresses() {
    let recorder = Recorder::default();
    run(&recorder, Script::typing("1 Ada Lovelace - - 1 Ada Lovelace - - 0")).await;
    let address = |event: Event<'_>| match event.body {
        Body::UserCreated(user) => user.email_key(),
        _ => panic!("two users"),
    };
    let addresses: Vec<_> = recorder.events().into_iter().map(address).collect();
    assert!(addresses.len() == 2 && addresses[0] != addresses[1], "{addresses:?}");
}
