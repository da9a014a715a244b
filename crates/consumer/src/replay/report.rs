//! What comes again and what does not, as text or JSON.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use pipeline::GroupMember;
use pipeline::replay::{Replay, Unmoved};
use serde::Serialize;

use super::{Group, StartAt};
use crate::plural::plural;

/// What moving the group's offsets would do, or has done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// Whose offsets they are.
    pub group: Group,
    /// From where on records were to come again.
    pub from: StartAt,
    /// Who is in the group; `None` where nobody tells.
    pub members: Option<Vec<GroupMember>>,
    /// Each partition that was meant.
    pub partitions: BTreeMap<i32, Replay>,
    /// Whether they were moved.
    pub executed: bool,
}

/// All of it, as JSON tells it.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Document<'a> {
    group: &'a str,
    topic: &'a str,
    executed: bool,
    members: Option<Vec<&'a str>>,
    again: u64,
    partitions: Vec<Row>,
}

/// A partition, as JSON tells it.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Row {
    partition: i32,
    log_begins: i64,
    now: i64,
    then: i64,
    again: u64,
    incomplete: bool,
    unmoved: Option<&'static str>,
}

impl Report {
    fn again(&self) -> u64 {
        self.partitions.values().map(Replay::again).sum()
    }

    /// Whether records were asked for that the log may not have any more. Of a time nobody knows what stood before the first record.
    fn is_incomplete(&self, Replay { first, then, .. }: &Replay) -> bool {
        match self.from {
            StartAt::Earliest => *first > 0,
            StartAt::Offset(offset) => offset < *first,
            StartAt::Time(_) => *first > 0 && then == first,
        }
    }

    /// As JSON.
    pub fn to_json(&self) -> String {
        let row = |(partition, found): (&i32, &Replay)| Row {
            partition: *partition,
            log_begins: found.first,
            now: found.now,
            then: found.then,
            again: found.again(),
            incomplete: self.is_incomplete(found),
            unmoved: found.unmoved.map(label),
        };
        let document = Document {
            group: &self.group.name,
            topic: &self.group.topic,
            executed: self.executed,
            members: self.members.as_ref().map(|members| members.iter().map(|member| member.id.as_str()).collect()),
            again: self.again(),
            partitions: self.partitions.iter().map(row).collect(),
        };
        // Text, numbers and lists can be written.
        serde_json::to_string(&document).unwrap_or_default()
    }
}

const fn label(unmoved: Unmoved) -> &'static str {
    match unmoved {
        Unmoved::FromTheBeginning => "from_the_beginning",
        Unmoved::NotThatFar => "not_that_far",
    }
}

/// Members with where they connect from.
pub(super) fn names(members: &[GroupMember]) -> String {
    members.iter().map(|member| format!("{} at {}", member.id, member.host)).collect::<Vec<_>>().join(", ")
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Group { name, topic, retention } = &self.group;
        writeln!(f, "group {name} of topic {topic}, back to {}", self.from)?;
        match retention {
            Some(Duration::MAX) => writeln!(f, "the topic keeps records for ever")?,
            Some(retention) => {
                writeln!(f, "the topic keeps records for {}, and deletes older ones meanwhile", settings::span::format(*retention))?;
            }
            None => {}
        }
        match self.members.as_deref() {
            Some([]) => writeln!(f, "nobody is in the group")?,
            Some(members) => writeln!(f, "members, to be stopped before: {}", names(members))?,
            None => writeln!(f, "whether somebody is in the group is not known")?,
        }
        writeln!(f, "{:>9} {:>14} {:>14} {:>14} {:>14}", "partition", "log begins", "begins now", "would begin", "come again")?;
        for (partition, found) in &self.partitions {
            let Replay { first, now, then, .. } = found;
            writeln!(f, "{partition:>9} {first:>14} {now:>14} {then:>14} {:>14}", found.again())?;
        }
        for (partition, found) in &self.partitions {
            if self.is_incomplete(found) {
                let first = found.first;
                writeln!(f, "partition {partition}: what stood before offset {first} is deleted (retention) and does not come again")?;
            }
            match found.unmoved {
                Some(Unmoved::FromTheBeginning) => writeln!(f, "partition {partition}: it is read from its beginning anyway")?,
                Some(Unmoved::NotThatFar) => {
                    writeln!(f, "partition {partition}: it has not been consumed beyond that, nothing comes again")?;
                }
                None => {}
            }
        }
        match (self.again(), self.executed) {
            (0, _) => writeln!(f, "nothing comes again"),
            (again, true) => {
                writeln!(f, "moved: {again} offset{} come{} again, once consumers are started", plural(again), third_person(again))
            }
            (again, false) => writeln!(
                f,
                "{again} offset{} would come again, and what follows up to the end; what the tables hold stays. Nothing was moved: --execute does it",
                plural(again)
            ),
        }
    }
}

/// The ending of a verb that goes with so many.
const fn third_person(count: u64) -> &'static str {
    if count == 1 { "s" } else { "" }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(from: StartAt, partitions: [(i32, Replay); 3]) -> Report {
        let group = Group { name: "shop".into(), topic: "events".into(), retention: Some(Duration::from_secs(7 * 86_400)) };
        Report { group, from, members: Some(Vec::new()), partitions: partitions.into(), executed: false }
    }

    #[test]
    fn what_does_not_come_again_is_told_with_the_reason() {
        let moved = Replay { first: 42, now: 90, then: 42, unmoved: None };
        let unread = Replay { first: 0, now: 0, then: 0, unmoved: Some(Unmoved::FromTheBeginning) };
        let behind = Replay { first: 0, now: 10, then: 10, unmoved: Some(Unmoved::NotThatFar) };
        let shown = report(StartAt::Offset(30), [(0, moved), (1, unread), (2, behind)]);
        let text = shown.to_string();
        for told in [
            "group shop of topic events, back to offset 30\nthe topic keeps records for 7d, and deletes older ones meanwhile\nnobody is in the group\n",
            "        0             42             90             42             48\n",
            "partition 0: what stood before offset 42 is deleted (retention) and does not come again\n",
            "partition 1: it is read from its beginning anyway\n",
            "partition 2: it has not been consumed beyond that, nothing comes again\n",
            "48 offsets would come again",
            "Nothing was moved: --execute does it\n",
        ] {
            assert!(text.contains(told), "{told}: {text}");
        }
        let json: serde_json::Value = serde_json::from_str(&shown.to_json()).unwrap();
        assert_eq!((&json["again"], &json["executed"], &json["partitions"][0]["incomplete"]), (&48.into(), &false.into(), &true.into()));
        assert_eq!(json["partitions"][2]["unmoved"], "not_that_far");
        let done = Report { executed: true, ..shown }.to_string();
        assert!(done.ends_with("moved: 48 offsets come again, once consumers are started\n"), "{done}");
    }

    #[test]
    fn of_a_time_nobody_knows_what_stood_before_the_first_record() {
        let whole = Replay { first: 0, now: 90, then: 0, unmoved: None };
        let cut = Replay { first: 42, now: 90, then: 42, unmoved: None };
        let later = Replay { first: 42, now: 90, then: 60, unmoved: None };
        let shown = report(StartAt::Time(events::Timestamp::UNIX_EPOCH), [(0, whole), (1, cut), (2, later)]);
        let incomplete: Vec<_> = shown.partitions.values().map(|found| shown.is_incomplete(found)).collect();
        assert_eq!(incomplete, [false, true, false]);
    }
}
