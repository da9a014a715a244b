//! What is drawn by the server: the flow, and sparklines. Everything that has a colour has a class; nothing has a style of its own.

use askama::Template;

use crate::port::{Consumer, Flow, Part, Partition, Reader};
use crate::rates::Rates;
use crate::words::{per_second, short, spaced, thousands};

/// More partitions than this are not drawn one by one; the table below has them all.
const DRAWN: usize = 10;
/// The height of a partition's line.
const LINE: i32 = 24;

/// How many came in each of equally long spans, as bars.
#[derive(Template)]
#[template(
    ext = "svg",
    source = "<svg class=\"spark\" viewBox=\"0 0 {{ width }} 24\" width=\"{{ width }}\" height=\"24\" aria-hidden=\"true\" focusable=\"false\">\
              {% for bar in bars %}<rect x=\"{{ bar.0 }}\" y=\"{{ 24 - bar.1 }}\" width=\"4\" height=\"{{ bar.1 }}\" rx=\"1\" \
              class=\"{% if bar.1 == 1 %}none{% else %}some{% endif %}\"/>{% endfor %}</svg>"
)]
pub(crate) struct Sparkline {
    width: usize,
    /// Where, and how high.
    bars: Vec<(usize, u64)>,
}

impl askama::filters::HtmlSafe for Sparkline {}

impl Sparkline {
    pub fn of(history: &[u64]) -> Self {
        let most = history.iter().copied().max().unwrap_or_default().max(1);
        // What is there is seen, however little it is beside the rest.
        let height = |&count: &u64| if count == 0 { 1 } else { 3 + (count as f64 / most as f64 * 21.0).round() as u64 };
        Self { width: history.len() * 5, bars: history.iter().map(height).enumerate().map(|(place, height)| (place * 5, height)).collect() }
    }
}

/// How fast what is drawn moves, in words.
pub(crate) struct Moving {
    produced: String,
    applied: String,
    parked: String,
    dead_letters: String,
}

impl Moving {
    pub fn of(flow: &Flow, rates: Option<&Rates>) -> Self {
        let total = |outcome: u64| format!("{} since start", short(outcome));
        let Some(rates) = rates else {
            return Self {
                produced: "measuring".to_owned(),
                applied: total(flow.here.outcomes.applied),
                parked: total(flow.here.outcomes.parked),
                dead_letters: total(flow.here.outcomes.dead_letters),
            };
        };
        Self {
            produced: per_second(rates.partitions.iter().map(|rate| rate.produced).sum()),
            applied: per_second(rates.applied),
            parked: per_second(rates.parked),
            dead_letters: per_second(rates.dead_letters),
        }
    }
}

/// The flow, drawn.
#[derive(Template)]
#[template(path = "diagram.svg")]
pub(crate) struct Diagram {
    class: &'static str,
    label: String,
    width: i32,
    height: i32,
    boxes: Vec<Node>,
    lines: Vec<Line>,
    edges: Vec<Edge>,
}

impl askama::filters::HtmlSafe for Diagram {}

/// A box: a name, a large value, a note.
struct Node {
    at: (i32, i32),
    size: (i32, i32),
    class: &'static str,
    name: &'static str,
    value: String,
    note: String,
    href: Option<&'static str>,
}

impl Node {
    const fn middle(&self) -> i32 {
        self.at.1 + self.size.1 / 2
    }

    /// The topic's box is a list, with its name on top; the others stand in the middle of theirs.
    fn name_line(&self) -> i32 {
        if self.class.contains("topic") { self.at.1 + 22 } else { self.middle() - 18 }
    }
}

/// A partition in the topic's box.
struct Line {
    at: (i32, i32),
    width: i32,
    label: String,
    text: String,
    bar: i32,
    class: &'static str,
}

/// An arrow.
struct Edge {
    path: String,
    class: &'static str,
}

impl Diagram {
    /// From left to right.
    pub fn wide(flow: &Flow, moving: &Moving) -> Self {
        let lines = lines(flow, 232, 52, 236);
        let height = (64 + LINE * lines.len() as i32).max(264);
        let middle = height / 2;
        let mut boxes = vec![
            producers(moving, (0, middle - 42), (156, 84)),
            topic(flow, (220, 0), (260, height)),
            consumers(flow, moving, (544, middle - 42), (168, 84)),
        ];
        let third = (height - 2 * 12) / 3;
        let x = 780;
        let ends = [0, third + 12, 2 * (third + 12)];
        boxes.extend(outcomes(flow, moving, ends.map(|y| (x, y)), (220, third)));
        let kinds = [database(flow), "up", queue(flow)];
        let mut edges = vec![
            Edge { path: format!("M156 {middle}H212"), class: up(flow, "kafka") },
            Edge { path: format!("M480 {middle}H536"), class: up(flow, "kafka") },
        ];
        edges.extend(ends.iter().zip(kinds).map(|(y, class)| {
            let end = y + third / 2;
            Edge { path: format!("M712 {middle}C748 {middle} 736 {end} 772 {end}"), class }
        }));
        Self { class: "wide", label: label(flow), width: 1000, height, boxes, lines, edges }
    }

    /// From top to bottom, for a narrow window.
    pub fn narrow(flow: &Flow, moving: &Moving) -> Self {
        let lines = lines(flow, 12, 164, 336);
        let topic_height = 60 + LINE * lines.len() as i32;
        let below = 112 + topic_height;
        let mut boxes = vec![
            producers(moving, (0, 0), (360, 84)),
            topic(flow, (0, 112), (360, topic_height)),
            consumers(flow, moving, (0, below + 28), (360, 84)),
        ];
        let ends = below + 28 + 84 + 32;
        boxes.extend(outcomes(flow, moving, [(0, ends), (124, ends), (248, ends)], (112, 84)));
        let from = ends - 32;
        let mut edges = vec![
            Edge { path: "M180 84V104".to_owned(), class: up(flow, "kafka") },
            Edge { path: format!("M180 {below}V{}", below + 20), class: up(flow, "kafka") },
        ];
        let kinds = [database(flow), "up", queue(flow)];
        edges.extend([56, 180, 304].iter().zip(kinds).map(|(x, class)| Edge { path: format!("M{x} {from}V{}", ends - 8), class }));
        Self { class: "narrow", label: label(flow), width: 360, height: ends + 84, boxes, lines, edges }
    }
}

fn producers(moving: &Moving, at: (i32, i32), size: (i32, i32)) -> Node {
    Node { at, size, class: "node", name: "Producers", value: moving.produced.clone(), note: "into the topic".to_owned(), href: None }
}

fn topic(flow: &Flow, at: (i32, i32), size: (i32, i32)) -> Node {
    let value = match &flow.partitions {
        Ok(partitions) => format!("{} lag", thousands(partitions.iter().map(|one| one.lag).sum())),
        Err(_) => "lag unknown".to_owned(),
    };
    Node { at, size, class: "node topic", name: "Topic", value, note: shorten(&flow.topic, 30), href: None }
}

fn consumers(flow: &Flow, moving: &Moving, at: (i32, i32), size: (i32, i32)) -> Node {
    let there: Vec<&Consumer> = flow.consumers.iter().flatten().filter(|one| one.alive && one.elsewhere.is_none()).collect();
    let several = there.len() > 1;
    let is_read = |one: &&Partition| !matches!(flow.reader(one.number, one.ours), Reader::Nobody);
    let note = match &flow.partitions {
        Ok(all) if several => format!("{} read {} of {}", there.len(), all.iter().filter(is_read).count(), all.len()),
        Ok(all) => format!("this one reads {} of {}", all.iter().filter(|one| one.ours).count(), all.len()),
        Err(_) => shorten(&flow.group, 26),
    };
    let value = if several { per_second(there.iter().map(|one| one.events_per_second as f64).sum()) } else { moving.applied.clone() };
    let gone = flow.consumers.iter().flatten().any(|one| !one.alive);
    let wrong = flow.here.parts.iter().any(Part::is_down) || there.iter().any(|one| !one.down.is_empty()) || gone;
    let class = if wrong { "node warn" } else { "node" };
    Node { at, size, class, name: "Consumers", value, note, href: Some("/console/health") }
}

fn outcomes(flow: &Flow, moving: &Moving, at: [(i32, i32); 3], size: (i32, i32)) -> [Node; 3] {
    let unknown = || "unknown".to_owned();
    let parked = flow.parked.as_ref().map_or_else(|_| unknown(), |(count, _)| short(*count));
    let dead = flow.dead_letters.as_ref().map_or_else(|_| unknown(), |count| short(*count));
    let alarming = if flow.dead_letters.as_ref().is_ok_and(|count| *count == 0) { "node" } else { "node bad" };
    let waiting = if flow.parked.as_ref().is_ok_and(|(count, _)| *count == 0) { "node" } else { "node warn" };
    [
        Node {
            at: at[0],
            size,
            class: "node good",
            name: "Tables",
            value: short(flow.here.outcomes.applied),
            note: moving.applied.clone(),
            href: None,
        },
        Node { at: at[1], size, class: waiting, name: "Parked", value: parked, note: moving.parked.clone(), href: Some("/console/parked") },
        Node {
            at: at[2],
            size,
            class: alarming,
            name: "Dead letters",
            value: dead,
            note: moving.dead_letters.clone(),
            href: Some("/console/dead-letters"),
        },
    ]
}

/// The partitions with the largest lag, in the order of their numbers.
fn lines(flow: &Flow, x: i32, y: i32, width: i32) -> Vec<Line> {
    let Ok(all) = &flow.partitions else { return Vec::new() };
    let mut drawn: Vec<&Partition> = all.iter().collect();
    drawn.sort_by_key(|partition| std::cmp::Reverse(partition.lag));
    let most = drawn.first().map_or(0, |partition| partition.lag).max(1);
    let hidden = drawn.len().saturating_sub(DRAWN);
    drawn.truncate(DRAWN);
    drawn.sort_by_key(|partition| partition.number);
    let mut lines: Vec<Line> = (0..)
        .zip(drawn)
        .map(|(place, partition)| Line {
            at: (x, y + place * LINE),
            width,
            label: partition.number.to_string(),
            text: short(partition.lag),
            bar: ((width - 110) as f64 * (partition.lag as f64 / most as f64)).round() as i32,
            class: if partition.ours { "ours" } else { "theirs" },
        })
        .collect();
    if hidden > 0 {
        let place = lines.len() as i32;
        let text = format!("and {hidden} more below");
        lines.push(Line { at: (x, y + place * LINE), width, label: String::new(), text, bar: -1, class: "theirs" });
    }
    lines
}

fn up(flow: &Flow, part: &str) -> &'static str {
    if flow.here.parts.iter().any(|known| known.name == part && known.is_down()) { "down" } else { "up" }
}

fn database(flow: &Flow) -> &'static str {
    up(flow, "database")
}

fn queue(flow: &Flow) -> &'static str {
    up(flow, "dead_letter_queue")
}

/// The drawing in words.
fn label(flow: &Flow) -> String {
    let known = |number: Option<u64>| number.map_or_else(|| "unknown".to_owned(), thousands);
    let lag = flow.partitions.as_ref().ok().map(|all| all.iter().map(|one| one.lag).sum());
    let parked = flow.parked.as_ref().ok().map(|(count, _)| *count);
    let dead = flow.dead_letters.as_ref().ok().copied();
    let down: Vec<String> = flow.here.parts.iter().filter(|part| part.is_down()).map(|part| spaced(&part.name)).collect();
    let down = if down.is_empty() { String::new() } else { format!(" Down: {}.", down.join(", ")) };
    let (lag, parked, dead) = (known(lag), known(parked), known(dead));
    format!("From producers over the topic {} to the tables. Lag {lag}, parked {parked}, dead letters {dead}.{down}", flow.topic)
}

fn shorten(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.to_owned();
    }
    text.chars().take(most - 1).chain(['…']).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_there_is_seen_in_a_sparkline() {
        let svg = Sparkline::of(&[0, 1, 100_000]).to_string();
        assert!(svg.contains("height=\"1\" rx=\"1\" class=\"none\""), "{svg}");
        assert!(svg.contains("height=\"3\" rx=\"1\" class=\"some\"") && svg.contains("height=\"24\" rx"), "{svg}");
        assert!(!svg.contains("style"));
        assert!(Sparkline::of(&[]).to_string().contains("width=\"0\""));
    }

    #[test]
    fn long_names_are_cut() {
        assert_eq!(shorten("ééé", 3), "ééé");
        assert_eq!(shorten("éééé", 3), "éé…");
    }
}
