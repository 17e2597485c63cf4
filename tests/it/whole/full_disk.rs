//! A full disk stops posbell, tells the owner once, and loses nothing; space lets it go on by itself.

use std::fs::File;
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use posbell::domain::event::EventKind;
use posbell::edge::store::free_bytes;

use crate::support::admin;
use crate::support::rig::{PATIENCE, Rig, RigPlan};
use crate::support::telegram::BotApi;

/// The data directory on a disk of its own: large enough to begin with, small enough to be filled. Seen by the program
/// alone, and by whoever looks through its eyes.
pub(super) fn on_a_small_disk(command: &mut Command, dir: &Path, size: &str) {
    let mut small = Command::new("unshare");
    small.args(["-r", "-m", "sh", "-c", "mount -t tmpfs -o size=$0,mode=700 small \"$1\" && shift && exec \"$@\""]);
    small.arg(size).arg(dir).arg(command.get_program()).args(command.get_args());
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => small.env(name, value),
            None => small.env_remove(name),
        };
    }
    small.current_dir(command.get_current_dir().expect("is set"));
    *command = small;
}

/// Writes until nothing more can be written.
fn fill(path: &Path) {
    let mut file = File::create(path).expect("is made");
    let mut size = 1 << 20;
    while size > 0 {
        match file.write_all(&vec![7; size]) {
            Ok(()) => {}
            Err(error) => {
                assert_eq!(error.kind(), ErrorKind::StorageFull, "{error}");
                size /= 2;
            }
        }
    }
}

/// Writes until so many bytes are free.
pub(super) fn fill_up_to(path: &Path, free: u64) {
    let file = File::create(path).expect("is made");
    let there = free_bytes(path).expect("is there");
    (&file).write_all(&vec![7; usize::try_from(there - free).expect("is small")]).expect("has room");
}

pub(super) fn owner(bot: &BotApi) -> String {
    let url = bot.url();
    format!("[channel.owner]\ntype = \"telegram\"\ntoken = \"123456:test-token\"\nchat_id = 1\napi_url = \"{url}\"\n")
}

async fn until(what: &str, is_so: impl AsyncFn() -> bool) {
    let waiting = async {
        while !is_so().await {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(PATIENCE, waiting).await.unwrap_or_else(|_| panic!("waited too long: {what}"));
}

#[tokio::test(flavor = "multi_thread")]
async fn on_a_full_disk_posbell_stands_still_says_so_once_and_goes_on_by_itself() {
    let bot = BotApi::start().await;
    let owner = owner(&bot);
    let rig = Rig::new(RigPlan { config: owner, ..RigPlan::default() });
    let data = rig.path().join("posbell-data");
    std::fs::create_dir_all(&data).expect("is made");
    let service = rig.start_with(|command| on_a_small_disk(command, &data, "64m"));
    rig.told(EventKind::ShopBaseline).await;
    let log = || rig.log();
    let address = admin::address(&rig).await;
    let inside = PathBuf::from(format!("/proc/{}/root", service.pid()));
    let inside = inside.join(data.strip_prefix("/").expect("is absolute"));
    let token = std::fs::read_to_string(inside.join("admin-token")).expect("is there");
    let ask =
        async |path: &str| admin::read(&admin::answer_at(&address, &format!("GET {path}"), Some(&token), "").await);
    assert_eq!(ask("/readyz").await.0, 200);

    let filler = inside.join("filler");
    fill(&filler);
    for _ in 0..5 {
        rig.sell_one();
    }
    until("the owner is told", async || !bot.messages().is_empty()).await;
    assert!(bot.messages()[0].text.contains("the disk is full"), "{:?}", bot.messages());
    let (status, why) = ask("/readyz").await;
    assert!(status == 503 && why.contains("the disk is full since"), "{status} {why}");
    assert_eq!(ask("/healthz").await.0, 200);
    let (status, why) = ask("/api/v1/status").await;
    assert!(status == 503 && why.contains("goes on by itself"), "{status} {why}");
    let calls = rig.shop.calls();
    rig.sell_one();
    // Time for a dozen passes.
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert_eq!(rig.shop.calls(), calls, "nothing is read while nothing can be stored");

    std::fs::remove_file(&filler).expect("is there");
    let received = rig.all_told().await;
    rig.assert_exact(&received);
    until("the owner is told that it goes on", async || bot.messages().len() > 1).await;
    assert!(bot.messages()[1].text.contains("the disk works again"), "{:?}", bot.messages());
    assert_eq!(ask("/readyz").await.0, 200);
    assert_eq!(rig.shop.quota_violations(), 0);
    let (ended, _) = service.stop();
    assert!(ended.success(), "{}", log());
    assert_eq!(bot.messages().len(), 2, "told once that it stands still and once that it goes on");
    assert!(log().contains("the disk of"), "{}", log());
}

#[tokio::test(flavor = "multi_thread")]
async fn started_on_a_full_disk_posbell_says_so_and_waits() {
    let bot = BotApi::start().await;
    let rig = Rig::new(RigPlan { config: owner(&bot), ..RigPlan::default() });
    let data = rig.path().join("posbell-data");
    std::fs::create_dir_all(&data).expect("is made");
    let service = rig.start_with(|command| on_a_small_disk(command, &data, "16m"));
    until("the owner is told", async || !bot.messages().is_empty()).await;
    assert!(bot.messages()[0].text.contains("the disk is full"), "{:?}", bot.messages());
    let (ended, log) = service.stop();
    assert!(ended.success() && log.contains("32 MB are free"), "{ended} {log}");
    assert_eq!(rig.shop.calls(), 0);
}
