//! What the database says of itself, and how the pool is used.

use sqlserver::{Connections, DatabaseFacts, SqlServer};

use crate::scripted::{Column, Scripted, Step, Value, table};

/// Of a login that could migrate, and writes events.
const POWERS: [(&str, &str, i32); 2] = [("schema dbo", "ALTER", 1), ("dbo.users", "UPDATE", 0)];

fn rights(rows: &[(&str, &str, i32, i32)]) -> Vec<u8> {
    let columns = [Column::Text("table_name"), Column::Text("permission_name"), Column::Int("table_exists"), Column::Int("granted")];
    let rows: Vec<_> = rows
        .iter()
        .map(|(tab, permission, exists, granted)| {
            vec![Value::Text(tab), Value::Text(permission), Value::Int(*exists), Value::Int(*granted)]
        })
        .collect();
    table(&columns, &rows)
}

fn powers(rows: &[(&str, &str, i32)]) -> Vec<u8> {
    let columns = [Column::Text("place"), Column::Text("permission_name"), Column::Int("writer_too")];
    let rows: Vec<_> = rows.iter().map(|(place, name, writer)| vec![Value::Text(place), Value::Text(name), Value::Int(*writer)]).collect();
    table(&columns, &rows)
}

fn setup(row_versions: i32, level: i32, updateability: &str) -> Vec<u8> {
    let columns = [
        Column::Int("row_versions"),
        Column::Int("compatibility_level"),
        Column::Text("updateability"),
        Column::Int("server_admin"),
        Column::Int("database_owner"),
    ];
    table(&columns, &[vec![Value::Int(row_versions), Value::Int(level), Value::Text(updateability), Value::Int(0), Value::Int(1)]])
}

#[tokio::test]
async fn missing_tables_and_rights_are_named_and_the_set_up_is_read() {
    let rights = rights(&[
        ("dbo.orders", "INSERT", 1, 1),
        ("dbo.orders", "UPDATE", 1, 0),
        ("dbo.parked_events", "DELETE", 0, 0),
        ("dbo.parked_events", "SELECT", 0, 0),
    ]);
    let server = Scripted::open(vec![[rights, powers(&POWERS), setup(0, 150, "READ_ONLY")].map(Step::Answer).into()]).await;
    let database = SqlServer::new(server.config());
    assert_eq!(database.connections(), Connections { idle: 0, used: 0 });
    let expected = DatabaseFacts {
        missing_tables: vec!["dbo.parked_events".to_owned()],
        missing_rights: vec!["UPDATE on dbo.orders".to_owned()],
        row_versions: false,
        compatibility_level: 150,
        read_only: true,
        server_admin: false,
        database_owner: true,
        needless_rights: vec!["ALTER on schema dbo".to_owned()],
    };
    assert_eq!(database.inspect().await, Ok(expected));
    assert_eq!(database.connections(), Connections { idle: 1, used: 0 }, "its connection waits for the next question");
}

#[tokio::test]
async fn who_only_reads_asks_for_its_own_rights_alone() {
    let answers = [rights(&[("dbo.users", "SELECT", 1, 0)]), powers(&POWERS), setup(1, 160, "READ_WRITE")].map(Step::Answer);
    let server = Scripted::open(vec![answers.into()]).await;
    let facts = SqlServer::new(server.config()).inspect_reads().await.unwrap();
    assert_eq!(facts.missing_rights, ["SELECT on dbo.users"]);
    assert_eq!(facts.needless_rights, ["ALTER on schema dbo", "UPDATE on dbo.users"], "the API writes nothing");
    let asked = |right: &str| server.heard(right).len();
    assert_eq!((asked("(N'dbo.log_positions', N'SELECT')"), asked("(N'dbo.parked_events', N'INSERT')")), (1, 0));
}

#[tokio::test]
async fn a_connection_is_in_use_while_its_question_is_not_answered() {
    let server = Scripted::open(vec![vec![Step::Silence]]).await;
    let database = SqlServer::new(server.config());
    let asking = tokio::spawn({
        let database = database.clone();
        async move { database.inspect().await }
    });
    server.is_silent().await;
    assert_eq!(database.connections(), Connections { idle: 0, used: 1 });
    asking.abort();
    asking.await.expect_err("aborted");
    assert_eq!(database.connections(), Connections { idle: 0, used: 0 }, "a question that was dropped takes its connection with it");
}
