#!/usr/bin/env bash
# A .env file that a shell reads is read by Rust's dotenvy as something else, or refused.
#
# One would guess: `URL=$DB_HOST/shop` has the host in it, as for a shell, for Docker Compose and for Node.js' dotenv-expand, and a variable may stand at the
# end of a value in double quotes.
# What happens in the reader that most Rust programs use (dotenvy 0.15.7): a name without braces ends before its first underscore, so `$DB_HOST` is the value of
# DB, which nobody has set, and `_HOST`; no error is raised. And a variable without braces at the end of double quotes swallows the quote, and the line is
# refused. With braces both are right.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
mkdir src
cat >Cargo.toml <<'TOML'
[package]
name = "finding"
version = "0.1.0"
edition = "2021"

[dependencies]
dotenvy = "=0.15.7"
TOML
cat >src/main.rs <<'RUST'
fn read(line: &str) -> String {
    let file = format!("DB_HOST=db.example.com\nUSER_ID=7\nNAME=shop\n{line}\n");
    let value = dotenvy::from_read_iter(file.as_bytes())
        .collect::<Result<Vec<_>, _>>()
        .map(|pairs| pairs.into_iter().last().unwrap().1)
        .unwrap_or_else(|_| "refused".to_owned());
    println!("{line:<32} {value}");
    value
}

fn main() {
    // As one would guess.
    assert_eq!(read("URL=${DB_HOST}/shop"), "db.example.com/shop");
    assert_eq!(read("PATH_OF_IT=/srv/$NAME"), "/srv/shop");
    assert_eq!(read("PATH_OF_IT=\"/srv/${NAME}\""), "/srv/shop");
    // And not.
    assert_eq!(read("URL=$DB_HOST/shop"), "_HOST/shop");
    assert_eq!(read("KEY=user-$USER_ID"), "user-_ID");
    assert_eq!(read("PATH_OF_IT=\"/srv/$NAME\""), "refused");
}
RUST
# shellcheck disable=SC2016 # the signs are for whoever reads the file
printf '%s\n' DB_HOST=db.example.com USER_ID=7 NAME=shop 'URL=$DB_HOST/shop' 'KEY=user-$USER_ID' 'PATH_OF_IT="/srv/$NAME"' >variables.env
# shellcheck disable=SC2016
shell=$(env -i "$BASH" -c '. ./variables.env; echo "$URL $KEY $PATH_OF_IT"')
echo "a shell reads them as            $shell"
[[ $shell == 'db.example.com/shop user-7 /srv/shop' ]]
echo "dotenvy 0.15.7, $(rustc --version)"
CARGO_TARGET_DIR="$work/target" cargo run --quiet
