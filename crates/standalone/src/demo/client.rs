//! Asking the read API over HTTP, as any user would.

use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use serde_json::Value;

/// How long the demo waits for something to become visible.
const BOUND: Duration = Duration::from_secs(30);
/// How often it looks.
const INTERVAL: Duration = Duration::from_millis(20);

/// The API at an address.
pub struct Client {
    base: String,
    http: reqwest::Client,
}

impl Client {
    /// The API at `base`, such as `http://127.0.0.1:8080`.
    pub fn new(base: String) -> anyhow::Result<Self> {
        Ok(Self { base, http: reqwest::Client::builder().timeout(Duration::from_secs(10)).build()? })
    }

    /// The JSON body of an answer, or null where there is no such row.
    pub async fn get(&self, path: &str) -> anyhow::Result<Value> {
        let answer = self.http.get(format!("{}{path}", self.base)).send().await.with_context(|| format!("GET {path}"))?;
        match answer.status().as_u16() {
            200 => Ok(answer.json().await?),
            404 => Ok(Value::Null),
            status => bail!("GET {path} answered {status}"),
        }
    }

    /// The bodies of the answers of several servers, one after the other.
    pub async fn all(&self, servers: &[String], path: &str) -> anyhow::Result<String> {
        let mut bodies = String::new();
        for server in servers {
            let url = format!("{server}{path}");
            let answer = self.http.get(&url).send().await.with_context(|| format!("GET {url}"))?;
            bodies.push_str(&answer.text().await?);
        }
        Ok(bodies)
    }

    /// Asks until the answer is as wished, or the bound is over; returns the last answer either way.
    pub async fn get_until(&self, path: &str, wished: impl Fn(&Value) -> bool) -> anyhow::Result<Value> {
        let start = Instant::now();
        loop {
            let answer = self.get(path).await?;
            if wished(&answer) || start.elapsed() > BOUND {
                return Ok(answer);
            }
            tokio::time::sleep(INTERVAL).await;
        }
    }
}

/// Asks something other than the API in the same way.
pub async fn until<T, F>(mut ask: impl FnMut() -> F, wished: impl Fn(&T) -> bool) -> anyhow::Result<T>
where
    F: Future<Output = anyhow::Result<T>>,
{
    let start = Instant::now();
    loop {
        let answer = ask().await?;
        if wished(&answer) || start.elapsed() > BOUND {
            return Ok(answer);
        }
        tokio::time::sleep(INTERVAL).await;
    }
}
