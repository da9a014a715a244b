//! `trace …` on a command line.

use clap::Args;
use events::Timestamp;
use pipeline::Entity;
use pipeline::trace::Subject;
use uuid::Uuid;

use super::{Asked, Question};

/// Which event is looked for, or everything about whom.
#[derive(Clone, Debug, PartialEq, Eq, Args)]
pub struct TraceArgs {
    /// The event's `eventId`. Without it: everything about the user, the order, the payment or the article that is named.
    #[arg(required_unless_present_any = ["user", "order", "payment", "sku"])]
    event_id: Option<Uuid>,
    /// The user; beside an event, the one that it is about: tells whether a newer event has taken its place.
    #[arg(long, value_name = "ID", group = "entity")]
    user: Option<Uuid>,
    /// The order; beside an event, the one that it is about.
    #[arg(long, value_name = "ID", group = "entity")]
    order: Option<Uuid>,
    /// The payment; beside an event, the one that it is about.
    #[arg(long, value_name = "ID", group = "entity")]
    payment: Option<Uuid>,
    /// The article.
    #[arg(long, group = "entity", conflicts_with = "event_id")]
    sku: Option<String>,
    /// The event's own `timestamp` (RFC 3339), where you know it: it is compared with that of the row; of a stock adjustment, with the time before
    /// which lines of the ledger were folded.
    #[arg(long, value_name = "TIME", value_parser = time, requires = "event_id")]
    at: Option<Timestamp>,
    /// As JSON.
    #[arg(long)]
    pub json: bool,
}

fn time(text: &str) -> Result<Timestamp, &'static str> {
    Timestamp::parse(text).map_err(|_| "not a time such as 2026-01-15T10:30:00Z")
}

impl TraceArgs {
    /// What they ask for.
    pub fn asked(&self) -> Asked {
        let entity = self.user.map(Entity::User).or(self.order.map(Entity::Order)).or(self.payment.map(Entity::Payment));
        match (self.event_id, entity, &self.sku) {
            (Some(event_id), ..) => Asked::Event(Question { event_id, entity, event_at: self.at }),
            (None, Some(entity), _) => Asked::Subject(Subject::Entity(entity)),
            (None, None, sku) => Asked::Subject(Subject::Article(sku.clone().unwrap_or_default())),
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Cli {
        #[command(flatten)]
        trace: TraceArgs,
    }

    fn asked(arguments: &[&str]) -> Option<Asked> {
        Cli::try_parse_from(["trace"].iter().chain(arguments)).ok().map(|cli| cli.trace.asked())
    }

    fn question(arguments: &[&str]) -> Option<Question> {
        match asked(arguments)? {
            Asked::Event(question) => Some(question),
            Asked::Subject(_) => None,
        }
    }

    #[test]
    fn without_an_event_everything_about_one_subject_is_asked_for() {
        let id = "2f1c7d5e-0001-4000-8000-000000000001";
        let entity_id = id.parse().unwrap();
        for (option, entity) in
            [("--user", Entity::User(entity_id)), ("--order", Entity::Order(entity_id)), ("--payment", Entity::Payment(entity_id))]
        {
            assert_eq!(asked(&[option, id]), Some(Asked::Subject(Subject::Entity(entity))));
        }
        assert_eq!(asked(&["--sku", "A 1"]), Some(Asked::Subject(Subject::Article("A 1".to_owned()))));
        for wrong in [&["--sku", "A", "--user", id][..], &[id, "--sku", "A"], &["--user", id, "--at", "1970-01-01T00:00:00Z"]] {
            assert_eq!(asked(wrong), None, "{wrong:?}");
        }
    }

    #[test]
    fn one_entity_may_be_named_and_a_time() {
        let (event, id) = ("2f1c7d5e-ffff-4000-8000-000000000001", "2F1C7D5E000140008000000000000001");
        let (event_id, entity_id) = (event.parse().unwrap(), id.parse().unwrap());
        assert_eq!(question(&[event]), Some(Question { event_id, entity: None, event_at: None }));
        for (option, entity) in
            [("--user", Entity::User(entity_id)), ("--order", Entity::Order(entity_id)), ("--payment", Entity::Payment(entity_id))]
        {
            assert_eq!(question(&[event, option, id]).unwrap().entity, Some(entity));
        }
        let at = question(&[event, "--user", id, "--at", "1970-01-01T01:00:00+01:00"]).unwrap().event_at;
        assert_eq!(at, Some(Timestamp::UNIX_EPOCH));
        assert_eq!(question(&[event, "--at", "1970-01-01T00:00:00Z"]).unwrap().event_at, at, "of a stock adjustment");
        for wrong in [&[][..], &["no-id"], &[event, "--user", id, "--order", id], &[event, "--at", "yesterday"]] {
            assert_eq!(question(wrong), None, "{wrong:?}");
        }
    }
}
