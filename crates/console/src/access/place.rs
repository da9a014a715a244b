//! From where it is asked, and by which name.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use axum::extract::{ConnectInfo, Request};
use axum::http::header::{FORWARDED, HOST, VIA};
use axum::http::uri::Authority;

/// Why a client on another machine is refused.
const ELSEWHERE: &str = "Only clients on this machine are answered here; ADMIN_ALLOW_REMOTE=true answers others too.";
/// Why an address is refused, where this machine alone is answered.
const NAMED_OTHERWISE: &str = "Only addresses of this machine are answered here, such as localhost; ADMIN_HOSTS allows further names, ADMIN_ALLOW_REMOTE=true any address.";
/// Why a name is refused, where others are answered too.
const UNKNOWN_NAME: &str = "This name is not answered here: ADMIN_HOSTS allows it. Addresses of numbers and localhost are answered.";

/// Who is answered: clients on this machine or on any, under which names.
///
/// A page of another site can have its own name lead to an address of ours (DNS rebinding); its browser then takes us for that site, and sends that
/// name. So a name must be one that we know; an address of numbers cannot be another site's.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Place {
    /// Whether clients on other machines are answered.
    pub allow_remote: bool,
    /// Names that are answered beside those of this machine, without ports.
    pub hosts: Vec<String>,
}

impl Place {
    /// Why this request is not answered, as a sentence; `None` where it is.
    ///
    /// The server must give each request the address of its client as a [`ConnectInfo`]; without one it is not on this machine.
    pub fn refusal(&self, request: &Request) -> Option<&'static str> {
        if !self.allow_remote && !is_local(request) {
            return Some(ELSEWHERE);
        }
        let hosts = request.headers().get_all(HOST).iter().map(|host| host.to_str().unwrap_or("?"));
        let known = hosts.chain(request.uri().authority().map(Authority::as_str)).all(|host| self.knows(host));
        let why = if self.allow_remote { UNKNOWN_NAME } else { NAMED_OTHERWISE };
        (!known).then_some(why)
    }

    /// Whether this name, with or without a port, is answered.
    fn knows(&self, host: &str) -> bool {
        let (name, port) = match host.rsplit_once(':') {
            // A colon inside the brackets of an IPv6 address.
            Some((name, port)) if !port.ends_with(']') => (name, Some(port)),
            _ => (host, None),
        };
        let address = match name.strip_prefix('[').and_then(|name| name.strip_suffix(']')) {
            Some(address) => address.parse::<Ipv6Addr>().map(IpAddr::V6),
            None => name.parse::<Ipv4Addr>().map(IpAddr::V4),
        };
        let numbers = address.is_ok_and(|address| self.allow_remote || address.is_loopback());
        let named = name.eq_ignore_ascii_case("localhost") || self.hosts.iter().any(|known| name.eq_ignore_ascii_case(known));
        (numbers || named) && port.is_none_or(|port| port.parse::<u16>().is_ok())
    }
}

/// Whether the client is on this machine. One that a proxy on this machine speaks for is not.
fn is_local(request: &Request) -> bool {
    let forwarded =
        [FORWARDED.as_str(), "x-forwarded-for", "x-real-ip", VIA.as_str()].iter().any(|name| request.headers().contains_key(*name));
    let peer = request.extensions().get::<ConnectInfo<SocketAddr>>();
    !forwarded && peer.is_some_and(|ConnectInfo(peer)| peer.ip().to_canonical().is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_machine_has_few_names() {
        let place = Place::default();
        for here in ["localhost", "LocalHost:9102", "127.0.0.1", "127.9.8.7:80", "[::1]", "[::1]:9102"] {
            assert!(place.knows(here), "{here}");
        }
        let others =
            ["", "?", "evil.test", "localhost.evil.test", "127.0.0.1.evil.test:9102", "192.0.2.7", "[2001:db8::1]:1", "[::1", "::1"];
        for other in others.into_iter().chain(["localhost:", "localhost:x", "evil@localhost", "0.0.0.0", "[127.0.0.1]"]) {
            assert!(!place.knows(other), "{other}");
        }
    }

    #[test]
    fn further_names_are_answered_where_they_are_allowed_and_numbers_where_others_may_ask() {
        let hosts = vec!["console.test".to_owned()];
        for place in [Place { allow_remote: false, hosts: hosts.clone() }, Place { allow_remote: true, hosts }] {
            assert!(place.knows("console.test") && place.knows("Console.Test:9102"));
            for other in ["evil.test", "console.test.evil.test", "a.console.test", "console.test:x"] {
                assert!(!place.knows(other), "{other}");
            }
            for numbers in ["192.0.2.7:9102", "[2001:db8::1]"] {
                assert_eq!(place.knows(numbers), place.allow_remote, "{numbers}");
            }
        }
    }
}
