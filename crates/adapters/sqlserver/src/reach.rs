//! A TCP connection to whichever address of a server takes one.
//!
//! The name of an availability group's listener has an address in each subnet, and only that of the primary replica answers; the others refuse, or
//! say nothing at all. So every address is tried at once, and the first that takes the connection is it, as `MultiSubnetFailover=True` does in
//! Microsoft's drivers: <https://learn.microsoft.com/sql/connect/ado-net/sql/sqlclient-support-high-availability-disaster-recovery>.

use std::collections::BTreeSet;
use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use pipeline::Fault;
use pipeline::fault::{UNKNOWN_HOST, unreachable};
use tokio::net::{TcpStream, lookup_host};
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout_at};

use crate::browser::{self, Unknown};
use crate::faults;

/// The most addresses of one name that are tried: as many as Microsoft's drivers try.
const MOST_ADDRESSES: usize = 64;

/// The addresses of a host for one of its ports.
type Known = dyn Fn(&str, u16) -> Vec<SocketAddr> + Send + Sync;

/// Who knows the addresses of a name.
#[derive(Clone, Default)]
pub enum Resolver {
    /// The system.
    #[default]
    System,
    /// For tests, whose servers share one machine.
    Of(Arc<Known>),
}

impl Resolver {
    async fn addresses(&self, host: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
        let mut addresses: Vec<_> = match self {
            Self::System => lookup_host((host, port)).await?.collect(),
            Self::Of(known) => known(host, port),
        };
        let mut seen = BTreeSet::new();
        addresses.retain(|address| seen.insert(*address));
        addresses.truncate(MOST_ADDRESSES);
        Ok(addresses)
    }
}

/// What is asked for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place<'a> {
    /// Host name or address.
    pub(crate) host: &'a str,
    /// Its port, unless an instance is named.
    pub(crate) port: u16,
    /// The instance whose port SQL Server Browser knows.
    pub(crate) instance: Option<&'a str>,
}

/// Why there is no connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Unreached {
    /// As the rest of the program sees it.
    pub(crate) fault: Fault,
    /// How each address failed, where the name has several.
    pub(crate) tried: Option<String>,
}

/// How one address failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Failed {
    /// Nothing came back in time.
    Silent,
    /// The system says why.
    Told(&'static str),
    /// The system says so, and not why.
    Otherwise(io::ErrorKind),
    /// SQL Server Browser does not know the port.
    Browser(Unknown),
}

impl Failed {
    fn of(error: &io::Error) -> Self {
        match error.kind() {
            // The system gave up before us.
            io::ErrorKind::TimedOut => Self::Silent,
            kind => unreachable(kind, &error.to_string()).map_or(Self::Otherwise(kind), Self::Told),
        }
    }

    fn fault(self) -> Fault {
        match self {
            Self::Silent => faults::timed_out("connect"),
            Self::Told(subject) => faults::fault(faults::AWAY, subject),
            Self::Otherwise(_) => faults::fault(faults::AWAY, "connect"),
            Self::Browser(unknown) => faults::fault(faults::AWAY, advice(unknown)),
        }
    }
}

/// What to look at where an instance has no port. Which instance of which host stands before it: the message says where the database is.
const fn advice(unknown: Unknown) -> &'static str {
    match unknown {
        Unknown::Silent => {
            "instance: SQL Server Browser does not answer at the host's UDP port 1434: check the instance's name in MSSQL_SERVER, that the service SQL \
             Server Browser runs, and that no firewall takes UDP 1434; or give the port: MSSQL_SERVER=host,port"
        }
        Unknown::Refused => {
            "instance: nothing listens at the host's UDP port 1434: start the service SQL Server Browser, or give the port: MSSQL_SERVER=host,port"
        }
        Unknown::NoTcp => {
            "instance: it has no TCP port: enable TCP/IP for it in SQL Server Configuration Manager, or check the instance's name in MSSQL_SERVER"
        }
    }
}

impl fmt::Display for Failed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Silent => f.write_str("no answer in time"),
            // Its first words say it.
            Self::Told(subject) => f.write_str(subject.split(':').next().unwrap_or(subject)),
            Self::Otherwise(kind) => write!(f, "{kind}"),
            Self::Browser(Unknown::Silent) => f.write_str("SQL Server Browser does not answer"),
            Self::Browser(Unknown::Refused) => f.write_str("no SQL Server Browser"),
            Self::Browser(Unknown::NoTcp) => f.write_str("the instance has no TCP port"),
        }
    }
}

/// Where the addresses of one name failed in different ways.
const NO_ADDRESS: &str = "no address: of the addresses of the host in MSSQL_SERVER none takes a connection, each for a reason of its own; the log and \
     `consumer check` list them";

/// Connects to the first address that takes a connection; the others are dropped.
///
/// # Errors
/// No address did before the deadline.
pub(crate) async fn connect(resolver: &Resolver, place: Place<'_>, deadline: Instant) -> Result<TcpStream, Unreached> {
    let port = if place.instance.is_some() { browser::PORT } else { place.port };
    let unresolved = |failed: Failed| Unreached { fault: failed.fault(), tried: None };
    let addresses = match timeout_at(deadline, resolver.addresses(place.host, port)).await {
        Ok(Ok(addresses)) if addresses.is_empty() => return Err(unresolved(Failed::Told(UNKNOWN_HOST))),
        Ok(Ok(addresses)) => addresses,
        Ok(Err(error)) => return Err(unresolved(Failed::of(&error))),
        Err(_) => return Err(unresolved(Failed::Silent)),
    };
    let mut tries = JoinSet::new();
    for (number, address) in addresses.iter().enumerate() {
        let (address, instance) = (*address, place.instance.map(str::to_owned));
        tries.spawn(async move { (number, attempt(address, instance).await) });
    }
    // What has not ended by the deadline stays as it is.
    let mut failures: Vec<_> = addresses.iter().map(|address| (*address, Failed::Silent)).collect();
    while let Ok(Some(ended)) = timeout_at(deadline, tries.join_next()).await {
        match ended {
            Ok((_, Ok(stream))) => return Ok(stream),
            Ok((number, Err(failure))) => failures[number] = failure,
            // A panic of ours.
            Err(_) => {}
        }
    }
    // Their order may be another each time that the name is asked for, which is no news.
    failures.sort_unstable_by_key(|(address, _)| *address);
    Err(unreached(&failures, place.instance.is_some()))
}

/// Connects to one address, or says at which address how it failed: the port of an instance is found out here.
async fn attempt(mut address: SocketAddr, instance: Option<String>) -> Result<TcpStream, (SocketAddr, Failed)> {
    if let Some(instance) = instance {
        let port = browser::port_of(&instance, address).await.map_err(|unknown| (address, Failed::Browser(unknown)))?;
        address.set_port(port);
    }
    TcpStream::connect(address).await.map_err(|error| (address, Failed::of(&error)))
}

/// What these failures come to: their reason where it is the same, or that each has its own.
fn unreached(failures: &[(SocketAddr, Failed)], found_port: bool) -> Unreached {
    let (_, first) = failures[0];
    let same = failures.iter().all(|(_, failed)| *failed == first);
    let fault = if same { first.fault() } else { faults::fault(faults::AWAY, NO_ADDRESS) };
    let each = failures.iter().map(|(address, failed)| format!("{address} {failed}"));
    let tried = (failures.len() > 1 || found_port).then(|| each.collect::<Vec<_>>().join(", "));
    Unreached { fault, tried }
}

/// How the addresses failed when we last could not connect. Of the process, as the log is.
static TRIED: Mutex<Option<String>> = Mutex::new(None);

/// How each of the server's addresses failed when it last could not be reached, where its name has several: `10.0.0.4:1433 connection refused,
/// 10.0.1.4:1433 no answer in time`. `None` while it can be reached.
pub fn tried_addresses() -> Option<String> {
    TRIED.lock().unwrap_or_else(PoisonError::into_inner).clone()
}

/// Notes how the addresses failed, or that one did not, and logs what is new: it is asked each second while it is away.
pub(crate) fn note_tried(tried: Option<&str>) {
    let mut last = TRIED.lock().unwrap_or_else(PoisonError::into_inner);
    if last.as_deref() != tried {
        if let Some(addresses) = tried {
            tracing::warn!(addresses, "no address of SQL Server takes a connection");
        }
        *last = tried.map(str::to_owned);
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use pipeline::FaultClass;
    use pipeline::fault::REFUSED;
    use tokio::net::TcpListener;

    use super::*;

    fn resolver(addresses: &[SocketAddr]) -> Resolver {
        let addresses = addresses.to_vec();
        Resolver::Of(Arc::new(move |_, _| addresses.clone()))
    }

    async fn reach(addresses: &[SocketAddr], limit: Duration) -> Result<SocketAddr, Unreached> {
        let place = Place { host: "listener", port: 1433, instance: None };
        let stream = connect(&resolver(addresses), place, Instant::now() + limit).await?;
        Ok(stream.peer_addr().unwrap())
    }

    /// An address at which nothing listens.
    async fn nobody() -> SocketAddr {
        TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap()
    }

    /// An address that takes no more connections and says nothing, as a firewall does: a listener that accepts none, whose queue is full.
    struct Silent {
        address: SocketAddr,
        _listener: TcpListener,
        _queued: Vec<TcpStream>,
    }

    impl Silent {
        async fn new() -> Self {
            let socket = tokio::net::TcpSocket::new_v4().unwrap();
            socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
            let listener = socket.listen(0).unwrap();
            let address = listener.local_addr().unwrap();
            let mut queued = Vec::new();
            while let Ok(stream) = timeout_at(Instant::now() + Duration::from_millis(300), TcpStream::connect(address)).await {
                queued.push(stream.unwrap());
                assert!(queued.len() < 100, "its queue is never full");
            }
            Self { address, _listener: listener, _queued: queued }
        }
    }

    #[tokio::test]
    async fn the_address_that_answers_is_taken_wherever_it_stands_among_the_others() {
        let (silent, refusing) = (Silent::new().await, nobody().await);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let alive = listener.local_addr().unwrap();
        for order in [[silent.address, refusing, alive], [alive, silent.address, refusing], [refusing, alive, silent.address]] {
            let begun = Instant::now();
            assert_eq!(reach(&order, Duration::from_secs(20)).await, Ok(alive));
            assert!(begun.elapsed() < Duration::from_secs(10), "it waits for no other: {:?}", begun.elapsed());
        }
    }

    #[tokio::test]
    async fn when_none_answers_each_is_told_within_the_bound() {
        let (silent, refusing) = (Silent::new().await, nobody().await);
        let begun = Instant::now();
        let unreached = reach(&[silent.address, refusing], Duration::from_secs(1)).await.unwrap_err();
        assert!(begun.elapsed() < Duration::from_secs(10), "{:?}", begun.elapsed());
        assert_eq!((unreached.fault.class, unreached.fault.subject), (faults::AWAY, NO_ADDRESS));
        let tried = unreached.tried.unwrap();
        for line in [format!("{} no answer in time", silent.address), format!("{refusing} connection refused")] {
            assert!(tried.contains(&line), "{tried}");
        }
    }

    #[tokio::test]
    async fn one_address_or_one_reason_is_told_as_itself() {
        let (one, other, silent) = (nobody().await, nobody().await, Silent::new().await);
        let moment = Duration::from_secs(1);
        let alone = reach(&[one], moment).await.unwrap_err();
        assert_eq!((alone.fault.subject, alone.tried), (REFUSED, None));
        let both = reach(&[one, other], moment).await.unwrap_err();
        assert_eq!(both.fault.subject, REFUSED);
        assert!(both.tried.is_some());
        let slow = reach(&[silent.address], moment).await.unwrap_err();
        assert_eq!((slow.fault.class, slow.fault.subject), (FaultClass::Unavailable { timed_out: true }, "connect"));
        assert_eq!(reach(&[], moment).await.unwrap_err().fault.subject, UNKNOWN_HOST);
    }

    #[test]
    fn every_reason_of_an_instance_says_what_to_check() {
        for unknown in [Unknown::Silent, Unknown::Refused, Unknown::NoTcp] {
            let fault = Failed::Browser(unknown).fault();
            assert!(fault.advice().is_some_and(|advice| advice.contains("MSSQL_SERVER")), "{fault}");
        }
    }
}
