//! Migrations: the conversation with a scripted server, and their effect on a real one.

use pipeline::FaultClass;
use sqlserver::{MigrateError, MigrationWarning, SchemaState, SqlServer, SqlServerConfig, migrate, schema};
use testkit::log_lines::log_lines;

use crate::real;
use crate::scripted::{Column, Scripted, Step, Value, done, error, prelogin, table};

/// The batches of the first script.
const BATCHES_OF_TABLES: usize = 7;
/// The batches of each needed script after the optional one.
const OTHERS: [usize; 11] = [1, 3, 2, 1, 2, 1, 2, 1, 2, 3, 1];

fn granted(result: i32) -> Step {
    Step::Answer(table(&[Column::Int("granted")], &[vec![Value::Int(result)]]))
}

fn history(rows: &[(i32, &str, &str)]) -> Step {
    let columns = [Column::Int("version"), Column::Text("name"), Column::Text("checksum")];
    let rows: Vec<_> = rows.iter().map(|(version, name, sum)| vec![Value::Int(*version), Value::Text(name), Value::Text(sum)]).collect();
    Step::Answer(table(&columns, &rows))
}

/// So many statements that go well.
fn well(count: usize) -> Vec<Step> {
    vec![Step::Answer(done()); count]
}

fn welcome() -> Vec<Step> {
    [vec![Step::Answer(prelogin())], well(2)].concat()
}

#[tokio::test]
async fn a_missing_database_is_created_from_master_and_each_script_but_the_optional_one_runs_in_a_transaction() {
    let missing = [error(4060, 11, "Cannot open database."), error(18456, 14, "Login failed.")].concat();
    let tables = well(1 + BATCHES_OF_TABLES + 2);
    // Needed scripts come after it, on the same connection.
    let others = [vec![Step::Answer(error(5070, 16, "In use."))], well(OTHERS.iter().map(|batches| 1 + batches + 2).sum())].concat();
    let server = Scripted::raw(vec![
        vec![Step::Answer(prelogin()), Step::Answer(missing)],
        [welcome(), well(1)].concat(),
        [welcome(), vec![granted(0)], well(1), vec![history(&[])], tables, others].concat(),
    ])
    .await;
    let report = migrate(&server.config()).await.unwrap();
    assert!(report.created_database);
    assert_eq!(
        report.applied,
        [
            "0001_tables.sql",
            "0003_log_positions.sql",
            "0004_waits_for_key.sql",
            "0005_parked_identity.sql",
            "0006_leases.sql",
            "0007_audit_log.sql",
            "0008_parked_headers.sql",
            "0009_parked_parents.sql",
            "0010_consumer_heartbeats.sql",
            "0011_redrive_jobs.sql",
            "0012_ledger_compactions.sql",
            "0013_redrive_landed.sql"
        ]
    );
    assert_eq!(report.warnings, [MigrationWarning { script: "0002_read_committed_snapshot.sql", code: 5070 }]);

    let (begin, commit) = (server.heard("BEGIN TRANSACTION;"), server.heard("COMMIT TRANSACTION;"));
    assert_eq!((begin.len(), commit.len()), (1 + OTHERS.len(), 1 + OTHERS.len()));
    let tables = server.heard("CREATE TABLE dbo.");
    // The first is the table of the migrations themselves.
    assert_eq!(tables.len(), 1 + BATCHES_OF_TABLES + 8);
    assert!(tables[0] < begin[0] && begin[0] < tables[1] && tables[BATCHES_OF_TABLES] < commit[0]);
    let notes = server.heard("INSERT INTO dbo.schema_migrations");
    assert_eq!(notes.len(), 1 + OTHERS.len());
    assert!(notes.iter().zip(begin.iter().zip(&commit)).all(|(note, (begin, commit))| begin < note && note < commit));
    assert!(server.heard("ALTER DATABASE CURRENT").iter().all(|alter| commit[0] < *alter && *alter < begin[1]));
    assert!(server.heard("CREATE DATABASE").iter().all(|create| *create < begin[0]));
}

#[tokio::test]
async fn a_database_that_someone_else_creates_at_the_same_time_is_not_ours() {
    let missing = vec![Step::Answer(prelogin()), Step::Answer(error(4060, 11, "Cannot open database."))];
    let exists = [welcome(), vec![Step::Answer(error(1801, 16, "Database exists."))]].concat();
    let rest = [
        welcome(),
        vec![granted(1)],
        well(1),
        vec![history(&[])],
        well(1 + BATCHES_OF_TABLES + 2 + 2 + OTHERS.iter().map(|batches| 1 + batches + 2).sum::<usize>()),
    ]
    .concat();
    let server = Scripted::raw(vec![missing, exists, rest]).await;
    let report = migrate(&server.config()).await.unwrap();
    assert!(!report.created_database);
    assert_eq!((report.applied.len(), report.warnings), (2 + OTHERS.len(), vec![]));
}

#[tokio::test]
async fn a_script_that_fails_stops_the_migration_and_its_transaction_ends_with_the_connection() {
    let failing = [vec![granted(0)], well(1), vec![history(&[])], well(3), vec![Step::Answer(error(1105, 17, "Full."))]].concat();
    let server = Scripted::open(vec![failing]).await;
    let (lines, _guard) = log_lines();
    let Err(MigrateError::Fault(fault)) = migrate(&server.config()).await else { panic!("the disk is full") };
    assert_eq!((fault.class, fault.code), (FaultClass::Operator, Some(1105)));
    assert!(fault.subject.starts_with("filegroup full: "), "{fault}");
    assert!(lines.with("a script of the migration has failed").iter().all(|line| line.contains("script=\"0001_tables.sql\" code=1105")));
    assert_eq!(lines.with("a script of the migration has failed").len(), 1, "{:?}", lines.all());
    assert!(server.heard("COMMIT TRANSACTION;").is_empty());
}

#[tokio::test]
async fn a_script_that_changed_since_it_ran_is_refused_before_anything_is_done() {
    let server = Scripted::open(vec![[vec![granted(0)], well(1), vec![history(&[(1, "0001_tables.sql", "another")])]].concat()]).await;
    let refused = migrate(&server.config()).await.unwrap_err();
    assert_eq!(refused, MigrateError::Changed("0001_tables.sql"));
    assert_eq!(refused.to_string(), "the migration 0001_tables.sql has been changed since it ran on this database");
    assert!(server.heard("BEGIN TRANSACTION;").is_empty());
}

#[tokio::test]
async fn a_lock_that_is_not_granted_means_that_another_migration_runs() {
    for refusal in [-1, -2, -3, -999] {
        let server = Scripted::open(vec![vec![granted(refusal)]]).await;
        assert_eq!(migrate(&server.config()).await, Err(MigrateError::Busy));
    }
}

#[tokio::test]
async fn a_look_at_the_schema_reads_the_history_and_asks_for_nothing_else() {
    for (versions, expected) in [
        (&[][..], SchemaState::Older { found: 0, needed: 13 }),
        (&[1, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13], SchemaState::Current),
        (&[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14], SchemaState::Newer { found: 14, known: 13 }),
    ] {
        let rows: Vec<_> = versions.iter().map(|version| (*version, "name", "checksum")).collect();
        let server = Scripted::open(vec![vec![history(&rows)]]).await;
        assert_eq!(schema(&server.config()).await, Ok(expected));
        let login = [server.heard("SET LANGUAGE us_english"), server.heard("SELECT m.version")].concat();
        assert_eq!(login, [2, 3], "one statement after the login");
        assert!(server.heard("CREATE").is_empty() && server.heard("sp_getapplock").is_empty());
    }
}

#[tokio::test]
async fn without_a_history_or_a_database_the_schema_is_missing() {
    let no_history = Scripted::open(vec![vec![Step::Answer(error(208, 16, "Invalid object name."))]]).await;
    assert_eq!(schema(&no_history.config()).await, Ok(SchemaState::Missing));
    let no_database = [error(4060, 11, "Cannot open database."), error(18456, 14, "Login failed.")].concat();
    let no_database = Scripted::raw(vec![vec![Step::Answer(prelogin()), Step::Answer(no_database)]]).await;
    assert_eq!(schema(&no_database.config()).await, Ok(SchemaState::Missing));
}

#[tokio::test]
async fn a_server_that_is_away_or_refuses_is_no_missing_schema() {
    for (answer, class) in [
        (Step::Close, FaultClass::Unavailable { timed_out: false }),
        (Step::Answer(error(229, 14, "SELECT denied.")), FaultClass::Operator),
        (Step::Answer(error(1205, 13, "Deadlock.")), FaultClass::LockConflict),
    ] {
        let server = Scripted::open(vec![vec![answer]]).await;
        assert_eq!(schema(&server.config()).await.unwrap_err().class, class);
    }
}

#[tokio::test]
async fn a_missing_database_is_created_and_the_second_time_nothing_is_done() {
    let Some(config) = real::server() else { return };
    let fault = SqlServer::new(config.clone()).check().await.unwrap_err();
    assert_eq!(fault.code, Some(4060));
    assert_eq!(schema(&config).await, Ok(SchemaState::Missing));
    let first = migrate(&config).await.unwrap();
    assert!(first.created_database);
    assert_eq!(
        first.applied,
        [
            "0001_tables.sql",
            "0002_read_committed_snapshot.sql",
            "0003_log_positions.sql",
            "0004_waits_for_key.sql",
            "0005_parked_identity.sql",
            "0006_leases.sql",
            "0007_audit_log.sql",
            "0008_parked_headers.sql",
            "0009_parked_parents.sql",
            "0010_consumer_heartbeats.sql",
            "0011_redrive_jobs.sql",
            "0012_ledger_compactions.sql",
            "0013_redrive_landed.sql"
        ]
    );
    assert_eq!(first.warnings, []);
    let second = migrate(&config).await.unwrap();
    assert_eq!((second.created_database, second.applied, second.unknown), (false, vec![], vec![]));
    assert_eq!(schema(&config).await, Ok(SchemaState::Current));
    assert_eq!(SqlServer::new(config).check().await, Ok(()));
}

#[tokio::test]
async fn of_migrations_at_once_one_works_and_the_others_find_it_done() {
    let Some(config) = real::server() else { return };
    let reports = tokio::join!(migrate(&config), migrate(&config), migrate(&config));
    let reports = [reports.0.unwrap(), reports.1.unwrap(), reports.2.unwrap()];
    let tables = reports.iter().flat_map(|report| &report.applied).filter(|name| **name == "0001_tables.sql");
    assert_eq!(tables.count(), 1);
    assert_eq!(SqlServer::new(config).check().await, Ok(()));
}

#[tokio::test]
async fn a_wrong_password_is_for_the_operator() {
    let Some(config) = real::server() else { return };
    let config = SqlServerConfig { password: "not the password".to_owned().into(), database: "master".to_owned(), ..config };
    let fault = SqlServer::new(config).check().await.unwrap_err();
    assert_eq!((fault.class, fault.code), (FaultClass::Operator, Some(18456)));
}
