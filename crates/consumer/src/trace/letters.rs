//! The dead letters of an event, and of what events are about.

use events::EventType;
use pipeline::Entity;
use pipeline::dead_letter::Entry;
use pipeline::fault::Fault;
use pipeline::ports::DeadLetterReader;
use pipeline::trace::{About, Subject};
use uuid::Uuid;

use crate::dlq::listed::Listed;
use crate::dlq::scan::Scan;

/// Dead letters that are told of one subject.
const TOLD: usize = 100;

/// Some dead letters.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DeadLetters {
    /// Those that were looked for, oldest first. Of what events are about, 100 at most.
    pub found: Vec<Letter>,
    /// How many more there are.
    pub more: u64,
    /// How many entries were looked at.
    pub examined: u64,
}

/// A dead letter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Letter {
    /// The entry.
    pub listed: Listed,
    /// What its payload says, where it keeps the contract.
    pub about: Option<About>,
}

impl From<Listed> for Letter {
    fn from(listed: Listed) -> Self {
        let value = listed.entry.as_ref().and_then(Entry::value);
        Self { about: value.and_then(|value| About::read(&value)), listed }
    }
}

/// Looks at every entry, a page at a time.
pub(crate) async fn of_event<Q: DeadLetterReader>(queue: &Q, event_id: Uuid) -> Result<DeadLetters, Fault> {
    let mut dead_letters = DeadLetters::default();
    let mut scan = Scan::start(queue).await?;
    loop {
        let page = scan.look().await?;
        if page.is_empty() {
            return Ok(dead_letters);
        }
        dead_letters.examined += page.len() as u64;
        dead_letters.found.extend(page.into_iter().filter(|listed| is_of(listed, event_id)).map(Letter::from));
    }
}

fn is_of(listed: &Listed, event_id: Uuid) -> bool {
    listed.entry.as_ref().and_then(Entry::event_uuid) == Some(event_id)
}

/// The same for a subject. Only entries in whose text it stands are read.
pub(crate) async fn of_subject<Q: DeadLetterReader>(queue: &Q, subject: &Subject) -> Result<DeadLetters, Fault> {
    let mut dead_letters = DeadLetters::default();
    let mentions = Mentions::of(subject);
    let mut scan = Scan::start(queue).await?;
    loop {
        let page = scan.look_at_texts().await?;
        if page.is_empty() {
            return Ok(dead_letters);
        }
        dead_letters.examined += page.len() as u64;
        for text in page.into_iter().filter(|text| mentions.may_stand_in(text)) {
            let listed = Listed::new(text);
            if subject_of(&listed).as_ref() != Some(subject) {
                continue;
            }
            if dead_letters.found.len() < TOLD {
                dead_letters.found.push(listed.into());
            } else {
                dead_letters.more += 1;
            }
        }
        // The consumer works on the same threads.
        tokio::task::yield_now().await;
    }
}

/// How a subject may stand in the text of an entry: in one of these ways; in ways that cannot be told where there is none.
struct Mentions(Vec<String>);

impl Mentions {
    fn of(subject: &Subject) -> Self {
        match subject {
            Subject::Entity(entity) => Self(vec![entity.id().to_string(), entity.id().to_string().to_uppercase()]),
            // What is escaped in JSON may stand there in more than one way: then every entry is read.
            Subject::Article(sku) if sku.bytes().all(|byte| byte.is_ascii_alphanumeric() || b" -_.:+#".contains(&byte)) => {
                Self(vec![sku.clone()])
            }
            Subject::Article(_) => Self(Vec::new()),
        }
    }

    /// Whether it may: a payload that is no UTF-8 stands there in base64.
    fn may_stand_in(&self, text: &str) -> bool {
        self.0.is_empty() || self.0.iter().any(|way| text.contains(way)) || text.contains("\"base64\"")
    }
}

/// What an entry is about: by its event, or, where that breaks the contract, by the field that would tell it.
pub(crate) fn subject_of(listed: &Listed) -> Option<Subject> {
    let value = listed.entry.as_ref().and_then(Entry::value)?;
    if let Ok(event) = events::decode(&value) {
        return Some(Subject::of(&event.body));
    }
    let fields = listed.fields()?;
    let told = |field: &str| fields.get(field)?.as_str();
    let id = |field: &str| told(field).and_then(|id| Uuid::try_parse(id).ok());
    match EventType::parse(told("eventType")?)? {
        EventType::UserCreated => id("userId").map(Entity::User).map(Subject::Entity),
        EventType::OrderPlaced => id("orderId").map(Entity::Order).map(Subject::Entity),
        EventType::PaymentSettled => id("paymentId").map(Entity::Payment).map(Subject::Entity),
        EventType::InventoryAdjusted => told("sku").map(|sku| Subject::Article(sku.to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use pipeline::dead_letter::{DeadLetter, Diagnosis};
    use testkit::builders::{adjustment, id, order, record, second, user};

    use super::*;

    fn listed(value: Vec<u8>) -> Listed {
        let violation = events::decode(&value).err();
        let diagnosis = match violation {
            Some(violation) => Diagnosis::from(&violation),
            None => Diagnosis::rejected(id(), EventType::UserCreated, pipeline::Reason::EmailTaken, None),
        };
        Listed::new(DeadLetter::new(&record(value), &diagnosis, second(0)).json)
    }

    #[test]
    fn an_event_is_about_one_subject_and_so_is_what_a_broken_one_says() {
        let (user_id, order_id) = (id(), id());
        let placed = String::from_utf8(order(order_id, user_id).to_json()).unwrap();
        let broken = placed.replace("\"currency\"", "\"money\"");
        assert!(events::decode(broken.as_bytes()).is_err());
        for text in [placed, broken] {
            let letter = listed(text.into_bytes());
            for (subject, is_meant) in [
                (Entity::Order(order_id), true),
                (Entity::User(user_id), false),
                (Entity::Order(user_id), false),
                (Entity::Payment(order_id), false),
            ] {
                assert_eq!(subject_of(&letter) == Some(Subject::Entity(subject)), is_meant, "{subject}");
            }
        }
        assert_eq!(subject_of(&listed(b"{".to_vec())), None);
        let counted = listed(adjustment("A-1", 3).to_json());
        assert_eq!(subject_of(&counted), Some(Subject::Article("A-1".to_owned())), "articles compare exactly");
        assert_eq!(subject_of(&listed(user(user_id).to_json())), Some(Subject::Entity(Entity::User(user_id))));
    }

    #[test]
    fn data_is_opened_in_an_envelope_alone() {
        let user_id = id();
        let plain = String::from_utf8(user(user_id).to_json()).unwrap();
        let broken = plain.replace("firstName", "first");
        for text in [&plain, &broken] {
            let with_data = text.replacen('{', r#"{"data":{"userId":"x"},"#, 1);
            let envelope = format!(r#"{{"specversion":"1.0","data":{text}}}"#);
            for text in [with_data, envelope] {
                let letter = listed(text.clone().into_bytes());
                assert_eq!(subject_of(&letter), Some(Subject::Entity(Entity::User(user_id))), "{text}");
                assert!(letter.event_at().is_some(), "{text}");
            }
        }
    }

    #[test]
    fn what_may_be_about_a_subject_is_read() {
        let order_id = id();
        let mentions = Mentions::of(&Subject::Entity(Entity::Order(order_id)));
        let letter = listed(order(order_id, id()).to_json());
        assert!(mentions.may_stand_in(&letter.text));
        assert!(mentions.may_stand_in(&letter.text.replace(&order_id.to_string(), &order_id.to_string().to_uppercase())));
        assert!(!mentions.may_stand_in(&listed(order(id(), id()).to_json()).text));
        assert!(mentions.may_stand_in(&listed(vec![0xff]).text), "in base64");
        assert!(Mentions::of(&Subject::Article("\u{fc}\"".to_owned())).may_stand_in("anything"));
        assert!(!Mentions::of(&Subject::Article("A-1".to_owned())).may_stand_in("anything"));
    }
}
