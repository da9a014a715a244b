//! The console in a browser, where there is one: what only a browser can tell.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use console::{JobControl, Order, Permit, Selection, routes};
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use super::client::access;
use super::data;
use super::driver::{Browser, ENTER, TAB};
use super::fake::{Asked, Fake};
use super::injection::poisoned;

const SCREENS: [(&str, &str); 17] = [
    ("flow", "/console/"),
    ("held", "/console/held"),
    ("dead-letters", "/console/dead-letters"),
    ("dead-letters-filtered", "/console/dead-letters?fingerprint=invalid_value%3AUserCreated%3Apayload.email"),
    ("letter", "/console/dead-letters/3fa9c1d20000"),
    ("redrive", "/console/redrive?reason=too_large"),
    ("rehearsal", "/console/redrive?reason=invalid_value&rehearse=1"),
    ("purge", "/console/purge?reason=too_large"),
    ("jobs", "/console/jobs"),
    ("job-canary", "/console/jobs/2"),
    ("job-many", "/console/jobs/3"),
    ("parked", "/console/parked"),
    ("trace", "/console/trace?event=0190a2b4-7c1e-7d3a-9f00-5a3c1e9b7d21"),
    ("letter-not-text", "/console/dead-letters/eeee00000000"),
    ("verify", "/console/verify"),
    ("audit", "/console/audit"),
    ("health", "/console/health"),
];

/// A console that is served, and a browser that looks at it.
struct Desk {
    browser: Browser,
    fake: Arc<Fake>,
    origin: String,
    server: JoinHandle<()>,
}

impl Desk {
    async fn new(fake: Arc<Fake>) -> Option<Self> {
        let browser = Browser::start().await?;
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let origin = format!("http://{}", listener.local_addr().unwrap());
        let router = routes(access(false), fake.clone());
        let server = tokio::spawn(async move { telemetry::http::serve(listener, router, std::future::pending()).await.unwrap() });
        Some(Self { browser, fake, origin, server })
    }

    async fn open(&self, address: &str) {
        self.browser.open(&format!("{}{address}", self.origin)).await;
    }

    /// Logs in by typing, and nothing else.
    async fn log_in(&self) {
        self.log_in_with("editor-token-0123").await;
    }

    async fn log_in_with(&self, token: &str) {
        self.open("/console/login").await;
        self.browser.until("document.activeElement.id === 'token'").await;
        self.browser.keys(token).await;
        self.browser.keys(ENTER).await;
        self.at("/console/").await;
    }

    /// As if it had ended meanwhile.
    async fn forget_session(&self) {
        let (_, port) = self.origin.rsplit_once(':').unwrap();
        let cookie = serde_json::json!({"name": format!("console_session_{port}"), "url": format!("{}/console/", self.origin)});
        self.browser.command("Network.deleteCookies", cookie).await;
    }

    /// As if another tab were seen, or this one again.
    async fn hide(&self, hidden: bool) {
        let script = "document.dispatchEvent(new Event('visibilitychange'))";
        self.browser.run(&format!("Object.defineProperty(document, 'hidden', {{value: {hidden}, configurable: true}}); {script}")).await;
    }

    /// Waits until a page is loaded whose address begins so.
    #[track_caller]
    fn at(&self, address: &str) -> impl Future<Output = ()> {
        let wanted = format!("(location.pathname + location.search).startsWith({})", Value::from(address));
        let ready = format!("{wanted} && document.readyState === 'complete' && document.documentElement.classList.contains('script')");
        let caller = std::panic::Location::caller();
        async move {
            let start = std::time::Instant::now();
            let script = format!("return !!({ready})");
            while self.browser.run(&script).await != Value::Bool(true) {
                assert!(start.elapsed().as_secs() < 20, "{caller}: never at {address}: {}", self.browser.run("return location.href").await);
            }
        }
    }

    /// Goes from control to control by the tab key until one says so.
    async fn tab_to(&self, text: &str) {
        for _ in 0..80 {
            self.browser.keys(TAB).await;
            let focused = self.browser.run("return document.activeElement.textContent.trim()").await;
            if focused.as_str().is_some_and(|focused| focused == text) {
                return;
            }
        }
        panic!("no control says {text:?}");
    }

    #[track_caller]
    fn quiet(&self) -> impl Future<Output = ()> {
        let caller = std::panic::Location::caller();
        async move {
            let complaints = self.browser.complaints().await;
            assert!(complaints.is_empty(), "{caller}: the browser complains: {complaints:#?}");
        }
    }

    async fn leave(self) {
        self.browser.stop().await;
        self.server.abort();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_screen_comes_up_without_complaint() {
    let Some(desk) = Desk::new(Fake::with(1_337)).await else { return };
    desk.log_in().await;
    for width in [1280, 390] {
        desk.browser.width(width).await;
        for (name, address) in SCREENS {
            desk.open(address).await;
            desk.at(address).await;
            let overflow = desk.browser.run("return document.documentElement.scrollWidth - document.documentElement.clientWidth").await;
            assert_eq!(overflow, 0, "{name} is wider than {width}");
            desk.quiet().await;
        }
    }
    pictures(&desk).await;
    desk.leave().await;
}

/// Pictures of every screen, for whoever wants to look at them.
async fn pictures(desk: &Desk) {
    let Ok(directory) = std::env::var("CONSOLE_SCREENSHOTS") else { return };
    std::fs::create_dir_all(&directory).unwrap();
    for (scheme, contrast, theme) in [("light", "no-preference", "light"), ("dark", "no-preference", "dark"), ("dark", "more", "contrast")]
    {
        desk.browser.prefer(scheme, contrast).await;
        for width in [1280, 390] {
            desk.browser.width(width).await;
            for (name, address) in SCREENS.into_iter().chain([("palette", "/console/health"), ("login", "/console/login")]) {
                desk.open(address).await;
                if name == "palette" {
                    desk.browser.keys("/").await;
                }
                if name == "letter" {
                    let typed = "const it = document.getElementById('payload'); it.value = it.value.replace(' at ', '@'); \
                                 it.dispatchEvent(new Event('input', {bubbles: true}))";
                    desk.browser.run(typed).await;
                    desk.browser.until("document.querySelector('#draft .diff')").await;
                }
                if name == "parked" {
                    desk.browser.run("document.querySelector('details').open = true").await;
                }
                let picture = base64::engine::general_purpose::STANDARD.decode(desk.browser.picture().await).unwrap();
                std::fs::write(Path::new(&directory).join(format!("{name}-{width}-{theme}.png")), picture).unwrap();
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_poison_group_is_triaged_by_keyboard_alone() {
    let Some(desk) = Desk::new(Fake::with(400)).await else { return };
    let browser = &desk.browser;
    desk.log_in().await;
    browser.keys("/").await;
    browser.until("document.querySelector('#palette').open").await;
    browser.keys("dead").await;
    browser.keys(ENTER).await;
    desk.at("/console/dead-letters").await;
    // The group, its first letter, its editor.
    browser.keys("j").await;
    browser.keys(ENTER).await;
    desk.at("/console/dead-letters?fingerprint=").await;
    browser.keys("j").await;
    browser.keys(ENTER).await;
    desk.at("/console/dead-letters/3fa9c1d20000").await;
    browser.keys("e").await;
    browser.until("document.activeElement.id === 'payload'").await;
    browser.keys(" ").await;
    browser.until("document.querySelector('#draft .verdict.bad .hit')").await;
    let right = data::payload("ada@example.org");
    browser.control('a').await;
    browser.keys(&right).await;
    browser.until("document.querySelector('#draft .verdict.good') && document.querySelector('#draft .diff .add')").await;
    desk.tab_to("Send under the same event id").await;
    browser.keys(ENTER).await;
    browser.until("document.querySelector('.notice')?.textContent.includes('was sent as event')").await;
    // The others of the group: rehearsal, canary, all.
    browser.keys("j").await;
    browser.keys(ENTER).await;
    desk.at("/console/dead-letters?fingerprint=").await;
    browser.keys("r").await;
    desk.at("/console/redrive?fingerprint=").await;
    browser.until("document.body.textContent.includes('would not be sent')").await;
    desk.tab_to("Redrive 10").await;
    browser.keys(ENTER).await;
    desk.at("/console/jobs").await;
    browser.control('k').await;
    browser.until("document.querySelector('#palette').open").await;
    browser.keys("dead").await;
    browser.keys(ENTER).await;
    desk.at("/console/dead-letters").await;
    browser.keys("jr").await;
    desk.at("/console/redrive?fingerprint=").await;
    desk.tab_to("Start the redrive").await;
    browser.keys(ENTER).await;
    desk.at("/console/jobs").await;
    // Two by two keys, and their rehearsal.
    desk.open("/console/dead-letters?reason=too_large").await;
    browser.keys("jxjx").await;
    browser.until("document.querySelectorAll('input[name=id]:checked').length === 2").await;
    browser.keys("r").await;
    desk.at("/console/redrive?id=3fa9c1d20003&id=3fa9c1d20007&rehearse=1").await;
    browser.keys("?").await;
    browser.until("document.querySelector('#help').open").await;
    desk.quiet().await;
    browser.run("document.querySelector('#help').close()").await;
    // Down and up again.
    desk.open("/console/dead-letters?reason=too_large").await;
    browser.keys("jjj").await;
    let row = "[...document.querySelectorAll('[data-row]')].indexOf(document.activeElement.closest('[data-row]'))";
    browser.until(&format!("{row} === 2")).await;
    browser.keys("kk").await;
    browser.until(&format!("{row} === 0")).await;
    browser.keys("k").await;
    browser.until(&format!("{row} === 0")).await;
    // The list of these two means these two; in the list of all, `r` alone only goes to a row.
    desk.open("/console/dead-letters?id=3fa9c1d20003&id=3fa9c1d20007").await;
    browser.keys("r").await;
    desk.at("/console/redrive?id=3fa9c1d20003&id=3fa9c1d20007&rehearse=1").await;
    desk.open("/console/dead-letters?start=50").await;
    browser.keys("r").await;
    browser.until("document.activeElement.closest('[data-row]') && location.pathname === '/console/dead-letters'").await;
    assert_eq!(browser.run("return document.querySelectorAll('input:checked').length").await, 0);

    let group = Selection { fingerprint: Some(data::POISON.to_owned()), ..Selection::default() };
    let order =
        |limit, rate| Asked::Redrive("ada".to_owned(), Order { selection: group.clone(), limit, rate, is_canary: limit == Some(10) });
    let rehearsed = || Asked::Rehearse(group.clone());
    let two = Selection { ids: vec!["3fa9c1d20003".to_owned(), "3fa9c1d20007".to_owned()], ..Selection::default() };
    let sent = Asked::Send("ada".to_owned(), "3fa9c1d20000".to_owned(), right);
    assert_eq!(
        desk.fake.asked(),
        [
            sent,
            rehearsed(),
            order(Some(10), None),
            rehearsed(),
            order(None, Some(100.0)),
            Asked::Rehearse(two.clone()),
            Asked::Rehearse(two)
        ]
    );
    desk.leave().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_changes_is_renewed_but_not_under_the_pointer() {
    let Some(desk) = Desk::new(Fake::with(400)).await else { return };
    let browser = &desk.browser;
    desk.log_in().await;
    browser.run("window.first = document.querySelector('#outcomes').textContent").await;
    browser.until("document.querySelector('#outcomes').textContent !== window.first").await;
    let place =
        browser.run("const at = document.querySelector('#partitions').getBoundingClientRect(); return [at.x + 40, at.y + 60]").await;
    browser.run("document.querySelector('#partitions').scrollIntoView({block: 'center'})").await;
    let place = (browser.run("return document.querySelector('#partitions').getBoundingClientRect().y + 60").await, place);
    browser.point(place.1[0].as_f64().unwrap() as i64, place.0.as_f64().unwrap() as i64).await;
    browser.until("document.querySelector('#partitions').hasAttribute('data-held')").await;
    let keep =
        "window.held = document.querySelector('#partitions').textContent; window.other = document.querySelector('#outcomes').textContent";
    browser.run(keep).await;
    browser.until("document.querySelector('#outcomes').textContent !== window.other").await;
    assert_eq!(browser.run("return document.querySelector('#partitions').textContent === window.held").await, true);
    browser.point(2, 2).await;
    browser.until("document.querySelector('#partitions').textContent !== window.held").await;
    // What has the focus stands still, too.
    browser.run("document.querySelector('#partitions .scroll').focus()").await;
    browser.until("document.querySelector('#partitions').hasAttribute('data-held')").await;
    browser.run("document.activeElement.blur()").await;
    browser.until("!document.querySelector('#partitions').hasAttribute('data-held')").await;
    // A hidden tab asks for nothing, and is told nothing: then nobody looks.
    browser.run("window.asked = 0; document.addEventListener('htmx:beforeRequest', (event) => { if (event.defaultPrevented) window.asked += 1; });").await;
    desk.hide(true).await;
    let looks = desk.fake.looks.load(Ordering::SeqCst);
    browser.until("window.asked >= 3").await;
    assert!(desk.fake.looks.load(Ordering::SeqCst) <= looks + 1, "one may have been under way");
    desk.quiet().await;
    // It is renewed as soon as it is seen, not after the next two seconds.
    browser.run("window.other = document.querySelector('#outcomes').textContent").await;
    desk.hide(false).await;
    browser.until("document.querySelector('#outcomes').textContent !== window.other").await;
    // When the session is over, the page says so instead of standing still.
    desk.forget_session().await;
    browser.until("location.pathname === '/console/login'").await;
    // But not while something is being written.
    desk.log_in().await;
    desk.open("/console/dead-letters/3fa9c1d20000").await;
    desk.forget_session().await;
    browser.keys("e").await;
    browser.keys("kept ").await;
    browser.until("document.querySelector('#draft').textContent.includes('Your session is over')").await;
    assert_eq!(browser.run("return document.querySelector('#payload').value.startsWith('kept {')").await, true);
    desk.leave().await;
}

/// Notes of each hold when it is on the screen, whether the page was told to ask for it, and after how many renewals; and how many there were.
const WATCH: &str = "
    window.seen = {}; window.renewed = 0;
    let by;
    document.addEventListener('htmx:beforeSend', (event) => by = event.detail.requestConfig.triggeringEvent?.type);
    document.addEventListener('htmx:afterRequest', () => {
        window.renewed += 1;
        for (const [hold] of document.querySelector('#down').textContent.matchAll(/Hold \\d+/g)) {
            window.seen[hold] ??= {at: Date.now(), told: by === 'renew', renewed: window.renewed};
        }
    });";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hold_is_on_the_screen_within_two_seconds() {
    let Some(desk) = Desk::new(Fake::with(400)).await else { return };
    desk.log_in().await;
    desk.browser.run(WATCH).await;
    // A process says itself that it waits; what another one says is looked for.
    for elsewhere in [false, true] {
        let (mut took, mut told) = (Vec::new(), 0);
        for number in 0..5 {
            // The worst moment: what has just been renewed is renewed for its numbers two seconds later.
            let before = desk.browser.run("return window.renewed").await;
            desk.browser.until(&format!("window.renewed > {before}")).await;
            let before = desk.browser.run("return window.renewed").await.as_u64().unwrap();
            let hold = format!("Hold {}{number}", u8::from(elsewhere));
            let began = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis() as u64;
            if elsewhere {
                desk.fake.hold_elsewhere(&hold);
            } else {
                desk.fake.hold(&hold);
            }
            desk.browser.until(&format!("window.seen['{hold}']")).await;
            let seen = desk.browser.run(&format!("return window.seen['{hold}']")).await;
            // One may have been under way.
            assert!(seen["renewed"].as_u64().unwrap() <= before + 2, "{hold}: a renewal has left it out: {seen}, after {before}");
            took.push(seen["at"].as_u64().unwrap().saturating_sub(began));
            told += u64::from(seen["told"] == true);
        }
        // Where other programs have the processors a single one may come late, and a page that hears nothing asks by itself.
        took.sort_unstable();
        println!("after {took:?} ms, {told} were told");
        assert!(took[took.len() / 2] <= 2_000 && told >= 3, "after {took:?} ms, {told} were told");
    }
    desk.quiet().await;
    desk.leave().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn where_no_stream_comes_the_page_asks_by_itself() {
    let Some(desk) = Desk::new(Fake::with(400)).await else { return };
    let browser = &desk.browser;
    desk.log_in().await;
    browser.command("Network.enable", serde_json::json!({})).await;
    browser.command("Network.setBlockedURLs", serde_json::json!({"urls": ["*/console/stream"]})).await;
    desk.open("/console/").await;
    browser.run(WATCH).await;
    desk.fake.hold("Hold 1");
    browser.until("window.seen['Hold 1']").await;
    assert_eq!(browser.run("return window.seen['Hold 1'].told").await, false, "nobody has told it");
    // As soon as one comes it is followed again.
    browser.command("Network.setBlockedURLs", serde_json::json!({"urls": []})).await;
    browser.until("(() => { const told = window.seen['Hold 1']?.told; window.seen = {}; return told; })()").await;
    desk.leave().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_progress_of_a_job_is_renewed() {
    let Some(desk) = Desk::new(Fake::with(400)).await else { return };
    desk.log_in().await;
    desk.open("/console/jobs").await;
    desk.browser.run("window.first = document.querySelector('#job-3 .progress').textContent").await;
    // What is read out is an element that stays, whose text alone changes.
    desk.browser.run("window.told = document.querySelector('#summary'); window.told.firstChild.data = 'something else'").await;
    desk.browser.until("document.querySelector('#job-3 .progress').textContent !== window.first").await;
    desk.browser.until("document.querySelector('#job-3 progress').value > 36").await;
    desk.browser.until("window.told.textContent.startsWith('3 jobs, 1 running')").await;
    assert_eq!(desk.browser.run("return window.told.isConnected && window.told.getAttribute('role')").await, "status");
    desk.quiet().await;
    desk.leave().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_link_on_another_site_leads_to_the_page_and_not_to_the_login() {
    let Some(desk) = Desk::new(Fake::with(400)).await else { return };
    desk.log_in().await;
    let elsewhere = desk.origin.replace("127.0.0.1", "localhost");
    desk.browser.open(&format!("{elsewhere}/console/login")).await;
    desk.browser.run(&format!("location.href = '{}/console/dead-letters?reason=too_large'", desk.origin)).await;
    desk.at("/console/dead-letters?reason=too_large").await;
    desk.browser.until("document.querySelector('.account strong').textContent === 'ada'").await;
    desk.leave().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_script_all_of_it_works() {
    let Some(desk) = Desk::new(Fake::with(400)).await else { return };
    let browser = &desk.browser;
    browser.command("Emulation.setScriptExecutionDisabled", serde_json::json!({"value": true})).await;
    desk.open("/console/login").await;
    browser.keys("editor-token-0123").await;
    browser.keys(ENTER).await;
    browser.until("document.querySelector('h1')?.textContent === 'Flow'").await;
    assert_eq!(browser.run("return document.documentElement.classList.contains('script')").await, false);
    // A draft is checked by its button, then sent.
    desk.open("/console/dead-letters/3fa9c1d20000").await;
    browser.run("document.querySelector('#payload').focus()").await;
    browser.control('a').await;
    let right = data::payload("ada@example.org");
    browser.keys(&right).await;
    desk.tab_to("Check").await;
    browser.keys(ENTER).await;
    browser.until("document.querySelector('#draft .verdict.good') && document.querySelector('#draft .diff .add')").await;
    browser.run("document.querySelector('#payload').focus()").await;
    desk.tab_to("Send under the same event id").await;
    browser.keys(ENTER).await;
    browser.until("document.querySelector('.notice')?.textContent.includes('was sent as event')").await;
    // All that match: rehearsed, begun, paused, cancelled.
    desk.open("/console/dead-letters?reason=too_large").await;
    browser.run("document.querySelector('#matching').focus()").await;
    browser.keys(" ").await;
    desk.tab_to("Rehearse a redrive").await;
    browser.keys(ENTER).await;
    browser.until("document.querySelector('.totals')").await;
    desk.tab_to("Start the redrive").await;
    browser.keys(ENTER).await;
    browser.until("document.querySelector('.notice')?.textContent.includes('Job 3 has begun.')").await;
    desk.tab_to("Pause job 3").await;
    browser.keys(ENTER).await;
    browser.until("document.querySelector('.notice')?.textContent.includes('Job 3 pauses')").await;
    desk.tab_to("Cancel job 3").await;
    browser.keys(ENTER).await;
    browser.until("document.querySelector('.notice')?.textContent.includes('Job 3 ends')").await;
    // A flood, and colours.
    desk.open("/console/").await;
    desk.tab_to("Let them pass").await;
    browser.keys(ENTER).await;
    browser.until("document.querySelector('.notice')?.textContent.includes('100 unwritable records may become dead letters.')").await;
    browser.run("document.querySelector('#theme').value = 'dark'").await;
    desk.tab_to("Set").await;
    browser.keys(ENTER).await;
    browser.until("document.documentElement.dataset.theme === 'dark'").await;

    let selection = Selection { reason: Some("too_large".to_owned()), ..Selection::default() };
    let order = Order { selection: selection.clone(), limit: None, rate: Some(100.0), is_canary: false };
    let ada = || "ada".to_owned();
    let wanted = [
        Asked::Send(ada(), "3fa9c1d20000".to_owned(), right),
        Asked::Rehearse(selection),
        Asked::Redrive(ada(), order),
        Asked::Control(ada(), 3, JobControl::Pause),
        Asked::Control(ada(), 3, JobControl::Cancel),
        Asked::Permit(ada(), Permit::Records(100)),
    ];
    assert_eq!(desk.fake.asked(), wanted);
    desk.leave().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_check_is_run_by_keyboard_with_and_without_script_and_open_pages_show_what_it_came_to() {
    let Some(desk) = Desk::new(Fake::with(0)).await else { return };
    let browser = &desk.browser;
    desk.log_in().await;
    desk.open("/console/health").await;
    browser.until("document.querySelector('#check').textContent.includes('None was run')").await;
    // Somebody else runs one.
    desk.fake.depth.store(1, Ordering::SeqCst);
    browser.until("document.querySelectorAll('#check tbody tr').length === 7").await;
    for without_script in [false, true] {
        browser.command("Emulation.setScriptExecutionDisabled", serde_json::json!({"value": without_script})).await;
        desk.open("/console/health").await;
        desk.tab_to("Run the check").await;
        browser.keys(ENTER).await;
        browser.until("document.querySelector('.notice')?.textContent.includes('1 of 7 findings failed')").await;
        let in_view = "document.querySelector('#check-title').getBoundingClientRect().top";
        browser.until(&format!("location.hash === '#check-title' && {in_view} >= 0 && {in_view} < innerHeight")).await;
        desk.quiet().await;
    }
    let ada = || Asked::Check("ada".to_owned());
    assert_eq!(desk.fake.asked(), [ada(), ada()]);
    desk.leave().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn markup_does_not_run() {
    let Some(desk) = Desk::new(poisoned()).await else { return };
    desk.log_in().await;
    for (name, address) in SCREENS {
        desk.open(address).await;
        let ran = desk
            .browser
            .run("return [typeof window.ran, document.querySelectorAll('[onerror], [onload], img, a[href^=javascript]').length]")
            .await;
        assert_eq!(ran, serde_json::json!(["undefined", 0]), "{name}");
        desk.quiet().await;
    }
    desk.leave().await;
}

/// The text of axe-core; `None` where nothing says where it is, which is no failure unless a browser is required.
fn axe() -> Option<String> {
    let Ok(axe) = std::env::var("AXE_JS") else {
        assert!(std::env::var("CONSOLE_BROWSER_REQUIRED").as_deref() != Ok("1"), "AXE_JS names no file, and a browser is required");
        println!("skipped: AXE_JS names no file");
        return None;
    };
    Some(std::fs::read_to_string(axe).unwrap())
}

/// What somebody could not read or reach on the page that is open.
async fn violations(desk: &Desk, axe: &str, page: &str) -> Vec<String> {
    desk.browser.run(axe).await;
    let brief = "axe.run().then((it) => it.violations.flatMap((v) => v.nodes.map((n) => v.id + ': ' + n.target + ' ' + (n.any[0]?.message ?? v.help))))";
    let found = desk.browser.run_promise(brief).await;
    let found = found.as_array().unwrap_or_else(|| panic!("{found}"));
    found.iter().map(|violation| format!("{page}: {}", violation.as_str().unwrap())).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_refused_and_what_opens_over_a_page_can_be_read_too() {
    let Some(axe) = axe() else { return };
    let Some(desk) = Desk::new(Fake::with(40)).await else { return };
    let mut found = Vec::new();
    desk.log_in_with("viewer-token-0123").await;
    for (scheme, contrast) in [("light", "no-preference"), ("dark", "no-preference"), ("dark", "more")] {
        desk.browser.prefer(scheme, contrast).await;
        for (page, says) in [
            ("/console/nowhere", "Not there"),
            ("/console/dead-letters/ffffffffffff", "Not there"),
            ("/console/redrive?all=1", "Not allowed"),
            ("/console/dead-letters?older=soon", "Not done"),
        ] {
            desk.open(page).await;
            desk.browser.until(&format!("document.querySelector('h1')?.textContent === '{says}'")).await;
            found.extend(violations(&desk, &axe, &format!("{page} {scheme} {contrast}")).await);
        }
        desk.fake.away.store(true, Ordering::SeqCst);
        desk.open("/console/parked").await;
        desk.browser.until("document.querySelector('h1')?.textContent === 'A part is away'").await;
        found.extend(violations(&desk, &axe, &format!("away {scheme} {contrast}")).await);
        desk.fake.away.store(false, Ordering::SeqCst);
        for (key, dialog) in [("/", "#palette"), ("?", "#help")] {
            desk.open("/console/jobs").await;
            desk.at("/console/jobs").await;
            desk.browser.keys(key).await;
            desk.browser.until(&format!("document.querySelector('{dialog}').open")).await;
            found.extend(violations(&desk, &axe, &format!("{dialog} {scheme} {contrast}")).await);
        }
    }
    assert!(found.is_empty(), "{} violations:\n{}", found.len(), found.join("\n"));
    desk.leave().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn everyone_can_read_it() {
    let Some(axe) = axe() else { return };
    let Some(desk) = Desk::new(Fake::with(1_337)).await else { return };
    desk.log_in().await;
    let mut found = Vec::new();
    // What the system prefers, and, in the last, what was chosen here.
    let looks = [
        ("light", "no-preference", "system"),
        ("dark", "no-preference", "system"),
        ("dark", "more", "system"),
        ("light", "more", "system"),
        ("dark", "no-preference", "contrast"),
    ];
    for (scheme, contrast, theme) in looks {
        desk.browser.prefer(scheme, contrast).await;
        desk.open("/console/jobs").await;
        desk.browser
            .run(&format!("const it = document.querySelector('#theme'); it.value = '{theme}'; it.dispatchEvent(new Event('change'))"))
            .await;
        desk.browser.until(&format!("document.documentElement.dataset.theme === '{theme}' && document.readyState === 'complete'")).await;
        for width in [1280, 390] {
            desk.browser.width(width).await;
            for (name, address) in SCREENS.into_iter().chain([("login", "/console/login")]) {
                desk.open(address).await;
                found.extend(violations(&desk, &axe, &format!("{name} {width} {scheme} {contrast} {theme}")).await);
            }
        }
    }
    assert!(found.is_empty(), "{} violations:\n{}", found.len(), found.join("\n"));
    desk.leave().await;
}
