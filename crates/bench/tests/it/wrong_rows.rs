//! A fast wrong answer is a failure.

use bench::check::{self, Sample};
use bench::floor;
use bench::place::{Embedded, Opened, Place as _};
use bench::scenarios::Scenario;
use bench::workload::{Workload, generator};
use sqlite::Sqlite;

async fn written(workload: &Workload, count: usize) -> Opened<Sqlite, Sqlite> {
    let opened = Embedded::default().open().await.unwrap();
    floor::write(&opened.tables, &workload.before, 100, 4000).await.unwrap();
    floor::write(&opened.tables, &workload.events[..count.min(workload.events.len())], 100, 4000).await.unwrap();
    opened
}

#[tokio::test(flavor = "multi_thread")]
async fn one_event_too_few_is_found_in_a_whole_workload_and_in_a_sample() {
    let workload = Workload::new(Scenario::HalfUpdate, 300, 1);
    let (count, reference) = (workload.events.len(), workload.reference());
    check::whole::<Embedded>(&written(&workload, count).await, &workload, &reference).await.unwrap();
    // The last one changes a row.
    let fault = check::whole::<Embedded>(&written(&workload, count - 1).await, &workload, &reference).await.unwrap_err();
    assert_eq!(fault.to_string(), "the rows are wrong");

    let workload = Workload::new(Scenario::InsertOnly, 300, 1);
    let mut sample = Sample::new(1);
    workload.events.iter().for_each(|event| sample.note(event));
    sample.check(&written(&workload, 300).await.tables).await.unwrap();
    assert!(sample.check(&written(&workload, 299).await.tables).await.is_err());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dead_letter_and_a_parked_event_that_must_be_there_are_missed() {
    for (scenario, missing) in
        [(Scenario::PoisonDecode, "0 dead letters instead of 3"), (Scenario::PoisonAddress, "0 events are parked instead of 3")]
    {
        let workload = Workload::new(scenario, 300, 1);
        let reference = workload.reference();
        let fault = check::whole::<Embedded>(&written(&workload, 300).await, &workload, &reference).await.unwrap_err();
        assert_eq!(fault.to_string(), missing);
    }
}

#[test]
fn streams_are_as_long_as_they_are_asked_to_be_and_hot_keys_are_few() {
    for scenario in Scenario::ALL {
        let records = Workload::new(scenario, 2000, 1).records.len();
        assert!((1980..=2002).contains(&records), "{}: {records}", scenario.name());
    }
    let hot = Workload::new(Scenario::HotKey, 2000, 1);
    let keys: std::collections::HashSet<_> = hot.events.iter().skip(1).step_by(2).map(events::Event::key).collect();
    assert!((5..=10).contains(&keys.len()), "{} hot keys", keys.len());
    assert_eq!(generator(10, 1).count(), 10);
}
