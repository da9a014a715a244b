//! Redrives that outlive the process that does them. A server's tables may hold jobs of earlier cases, so each looks at its own.

use pipeline::audit::{LONGEST_SUBJECT, Origin};
use pipeline::landed::Landed;
use pipeline::ports::{Delivered, RedriveJobs};
use pipeline::redrive_job::{JobChange, JobCounts, JobLetter, JobPlan, JobState, KEPT_JOBS, LetterResult, RedriveJob};
use pipeline::trace::About;
use pipeline::{LogId, LogPosition};

use crate::builders::{id, order, second};

fn plan() -> JobPlan {
    JobPlan {
        operation: id(),
        made_at: second(7),
        actor: "ada".to_owned(),
        origin: Origin::Console.label().to_owned(),
        subject: "dead letters: reason too_long".to_owned(),
        rate: None,
        max_retries: 5,
    }
}

async fn planned<S: RedriveJobs>(store: &S, plan: &JobPlan) -> i64 {
    store.plan_job(plan).await.expect("the store plans a job")
}

async fn job<S: RedriveJobs>(store: &S, number: i64) -> Option<RedriveJob> {
    let jobs = store.jobs_before(number + 1, 1).await.expect("the store reads jobs");
    jobs.into_iter().find(|job| job.number == number)
}

async fn change<S: RedriveJobs>(store: &S, number: i64, change: JobChange) -> bool {
    store.change_job(number, &change).await.expect("the store changes a job")
}

async fn note<S: RedriveJobs>(store: &S, number: i64, letters: &[JobLetter], counts: &JobCounts) {
    store.note_letters(number, letters, counts).await.expect("the store notes letters");
}

async fn letters<S: RedriveJobs>(store: &S, number: i64, after: &str, limit: usize) -> Vec<JobLetter> {
    store.job_letters(number, after, limit).await.expect("the store reads letters")
}

fn letter(number: usize, result: LetterResult) -> JobLetter {
    JobLetter { id: format!("{number:012x}"), result, landed: None }
}

pub async fn a_job_comes_back_as_it_was_planned_and_one_operation_makes_one<S: RedriveJobs>(store: &S) {
    let full = JobPlan { subject: "Zoë 😀 \"dead\" \\ 'x'".to_owned(), rate: Some(0.25), max_retries: 0, ..plan() };
    let number = planned(store, &full).await;
    let found = job(store, number).await.expect("it is there");
    let counts = JobCounts::default();
    assert_eq!(
        found,
        RedriveJob { number, plan: full.clone(), state: JobState::Planned, problem: None, counts, updated_at: found.updated_at }
    );
    assert_eq!(planned(store, &JobPlan { rate: None, ..full.clone() }).await, number, "a connection that broke makes no second one");
    assert_eq!(job(store, number).await.map(|job| job.plan), Some(full));
    let other = planned(store, &JobPlan { subject: "x".repeat(LONGEST_SUBJECT + 1), ..plan() }).await;
    assert!(other > number, "the newest has the highest number");
    let subject = job(store, other).await.map(|job| job.plan.subject);
    assert_eq!(subject, Some(format!("{}…", "x".repeat(LONGEST_SUBJECT - 1))));
}

pub async fn the_newest_jobs_come_first_page_by_page<S: RedriveJobs>(store: &S) {
    let first = planned(store, &plan()).await;
    let second = planned(store, &plan()).await;
    let page = store.jobs_before(i64::MAX, 1000).await.expect("the store reads jobs");
    let numbers: Vec<_> = page.iter().map(|job| job.number).collect();
    assert!(numbers.is_sorted_by(|a, b| a > b) && numbers.contains(&first) && numbers.contains(&second), "{numbers:?}");
    let next = store.jobs_before(second, 1).await.expect("the store reads jobs");
    assert!(next.len() == 1 && next[0].number >= first && next[0].number < second);
}

pub async fn a_letter_keeps_its_last_result_and_pages_hold_each_once<S: RedriveJobs>(store: &S) {
    let (number, other) = (planned(store, &plan()).await, planned(store, &plan()).await);
    let pending: Vec<_> = (0..5).map(|number| letter(number, LetterResult::Pending)).collect();
    note(store, number, &pending, &JobCounts::of(&pending)).await;
    note(store, other, &pending[..1], &JobCounts::of(&pending[..1])).await;
    let now = [letter(1, LetterResult::Sent), letter(5, LetterResult::Unreadable)];
    let mut expected = pending.clone();
    expected[1] = now[0].clone();
    expected.push(now[1].clone());
    for time in ["the first time", "again"] {
        note(store, number, &now, &JobCounts::of(&expected)).await;
        assert_eq!(letters(store, number, "", 100).await, expected, "{time}");
    }
    assert_eq!(letters(store, number, "", 2).await, expected[..2]);
    assert_eq!(letters(store, number, &expected[1].id, 100).await, expected[2..]);
    assert_eq!(letters(store, other, "", 100).await, pending[..1]);
    assert_eq!(job(store, number).await.map(|job| job.counts), Some(JobCounts::of(&expected)));
}

pub async fn where_the_broker_put_a_letter_is_kept_as_it_was_noted_last<S: RedriveJobs>(store: &S) {
    let number = planned(store, &plan()).await;
    let pending: Vec<_> = (0..4).map(|number| letter(number, LetterResult::Pending)).collect();
    note(store, number, &pending, &JobCounts::of(&pending)).await;
    let event = order(id(), id());
    let place = Delivered { partition: 3, offset: i64::MAX };
    let landed = Landed { topic: "events.of-\"ours\"_1".to_owned(), place, about: About::read(&event.to_json()), before: None };
    let positions = |logs| {
        let position = |_| LogPosition { log: LogId(id()), topic: landed.topic.as_str().into(), partition: 3, next_offset: i64::MAX };
        (0..logs).map(position).collect::<Vec<_>>()
    };
    let at = |place| Landed { place: Delivered { partition: 3, offset: place }, ..landed.clone() };
    let sent = |number, landed| JobLetter { landed: Some(landed), ..letter(number, LetterResult::Sent) };
    let noted = [
        sent(0, at(7).after(second(5), &positions(2))),
        sent(1, Landed { about: None, ..landed.clone() }),
        // Too long for any store.
        sent(2, at(7).after(second(5), &positions(100))),
        letter(3, LetterResult::Gone),
    ];
    note(store, number, &noted, &JobCounts::of(&noted)).await;
    let [first, second, third, fourth] = noted;
    let expected = [first.clone(), second, JobLetter { landed: None, ..third }, fourth];
    assert_eq!(letters(store, number, "", 100).await, expected);
    assert_eq!(expected[0].landed.as_ref().and_then(|landed| landed.before.as_ref()).map(|before| before.not_in.len()), Some(2));
    let again = [JobLetter { landed: None, ..first }];
    note(store, number, &again, &JobCounts::of(&expected)).await;
    assert_eq!(letters(store, number, "", 1).await, again);
}

pub async fn a_job_changes_only_from_the_states_from_which_it_may<S: RedriveJobs>(store: &S) {
    let number = planned(store, &plan()).await;
    let state = async || job(store, number).await.expect("it is there").state;
    assert!(!change(store, number, JobChange::Pause).await, "it does not run");
    assert!(change(store, number, JobChange::Begin).await && !change(store, number, JobChange::Begin).await);
    assert_eq!(state().await, JobState::Running);
    assert!(change(store, number, JobChange::Pause).await && !change(store, number, JobChange::Finish).await);
    assert!(change(store, number, JobChange::Resume(Some(2.5))).await);
    assert_eq!(job(store, number).await.expect("it is there").plan.rate, Some(2.5));
    assert!(change(store, number, JobChange::Fail("the broker is \"away\"".to_owned())).await);
    let failed = job(store, number).await.expect("it is there");
    assert_eq!((failed.state, failed.problem.as_deref()), (JobState::Failed, Some("the broker is \"away\"")));
    assert!(change(store, number, JobChange::Resume(None)).await);
    let resumed = job(store, number).await.expect("it is there");
    assert_eq!((resumed.state, resumed.problem, resumed.plan.rate), (JobState::Running, None, Some(2.5)));
    assert!(change(store, number, JobChange::Cancel).await);
    for ended in [JobChange::Begin, JobChange::Pause, JobChange::Resume(None), JobChange::Cancel, JobChange::Finish] {
        assert!(!change(store, number, ended).await);
    }
    assert_eq!(state().await, JobState::Cancelled);
    assert!(!change(store, i64::MAX, JobChange::Cancel).await, "there is no such job");
}

pub async fn only_jobs_that_run_are_gone_on_with<S: RedriveJobs>(store: &S) {
    let runs = async |number: i64| store.running_jobs().await.expect("the store reads jobs").contains(&number);
    let number = planned(store, &plan()).await;
    assert!(!runs(number).await, "its letters are not named yet");
    change(store, number, JobChange::Begin).await;
    assert!(runs(number).await);
    change(store, number, JobChange::Pause).await;
    assert!(!runs(number).await);
    change(store, number, JobChange::Resume(None)).await;
    change(store, number, JobChange::Finish).await;
    assert!(!runs(number).await);
}

pub async fn old_jobs_are_forgotten_once_they_have_ended<S: RedriveJobs>(store: &S) {
    let (ended, running) = (planned(store, &plan()).await, planned(store, &plan()).await);
    let one = [letter(0, LetterResult::Pending)];
    for number in [ended, running] {
        note(store, number, &one, &JobCounts::of(&one)).await;
        change(store, number, JobChange::Begin).await;
    }
    change(store, ended, JobChange::Finish).await;
    let mut last = running;
    while last < running + KEPT_JOBS {
        last = planned(store, &plan()).await;
    }
    assert_eq!(job(store, ended).await, None);
    assert_eq!(letters(store, ended, "", 10).await, []);
    assert!(job(store, running).await.is_some());
    assert_eq!(letters(store, running, "", 10).await, one);
}
