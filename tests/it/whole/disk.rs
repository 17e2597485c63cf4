//! A disk that is read-only, fails, hangs or loses the files of the store: posbell stands still, says so once, gives no
//! advice that loses data, and goes on by itself.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use posbell::domain::event::EventKind;
use posbell::domain::model::Resource;
use rustix::io::Errno;

use super::full_disk::owner;
use crate::support::admin;
use crate::support::faulty_disk::FaultyDisk;
use crate::support::rig::{PATIENCE, Rig, RigPlan, Service, monotonic, until};
use crate::support::telegram::BotApi;

/// A shop, the owner's chat, and a disk that a test can break.
struct Case {
    rig: Rig,
    bot: BotApi,
    disk: FaultyDisk,
    data: PathBuf,
    client: reqwest::Client,
}

impl Case {
    async fn new() -> Case {
        // An error means that another test has done it.
        drop(rustls::crypto::ring::default_provider().install_default());
        let bot = BotApi::start().await;
        let rig = Rig::new(RigPlan { config: owner(&bot), ..RigPlan::default() });
        let data = rig.path().join("posbell-data").canonicalize().unwrap_or(rig.path().join("posbell-data"));
        let client = reqwest::Client::builder().build().expect("is built");
        Case { rig, bot, disk: FaultyDisk::build(), data, client }
    }

    fn start(&self) -> Service {
        self.rig.start_with(|command| self.put(command))
    }

    fn put(&self, command: &mut Command) {
        self.disk.put(command, &self.data);
        command.env("RUNTIME_DIRECTORY", self.rig.path());
    }

    async fn ask(&self, path: &str) -> (u16, String) {
        let admin = admin::address(&self.rig).await;
        let answer = self.client.get(format!("http://{admin}{path}")).timeout(Duration::from_secs(10));
        let answer = answer.send().await.expect("answers");
        (answer.status().as_u16(), answer.text().await.expect("is text"))
    }

    async fn owner_hears(&self, count: usize, words: &str) {
        let began = monotonic();
        while self.bot.messages().len() < count && monotonic() - began < PATIENCE {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        assert!(self.bot.messages().len() >= count, "no message with {words:?}: {}", self.rig.log());
        let messages = self.bot.messages();
        assert!(messages.len() == count && messages[count - 1].text.contains(words), "{messages:?}");
    }

    /// It is no damage, and nobody is advised to put the store away.
    fn gives_no_bad_advice(&self) {
        let log = self.rig.log();
        assert!(!log.contains("is damaged") && !log.contains("aside") && !log.contains("panicked"), "{log}");
    }

    /// Everything that the shop owes arrives, and nothing else was said.
    async fn goes_on(&self, service: Service) {
        let received = self.rig.all_told().await;
        self.rig.assert_exact(&received);
        self.owner_hears(2, "works again").await;
        let (status, answer) = self.ask("/readyz").await;
        assert_eq!((status, answer.as_str()), (200, "ready\n"));
        let (ended, log) = service.stop();
        assert!(ended.success(), "{log}");
        self.gives_no_bad_advice();
    }
}

async fn on_a_failing_disk(break_it: impl Fn(&FaultyDisk), words: &str) {
    let case = Case::new().await;
    let service = case.start();
    let pid = service.pid();
    case.rig.told(EventKind::ShopBaseline).await;
    break_it(&case.disk);
    case.rig.sell_one();
    case.owner_hears(1, words).await;
    let (status, why) = case.ask("/readyz").await;
    assert!(status == 503 && why.contains("the disk"), "{status} {why}");
    let (_, problems) = case.ask("/api/v1/problems").await;
    assert!(problems.contains(r#""kind":"disk""#) && problems.contains(r#""class":"bell""#), "{problems}");
    // A restart while it lasts says nothing new.
    let (ended, log) = service.stop();
    assert!(ended.success(), "{log}");
    let service = case.start();
    assert_ne!(service.pid(), pid);
    until("it stands still again", || case.rig.log().contains("nothing is read and nothing sent")).await;
    case.rig.sell_one();
    assert_eq!(case.bot.messages().len(), 1, "{:?}", case.bot.messages());
    case.disk.mend();
    case.goes_on(service).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_disk_that_becomes_read_only_stops_posbell_and_is_said_once() {
    on_a_failing_disk(|disk| disk.refuse_writes(Errno::ROFS.raw_os_error()), "read-only").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_disk_with_write_errors_stops_posbell_and_is_said_once() {
    on_a_failing_disk(|disk| disk.refuse_writes(Errno::IO.raw_os_error()), "has errors").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_disk_with_read_errors_stops_posbell_and_is_said_once() {
    on_a_failing_disk(|disk| disk.refuse_all(Errno::IO.raw_os_error()), "has errors").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_disk_that_is_really_read_only_is_waited_for() {
    let case = Case::new().await;
    let service = case.rig.start();
    case.rig.told(EventKind::ShopBaseline).await;
    drop(service.stop());
    case.rig.sell_one();
    let service = case.rig.start_with(|command| {
        case.put(command);
        on_a_read_only_disk(command, &case.data);
    });
    case.owner_hears(1, "read-only").await;
    let (status, why) = case.ask("/readyz").await;
    assert!(status == 503 && why.contains("is read-only"), "{status} {why}");
    let mut remount = Command::new("nsenter");
    remount.args(["-t", &service.pid().to_string(), "-U", "-m", "--preserve-credentials", "mount", "-o"]);
    let remounted = remount.arg("remount,bind,rw").arg(&case.data).output().expect("runs");
    assert!(remounted.status.success(), "{}", String::from_utf8_lossy(&remounted.stderr));
    case.goes_on(service).await;
}

/// The directory bound onto itself and read-only, as the program sees it.
fn on_a_read_only_disk(command: &mut Command, dir: &Path) {
    let mut bound = Command::new("unshare");
    let script = "mount --bind \"$0\" \"$0\" && mount -o remount,bind,ro \"$0\" && exec \"$@\"";
    bound.args(["-r", "-m", "sh", "-c", script]).arg(dir).arg(command.get_program()).args(command.get_args());
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => bound.env(name, value),
            None => bound.env_remove(name),
        };
    }
    bound.current_dir(command.get_current_dir().expect("is set"));
    *command = bound;
}

#[tokio::test(flavor = "multi_thread")]
async fn files_that_are_gone_are_noticed_within_a_minute_and_waited_for() {
    let case = Case::new().await;
    let service = case.start();
    case.rig.told(EventKind::ShopBaseline).await;
    let (store, elsewhere) = (case.data.join("store"), case.rig.path().join("elsewhere"));
    let began = monotonic();
    std::fs::rename(&store, &elsewhere).expect("is there");
    case.owner_hears(1, "gone from the disk").await;
    let took = monotonic() - began;
    println!("that the files are gone was said after {took:?}");
    assert!(took < Duration::from_secs(60), "{took:?}");
    let (status, why) = case.ask("/readyz").await;
    assert!(status == 503 && why.contains("has lost the files"), "{status} {why}");
    assert!(!store.exists(), "no new baseline takes their place");
    case.rig.sell_one();
    std::fs::rename(&elsewhere, &store).expect("is there");
    case.goes_on(service).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_disk_that_hangs_starves_the_watchdog_and_does_not_keep_the_process() {
    let case = Case::new().await;
    let path = case.rig.path().join("notify");
    let socket = tokio::net::UnixDatagram::bind(&path).expect("binds");
    let service = case.rig.start_with(|command| {
        case.put(command);
        command.env("NOTIFY_SOCKET", &path).env("WATCHDOG_USEC", "3000000");
    });
    case.rig.told(EventKind::ShopBaseline).await;
    let mut text = [0; 256];
    let mut fed = async || {
        loop {
            let heard = socket.recv(&mut text).await.expect("receives");
            if text[..heard].starts_with(b"WATCHDOG=1") {
                return;
            }
        }
    };
    let began = monotonic();
    for _ in 0..5 {
        fed().await;
    }
    println!("fed five times in {:?}, at 3 s", monotonic() - began);
    assert!(monotonic() - began < Duration::from_secs(15), "each in time");
    case.disk.hang();
    case.rig.sell_one();
    let began = monotonic();
    while tokio::time::timeout(Duration::from_secs(6), fed()).await.is_ok() {}
    println!("the watchdog is starved {:?} after the disk began to hang", monotonic() - began);
    case.owner_hears(1, "does not answer").await;
    let (status, why) = case.ask("/readyz").await;
    assert!(status == 503 && why.contains("the disk does not answer"), "{status} {why}");
    let (_, problems) = case.ask("/api/v1/problems").await;
    assert!(problems.contains(r#""fault":"hanging""#), "{problems}");
    let began = monotonic();
    let (ended, log) = service.stop();
    println!("it ends {:?} after SIGTERM", monotonic() - began);
    assert!(ended.success() && log.contains("does not answer"), "{ended} {log}");
    case.disk.mend();
    let service = case.start();
    case.goes_on(service).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_disk_that_hangs_while_nothing_is_stored_does_not_keep_the_process() {
    let case = Case::new().await;
    for resource in Resource::ALL {
        case.rig.configure(&format!("{resource} = \"100ms\""), &format!("{resource} = \"1h\""));
    }
    let service = case.start();
    case.rig.told(EventKind::ShopBaseline).await;
    let delivered = || case.rig.lines(&["deliveries", "--state", "delivered", "--json"]).len() == 1;
    until("the baseline is settled", delivered).await;
    case.disk.hang();
    let began = monotonic();
    let (ended, log) = service.stop();
    println!("it ends {:?} after SIGTERM", monotonic() - began);
    assert!(ended.success(), "{ended} {log}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_that_cannot_be_used_keeps_posbell_from_starting_and_is_said_once() {
    let case = Case::new().await;
    let service = case.start();
    case.rig.told(EventKind::ShopBaseline).await;
    drop(service.stop());
    let (log, kept) = (case.data.join("store/db"), case.rig.path().join("kept"));
    std::fs::copy(&log, &kept).expect("is there");
    for _ in 0..2 {
        std::fs::write(&log, "").expect("is there");
        let (ended, said) = case.start().ended();
        assert!(!ended.success() && said.contains("the store is damaged"), "{said}");
        case.owner_hears(1, "cannot be used").await;
    }
    std::fs::copy(&kept, &log).expect("is there");
    let service = case.start();
    case.owner_hears(2, "works again").await;
    assert!(service.stop().0.success());
}
