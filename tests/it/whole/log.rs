//! The log stops nothing: closed, full, or with a reader that pauses for good; and it looks as its reader needs it.

use std::fs::File;
use std::os::unix::fs::MetadataExt;
use std::process::{Child, Command, Stdio};

use posbell::domain::event::EventKind;
use serde_json::Value;

use crate::support::rig::{PATIENCE, Rig, RigPlan};

/// Killed when it is dropped.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        // An error means that it has ended already.
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

/// Sales are told while it runs like this, and it is still the same process.
async fn goes_on(rig: &Rig, mut command: Command) -> Running {
    let mut running = Running(command.stdout(Stdio::null()).spawn().expect("starts"));
    rig.told(EventKind::ShopBaseline).await;
    rig.sell_one();
    let received = rig.all_told().await;
    rig.assert_exact(&received);
    assert!(running.0.try_wait().expect("can be asked").is_none(), "it has ended");
    running
}

fn dropped(rig: &Rig) -> u64 {
    rig.lines(&["status", "--json"])[0]["log_dropped"].as_u64().expect("is a count")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_that_cannot_be_written_stops_nothing() {
    let rig = Rig::new(RigPlan::default());
    let full = || File::options().write(true).open("/dev/full").expect("opens");
    let mut command = rig.command(&["run"]);
    command.stderr(full());
    let running = goes_on(&rig, command).await;
    assert!(dropped(&rig) > 0, "nothing was dropped");
    drop(running);

    // Closed from the start on.
    let mut closed = Command::new("sh");
    let program = rig.command(&["run"]);
    closed.args(["-c", "exec \"$0\" \"$@\" 2>&-"]).arg(program.get_program()).args(program.get_args());
    closed.current_dir(rig.path()).env("POSBELL_LOG", "debug");
    let _running = goes_on(&rig, closed).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_of_the_log_that_pauses_for_good_stops_nothing() {
    let rig = Rig::new(RigPlan::default());
    let mut command = rig.command(&["run"]);
    command.env("POSBELL_LOG", "trace").stderr(Stdio::piped());
    // Its pipe is never read.
    let _running = goes_on(&rig, command).await;
    let paused = async {
        while dropped(&rig) == 0 {
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(PATIENCE, paused).await.expect("the log is full");
    rig.sell_one();
    let received = rig.all_told().await;
    rig.assert_exact(&received);
    let status = String::from_utf8(rig.run(&["status"]).stdout).expect("is text");
    assert!(status.contains("lines of the log could not be written"), "{status}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hangup_ends_nothing_and_is_one_line_of_the_log() {
    let rig = Rig::new(RigPlan::default());
    let service = rig.start();
    rig.told(EventKind::ShopBaseline).await;
    let pid =
        rustix::process::Pid::from_raw(i32::try_from(service.pid()).expect("is a process id")).expect("is not zero");
    rustix::process::kill_process(pid, rustix::process::Signal::HUP).expect("can be told");
    let log = || rig.log();
    let said = async {
        while !log().contains("(SIGHUP)") {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(PATIENCE, said).await.expect("it is logged");
    rig.sell_one();
    let received = rig.all_told().await;
    rig.assert_exact(&received);
    let (ended, log) = service.stop();
    assert!(ended.success() && log.matches("SIGHUP").count() == 1, "{log}");
    assert!(!log.contains(", no events"), "a pass without events is for `debug`: {log}");
}

#[tokio::test(flavor = "multi_thread")]
async fn in_the_journal_each_line_has_its_level_and_json_is_for_who_asks() {
    let rig = Rig::new(RigPlan::default());
    let log = rig.path().join("journal.log");
    let file = File::create(&log).expect("writes");
    let known = file.metadata().expect("is there");
    let mut command = rig.command(&["run"]);
    command.env("JOURNAL_STREAM", format!("{}:{}", known.dev(), known.ino())).stderr(file);
    drop(goes_on(&rig, command).await);
    let text = std::fs::read_to_string(&log).expect("is text");
    assert!(text.lines().all(|line| line.starts_with("<6>") || line.starts_with("<4>")), "{text}");

    let mut command = rig.command(&["run", "--log-format", "json"]);
    command.stderr(File::create(&log).expect("writes"));
    drop(goes_on(&rig, command).await);
    let text = std::fs::read_to_string(&log).expect("is text");
    let levels: Vec<String> = text
        .lines()
        .map(|line| {
            serde_json::from_str::<Value>(line).expect("is JSON")["level"].as_str().expect("has one").to_owned()
        })
        .collect();
    assert!(levels.iter().any(|level| level == "INFO"), "{levels:?}");
}
