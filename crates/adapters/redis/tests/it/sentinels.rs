//! The master is found by asking sentinels.

use std::net::Ipv4Addr;
use std::time::Duration;

use pipeline::ports::{DeadLetterQueue as _, DeadLetterReader as _};
use pipeline::{DeadLetter, FaultClass};
use redis_dlq::{RedisConfig, RedisDlq};
use settings::Reader;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use crate::place::{Place, dead_letters};
use crate::server::{Server, free_port};

/// A bound for a failover, which takes seconds.
const FAILOVER: Duration = Duration::from_secs(60);

/// A master, two replicas, and three sentinels.
struct Watched {
    data: Vec<Place>,
    sentinels: Vec<Place>,
}

impl Watched {
    /// Starts them, until the sentinels know the replicas and each other.
    async fn start() -> Option<Self> {
        let quick = ["--repl-diskless-sync-delay", "0"];
        let master = Place::own(&quick)?;
        let port = master.config.port.to_string();
        let replica = || Place::own(&[&["--replicaof", "127.0.0.1", &port][..], &quick].concat());
        let data = vec![master, replica()?, replica()?];
        let sentinels = (0..3).map(|_| {
            let monitor = format!("sentinel monitor events 127.0.0.1 {port} 2");
            let server = Server::sentinel(&[
                &monitor,
                // Longer than a busy machine lets a process wait: what it takes for dead would be replaced while it writes.
                "sentinel down-after-milliseconds events 3000",
                "sentinel failover-timeout events 5000",
                "requirepass watchword",
                // As the sentinels log in to each other.
                "sentinel sentinel-pass watchword",
            ])?;
            let config = RedisConfig { password: Some("watchword".into()), ..crate::place::config(server.port) };
            Some(Place { config, server: Some(server) })
        });
        let watched = Self { sentinels: sentinels.collect::<Option<_>>()?, data };
        watched.are_known().await;
        Some(watched)
    }

    /// Waits until each sentinel knows the others and two replicas that follow.
    async fn are_known(&self) {
        testkit::eventually(FAILOVER, "the sentinels know all", async || {
            for sentinel in &self.sentinels {
                let told: String = sentinel.run("INFO sentinel").await;
                if !told.contains("status=ok") || !told.contains("slaves=2,sentinels=3") {
                    return false;
                }
            }
            self.acknowledging().await == Ok(Some(2))
        })
        .await;
    }

    async fn acknowledging(&self) -> Result<Option<u64>, pipeline::Fault> {
        self.queue(&[("REDIS_WAIT_REPLICAS", "2")]).replicas().await
    }

    /// The queue that the settings name, with others beside those of the sentinels.
    fn queue(&self, settings: &[(&str, &str)]) -> RedisDlq {
        let ports: Vec<_> = self.sentinels.iter().map(|sentinel| sentinel.config.port).collect();
        // The first one is away for good.
        let sentinels = format!("127.0.0.1:{},127.0.0.1:{},127.0.0.1:{},127.0.0.1:{}", free_port(), ports[0], ports[1], ports[2]);
        let ours = [
            ("REDIS_SENTINELS", sentinels.as_str()),
            ("REDIS_SENTINEL_MASTER", "events"),
            ("REDIS_SENTINEL_PASSWORD", "watchword"),
            ("REDIS_TIMEOUT", "4s"),
        ];
        // Those that come later hold.
        let all: std::collections::BTreeMap<_, _> = ours.into_iter().chain(settings.iter().copied()).collect();
        let mut env = Reader::from_pairs(all);
        let config = RedisConfig::read(&mut env);
        env.finish().unwrap();
        RedisDlq::new(&config).unwrap()
    }

    /// The port that a sentinel names as the master's.
    async fn master(&self) -> u16 {
        let address: (String, u16) = self.sentinels[0].run("SENTINEL get-master-addr-by-name events").await;
        address.1
    }

    fn at(&mut self, port: u16) -> &mut Place {
        self.data.iter_mut().find(|place| place.config.port == port).unwrap()
    }
}

/// Pushes as the consumer does: the same again until it is acknowledged.
async fn push(queue: &RedisDlq, dead_letters: &[DeadLetter]) {
    testkit::eventually(FAILOVER, "acknowledged", async || match queue.push(dead_letters).await {
        Ok(_) => true,
        Err(fault) => {
            assert!(matches!(fault.class, FaultClass::Unavailable { .. }), "a failover is an outage: {fault}");
            false
        }
    })
    .await;
}

#[tokio::test]
async fn a_sentinel_that_is_named_as_the_server_is_called_so() {
    let Some(server) = Server::sentinel(&["sentinel monitor events 127.0.0.1 1 2"]) else { return };
    let queue = RedisDlq::new(&crate::place::config(server.port)).unwrap();
    for fault in [queue.ping().await.unwrap_err(), queue.push(&dead_letters(1)).await.unwrap_err()] {
        assert_eq!(fault.class, FaultClass::Operator, "{fault}");
        assert!(fault.subject.contains("REDIS_SENTINELS"), "{fault}");
    }
}

#[tokio::test]
async fn a_flood_goes_on_with_the_new_master_and_loses_and_doubles_nothing() {
    let Some(mut watched) = Watched::start().await else { return };
    let queue = watched.queue(&[("REDIS_WAIT_REPLICAS", "1")]);
    let dead_letters = dead_letters(3000);
    let first = watched.master().await;
    assert!(queue.inspect().await.unwrap().master.unwrap().starts_with(&format!("127.0.0.1:{first}, says the sentinel 127.0.0.1:")));
    for (number, some) in dead_letters.chunks(100).enumerate() {
        match number {
            10 => {
                // Whichever of the two takes over.
                watched.are_known().await;
                watched.at(first).server().kill();
            }
            20 => {
                // The old master comes back as a replica; now one leaves that is not lost.
                watched.at(first).server().restart();
                watched.are_known().await;
                let _: () = watched.sentinels[1].run("SENTINEL FAILOVER events").await;
            }
            _ => {}
        }
        push(&queue, some).await;
    }
    let second = watched.master().await;
    assert_ne!(second, first);
    let mut listed: Vec<String> = {
        let list = "dlq:events";
        let master = queue.inspect().await.unwrap().master.unwrap();
        let port: u16 = master.split([':', ',']).nth(1).unwrap().parse().unwrap();
        watched.at(port).run(&format!("LRANGE {list} 0 -1")).await
    };
    let mut pushed: Vec<_> = dead_letters.into_iter().map(|dead_letter| dead_letter.json).collect();
    listed.sort_unstable();
    pushed.sort_unstable();
    assert!(listed == pushed, "each is there once: {} of {}", listed.len(), pushed.len());
}

#[tokio::test]
async fn what_is_wrong_with_the_sentinels_is_told_by_the_variable_and_by_each_address() {
    let Some(mut watched) = Watched::start().await else { return };
    let port = watched.sentinels[0].config.port;
    for (setting, told) in
        [(("REDIS_SENTINEL_MASTER", "others"), "REDIS_SENTINEL_MASTER"), (("REDIS_SENTINEL_PASSWORD", "canary"), "REDIS_SENTINEL_PASSWORD")]
    {
        let queue = watched.queue(&[setting]);
        let fault = queue.push(&dead_letters(1)).await.unwrap_err();
        assert!(fault.class == FaultClass::Operator && fault.subject.contains(told), "{fault}");
        let tried = queue.tried_servers().unwrap();
        assert!(tried.contains(&format!("127.0.0.1:{port}: ")) && !tried.contains("canary"), "{tried}");
    }
    watched.sentinels.iter_mut().for_each(|sentinel| sentinel.server().kill());
    let queue = watched.queue(&[]);
    let fault = queue.push(&dead_letters(1)).await.unwrap_err();
    assert_eq!(fault.class, FaultClass::Unavailable { timed_out: false });
    assert!(fault.subject.contains("REDIS_SENTINELS"), "{fault}");
    let tried = queue.tried_servers().unwrap();
    assert!(tried.contains(&format!("127.0.0.1:{port}: connection refused")), "{tried}");
}

/// A sentinel that says this port, whatever it is asked.
async fn behind(master: u16) -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let mut buffer = vec![0; 4096];
                while let Ok(count @ 1..) = stream.read(&mut buffer).await {
                    let asked = String::from_utf8_lossy(&buffer[..count]).into_owned();
                    // One answer to each command; those before the question are about the client's name.
                    for command in asked.split('*').skip(1) {
                        let digits = master.to_string();
                        let named = format!("*2\r\n$9\r\n127.0.0.1\r\n${}\r\n{digits}\r\n", digits.len());
                        let answer = if command.contains("get-master-addr") { named } else { "+OK\r\n".to_owned() };
                        stream.write_all(answer.as_bytes()).await.unwrap();
                    }
                }
            });
        }
    });
    port
}

#[tokio::test]
async fn a_sentinel_that_names_a_replica_is_passed_over() {
    let Some(master) = Place::own(&["--repl-diskless-sync-delay", "0"]) else { return };
    let port = master.config.port;
    let replica = Place::own(&["--replicaof", "127.0.0.1", &port.to_string()]).unwrap();
    let (late, right) = (behind(replica.config.port).await, behind(port).await);
    let queue = |sentinels: String| {
        let mut env = Reader::from_pairs([("REDIS_SENTINELS", sentinels.as_str()), ("REDIS_SENTINEL_MASTER", "events")]);
        RedisDlq::new(&RedisConfig { list: master.config.list.clone(), ..RedisConfig::read(&mut env) }).unwrap()
    };
    assert_eq!(queue(format!("127.0.0.1:{late},127.0.0.1:{right}")).push(&dead_letters(1)).await, Ok(1));
    let alone = queue(format!("127.0.0.1:{late}"));
    let fault = alone.depth().await.unwrap_err();
    assert!(fault.class == FaultClass::Unavailable { timed_out: false } && fault.subject.contains("no master"), "{fault}");
    let _: () = replica.run("REPLICAOF NO ONE").await;
    assert!(alone.depth().await.is_ok(), "it has become the master");
}
