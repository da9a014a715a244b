//! How a group shares its partitions: settings of a member.

/// Set to `consumer`, it has every case that says nothing of its own run in groups of that protocol.
const PROTOCOL_VARIABLE: &str = "KAFKA_GROUP_PROTOCOL";

/// Settings of a member. An empty value takes a setting away: it would be the brokers'.
pub type Sharing = [(&'static str, &'static str); 3];

/// By one of the members, and only what moves is taken away.
pub const COOPERATIVE: Sharing =
    [("KAFKA_GROUP_PROTOCOL", "classic"), ("KAFKA_ASSIGNMENT_STRATEGY", "cooperative-sticky"), ("KAFKA_SESSION_TIMEOUT", "6s")];
/// By one of the members, and everything is taken away each time.
pub const RANGE: Sharing = [("KAFKA_GROUP_PROTOCOL", "classic"), ("KAFKA_ASSIGNMENT_STRATEGY", "range"), ("KAFKA_SESSION_TIMEOUT", "6s")];
/// By the brokers, which have a session of 6 s too (`.ci/kafka`).
pub const BROKERS: Sharing = [("KAFKA_GROUP_PROTOCOL", "consumer"), ("KAFKA_ASSIGNMENT_STRATEGY", ""), ("KAFKA_SESSION_TIMEOUT", "")];

/// What a case has that says nothing of it.
pub fn usual() -> Sharing {
    match std::env::var(PROTOCOL_VARIABLE).as_deref() {
        Err(_) | Ok("" | "classic") => COOPERATIVE,
        Ok("consumer") => BROKERS,
        Ok(other) => panic!("{PROTOCOL_VARIABLE} is classic or consumer, not {other:?}"),
    }
}
