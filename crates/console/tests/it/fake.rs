//! A pipeline that shows what it is told to, and notes what was asked of it.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use console::*;
use tokio::sync::watch;

use super::data;

/// What was asked of the pipeline.
#[derive(Clone, Debug, PartialEq)]
pub enum Asked {
    Send(String, String, String),
    Rehearse(Selection),
    Redrive(String, Order),
    Control(String, u64, JobControl),
    Purge(String, Selection),
    Permit(String, Permit),
    Verify(String),
    Check(String),
}

/// The pipeline.
#[derive(Default)]
pub struct Fake {
    pub asked: Mutex<Vec<Asked>>,
    pub looks: AtomicU64,
    /// How many dead letters there are.
    pub depth: AtomicU64,
    /// Whether nothing can be reached.
    pub away: AtomicBool,
    /// Whether nothing answers at all.
    pub hangs: AtomicBool,
    /// Whether the list is being read for the first time.
    pub reading: AtomicBool,
    /// Replaces every text that is shown.
    pub markup: Option<&'static str>,
    /// Groups, bytes and parents beyond those that a page shows.
    pub beyond: AtomicU64,
    pub gone: Mutex<Vec<String>>,
    /// Parts that are down beside those of `data`: in this process, and in another one.
    pub down: Mutex<(Vec<Part>, Vec<Part>)>,
    pub changes: watch::Sender<u64>,
    /// Whether the process is asked to stop.
    pub stop: watch::Sender<bool>,
}

impl Fake {
    pub fn with(depth: u64) -> Arc<Self> {
        Arc::new(Self { depth: depth.into(), ..Self::default() })
    }

    /// What was asked, without the times of the pages.
    pub fn asked(&self) -> Vec<Asked> {
        let mut asked = self.asked.lock().unwrap().clone();
        asked.iter_mut().filter_map(until).for_each(|until| *until = None);
        asked
    }

    /// The times of the pages from which it was asked.
    pub fn untils(&self) -> Vec<Option<String>> {
        self.asked.lock().unwrap().clone().iter_mut().filter_map(until).map(|until| until.take()).collect()
    }

    /// This process begins to wait, as it does: it says so, and that is a change.
    pub fn hold(&self, sentence: &str) {
        self.down.lock().unwrap().0.push(data::down(sentence));
        self.changes.send_modify(|changes| *changes += 1);
    }

    /// Another process does: who looks sees it.
    pub fn hold_elsewhere(&self, sentence: &str) {
        self.down.lock().unwrap().1.push(data::down(sentence));
    }

    fn note(&self, asked: Asked) {
        self.asked.lock().unwrap().push(asked);
    }

    fn reach(&self) -> Result<(), Refused> {
        if self.away.load(Ordering::SeqCst) {
            return Err(Refused { kind: RefusalKind::Unavailable, sentence: self.text("The dead letter queue does not answer.") });
        }
        Ok(())
    }

    fn being_read(&self) -> Refused {
        let sentence = self.text("The dead letters are being read: 34000 of 100000 so far.");
        Refused { kind: RefusalKind::Reading, sentence }
    }

    /// A text, or the markup that stands in for every text.
    fn text(&self, text: &str) -> String {
        self.markup.unwrap_or(text).to_owned()
    }

    fn dirty(&self, texts: &mut [&mut String]) {
        if let Some(markup) = self.markup {
            for text in texts {
                **text = markup.to_owned();
            }
        }
    }

    fn some(&self, text: &mut Option<String>) {
        if let Some(markup) = self.markup {
            *text = Some(markup.to_owned());
        }
    }

    fn field(&self, PayloadField { path, value, problem }: &mut PayloadField) {
        self.dirty(&mut [path]);
        self.some(value);
        self.some(problem);
    }

    fn row(&self, mut row: LetterRow) -> LetterRow {
        self.dirty(&mut [&mut row.reason, &mut row.event_type, &mut row.fingerprint, &mut row.error, &mut row.id]);
        for text in [&mut row.since, &mut row.event_id, &mut row.place] {
            self.some(text);
        }
        row
    }

    fn job_texts(&self, job: &mut Job) {
        self.dirty(&mut [&mut job.caller, &mut job.began, &mut job.subject, &mut job.updated]);
        self.some(&mut job.problem);
        for (name, _) in &mut job.counts {
            self.dirty(&mut [name]);
        }
    }

    fn foreseen(&self, mut foreseen: Foreseen) -> Foreseen {
        self.dirty(&mut [&mut foreseen.outcome]);
        self.some(&mut foreseen.detail);
        foreseen
    }

    fn matching(&self, selection: &Selection) -> Vec<LetterRow> {
        let gone = self.gone.lock().unwrap();
        let fits = |wanted: &Option<String>, is: &String| wanted.as_ref().is_none_or(|wanted| wanted == is);
        (0..self.depth.load(Ordering::SeqCst))
            .map(data::row)
            .filter(|row| !gone.contains(&row.id))
            .filter(|row| selection.ids.is_empty() || selection.ids.contains(&row.id))
            .filter(|row| selection.until.as_ref().is_none_or(|until| row.since.as_ref().is_none_or(|since| since <= until)))
            .filter(|row| self.markup.is_some() || fits(&selection.reason, &row.reason))
            .filter(|row| self.markup.is_some() || fits(&selection.fingerprint, &row.fingerprint))
            .filter(|row| self.markup.is_some() || fits(&selection.event_type, &row.event_type))
            .map(|row| self.row(row))
            .collect()
    }
}

fn until(asked: &mut Asked) -> Option<&mut Option<String>> {
    match asked {
        Asked::Rehearse(selection) | Asked::Purge(_, selection) | Asked::Redrive(_, Order { selection, .. }) => Some(&mut selection.until),
        _ => None,
    }
}

impl Operations for Fake {
    async fn flow(&self) -> Flow {
        let looks = self.looks.fetch_add(1, Ordering::SeqCst);
        if self.hangs.load(Ordering::SeqCst) {
            std::future::pending::<()>().await;
        }
        let mut flow = data::flow(looks);
        self.dirty(&mut [&mut flow.at, &mut flow.topic, &mut flow.group]);
        flow.here = self.here();
        flow.consumers.as_mut().unwrap()[1].down.extend(self.down.lock().unwrap().1.clone());
        for consumer in flow.consumers.iter_mut().flatten() {
            self.dirty(&mut [&mut consumer.host, &mut consumer.version, &mut consumer.started_at, &mut consumer.status]);
            for text in [&mut consumer.elsewhere, &mut consumer.last_commit] {
                self.some(text);
            }
            if let Some(Verdict { ended, outcome, .. }) = &mut consumer.verification {
                self.dirty(&mut [ended]);
                if let VerdictOutcome::Unfinished(why) = outcome {
                    self.dirty(&mut [why]);
                }
            }
            for part in &mut consumer.down {
                self.dirty(&mut [&mut part.name, &mut part.since]);
                self.some(&mut part.reason);
            }
        }
        self.some(&mut flow.verification);
        if self.away.load(Ordering::SeqCst) {
            flow.partitions = Err(self.text("the broker does not answer"));
            flow.consumers = Err(self.text("the database does not answer"));
            flow.parked = Err(self.text("the database does not answer"));
            flow.dead_letters = Err(self.text("the queue does not answer"));
        }
        if let (Some(markup), Ok((_, oldest))) = (self.markup, &mut flow.parked) {
            *oldest = Some(markup.to_owned());
        }
        flow
    }

    fn here(&self) -> Here {
        let mut here = data::here(self.looks.load(Ordering::SeqCst));
        here.parts.extend(self.down.lock().unwrap().0.clone());
        self.dirty(&mut [&mut here.status]);
        for part in &mut here.parts {
            let flood = part.name == "flow";
            self.dirty(&mut [&mut part.name, &mut part.since]);
            self.some(&mut part.reason);
            if flood {
                "flow".clone_into(&mut part.name);
            }
        }
        here
    }

    fn held_known(&self) -> Result<Held, Refused> {
        self.reach()?;
        if self.reading.load(Ordering::SeqCst) {
            return Err(Refused { kind: RefusalKind::Reading, sentence: self.text("The log is being looked at.") });
        }
        let mut held = data::held();
        self.dirty(&mut [&mut held.at]);
        for HeldRecord { place, at, key, event_type, event_id, reason, fingerprint, error } in &mut held.records {
            self.dirty(&mut [place, event_type, reason, fingerprint, error]);
            for text in [at, key, event_id] {
                self.some(text);
            }
        }
        held.caveats.iter_mut().for_each(|caveat| self.dirty(&mut [caveat]));
        Ok(held)
    }

    async fn held(&self) -> Result<Held, Refused> {
        self.held_known()
    }

    fn changes(&self) -> watch::Receiver<u64> {
        self.changes.subscribe()
    }

    async fn stopped(&self) {
        self.stop.subscribe().wait_for(|stop| *stop).await.unwrap();
    }

    async fn groups(&self) -> Result<Groups, Refused> {
        self.reach()?;
        if self.reading.load(Ordering::SeqCst) {
            return Err(self.being_read());
        }
        if self.depth.load(Ordering::SeqCst) == 0 {
            return Ok(Groups::default());
        }
        let mut groups = data::groups();
        if let Some(last) = groups.last().cloned() {
            let many = self.beyond.load(Ordering::SeqCst);
            // A page shows 40.
            groups.resize(if many > 0 { 40 + many as usize } else { groups.len() }, last);
        }
        for group in &mut groups {
            self.dirty(&mut [&mut group.fingerprint, &mut group.sample, &mut group.sample_id]);
            self.some(&mut group.first_seen);
            self.some(&mut group.last_seen);
        }
        Ok(Groups { groups, uncounted: self.beyond.load(Ordering::SeqCst) })
    }

    async fn letters(&self, selection: &Selection, start: u64, limit: u64) -> Result<LetterPage, Refused> {
        self.reach()?;
        if selection.older_than.as_deref() == Some("soon") {
            return Err(Refused { kind: RefusalKind::Bad, sentence: "An age is a number with a unit, such as 15m.".to_owned() });
        }
        if self.reading.load(Ordering::SeqCst) && *selection != Selection::default() {
            return Err(self.being_read());
        }
        let all = self.matching(selection);
        let end = start.saturating_add(limit).min(all.len() as u64);
        let rows = all.get(start as usize..end as usize).unwrap_or_default().to_vec();
        let depth = self.depth.load(Ordering::SeqCst) - self.gone.lock().unwrap().len() as u64;
        Ok(LetterPage { depth, rows, next: (end < all.len() as u64).then_some(end) })
    }

    async fn count(&self, selection: &Selection) -> Result<u64, Refused> {
        self.reach()?;
        Ok(self.matching(selection).len() as u64)
    }

    async fn letter(&self, id: &str) -> Result<Letter, Refused> {
        self.reach()?;
        if id == "ffffffffffff" {
            return Err(Refused { kind: RefusalKind::NotFound, sentence: self.text("There is no such dead letter (any more).") });
        }
        let mut letter = data::letter(id);
        if let Some(markup) = self.markup {
            letter.bytes = format!("{markup}{{\"a\": \"{markup}\"}}").into_bytes();
            letter.editable = Some(format!("</textarea>{markup}"));
            letter.is_text = true;
        }
        if self.beyond.load(Ordering::SeqCst) > 0 {
            letter.bytes.resize(4096 + self.beyond.load(Ordering::SeqCst) as usize, b' ');
        }
        letter.row = self.row(letter.row);
        self.some(&mut letter.key);
        self.some(&mut letter.field);
        letter.fields.iter_mut().for_each(|field| self.field(field));
        self.some(&mut letter.told);
        self.some(&mut letter.record_at);
        self.some(&mut letter.event_at);
        Ok(letter)
    }

    async fn letter_history(&self, id: &str, limit: usize) -> Known<Vec<AuditRow>> {
        if self.hangs.load(Ordering::SeqCst) {
            return Err(self.text("There was no answer within 3 s."));
        }
        let all = self.audit(None, usize::MAX).await.unwrap_or_default();
        let about = |row: &AuditRow| self.markup.is_some() || row.subject.starts_with(&format!("dead letter {id}"));
        Ok(all.into_iter().filter(about).take(limit).collect())
    }

    async fn check(&self, _: &str, payload: &str) -> Result<Draft, Refused> {
        self.reach()?;
        let wrong = payload.contains(" at ") || !payload.contains('@');
        let diff = "--- before\n+++ after\n@@ -6,3 +6,3 @@\n     \"userId\": \"0190a2b4-0000-7000-8000-000000000042\",\n-    \"email\": \"ada at \
                    example.org\",\n+    \"email\": \"ada@example.org\",\n     \"name\": \"Ada Lovelace\",";
        let foreseen = Foreseen { outcome: "applied".to_owned(), detail: None };
        let mut draft = Draft {
            problem: wrong.then(|| "is no e-mail address: one @ with something on both sides of it is needed".to_owned()),
            wrong: data::letter("3fa9c1d20000").fields.into_iter().filter(|field| wrong && field.problem.is_some()).collect(),
            diff: if payload == data::payload("ada at example.org") { String::new() } else { diff.to_owned() },
            foreseen: (!wrong).then(|| Ok(self.foreseen(foreseen))),
        };
        if let Some(markup) = self.markup {
            draft.diff = format!("+{markup}\n-{markup}\n@@{markup}\n {markup}");
            draft.wrong.iter_mut().for_each(|field| self.field(field));
            if wrong {
                self.some(&mut draft.problem);
            }
        }
        Ok(draft)
    }

    async fn send(&self, caller: &Caller, id: &str, payload: &str) -> Result<Sent, Refused> {
        self.reach()?;
        if payload.contains(" at ") {
            return Err(Refused { kind: RefusalKind::Bad, sentence: self.text("payload.email is no e-mail address.") });
        }
        self.note(Asked::Send(caller.0.clone(), id.to_owned(), payload.to_owned()));
        self.gone.lock().unwrap().push(id.to_owned());
        Ok(Sent { event_id: self.text(data::EVENT), place: self.text("shop.events/4/1204399") })
    }

    async fn rehearse(&self, selection: &Selection, _: u64) -> Result<Rehearsal, Refused> {
        self.reach()?;
        self.note(Asked::Rehearse(selection.clone()));
        let mut rehearsal = data::rehearsal(self.matching(selection).len() as u64);
        for (outcome, _) in &mut rehearsal.totals {
            self.dirty(&mut [outcome]);
        }
        for row in &mut rehearsal.rows {
            self.dirty(&mut [&mut row.id, &mut row.event_type]);
            self.some(&mut row.event_id);
            row.foreseen = self.foreseen(row.foreseen.clone());
        }
        Ok(rehearsal)
    }

    async fn redrive(&self, caller: &Caller, order: &Order) -> Result<u64, Refused> {
        self.reach()?;
        self.note(Asked::Redrive(caller.0.clone(), order.clone()));
        Ok(3)
    }

    async fn control(&self, caller: &Caller, job: u64, wanted: JobControl) -> Result<(), Refused> {
        self.reach()?;
        self.note(Asked::Control(caller.0.clone(), job, wanted));
        if job == 3 {
            return Ok(());
        }
        Err(Refused { kind: RefusalKind::Impossible, sentence: self.text("Job 9 is done, and nothing was changed.") })
    }

    async fn jobs(&self) -> Result<Vec<Job>, Refused> {
        self.reach()?;
        if self.depth.load(Ordering::SeqCst) == 0 {
            return Ok(Vec::new());
        }
        let mut jobs = data::jobs(self.looks.fetch_add(1, Ordering::SeqCst));
        jobs.iter_mut().for_each(|job| self.job_texts(job));
        Ok(jobs)
    }

    async fn job(&self, number: u64, after: &str, limit: usize) -> Result<JobLetters, Refused> {
        self.reach()?;
        let no_job = || Refused { kind: RefusalKind::NotFound, sentence: self.text("There is no job of this number.") };
        let mut job = data::jobs(0).into_iter().find(|job| job.number == number).ok_or_else(no_job)?;
        self.job_texts(&mut job);
        let (mut letters, next) = data::job_letters(number, after.parse().unwrap_or_default(), limit as u64);
        for letter in &mut letters {
            self.dirty(&mut [&mut letter.id, &mut letter.why]);
            self.some(&mut letter.event_id);
        }
        let selection = Selection { fingerprint: Some(self.text(data::POISON)), ..Selection::default() };
        let next = next.map(|next| self.text(&next.to_string()));
        Ok(JobLetters { selection: job.is_canary.then_some(selection), job, letters, next })
    }

    async fn purge(&self, caller: &Caller, selection: &Selection) -> Result<u64, Refused> {
        self.reach()?;
        self.note(Asked::Purge(caller.0.clone(), selection.clone()));
        Ok(self.matching(selection).len() as u64)
    }

    async fn parked(&self) -> Result<Parked, Refused> {
        self.reach()?;
        let mut parked = Parked { hidden: self.beyond.load(Ordering::SeqCst), ..data::parked() };
        if self.depth.load(Ordering::SeqCst) == 0 {
            parked = Parked { parents: Vec::new(), events: 0, ..parked };
        }
        for parent in &mut parked.parents {
            self.dirty(&mut [&mut parent.name, &mut parent.oldest]);
            match &mut parent.fate {
                ParentFate::DeadLetter { id: text, .. } | ParentFate::NotFound(text) | ParentFate::Unknown(text) => self.dirty(&mut [text]),
                ParentFate::Written | ParentFate::NeverSeen | ParentFate::Held => {}
            }
            if let Some((_, id)) = &mut parent.trace {
                self.dirty(&mut [id]);
            }
            for child in &mut parent.first {
                self.dirty(&mut [&mut child.event_id, &mut child.place, &mut child.parked_at]);
            }
        }
        Ok(parked)
    }

    async fn trace(&self, by: TraceBy, id: &str) -> Result<Trace, Refused> {
        if id == "none" {
            return Err(Refused { kind: RefusalKind::Bad, sentence: self.text(&format!("{} is a UUID.", by.words())) });
        }
        let mut trace = data::trace(id);
        self.dirty(&mut [&mut trace.id, &mut trace.verdict]);
        for (place, sentence) in &mut trace.findings {
            self.dirty(&mut [place, sentence]);
        }
        for step in &mut trace.steps {
            self.dirty(&mut [&mut step.kind, &mut step.sentence]);
            step.at.iter_mut().chain(&mut step.event_id).chain(&mut step.letter).for_each(|text| self.dirty(&mut [text]));
        }
        Ok(trace)
    }

    async fn audit(&self, before: Option<i64>, limit: usize) -> Result<Vec<AuditRow>, Refused> {
        self.reach()?;
        let mut rows = if self.depth.load(Ordering::SeqCst) == 0 { Vec::new() } else { data::audit(before.unwrap_or(i64::MAX), limit) };
        for AuditRow { at, actor, origin, action, operation, subject, outcome, .. } in &mut rows {
            self.dirty(&mut [at, actor, origin, action, operation, subject, outcome]);
        }
        Ok(rows)
    }

    async fn permit(&self, caller: &Caller, permit: Permit) -> Result<(), Refused> {
        self.reach()?;
        self.note(Asked::Permit(caller.0.clone(), permit));
        Ok(())
    }

    fn last_check(&self) -> Option<Checked> {
        let mut checked = (self.depth.load(Ordering::SeqCst) > 0).then(data::checked)?;
        self.dirty(&mut [&mut checked.at]);
        for finding in &mut checked.findings {
            self.dirty(&mut [&mut finding.part, &mut finding.check, &mut finding.found]);
            self.some(&mut finding.advice);
        }
        Some(checked)
    }

    async fn run_check(&self, caller: &Caller) -> Checked {
        self.note(Asked::Check(caller.0.clone()));
        self.depth.fetch_max(1, Ordering::SeqCst);
        self.last_check().unwrap()
    }

    fn verification(&self) -> Verification {
        let mut verification = data::verification();
        for difference in &mut verification.differences {
            self.dirty(&mut [&mut difference.table, &mut difference.kind, &mut difference.meaning]);
        }
        verification
    }

    fn verify_now(&self, caller: &Caller) -> Result<(), Refused> {
        self.note(Asked::Verify(caller.0.clone()));
        Ok(())
    }

    fn settings(&self) -> Vec<(String, String)> {
        let settings = [
            ("ADMIN_ALLOW_REMOTE", "false"),
            ("ADMIN_TOKEN", "(hidden)"),
            ("BATCH_SIZE", "500"),
            ("DATABASE_URL", "server=tcp:sql.internal,1433;database=shop;user=pipeline;password=(hidden)"),
            ("DLQ_MAX_RATIO", "0.5 of 500"),
            ("KAFKA_BROKERS", "kafka-1:9092,kafka-2:9092,kafka-3:9092"),
            ("KAFKA_TOPIC", "shop.events"),
            ("PARKING_DEADLINE", "6000s"),
        ];
        settings.map(|(name, value)| (self.text(name), self.text(value))).into()
    }
}
