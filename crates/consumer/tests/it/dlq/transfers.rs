//! Carrying entries out and in.

use consumer::audit::Unwitnessed;
use consumer::dlq::Filter;
use consumer::dlq::scan::Scan;
use consumer::dlq::transfer::{Imported, export_page, import};
use testkit::builders::{dead_letter, second};

use super::bench::{Queue, five_fields};

async fn exported(queue: &Queue) -> String {
    exported_of(queue, &Filter::default()).await
}

async fn exported_of(queue: &Queue, filter: &Filter) -> String {
    let mut scan = Scan::start(queue).await.unwrap();
    let mut lines = String::new();
    loop {
        let page = export_page(&mut scan, filter, second(7200)).await.unwrap();
        if page.is_empty() {
            return lines;
        }
        lines.extend(page);
    }
}

async fn imported(queue: &Queue, lines: &str) -> Result<Imported, String> {
    import(queue, lines.lines().map(|line| Ok(line.to_owned())), true, &mut Unwitnessed).await.map_err(|error| error.to_string())
}

#[tokio::test]
async fn an_export_comes_back_byte_for_byte_in_its_order_and_importing_twice_changes_nothing() {
    let (from, to) = (Queue::new(), Queue::new());
    let mut texts =
        vec![String::new(), "no letter".into(), "{\n  \"a\": 1\n}".into(), "\"text\"".into(), "{} ".into(), "\r\n\0\u{2028}".into()];
    texts.extend([dead_letter("boom").json, dead_letter(b"\xff").json]);
    // Two that look alike are two.
    texts.extend([five_fields("{}", 0), "twice".into(), "twice".into()]);
    texts.extend((0..1000).map(|number| format!("{{\"number\": {number}}}")));
    from.put(&texts).await;
    let lines = exported(&from).await;
    assert_eq!(lines.lines().count(), texts.len());
    assert!(lines.lines().all(|line| serde_json::from_str::<serde_json::Value>(line).is_ok()));

    let count = texts.len() as u64;
    assert_eq!(imported(&to, &lines).await, Ok(Imported { lines: count, imported: count, skipped: 0 }));
    assert_eq!(to.texts().await, texts);
    assert_eq!(exported(&to).await, lines);
    assert_eq!(imported(&to, &lines).await, Ok(Imported { lines: count, imported: 0, skipped: count }));
    assert_eq!(to.texts().await, texts);
}

#[tokio::test]
async fn only_what_is_meant_is_exported_from_whatever_page_it_is_on() {
    let queue = Queue::new();
    let mut texts: Vec<_> = (0..1200).map(|number| format!("no letter {number}")).collect();
    texts.insert(1100, dead_letter("boom").json);
    queue.put(&texts).await;
    let filter = Filter { reason: Some("not_json".to_owned()), ..Filter::default() };
    assert_eq!(exported_of(&queue, &filter).await, texts[1100].clone() + "\n");
    let none = Filter { reason: Some("too_long".to_owned()), ..Filter::default() };
    assert_eq!(exported_of(&queue, &none).await, "");
}

#[tokio::test]
async fn only_what_is_missing_is_imported() {
    let queue = Queue::new();
    queue.put(&["{\"a\":1}".to_owned(), "twice".to_owned()]).await;
    let lines = "{\"a\":1}\r\n\r\n{\"b\":2}\n\"twice\"\n\"twice\"\n";
    assert_eq!(imported(&queue, lines).await, Ok(Imported { lines: 4, imported: 2, skipped: 2 }));
    assert_eq!(queue.texts().await, ["{\"a\":1}", "twice", "{\"b\":2}", "twice"]);
}

#[tokio::test]
async fn a_broken_line_is_named_and_those_before_it_are_there() {
    let queue = Queue::new();
    let error = imported(&queue, "{\"a\":1}\nboom\n{\"b\":2}").await.unwrap_err();
    assert!(error.starts_with("line 2 is not JSON"), "{error}");
    assert_eq!(queue.texts().await, ["{\"a\":1}"]);
    assert_eq!(imported(&queue, "{\"a\":1}\n{\"b\":2}").await, Ok(Imported { lines: 2, imported: 1, skipped: 1 }));
}

#[tokio::test]
async fn what_is_no_dead_letter_is_imported_only_when_it_is_asked_for() {
    for (line, what) in [("{\"a\":1}", "an object of something else"), ("\"text\"", "the text of another program"), ("[]", "a list")] {
        let queue = Queue::new();
        let lines = format!("{}\n{line}\n", five_fields("{}", 0));
        let error = import(&queue, lines.lines().map(|line| Ok(line.to_owned())), false, &mut Unwitnessed).await.unwrap_err().to_string();
        assert!(error.starts_with("line 2 is no dead letter") && error.contains("--any"), "{what}: {error}");
        assert_eq!(queue.texts().await.len(), 1, "{what}");
        assert_eq!(imported(&queue, &lines).await, Ok(Imported { lines: 2, imported: 1, skipped: 1 }), "{what}");
    }
}
