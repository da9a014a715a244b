//! What the fake pipeline shows.

use std::time::{Duration, SystemTime};

use chrono::{DateTime, SecondsFormat, Utc};
use console::*;

/// So long ago, RFC 3339.
pub fn ago(seconds: u64) -> String {
    let time: DateTime<Utc> = (SystemTime::now() - Duration::from_secs(seconds)).into();
    time.to_rfc3339_opts(SecondsFormat::Millis, true)
}

pub const POISON: &str = "invalid_value:UserCreated:payload.email";
pub const EVENT: &str = "0190a2b4-7c1e-7d3a-9f00-5a3c1e9b7d21";

pub fn payload(email: &str) -> String {
    format!(
        "{{\n  \"eventId\": \"{EVENT}\",\n  \"eventType\": \"UserCreated\",\n  \"occurredAt\": \"2026-11-29T09:14:02.118Z\",\n  \"payload\": {{\n    \
         \"userId\": \"0190a2b4-0000-7000-8000-000000000042\",\n    \"email\": \"{email}\",\n    \"name\": \"Ada Lovelace\",\n    \
         \"country\": \"GB\"\n  }}\n}}"
    )
}

pub fn flow(looks: u64) -> Flow {
    let lag = |number: i64| match number {
        2 => 48_210_u64.saturating_sub(looks * 2_600),
        5 => 1_204,
        7 => 310,
        _ => 0,
    };
    let partitions = (0..12).map(|number| {
        let end = 1_204_330 + number * 7_013 + looks as i64 * 1_250;
        let lag = lag(number);
        Partition { number: number as i32, end, next: end - lag as i64, lag, ours: number % 3 != 1 }
    });
    Flow {
        at: ago(0),
        topic: "shop.events".to_owned(),
        group: "event-pipeline".to_owned(),
        here: here(looks),
        partitions: Ok(partitions.collect()),
        consumers: Ok(consumers(looks)),
        parked: Ok((418, Some(ago(5_400)))),
        dead_letters: Ok(1_337),
        claimed: 12,
        verification: Some(
            "Verified 14,388,402 rows up to 4 minutes ago: the tables equal the log. The next verification begins in 56 minutes."
                .to_owned(),
        ),
    }
}

/// A part that a process waits for.
pub fn down(sentence: &str) -> Part {
    Part { name: "database".to_owned(), state: PartState::Down, since: ago(0), reason: Some(sentence.to_owned()) }
}

pub fn here(looks: u64) -> Here {
    Here {
        status: "not ready".to_owned(),
        parts: vec![
            Part { name: "database".to_owned(), state: PartState::Up, since: ago(86_400 * 3), reason: None },
            Part { name: "dead_letter_queue".to_owned(), state: PartState::Up, since: ago(86_400 * 3), reason: None },
            Part {
                name: "flow".to_owned(),
                state: PartState::Down,
                since: ago(780),
                reason: Some(
                    "312 of the last 500 records could not be written, more than DLQ_MAX_RATIO allows. They are held and nothing is \
                     committed; the other partitions go on. Someone must say how many may become dead letters."
                        .to_owned(),
                ),
            },
            Part { name: "kafka".to_owned(), state: PartState::Up, since: ago(7_260), reason: None },
        ],
        outcomes: Outcomes {
            polled: 14_402_118 + looks * 4_000,
            applied: 14_388_402 + looks * 3_990,
            duplicate: 9_120,
            stale: 2_331,
            parked: 1_240,
            dead_letters: 1_025,
        },
    }
}

/// Five records that cannot be written, of 41 that are held.
pub fn held() -> Held {
    let kinds = [
        (POISON, "invalid_value", "UserCreated", "payload.email is no e-mail address: one @ with something on both sides of it is needed."),
        ("not_json:unknown:", "not_json", "unknown", "The message is not JSON (line 1, column 31)."),
    ];
    let record = |number: i64| {
        let (fingerprint, reason, event_type, error) = kinds[usize::from(number == 1)];
        HeldRecord {
            place: format!("shop.events/1/{}", 1_211_343 + number),
            at: Some(ago(100)),
            key: Some(format!("held-key-{number}")),
            event_type: event_type.to_owned(),
            event_id: (number != 1).then(|| EVENT.to_owned()),
            reason: reason.to_owned(),
            fingerprint: fingerprint.to_owned(),
            error: error.to_owned(),
        }
    };
    let caveat = "The tables could not be asked, so that only the contract was checked: the database does not answer.";
    Held {
        at: ago(6),
        unconsumed: 49_724,
        examined: 200,
        already: 0,
        records: (0..5).map(record).collect(),
        caveats: vec![caveat.to_owned()],
    }
}

/// This one, another one, one that is held, and one that is gone.
fn consumers(looks: u64) -> Vec<Consumer> {
    let consumer = |host: &str, partitions: &[i32]| Consumer {
        host: host.to_owned(),
        process_id: 1,
        version: "0.1.0".to_owned(),
        this: false,
        elsewhere: None,
        started_at: ago(86_400 * 3),
        last_seen: Duration::from_secs(1),
        alive: true,
        status: "ready".to_owned(),
        partitions: partitions.to_vec(),
        more_partitions: 0,
        lag: Some(0),
        down: Vec::new(),
        events_per_second: 610 + looks % 7,
        last_commit: Some(ago(0)),
        verification: None,
    };
    let verified = |seconds, outcome| {
        let (took, rows) = (Duration::from_millis(98_400), 14_388_402);
        Some(Verdict { ended: ago(seconds), took, outcome, rows, offsets: 20_904_399, whole_log: false })
    };
    let held = "41 records that cannot be written are held, more than DLQ_MAX_RATIO lets pass: 98 % are not_json:unknown:, in partition 1.";
    let part =
        |name: &str, reason: &str| Part { name: name.to_owned(), state: PartState::Down, since: ago(95), reason: Some(reason.to_owned()) };
    vec![
        Consumer {
            this: true,
            lag: Some(48_210_u64.saturating_sub(looks * 2_600) + 1_204),
            status: "not ready".to_owned(),
            down: vec![part("flow", held)],
            verification: verified(1_200, VerdictOutcome::Different(4)),
            ..consumer("consumer-5f6c9d7b8-2xkqv", &[0, 2, 3, 5, 6, 8, 9, 11])
        },
        Consumer {
            lag: Some(310),
            status: "not ready".to_owned(),
            down: vec![part("flow", held)],
            events_per_second: 0,
            last_commit: Some(ago(97)),
            ..consumer("consumer-5f6c9d7b8-hm4tz", &[1, 7])
        },
        Consumer {
            last_seen: Duration::from_secs(7),
            verification: verified(240, VerdictOutcome::Equal),
            ..consumer("consumer-5f6c9d7b8-p9wlc", &[4])
        },
        Consumer {
            alive: false,
            last_seen: Duration::from_secs(24),
            events_per_second: 0,
            last_commit: Some(ago(25)),
            verification: verified(
                9_000,
                VerdictOutcome::Unfinished("Partition 3: nothing has come for 60 s, although the log goes on.".to_owned()),
            ),
            ..consumer("consumer-5f6c9d7b8-z71fn", &[10])
        },
    ]
}

pub fn groups() -> Vec<Group> {
    let group = |fingerprint: &str, count, first, last, history: &[u64], sample: &str, id: &str| Group {
        fingerprint: fingerprint.to_owned(),
        count,
        first_seen: Some(ago(first)),
        last_seen: Some(ago(last)),
        history: history.to_vec(),
        sample: sample.to_owned(),
        sample_id: id.to_owned(),
    };
    vec![
        group(POISON, 1_204, 50_400, 40, &[0, 0, 0, 2, 5, 9, 30, 80, 140, 210, 260, 190, 120, 158], EMAIL, "3fa9c1d20b77"),
        group(
            "missing_parent:OrderPlaced:user",
            96,
            86_400 * 6,
            3_600,
            &[4, 9, 3, 12, 7, 0, 0, 14, 11, 6, 8, 9, 7, 6],
            "its user did not come before the deadline",
            "81be00c4f9aa",
        ),
        group(
            "too_large::",
            31,
            86_400 * 2,
            86_400,
            &[0, 0, 0, 0, 0, 0, 0, 0, 31, 0, 0, 0, 0, 0],
            "the record has 1,402,118 bytes; 1,048,576 are allowed",
            "c0ffee00aa11",
        ),
        group(
            "invalid_money:PaymentSettled:payload.amount",
            5,
            7_200,
            6_900,
            &[0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2, 3, 0],
            "payload.amount: has more than 4 decimals",
            "5ad17e4b2290",
        ),
        group(
            "event_id_conflict:StockAdjusted:quantity",
            1,
            900,
            900,
            &[0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1],
            "the ledger holds this eventId with another sku or quantity",
            "e11d5c0a7f3b",
        ),
    ]
}

pub const EMAIL: &str = "payload.email: is no e-mail address: one @ with something on both sides of it is needed";

pub fn row(number: u64) -> LetterRow {
    let kinds = [
        (POISON, "invalid_value", "UserCreated", EMAIL),
        ("missing_parent:OrderPlaced:user", "missing_parent", "OrderPlaced", "its user did not come before the deadline"),
        (POISON, "invalid_value", "UserCreated", EMAIL),
        ("too_large::", "too_large", "unknown", "the record has 1,402,118 bytes; 1,048,576 are allowed"),
    ];
    let (fingerprint, reason, event_type, error) = kinds[(number % 4) as usize];
    LetterRow {
        id: format!("3fa9c1d2{number:04x}"),
        since: Some(ago(40 + number * 37)),
        reason: reason.to_owned(),
        event_type: event_type.to_owned(),
        event_id: (event_type != "unknown").then(|| EVENT.to_owned()),
        fingerprint: fingerprint.to_owned(),
        error: error.to_owned(),
        place: Some(format!("shop.events/{}/{}", number % 12, 1_204_330 - number)),
        retries: (number % 5 == 4).into(),
    }
}

/// Two of them are wrong.
fn fields() -> Vec<PayloadField> {
    let field = |(path, value, problem): (&str, Option<&str>, Option<&str>)| PayloadField {
        path: path.to_owned(),
        value: value.map(str::to_owned),
        problem: problem.map(str::to_owned),
    };
    let fields = [
        ("eventId", Some("\"0190a2b4-0000-7000-8000-0000000000e1\""), None),
        ("eventType", Some("\"UserCreated\""), None),
        ("payload.userId", Some("\"0190a2b4-0000-7000-8000-000000000042\""), None),
        ("payload.email", Some("\"ada at example.org\""), Some("is no e-mail address: one @ with something on both sides of it is needed")),
        ("payload.phone", None, Some("is missing")),
    ];
    fields.map(field).into()
}

pub fn letter(id: &str) -> Letter {
    let number = u64::from_str_radix(id.get(8..).unwrap_or_default(), 16).unwrap_or(0);
    let row = LetterRow { id: id.to_owned(), ..row(number) };
    if row.reason == "too_large" {
        return Letter {
            row,
            key: None,
            headers: Vec::new(),
            failed_again: None,
            record_at: None,
            record_clock: None,
            event_at: None,
            bytes: (0..=255).cycle().take(5_000).collect(),
            is_text: false,
            editable: None,
            field: None,
            fields: Vec::new(),
            told: None,
        };
    }
    if id == "eeee00000000" {
        let text = payload("ada\u{fffd} at example.org");
        let bytes = text.clone().into_bytes().into_iter().filter(|byte| !matches!(byte, 0xbf | 0xbd)).collect();
        return Letter { bytes, is_text: false, editable: Some(text), field: None, fields: Vec::new(), ..letter("3fa9c1d20000") };
    }
    let text = payload("ada at example.org").replace('\n', "").replace("  ", "");
    Letter {
        row,
        key: Some("user-42".to_owned()),
        headers: vec![
            ("traceparent".to_owned(), Some("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01".to_owned())),
            ("source".to_owned(), Some("shop <b>checkout</b>".to_owned())),
            ("tenant".to_owned(), None),
        ],
        failed_again: (number % 5 == 4).then(|| "2026-01-15T11:42:00Z".to_owned()),
        record_at: Some("2026-11-29T09:14:03.207Z".to_owned()),
        record_clock: Some("by the broker's clock"),
        event_at: Some("2026-11-29T09:14:02.118Z".to_owned()),
        bytes: text.into_bytes(),
        is_text: true,
        editable: Some(payload("ada at example.org")),
        field: Some("payload.email".to_owned()),
        fields: fields(),
        told: Some("grace@example.org is on the list of another program".to_owned()),
    }
}

pub fn rehearsal(selected: u64) -> Rehearsal {
    let endings = [
        ("applied", None),
        ("applied", None),
        ("parked", Some("waits for user 0190a2b4-0000-7000-8000-000000000042")),
        ("unreadable", Some("payload.email: is no e-mail address")),
    ];
    let rows = (0..selected.min(30)).map(|number| {
        let (outcome, detail) = endings[(number % 4) as usize];
        let row = row(number);
        let foreseen = Foreseen { outcome: outcome.to_owned(), detail: detail.map(str::to_owned) };
        RehearsedRow { id: row.id, event_type: row.event_type, event_id: row.event_id, foreseen }
    });
    let quarter = selected / 4;
    Rehearsal {
        totals: vec![("applied".to_owned(), selected - 2 * quarter), ("parked".to_owned(), quarter), ("unreadable".to_owned(), quarter)],
        selected,
        rows: rows.collect(),
        batches: 1 + selected / 500,
    }
}

pub fn jobs(looks: u64) -> Vec<Job> {
    let counts = |pairs: &[(&str, u64)]| pairs.iter().map(|(name, count)| ((*name).to_owned(), *count)).collect();
    let of_poison = |most: &str| format!("Dead letters: fingerprint {POISON}{most}.");
    let sent = (looks * 50).min(917);
    vec![
        Job {
            number: 3,
            caller: "ada".to_owned(),
            began: ago(48),
            subject: of_poison(""),
            is_canary: false,
            rate: Some(25.0),
            state: JobState::Running,
            done: (420 + sent, 1_337),
            counts: counts(&[("redriven", 400 + sent), ("unreadable", 20), ("not sent yet", 917 - sent)]),
            problem: None,
            took: Duration::from_secs(48 + looks),
            updated: ago(1),
        },
        Job {
            number: 2,
            caller: "ada".to_owned(),
            began: ago(190),
            subject: format!("A canary, and the rest waits for your word: dead letters: fingerprint {POISON}, 10 at most."),
            is_canary: true,
            rate: None,
            state: JobState::Done,
            done: (10, 10),
            counts: counts(&[("redriven", 10)]),
            problem: None,
            took: Duration::from_millis(840),
            updated: ago(189),
        },
        Job {
            number: 1,
            caller: "grace".to_owned(),
            began: ago(4_000),
            subject: "All dead letters.".to_owned(),
            is_canary: false,
            rate: None,
            state: JobState::Failed,
            done: (57, 1_410),
            counts: counts(&[("redriven", 57), ("not sent yet", 1_353)]),
            problem: Some("The broker did not answer for 30 s. What was in flight stays in the list.".to_owned()),
            took: Duration::from_secs(75),
            updated: ago(3_925),
        },
    ]
}

/// The letters of a job, from the one after this number on, and the number of the last where there are more.
pub fn job_letters(job: u64, after: u64, limit: u64) -> (Vec<JobLetter>, Option<u64>) {
    let all = if job == 2 { 10 } else { 450 };
    let page = after..all.min(after + limit);
    let letters = page.clone().map(|number| {
        let row = row(number);
        let (end, why) = match number % 10 {
            9 => (LetterEnd::FailedAgain, format!("It is dead letter {} again: {}: {}", row.id, row.reason, row.error)),
            8 => (LetterEnd::Parked, "It waits for user 0190a2b4-0000-7000-8000-000000000042 since 2026-11-29T09:14:02Z.".to_owned()),
            7 if job != 2 => (LetterEnd::NotSent, "Not in the list any more.".to_owned()),
            6 if job == 3 => {
                (LetterEnd::NotYet, format!("The consumer has not come to shop.events, partition 3, offset {}.", 880_000 + number))
            }
            _ => (LetterEnd::Applied, "Applied: order 0190a2b4-0000-7000-8000-0000000000b7 shows it.".to_owned()),
        };
        let event_id = (end != LetterEnd::NotSent).then(|| row.event_id.clone()).flatten();
        JobLetter { is_listed: end == LetterEnd::FailedAgain, id: row.id, end, why, event_id }
    });
    let mut letters: Vec<_> = letters.collect();
    letters.sort_by_key(|letter| letter.end);
    (letters, (page.end < all).then_some(page.end))
}

pub const PARKED_ITSELF: &str = "It is no dead letter; it may be parked itself, for its user.";

pub fn parked() -> Parked {
    let dead_letter = |by_key, others| ParentFate::DeadLetter { id: "3fa9c1d20000".to_owned(), by_key, others };
    let waiting = |parent: u64, many: u64| {
        (0..many).map(move |number| Waiting {
            event_id: format!("0190a2b4-7c1e-7d3a-9f{parent:02}-{number:012}"),
            place: format!("shop.events/{}/{}", number % 12, 880_000 + number),
            parked_at: ago(5_400 - number * 60 - parent * 300),
        })
    };
    let parent = |name: &str, children: u64, parent: u64, fate: ParentFate| MissingParent {
        fate,
        trace: name
            .split_once(' ')
            .filter(|(kind, _)| *kind != "an")
            .map(|(kind, id)| (if kind == "user" { TraceBy::User } else { TraceBy::Order }, id.to_owned())),
        name: name.to_owned(),
        children,
        oldest: ago(5_400 - parent * 300),
        first: waiting(parent, children.min(8)).collect(),
    };
    Parked {
        parents: vec![
            parent("user 0190a2b4-0000-7000-8000-000000000042", 361, 0, dead_letter(false, 0)),
            parent("order 0190a2b4-0000-7000-8000-0000000000b7", 48, 1, ParentFate::NeverSeen),
            parent("an e-mail address", 5, 2, ParentFate::Held),
            parent("order 0190a2b4-0000-7000-8000-0000000000b8", 1, 3, dead_letter(true, 2)),
            parent("user 0190a2b4-0000-7000-8000-000000000043", 1, 3, ParentFate::Written),
            parent("order 0190a2b4-0000-7000-8000-0000000000b9", 1, 4, ParentFate::NotFound(PARKED_ITSELF.to_owned())),
            parent("order 0190a2b4-0000-7000-8000-0000000000ba", 1, 4, ParentFate::Unknown("The queue does not answer.".to_owned())),
        ],
        hidden: 0,
        events: 418,
        deadline_seconds: 6_000,
    }
}

/// Entries 1 to 230, the newest first.
pub fn audit(before: i64, limit: usize) -> Vec<AuditRow> {
    let row = |number: i64| {
        let (action, subject, outcome) = match number % 5 {
            0 => ("redrive", "dead letters: reason too_large, 100 at most", "begun"),
            1 => ("redrive", "dead letter 3fa9c1d20000, event 0190a2b4-7c1e-7d3a-9f00-5a3c1e9b7d21", "sent"),
            2 => ("redrive", "dead letters: reason too_large, 100 at most", "1 redriven; stopped by grace"),
            3 => ("purge", "all dead letters", "failed: the dead letter queue cannot be reached or used just now"),
            _ => ("repair", "3 of 5 differences of topic shop.events", "written; verified once more afterwards"),
        };
        AuditRow {
            number,
            at: ago(u64::try_from(231 - number).unwrap() * 60),
            actor: if number % 2 == 0 { "ada" } else { "grace" }.to_owned(),
            origin: if number % 5 == 4 { "command_line" } else { "console" }.to_owned(),
            action: action.to_owned(),
            operation: format!("0190a2b4-7c1e-7d3a-9f00-{:012}", number / 5),
            subject: subject.to_owned(),
            outcome: outcome.to_owned(),
        }
    };
    (1..=230).rev().filter(|number| *number < before).take(limit).map(row).collect()
}

pub fn trace(id: &str) -> Trace {
    let finding = |place: &str, sentence: &str| (place.to_owned(), sentence.to_owned());
    let step = |seconds: u64, kind: &str, sentence: &str, event_id: Option<&str>, letter: Option<&str>| TraceStep {
        at: Some(ago(seconds)),
        kind: kind.to_owned(),
        sentence: sentence.to_owned(),
        event_id: event_id.map(str::to_owned),
        letter: letter.map(str::to_owned),
    };
    Trace {
        id: id.to_owned(),
        verdict: "It is a dead letter and was never written.".to_owned(),
        findings: vec![
            finding("rows", "No row was written by it. The row of its user has the version of 2026-11-28 17:20:11 UTC."),
            finding("ledger", "It is no stock adjustment, so the ledger does not know it."),
            finding("parking", "It does not wait."),
            finding("dead letters", "One dead letter has its id."),
        ],
        steps: vec![
            step(8000, "event", "its own time", None, None),
            step(
                7000,
                "parked",
                "it is parked and waits for user 0190a2b4-7c1e-7d3a-9f00-5a3c1e9b7d99 (shop.events/4/1204399)",
                None,
                None,
            ),
            step(
                600,
                "superseded",
                "user 0190a2b4-7c1e-7d3a-9f00-5a3c1e9b7d99 was written by the newer event 0190a2b4-7c1e-7d3a-9f00-5a3c1e9b7dff of 2026-11-28T17:20:11Z",
                Some("0190a2b4-7c1e-7d3a-9f00-5a3c1e9b7dff"),
                None,
            ),
            step(300, "dead letter", "it is dead letter 3fa9c1d20000: invalid_value (shop.events/4/1204399)", None, Some("3fa9c1d20000")),
            step(60, "change", "redrive by ada: dead letter 3fa9c1d20000: failed again (entry 230 of the audit log)", None, None),
        ],
    }
}

/// What a check of a small set-up comes to, as the program words it.
pub fn checked() -> Checked {
    let finding = |state, part: &str, check: &str, found: &str, advice: Option<&str>| Finding {
        state,
        part: part.to_owned(),
        check: check.to_owned(),
        found: found.to_owned(),
        advice: advice.map(str::to_owned),
    };
    use FindingState::{Failed, Good, Warning};
    Checked {
        at: ago(95),
        took: Duration::from_millis(412),
        findings: vec![
            finding(Good, "settings", "all", "57 variables can be used", None),
            finding(Good, "Kafka", "partitions", "shop.events has 12 partitions", None),
            finding(
                Warning,
                "Kafka",
                "replicas",
                "replication factor 1",
                Some("events are lost with their broker: use 3 where events matter"),
            ),
            finding(Good, "Kafka", "lag", "1337 offsets of shop-consumers not consumed, 3 members", None),
            finding(Good, "database", "server and login", "sql.internal:1433 answers, database shop", None),
            finding(
                Failed,
                "Redis",
                "server and login",
                "the dead letter queue at dead-letters.internal.shop.example:6379 cannot be reached",
                Some("connection refused: nothing listens at this address, or a firewall refuses"),
            ),
            finding(Good, "process", "consumer here", "ready at http://127.0.0.1:9090", None),
        ],
    }
}

pub fn verification() -> Verification {
    let difference = |table: &str, kind: &str, meaning: &str, count| DifferenceCount {
        table: table.to_owned(),
        kind: kind.to_owned(),
        meaning: meaning.to_owned(),
        count,
    };
    Verification {
        interval: Some(Duration::from_secs(3600)),
        finished: Some(ago(1200)),
        offsets: 1_204_399,
        differences: vec![
            difference("payments", "changed", "The row shows the right event with other values.", 1),
            difference("users", "missing", "The log makes this row, and it is not there.", 3),
        ],
        can_begin: true,
    }
}
