//! Holds the roles of `migrations/roles.sql` to the statements: each has the rights that its program's statements need, and no other.

use std::collections::{BTreeMap, BTreeSet};

use crate::scripts::SCRIPTS;
use crate::statement as s;
use crate::statement::{ALL, Statement};

/// A table and what is done with it: `("dbo.users", "select")`.
type Right = (String, String);

const ROLES: &str = include_str!("../../../../migrations/roles.sql");

/// What the API sends.
static API: [&Statement; 12] = [
    &s::SESSION,
    &s::PING,
    &s::HISTORY,
    &s::INSPECT_READS,
    &s::INSPECT_POWERS,
    &s::INSPECT_SETUP,
    &s::NOW,
    &s::AS_OF,
    &s::USER,
    &s::RECENT_USERS,
    &s::ORDER,
    &s::INVENTORY,
];

/// What the commands of operators send, `verify` without `--repair` among them.
static OPERATOR: [&Statement; 49] = [
    &s::SESSION,
    &s::PING,
    &s::HISTORY,
    &s::INSPECT,
    &s::INSPECT_POWERS,
    &s::INSPECT_SETUP,
    &s::NOW,
    &s::APPLY_BATCH,
    &s::PARKED,
    &s::AWAITED,
    &s::POSITIONS,
    &s::TRACE_ROWS,
    &s::TRACE_LEDGER,
    &s::TRACE_PARKED,
    &s::TRACE_ENTITY,
    &s::TRACE_ARTICLE,
    &s::TRACE_CHILDREN,
    &s::TRACE_CLAIMS,
    &s::TRACE_MENTIONS,
    &s::INVENTORY,
    &s::COUNT_ROWS,
    &s::PAGE_USERS,
    &s::PAGE_ORDERS,
    &s::PAGE_PAYMENTS,
    &s::PAGE_ADJUSTMENTS,
    &s::ROWS_USERS,
    &s::ROWS_ORDERS,
    &s::ROWS_PAYMENTS,
    &s::ROWS_ADJUSTMENTS,
    &s::WRONG_STOCK,
    &s::LEDGER_STATE,
    &s::OPENING_BALANCES,
    &s::FOLDABLE,
    &s::WAITING_PAGE,
    &s::WAITING,
    &s::APPEND_AUDIT,
    &s::AUDIT_AFTER,
    &s::AUDIT_BEFORE,
    &s::AUDIT_OF,
    &s::AUDIT_ABOUT,
    &s::CONSUMERS,
    &s::PLAN_JOB,
    &s::NOTE_LETTERS,
    &s::CHANGE_JOB,
    &s::JOBS_BEFORE,
    &s::RUNNING_JOBS,
    &s::JOB_LETTERS,
    &s::TAKE_LEASE,
    &s::RELEASE_LEASE,
];

/// What the consumer sends beside all of that.
static CONSUMER: [&Statement; 8] =
    [&s::PARK, &s::RELEASABLE_OF, &s::RELEASABLE_ANY, &s::DISCARD, &s::CLAIM_EXPIRED, &s::ADVANCE_POSITIONS, &s::BEAT, &s::END_HEARTBEAT];

/// What `verify --repair` sends beside what the consumer does.
static REPAIR: [&Statement; 8] = [
    &s::OUTDATE_USER,
    &s::OUTDATE_ORDER,
    &s::OUTDATE_PAYMENT,
    &s::REMOVE_ADJUSTMENT,
    &s::DELETE_USER,
    &s::DELETE_ORDER,
    &s::DELETE_PAYMENT,
    &s::CORRECT_STOCK,
];

/// What `ledger compact --execute` sends beside what operators do.
static COMPACTION: [&Statement; 2] = [&s::BEGIN_COMPACTION, &s::COMPACT];

/// What the migration sends beside its scripts.
static MIGRATE: [&Statement; 4] = [&s::CREATE_DATABASE, &s::LOCK_MIGRATIONS, &s::CREATE_HISTORY, &s::RECORD_MIGRATION];

/// Words in small letters, without comments and strings; brackets and semicolons stand alone.
fn words(sql: &str) -> Vec<String> {
    let without_comments: Vec<_> = sql.lines().map(|line| line.split("--").next().unwrap_or_default()).collect();
    // Every second part stands in quotes.
    let text = without_comments.join("\n").split('\'').step_by(2).collect::<Vec<_>>().join(" ");
    let is_word = |c: char| c.is_alphanumeric() || matches!(c, '_' | '.' | '@' | ':');
    let apart: String = text
        .chars()
        .map(|c| {
            if is_word(c) {
                c.to_string()
            } else if "();,".contains(c) {
                format!(" {c} ")
            } else {
                " ".into()
            }
        })
        .collect();
    apart.to_lowercase().split_whitespace().map(str::to_owned).collect()
}

/// The rights that a statement needs. Whoever updates, deletes or merges by a condition also reads.
fn needed(sql: &str) -> BTreeSet<Right> {
    let words = words(sql);
    words.split(|word| word == ";").flat_map(|statement| of_one(&statement.iter().map(String::as_str).collect::<Vec<_>>())).collect()
}

fn of_one(words: &[&str]) -> BTreeSet<Right> {
    let names = names(words);
    let table = |name: &str| {
        let known = if name.starts_with("dbo.") { Some(name) } else { names.get(name).copied() };
        known.unwrap_or_else(|| panic!("{name} is no table that is known in: {}", words.join(" "))).to_owned()
    };
    let at = |position: usize| words.get(position).copied().unwrap_or_default();
    let mut rights = BTreeSet::new();
    let mut add = |table: String, right: &str| {
        rights.insert((table, right.to_owned()));
    };
    for (i, word) in words.iter().enumerate() {
        let (before, two_before) = (at(i.wrapping_sub(1)), at(i.wrapping_sub(2)));
        match *word {
            "update" if before != "then" && at(i + 1) != "set" => add(table(at(i + 1)), "update"),
            "delete" if before != "then" => add(table(if at(i + 1) == "from" { at(i + 2) } else { at(i + 1) }), "delete"),
            word if word.starts_with("dbo.") => match (two_before, before) {
                ("insert", "into") => add(table(word), "insert"),
                ("create", "table") => {}
                ("merge", "into") => {
                    add(table(word), "select");
                    let branches =
                        words[i..].windows(2).filter(|pair| pair[0] == "then" && ["update", "insert", "delete"].contains(&pair[1]));
                    branches.for_each(|pair| add(table(word), pair[1]));
                }
                _ => add(table(word), "select"),
            },
            _ => {}
        }
    }
    rights
}

/// What names of a statement stand for tables: aliases, and expressions of a WITH, which stand for the first table in them.
fn names<'a>(words: &[&'a str]) -> BTreeMap<&'a str, &'a str> {
    let mut names = BTreeMap::new();
    for (i, word) in words.iter().enumerate() {
        if word.starts_with("dbo.") {
            let mut next = i + 1;
            if words.get(next..next + 2) == Some(&["with", "("]) {
                next += words[next..].iter().position(|word| *word == ")").unwrap_or_default() + 1;
            }
            next += usize::from(words.get(next) == Some(&"as"));
            words.get(next).map(|alias| names.insert(*alias, *word));
        }
        if *word == "with" && words.get(i + 2..i + 4) == Some(&["as", "("]) {
            let first = words[i + 4..].iter().find(|word| word.starts_with("dbo."));
            first.map(|table| names.insert(words[i + 1], *table));
        }
    }
    names
}

/// What each role is granted, or denied, on tables.
fn given(verb: &str) -> BTreeMap<String, BTreeSet<Right>> {
    let words = words(ROLES);
    let mut given = BTreeMap::<String, BTreeSet<Right>>::new();
    for statement in
        words.split(|word| word == ";" || word == "go").filter(|statement| statement.first().is_some_and(|first| first == verb))
    {
        let place = |word: &str| statement.iter().position(|found| found == word);
        let (Some(on), Some(to)) = (place("on"), place("to")) else { continue };
        let listed = |range: &[String]| range.iter().filter(|word| *word != ",").cloned().collect::<Vec<_>>();
        for role in listed(&statement[to + 1..]) {
            let rights = listed(&statement[1..on]).into_iter().map(|right| (statement[on + 1].clone(), right));
            given.entry(role).or_default().extend(rights);
        }
    }
    given
}

fn of_all<'s>(statements: impl IntoIterator<Item = &'s &'static Statement>) -> BTreeSet<Right> {
    statements.into_iter().flat_map(|statement| needed(statement.text())).collect()
}

#[test]
fn each_role_has_the_rights_that_its_statements_need_and_no_other() {
    let granted = given("grant");
    for (role, needed) in [
        ("event_pipeline_api", of_all(&API)),
        ("event_pipeline_operator", of_all(&OPERATOR)),
        ("event_pipeline_consumer", of_all(OPERATOR.iter().chain(&CONSUMER))),
        ("event_pipeline_repair", of_all(&REPAIR)),
        ("event_pipeline_compaction", of_all(&COMPACTION)),
    ] {
        let granted = &granted[role];
        let (missing, needless): (Vec<_>, Vec<_>) = (needed.difference(granted).collect(), granted.difference(&needed).collect());
        assert!(missing.is_empty() && needless.is_empty(), "{role}: missing {missing:?}, needless {needless:?}");
    }
}

#[test]
fn every_statement_is_that_of_a_role() {
    let listed: BTreeSet<_> = API
        .iter()
        .chain(&OPERATOR)
        .chain(&CONSUMER)
        .chain(&REPAIR)
        .chain(&COMPACTION)
        .chain(&MIGRATE)
        .map(|statement| statement.name)
        .collect();
    let all: BTreeSet<_> = ALL.iter().map(|statement| statement.name).collect();
    assert_eq!(listed, all, "a statement belongs into the list of whoever sends it");
}

/// What a check of rights asks for is what the role of its program has.
#[test]
fn each_check_asks_for_the_rights_of_its_programs_role() {
    for (statement, role) in [(&s::INSPECT, "event_pipeline_consumer"), (&s::INSPECT_READS, "event_pipeline_api")] {
        let quoted: Vec<_> = statement.text().split('\'').skip(1).step_by(2).map(str::to_lowercase).collect();
        let pairs = quoted.windows(2).filter(|pair| pair[0].starts_with("dbo.") && !pair[1].starts_with("dbo."));
        let asked: BTreeSet<_> = pairs.map(|pair| (pair[0].clone(), pair[1].clone())).collect();
        assert_eq!(asked, given("grant")[role], "{role}");
    }
}

/// What a check calls needless is what no role of its program has.
#[test]
fn no_role_is_given_what_its_program_calls_needless() {
    // (N'table', N'OBJECT', N'permission', whether it is needless for whoever writes too)
    let of_tables = s::INSPECT_POWERS.text().split("(N'dbo.").skip(1).map(|row| row.split('\'').collect::<Vec<_>>());
    let powers: Vec<_> = of_tables.map(|row| ((format!("dbo.{}", row[0]), row[4].to_lowercase()), row[5].starts_with(", 1"))).collect();
    assert_eq!(powers.len(), s::INSPECT_POWERS.text().matches("N'OBJECT',").count());
    let granted = given("grant");
    for (right, writer_too) in &powers {
        let roles: &[_] = if *writer_too { &["api", "operator", "consumer", "repair", "compaction"] } else { &["api"] };
        for role in roles {
            let role = format!("event_pipeline_{role}");
            assert!(!granted[&role].contains(right), "{role} has {right:?}");
        }
        let writes = ["operator", "consumer"].map(|role| granted[&format!("event_pipeline_{role}")].contains(right));
        assert!(*writer_too || writes.contains(&true), "{right:?} is needless for whoever writes too");
    }
}

#[test]
fn nobody_but_the_owner_changes_an_entry_of_the_audit_log() {
    let (granted, denied) = (given("grant"), given("deny"));
    for role in ["api", "consumer", "operator", "repair", "compaction"].map(|of| format!("event_pipeline_{of}")) {
        let role = role.as_str();
        for right in ["update", "delete"] {
            let right = ("dbo.audit_log".to_owned(), right.to_owned());
            assert!(denied[role].contains(&right) && !granted[role].contains(&right), "{role}: {right:?}");
        }
    }
}

#[test]
fn the_migrations_do_nothing_that_their_role_may_not() {
    let role = "event_pipeline_migrate";
    let on_schema: BTreeSet<_> = given("grant")[role].iter().map(|(place, right)| format!("{right} {place}")).collect();
    let expected = ["alter", "insert", "references", "select"].map(|right| format!("{right} schema::dbo"));
    assert_eq!(on_schema, BTreeSet::from(expected));
    assert!(words(ROLES).windows(5).any(|found| found == ["grant", "create", "table", "to", role]));
    for script in SCRIPTS {
        let words = words(script.text);
        let changes = words.iter().find(|word| ["update", "delete", "merge", "truncate"].contains(&word.as_str()));
        assert_eq!(changes, None, "{}: give {role} the right", script.name);
        for pair in words.windows(2).filter(|pair| ["create", "alter", "drop"].contains(&pair[0].as_str())) {
            // The database itself is altered by the optional one alone, which is for its owner.
            let may = ["table", "index", "constraint", "trigger"].contains(&pair[1].as_str()) || (script.optional && pair[1] == "database");
            assert!(may, "{}: {} {}: may {role} do this?", script.name, pair[0], pair[1]);
        }
    }
}

#[test]
fn rights_are_read_off_statements() {
    let rights = |sql: &str| needed(sql).into_iter().map(|(table, right)| format!("{right} {table}")).collect::<Vec<_>>();
    for (sql, expected) in [
        ("SELECT 1 FROM dbo.users u JOIN dbo.orders o ON 1 = 1", vec!["select dbo.orders", "select dbo.users"]),
        ("INSERT INTO dbo.users (a) SELECT a FROM @x", vec!["insert dbo.users"]),
        ("DELETE i FROM dbo.users WITH (UPDLOCK, ROWLOCK) AS i", vec!["delete dbo.users", "select dbo.users"]),
        ("DELETE FROM dbo.users", vec!["delete dbo.users", "select dbo.users"]),
        ("UPDATE dbo.users SET a = 1; SET @x = 1 -- dbo.orders", vec!["select dbo.users", "update dbo.users"]),
        ("WITH due AS (SELECT a FROM dbo.users u) UPDATE due SET a = N'dbo.orders'", vec!["select dbo.users", "update dbo.users"]),
        (
            "MERGE INTO dbo.users AS t USING dbo.orders s ON 1 = 1 WHEN MATCHED THEN UPDATE SET a = 1 WHEN NOT MATCHED THEN INSERT (a) VALUES (1)",
            vec!["select dbo.orders", "insert dbo.users", "select dbo.users", "update dbo.users"],
        ),
    ] {
        assert_eq!(rights(sql), expected, "{sql}");
    }
}
