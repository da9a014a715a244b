//! A browser, driven over the protocol `WebDriver`: JSON over plain HTTP, so the client that the workspace has already is enough.

use std::process::Stdio;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};

/// So long something may take to come about.
const PATIENCE: Duration = Duration::from_secs(20);
/// The keys that have no character.
pub const ENTER: &str = "\u{e007}";
pub const TAB: &str = "\u{e004}";
const CONTROL: &str = "\u{e009}";

/// A browser with one window. Both processes end with it.
pub struct Browser {
    http: reqwest::Client,
    session: String,
    _driver: Child,
}

impl Browser {
    /// Starts one, where `CHROMEDRIVER` names the program that drives it; `None` where it does not and need not.
    pub async fn start() -> Option<Self> {
        let Ok(program) = std::env::var("CHROMEDRIVER") else {
            assert!(
                std::env::var("CONSOLE_BROWSER_REQUIRED").as_deref() != Ok("1"),
                "CHROMEDRIVER names no program, and a browser is required"
            );
            println!("skipped: CHROMEDRIVER names no program");
            return None;
        };
        let mut driver = Command::new(&program).arg("--port=0").stdout(Stdio::piped()).kill_on_drop(true).spawn().expect(&program);
        let mut lines = BufReader::new(driver.stdout.take().unwrap()).lines();
        let port = loop {
            let line = tokio::time::timeout(PATIENCE, lines.next_line()).await.unwrap().unwrap().expect("chromedriver ended");
            if let Some((_, port)) = line.split_once("started successfully on port ") {
                break port.trim_end_matches('.').to_owned();
            }
        };
        // Read on, or it would stand still once the pipe is full.
        tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
        let http = reqwest::Client::new();
        let arguments = ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--window-size=1280,900"];
        let capabilities = json!({"capabilities": {"alwaysMatch": {
            "browserName": "chrome",
            "goog:chromeOptions": {"args": arguments},
            "goog:loggingPrefs": {"browser": "ALL"},
        }}});
        let address = format!("http://127.0.0.1:{port}/session");
        let answer: Value = http.post(&address).json(&capabilities).send().await.unwrap().json().await.unwrap();
        let id = answer["value"]["sessionId"].as_str().unwrap_or_else(|| panic!("{answer}"));
        Some(Self { session: format!("{address}/{id}"), http, _driver: driver })
    }

    /// Ends the browser; the program that drives it ends with this value.
    pub async fn stop(self) {
        self.http.delete(&self.session).send().await.unwrap();
    }

    async fn post(&self, command: &str, body: Value) -> Result<Value, String> {
        let answer = self.http.post(format!("{}/{command}", self.session)).json(&body).send().await.unwrap();
        let failed = !answer.status().is_success();
        let mut answer: Value = answer.json().await.unwrap();
        let value = answer["value"].take();
        if failed { Err(value.to_string()) } else { Ok(value) }
    }

    /// Opens an address, and returns when it is loaded.
    pub async fn open(&self, address: &str) {
        self.post("url", json!({"url": address})).await.unwrap();
    }

    /// What a script returns.
    pub async fn run(&self, script: &str) -> Value {
        self.post("execute/sync", json!({"script": script, "args": []})).await.unwrap_or_else(|why| panic!("{script}: {why}"))
    }

    /// What a promise comes to.
    pub async fn run_promise(&self, script: &str) -> Value {
        let script = format!("const done = arguments[0]; ({script}).then(done, (error) => done(String(error)));");
        self.post("execute/async", json!({"script": script, "args": []})).await.unwrap()
    }

    /// Waits until an expression holds. While a page gives way to another it cannot be asked; that is no failure.
    #[track_caller]
    pub fn until<'b>(&'b self, expression: &'b str) -> impl Future<Output = ()> + 'b {
        let caller = std::panic::Location::caller();
        async move {
            let start = Instant::now();
            loop {
                let script = json!({"script": format!("return !!({expression})"), "args": []});
                if self.post("execute/sync", script).await == Ok(Value::Bool(true)) {
                    return;
                }
                if start.elapsed() > PATIENCE {
                    let page = self.run("return location.href + '\\n' + document.body.innerText").await;
                    panic!("{caller}: never came about: {expression}\n{}", page.as_str().unwrap_or_default());
                }
            }
        }
    }

    /// Types into whatever has the focus.
    pub async fn keys(&self, text: &str) {
        let keys = text.chars().flat_map(|key| [json!({"type": "keyDown", "value": key}), json!({"type": "keyUp", "value": key})]);
        self.actions(json!({"type": "key", "id": "keyboard", "actions": keys.collect::<Vec<_>>()})).await;
    }

    /// Presses a key while the control key is down.
    pub async fn control(&self, key: char) {
        let key = key.to_string();
        let steps = [("keyDown", CONTROL), ("keyDown", &key), ("keyUp", &key), ("keyUp", CONTROL)];
        let steps = steps.map(|(kind, value)| json!({"type": kind, "value": value}));
        self.actions(json!({"type": "key", "id": "keyboard", "actions": steps})).await;
    }

    /// Puts the pointer there.
    pub async fn point(&self, x: i64, y: i64) {
        let step = json!({"type": "pointerMove", "x": x, "y": y, "duration": 0});
        self.actions(json!({"type": "pointer", "id": "mouse", "actions": [step]})).await;
    }

    async fn actions(&self, source: Value) {
        self.post("actions", json!({"actions": [source]})).await.unwrap();
    }

    /// A command of the browser's own protocol.
    pub async fn command(&self, name: &str, parameters: Value) -> Value {
        self.post("goog/cdp/execute", json!({"cmd": name, "params": parameters})).await.unwrap()
    }

    /// A window of this width, as a phone's where it is narrow.
    pub async fn width(&self, width: u32) {
        let metrics = json!({"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 600});
        self.command("Emulation.setDeviceMetricsOverride", metrics).await;
    }

    /// What the system prefers.
    pub async fn prefer(&self, scheme: &str, contrast: &str) {
        let features = json!([{"name": "prefers-color-scheme", "value": scheme}, {"name": "prefers-contrast", "value": contrast}]);
        self.command("Emulation.setEmulatedMedia", json!({"features": features})).await;
    }

    /// The page as a PNG, in base 64; of a very long one, its beginning.
    pub async fn picture(&self) -> String {
        let size = self.run("return [innerWidth, Math.min(Math.max(document.body.scrollHeight, innerHeight), 1800)]").await;
        let clip = json!({"x": 0, "y": 0, "width": size[0], "height": size[1], "scale": 1});
        let parameters = json!({"format": "png", "captureBeyondViewport": true, "clip": clip});
        self.command("Page.captureScreenshot", parameters).await["data"].as_str().unwrap().to_owned()
    }

    /// What the browser complained of since it was asked last.
    pub async fn complaints(&self) -> Vec<String> {
        let log = self.post("se/log", json!({"type": "browser"})).await.unwrap();
        let entries = log.as_array().unwrap().iter().filter(|entry| entry["level"] == "SEVERE" || entry["level"] == "WARNING");
        entries.map(|entry| entry["message"].as_str().unwrap_or_default().to_owned()).collect()
    }
}
