//! The command line.

#![allow(clippy::doc_markdown, reason = "these comments are the help, and a terminal shows back quotes as they are")]

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use events::{AdjustmentType, Money, OrderItem, Timestamp};
use uuid::Uuid;

use crate::fields;

/// Puts events on a Kafka topic.
///
/// Without a command it opens a menu in the terminal. Where Kafka is, and how to log in there, is read from the KAFKA_* environment
/// variables (KAFKA_BROKERS, KAFKA_TOPIC, …) and from a .env file in the working directory.
#[derive(Debug, Parser)]
#[command(name = "producer", after_help = CODES, after_long_help = EXAMPLES)]
pub struct Cli {
    /// What to do; nothing opens the menu.
    #[command(subcommand)]
    pub command: Option<Command>,
}

const CODES: &str = "Exit codes: 0 everything was delivered, 1 something was not, 2 wrong usage or settings.";

const EXAMPLES: &str = "\
Examples:
  producer
  producer send user-created --email ada@example.com --first-name Ada --last-name Lovelace
  producer send --json - < event.json
  producer send-raw --data 'this is not JSON'
  producer generate --events 10000 --rate 500 --seed 7
  KAFKA_BROKERS=kafka:9092 producer send inventory-adjusted --sku MOUSE-01 --quantity 100

Exit codes: 0 everything was delivered, 1 something was not, 2 wrong usage or settings.";

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Send one event, from flags or as JSON, once it has passed the checks of the contract.
    Send(SendArgs),
    /// Send any bytes, unchecked: for trying the dead letter queue.
    SendRaw(RawArgs),
    /// Send sample events: users, their orders, payments of these, and the stock that moves with them.
    Generate(GenerateArgs),
}

/// `send`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  producer send user-created
  producer send order-placed --user-id 2f1c7d5e-0001-4000-8000-000000000001 --item MOUSE-01:2:49.90 --item CABLE-HDMI:1:14.49
  producer send payment-settled --order-id 2f1c7d5e-0002-4000-8000-000000000002 --amount 114.29
  producer send inventory-adjusted --sku MOUSE-01 --quantity -2 --adjustment-type order_fulfilled
  producer send --json '{\"eventId\": …}'
  producer send --json-file event.json --output json")]
pub struct SendArgs {
    /// The event, field by field.
    #[command(subcommand)]
    pub event: Option<EventArgs>,
    /// The event as JSON; `-` reads it from the standard input. The key is derived from it.
    #[arg(long, value_name = "TEXT", conflicts_with = "json_file")]
    pub json: Option<String>,
    /// The event as JSON, from a file.
    #[arg(long, value_name = "FILE")]
    pub json_file: Option<PathBuf>,
    /// Where to, and how to say so.
    #[command(flatten)]
    pub to: To,
}

/// Where to send, and how to show the acknowledgement.
#[derive(Debug, Default, Args)]
pub struct To {
    /// The topic, instead of KAFKA_TOPIC.
    #[arg(long, global = true, value_name = "NAME")]
    pub topic: Option<String>,
    /// How to show where the message is.
    #[arg(long, global = true, value_enum, default_value_t = Output::Text)]
    pub output: Output,
}

/// How to show what became of a message, or of many.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Output {
    /// Lines for people.
    #[default]
    Text,
    /// A line of JSON for machines.
    Json,
}

/// The four events. Ids that are left out are random, times are now.
#[derive(Debug, Subcommand)]
pub enum EventArgs {
    /// A user signed up or changed.
    #[command(visible_alias = "UserCreated")]
    UserCreated(UserArgs),
    /// A user placed an order.
    #[command(visible_alias = "OrderPlaced")]
    OrderPlaced(OrderArgs),
    /// A payment of an order was settled.
    #[command(visible_alias = "PaymentSettled")]
    PaymentSettled(PaymentArgs),
    /// The stock of an article moved.
    #[command(visible_alias = "InventoryAdjusted")]
    InventoryAdjusted(AdjustmentArgs),
}

/// What all events have.
#[derive(Debug, Args)]
pub struct EnvelopeArgs {
    /// The identity under which the event counts once [default: random].
    #[arg(long, value_name = "UUID", value_parser = fields::uuid)]
    pub event_id: Option<Uuid>,
    /// When it happened, as RFC 3339 writes it [default: now].
    #[arg(long, value_name = "TIME", value_parser = fields::time)]
    pub timestamp: Option<Timestamp>,
}

/// `UserCreated`.
#[derive(Debug, Args)]
pub struct UserArgs {
    /// The user's identity [default: random].
    #[arg(long, value_name = "UUID", value_parser = fields::uuid)]
    pub user_id: Option<Uuid>,
    /// The e-mail address [default: made of the name].
    #[arg(long, value_parser = fields::email)]
    pub email: Option<String>,
    /// The first name [default: one of a list].
    #[arg(long, value_name = "NAME", value_parser = fields::name)]
    pub first_name: Option<String>,
    /// The last name [default: one of a list].
    #[arg(long, value_name = "NAME", value_parser = fields::name)]
    pub last_name: Option<String>,
    /// When the user came to be [default: the timestamp].
    #[arg(long, value_name = "TIME", value_parser = fields::time)]
    pub created_at: Option<Timestamp>,
    /// The envelope.
    #[command(flatten)]
    pub envelope: EnvelopeArgs,
}

/// `OrderPlaced`.
#[derive(Debug, Args)]
pub struct OrderArgs {
    /// The user who orders.
    #[arg(long, value_name = "UUID", value_parser = fields::uuid)]
    pub user_id: Uuid,
    /// A line of the order, once for each [default: one article of the sample catalog].
    #[arg(long = "item", value_name = "SKU:QUANTITY:PRICE", value_parser = fields::item)]
    pub items: Vec<OrderItem<'static>>,
    /// What the order costs [default: the sum of its items].
    #[arg(long, value_name = "AMOUNT", value_parser = fields::money)]
    pub total_amount: Option<Money>,
    /// Three upper-case letters.
    #[arg(long, default_value = crate::defaults::CURRENCY, value_parser = fields::currency)]
    pub currency: String,
    /// The order's identity [default: random].
    #[arg(long, value_name = "UUID", value_parser = fields::uuid)]
    pub order_id: Option<Uuid>,
    /// When it was placed [default: the timestamp].
    #[arg(long, value_name = "TIME", value_parser = fields::time)]
    pub placed_at: Option<Timestamp>,
    /// The envelope.
    #[command(flatten)]
    pub envelope: EnvelopeArgs,
}

/// `PaymentSettled`.
#[derive(Debug, Args)]
pub struct PaymentArgs {
    /// The order that is paid.
    #[arg(long, value_name = "UUID", value_parser = fields::uuid)]
    pub order_id: Uuid,
    /// How much is paid.
    #[arg(long, allow_hyphen_values = true, value_parser = fields::money)]
    pub amount: Money,
    /// Three upper-case letters.
    #[arg(long, default_value = crate::defaults::CURRENCY, value_parser = fields::currency)]
    pub currency: String,
    /// How it is paid.
    #[arg(long, value_name = "METHOD", default_value = crate::defaults::PAYMENT_METHOD, value_parser = fields::payment_method)]
    pub payment_method: String,
    /// How the payment ended.
    #[arg(long, default_value = crate::defaults::STATUS, value_parser = fields::status)]
    pub status: String,
    /// The payment's identity [default: random].
    #[arg(long, value_name = "UUID", value_parser = fields::uuid)]
    pub payment_id: Option<Uuid>,
    /// When it was settled [default: the timestamp].
    #[arg(long, value_name = "TIME", value_parser = fields::time)]
    pub settled_at: Option<Timestamp>,
    /// The envelope.
    #[command(flatten)]
    pub envelope: EnvelopeArgs,
}

/// `InventoryAdjusted`.
#[derive(Debug, Args)]
pub struct AdjustmentArgs {
    /// The article.
    #[arg(long, value_parser = fields::sku)]
    pub sku: String,
    /// By how much; `order_fulfilled` and `returned` carry their sign.
    #[arg(long, allow_hyphen_values = true, value_parser = fields::quantity)]
    pub quantity: i32,
    /// add, subtract, order_fulfilled or returned.
    #[arg(long, value_name = "TYPE", default_value = "add", value_parser = fields::adjustment_type)]
    pub adjustment_type: AdjustmentType,
    /// Why [default: by the type].
    #[arg(long, value_parser = fields::reason)]
    pub reason: Option<String>,
    /// When it was counted [default: the timestamp].
    #[arg(long, value_name = "TIME", value_parser = fields::time)]
    pub adjusted_at: Option<Timestamp>,
    /// The envelope.
    #[command(flatten)]
    pub envelope: EnvelopeArgs,
}

/// `send-raw`.
#[derive(Debug, Args)]
#[command(after_help = "\
The value is what --data or --file gives, and otherwise what stands on the standard input.

Examples:
  producer send-raw --data 'this is not JSON'
  printf '\\377\\376' | producer send-raw --key broken
  producer send-raw --tombstone --key 2f1c7d5e-0001-4000-8000-000000000001
  producer send-raw --file event.bin --header source=test --header attempt=2")]
pub struct RawArgs {
    /// The value, as text.
    #[arg(long, value_name = "TEXT", allow_hyphen_values = true, conflicts_with_all = ["file", "tombstone"])]
    pub data: Option<String>,
    /// The value, from a file.
    #[arg(long, value_name = "FILE", conflicts_with = "tombstone")]
    pub file: Option<PathBuf>,
    /// No value at all.
    #[arg(long)]
    pub tombstone: bool,
    /// The key, by which the partition is chosen [default: none].
    #[arg(long)]
    pub key: Option<String>,
    /// A header, once for each.
    #[arg(long = "header", value_name = "NAME=VALUE", value_parser = header)]
    pub headers: Vec<(String, String)>,
    /// Where to, and how to say so.
    #[command(flatten)]
    pub to: To,
}

/// `generate`.
#[derive(Debug, Args)]
#[command(after_help = "\
The same arguments with the same seed and start give the same events, byte for byte: sent again, they change nothing.
Ctrl-C stops, waits for what is on its way, and shows the summary; a second one does not wait.

Examples:
  producer generate
  producer generate --events 200000 --seed 7
  producer generate --events 5000 --rate 100 --out-of-order 0.2 --poison-every 50
  producer generate --events 5000 --output json")]
pub struct GenerateArgs {
    /// How many events.
    #[arg(long, value_name = "N", default_value_t = 1000)]
    pub events: u64,
    /// Records per second [default: as fast as the broker takes them].
    #[arg(long, value_name = "R", value_parser = rate)]
    pub rate: Option<f64>,
    /// What the events are made of [default: random, and shown].
    #[arg(long, value_name = "S")]
    pub seed: Option<u64>,
    /// How many of the events create a user [default: one in ten].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub users: Option<u64>,
    /// The share of orders and payments that are sent before their parent, from 0 to 1.
    #[arg(long, value_name = "SHARE", default_value_t = 0.0, value_parser = share)]
    pub out_of_order: f64,
    /// Adds unwritable records, of every kind in turn, so that each K-th record is one [default: none].
    #[arg(long, value_name = "K", value_parser = clap::value_parser!(u64).range(2..))]
    pub poison_every: Option<u64>,
    /// The time of the first event; each further one is a millisecond later [default: with --seed 2026-01-01T00:00:00Z, without it such
    /// that the last event is now].
    #[arg(long, value_name = "TIME", value_parser = fields::time)]
    pub start: Option<Timestamp>,
    /// The topic, instead of KAFKA_TOPIC.
    #[arg(long, value_name = "NAME")]
    pub topic: Option<String>,
    /// How to show what became of them.
    #[arg(long, value_enum, default_value_t = Output::Text)]
    pub output: Output,
}

fn header(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("must be NAME=VALUE")?;
    Ok((name.to_owned(), value.to_owned()))
}

fn rate(text: &str) -> Result<f64, String> {
    let rate = text.parse().ok().filter(|rate: &f64| rate.is_finite() && *rate > 0.0);
    rate.ok_or_else(|| "must be a number above zero".to_owned())
}

fn share(text: &str) -> Result<f64, String> {
    let share = text.parse().ok().filter(|share| (0.0..=1.0).contains(share));
    share.ok_or_else(|| "must be a number from 0 to 1".to_owned())
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    fn problem(line: &str) -> String {
        Cli::try_parse_from(line.split(' ')).expect_err("the line is wrong").to_string()
    }

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn each_event_is_known_by_its_name_on_the_wire_too() {
        for name in ["user-created", "UserCreated"] {
            let cli = Cli::try_parse_from(["producer", "send", name, "--first-name", "Ada", "--topic", "other"]).unwrap();
            let Some(Command::Send(SendArgs { event: Some(EventArgs::UserCreated(user)), to, .. })) = cli.command else {
                panic!("{name} is UserCreated");
            };
            assert_eq!((user.first_name.as_deref(), to.topic.as_deref()), (Some("Ada"), Some("other")));
        }
    }

    #[test]
    fn quantities_and_amounts_may_be_below_zero() {
        let cli = Cli::try_parse_from(["producer", "send", "inventory-adjusted", "--sku", "A", "--quantity", "-5"]).unwrap();
        let Some(Command::Send(SendArgs { event: Some(EventArgs::InventoryAdjusted(adjustment)), .. })) = cli.command else {
            panic!("it is an adjustment");
        };
        assert_eq!(adjustment.quantity, -5);
    }

    #[test]
    fn a_wrong_value_is_answered_with_the_rule_of_the_contract() {
        for (line, rule) in [
            ("producer send user-created --user-id 7", "must be a UUID with hyphens"),
            ("producer send inventory-adjusted --sku A --quantity 1.5", "must be a whole number"),
            ("producer send inventory-adjusted --sku A --quantity 1 --adjustment-type lost", "must be add, subtract"),
            ("producer generate --rate 0", "must be a number above zero"),
            ("producer generate --out-of-order 1.5", "must be a number from 0 to 1"),
            ("producer generate --poison-every 1", "1 is not in 2.."),
            ("producer send-raw --header novalue", "must be NAME=VALUE"),
            ("producer send-raw --data x --tombstone", "cannot be used with"),
        ] {
            assert!(problem(line).contains(rule), "{}", problem(line));
        }
    }
}
