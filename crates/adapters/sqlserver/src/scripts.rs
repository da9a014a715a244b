//! The scripts of the folder `migrations`. The rules for those who write one stand in its README; the tests here hold them to the rules.

use sha2::{Digest, Sha256};

/// A script of the folder `migrations`.
pub(crate) struct Script {
    pub(crate) version: i32,
    pub(crate) name: &'static str,
    pub(crate) text: &'static str,
    /// Where it cannot be done, is it left for the next time? Such a script runs outside a transaction, and nothing needs it.
    pub(crate) optional: bool,
}

macro_rules! script {
    ($version:literal, $name:literal, optional: $optional:literal) => {
        Script {
            version: $version,
            name: $name,
            text: include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../migrations/", $name)),
            optional: $optional,
        }
    };
}

/// Every script, in order.
pub(crate) const SCRIPTS: [Script; 13] = [
    script!(1, "0001_tables.sql", optional: false),
    script!(2, "0002_read_committed_snapshot.sql", optional: true),
    script!(3, "0003_log_positions.sql", optional: false),
    script!(4, "0004_waits_for_key.sql", optional: false),
    script!(5, "0005_parked_identity.sql", optional: false),
    script!(6, "0006_leases.sql", optional: false),
    script!(7, "0007_audit_log.sql", optional: false),
    script!(8, "0008_parked_headers.sql", optional: false),
    script!(9, "0009_parked_parents.sql", optional: false),
    script!(10, "0010_consumer_heartbeats.sql", optional: false),
    script!(11, "0011_redrive_jobs.sql", optional: false),
    script!(12, "0012_ledger_compactions.sql", optional: false),
    script!(13, "0013_redrive_landed.sql", optional: false),
];

/// The parts of a script between lines that say `GO`, as sqlcmd splits it.
pub(crate) fn batches(script: &str) -> Vec<String> {
    let mut batches = vec![String::new()];
    for line in script.lines() {
        if line.trim().eq_ignore_ascii_case("GO") {
            batches.push(String::new());
        } else if let Some(batch) = batches.last_mut() {
            batch.push_str(line);
            batch.push('\n');
        }
    }
    batches.retain(|batch| !batch.trim().is_empty());
    batches
}

/// SHA-256 of the script with LF line ends, in hexadecimal: a checkout on Windows has CRLF.
pub(crate) fn checksum(script: &str) -> String {
    let digest = Sha256::digest(script.replace("\r\n", "\n"));
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use sqlparser::dialect::MsSqlDialect;
    use sqlparser::parser::Parser;
    use sqlparser::tokenizer::{Token, Tokenizer};

    use super::*;
    use crate::faults;

    #[test]
    fn a_script_is_split_at_lines_that_say_go() {
        assert_eq!(
            batches("SELECT 1\nGO\nSELECT 'GO'\r\n go \r\n\nGO\nSELECT 3 -- GO\n"),
            ["SELECT 1\n", "SELECT 'GO'\n", "SELECT 3 -- GO\n"]
        );
        assert_eq!(batches("\n GO\n"), Vec::<String>::new());
    }

    #[test]
    fn line_ends_do_not_change_a_checksum_and_all_else_does() {
        assert_eq!(checksum("a\r\nb\r\n"), checksum("a\nb\n"));
        assert_ne!(checksum("a\nb\n"), checksum("a\nb"));
        assert_eq!(checksum(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    }

    #[test]
    fn scripts_are_numbered_in_order_and_every_file_is_one_of_them() {
        let mut files: Vec<String> = std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../migrations"))
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .filter(|name| !["README.md", "roles.sql", "logins.sql"].contains(&name.as_str()))
            .collect();
        files.sort();
        assert_eq!(files, SCRIPTS.each_ref().map(|script| script.name));
        for (script, expected) in SCRIPTS.iter().zip(1..) {
            assert_eq!(script.version, expected);
            assert!(script.name.starts_with(&format!("{expected:04}_")));
        }
    }

    #[test]
    fn each_batch_parses() {
        // The parser does not know ALTER DATABASE, which is all that the optional one consists of.
        for script in SCRIPTS.iter().filter(|script| !script.optional) {
            for batch in batches(script.text) {
                let parsed = Parser::parse_sql(&MsSqlDialect {}, &batch);
                assert!(parsed.is_ok(), "{}: {}\n{batch}", script.name, parsed.unwrap_err());
            }
        }
    }

    #[test]
    fn the_constraints_of_the_tables_are_those_whose_violations_we_can_tell() {
        let named = SCRIPTS.iter().flat_map(|script| script.text.split("CONSTRAINT ").skip(1));
        let named = named.filter_map(|rest| rest.split_whitespace().next());
        let mut named: Vec<&str> = named.map(|name| name.trim_end_matches(';')).filter(|name| !name.starts_with("df_")).collect();
        named.sort_unstable();
        // A key that gets another column is dropped and made again under its name.
        named.dedup();
        let mut known = faults::CONSTRAINTS.map(|(name, _)| name);
        known.sort_unstable();
        assert_eq!(named, known);
    }

    /// The statements of a script in words, upper case, without comments, texts and punctuation.
    fn statements(script: &str) -> Vec<Vec<String>> {
        let mut statements = vec![Vec::new()];
        for token in batches(script).iter().flat_map(|batch| Tokenizer::new(&MsSqlDialect {}, batch).tokenize().unwrap()) {
            match token {
                Token::SemiColon => statements.push(Vec::new()),
                Token::Word(word) => statements.last_mut().unwrap().push(word.value.to_uppercase()),
                _ => {}
            }
        }
        statements
    }

    /// What a script takes from the release before it, which goes on reading and writing while this one is rolled out.
    fn contraction(script: &str) -> Option<String> {
        statements(script).into_iter().find_map(|words| {
            let says =
                |wanted: &[&str]| words.windows(wanted.len()).any(|words| words.iter().zip(wanted).all(|(word, wanted)| word == wanted));
            let makes_a_table = says(&["CREATE", "TABLE"]);
            let adds_a_rule = ["CHECK", "UNIQUE", "REFERENCES"].iter().any(|rule| says(&[rule]));
            let contracts = says(&["DROP", "COLUMN"])
                || says(&["DROP", "TABLE"])
                || says(&["SP_RENAME"])
                || (says(&["ALTER", "COLUMN"]) && says(&["NOT", "NULL"]))
                || (says(&["ALTER", "TABLE"]) && says(&["NOT", "NULL"]) && !says(&["DEFAULT"]))
                || (!makes_a_table && adds_a_rule);
            contracts.then(|| words.join(" "))
        })
    }

    #[test]
    fn only_a_script_that_is_called_so_contracts() {
        for script in SCRIPTS.iter().skip(1).filter(|script| !script.name.contains("contract")) {
            assert_eq!(contraction(script.text), None, "{}: see migrations/README.md", script.name);
        }
    }

    #[test]
    fn what_the_release_before_could_not_live_with_is_a_contraction() {
        for contracting in [
            "ALTER TABLE dbo.users DROP COLUMN email;",
            "alter table dbo.users\n  drop column if exists email",
            "DROP TABLE dbo.order_items;",
            "EXEC sp_rename N'dbo.users.email', N'mail', N'COLUMN';",
            "EXEC sys.sp_rename 'dbo.users', 'people'",
            "ALTER TABLE dbo.users ALTER COLUMN email nvarchar(400) NOT NULL;",
            "SELECT 1;\nGO\nALTER TABLE dbo.users ADD phone nvarchar(30) NOT NULL;",
            "ALTER TABLE dbo.orders ADD CONSTRAINT ck_total CHECK (total_amount >= 0);",
            "ALTER TABLE dbo.orders ADD region int NULL REFERENCES dbo.regions (id);",
            "IF 1 = 1\nBEGIN\n  CREATE UNIQUE INDEX uq_orders ON dbo.orders (placed_at);\nEND;",
        ] {
            assert!(contraction(contracting).is_some(), "{contracting}");
        }
    }

    #[test]
    fn what_only_adds_is_none() {
        for expanding in [
            "ALTER TABLE dbo.users ADD phone nvarchar(30) NULL;",
            "ALTER TABLE dbo.users ADD visits int NOT NULL CONSTRAINT df_users_visits DEFAULT 0;",
            "ALTER TABLE dbo.users ALTER COLUMN phone nvarchar(60) NULL;",
            "CREATE TABLE dbo.regions (id int NOT NULL CONSTRAINT pk_regions PRIMARY KEY, name nvarchar(50) NOT NULL UNIQUE);",
            "CREATE INDEX ix_orders_placed ON dbo.orders (placed_at); -- DROP COLUMN comes later",
            "DROP INDEX ix_orders_placed ON dbo.orders;",
            "ALTER TABLE dbo.orders DROP CONSTRAINT ck_orders_currency;",
            "ALTER TABLE dbo.t ADD c char(64) NOT NULL DEFAULT '';\nGO\nALTER TABLE dbo.t DROP CONSTRAINT pk_t;\n\
             ALTER TABLE dbo.t ADD CONSTRAINT pk_t PRIMARY KEY (a, b, c);",
            "UPDATE dbo.users SET phone = N'DROP TABLE' WHERE phone IS NOT NULL;",
        ] {
            assert_eq!(contraction(expanding), None, "{expanding}");
        }
    }
}
