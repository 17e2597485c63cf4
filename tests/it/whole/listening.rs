//! Where the service can be asked, and by whom: the socket of the commands, the admin address of everyone else, and what
//! becomes of both when another program is in the way.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::process::{Command, Output, Stdio};
use std::sync::{Arc, Mutex};

use posbell::domain::event::{Epoch, EventKind};
use posbell::edge::store::Store;

use crate::support::admin;
use crate::support::rig::{Rig, RigPlan, printed, until};

const ANY: &str = "listen = \"127.0.0.1:0\"";

/// Everything that a command can ask of the service or do through it.
const COMMANDS: &[&[&str]] = &[
    &["status"],
    &["status", "--check"],
    &["events"],
    &["deliveries"],
    &["held"],
    &["export", "events"],
    &["backup", "a-backup"],
    &["fetch", "vendors"],
    &["retry", "--dead"],
    &["drop", "--dead"],
    &["replay", "--since", "1h", "--dry-run"],
    &["resume", "main"],
];

/// A program that has the admin address and is not posbell. It keeps what it is sent and answers nothing.
struct Stranger {
    address: String,
    heard: Arc<Mutex<String>>,
}

impl Stranger {
    fn listen() -> Stranger {
        let listener = TcpListener::bind("127.0.0.1:0").expect("loopback has a free port");
        let address = listener.local_addr().expect("has one").to_string();
        let heard = Arc::new(Mutex::new(String::new()));
        let kept = Arc::clone(&heard);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let (mut stream, kept) = (stream.expect("comes"), Arc::clone(&kept));
                std::thread::spawn(move || {
                    let mut bytes = [0; 4096];
                    while let Ok(count @ 1..) = stream.read(&mut bytes) {
                        kept.lock().expect("is whole").push_str(&String::from_utf8_lossy(&bytes[..count]));
                        drop(stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nhi"));
                    }
                });
            }
        });
        Stranger { address, heard }
    }

    fn heard(&self) -> String {
        self.heard.lock().expect("is whole").clone()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_taken_admin_port_costs_that_address_alone_and_is_a_problem_until_it_is_free() {
    let other = TcpListener::bind("127.0.0.1:0").expect("loopback has a free port");
    let address = other.local_addr().expect("has one").to_string();
    let rig = Rig::new(RigPlan::default());
    rig.configure(ANY, &format!("listen = \"{address}\""));
    let service = rig.start();
    rig.told(EventKind::ShopBaseline).await;
    rig.sell_one();
    rig.all_told().await;
    let said = rig.log();
    for expected in ["cannot listen at http://", "[admin] listen", "tried again every 5 s"] {
        assert!(said.contains(expected), "no {expected} in {said}");
    }
    let check = rig.run(&["status", "--check"]);
    assert_eq!(check.status.code(), Some(1), "{}", printed(&check));
    assert!(printed(&check).contains("cannot listen at its admin address"), "{}", printed(&check));
    let status = rig.lines(&["status", "--json"]).remove(0);
    let problem = &status["problems"][0];
    assert_eq!((&problem["kind"], &problem["class"]), (&"admin_address".into(), &"other".into()), "{status}");
    drop(other);
    until("the address is listened at", || rig.run(&["status", "--check"]).status.success()).await;
    let (ready, body) = admin::read(&admin::answer_at(&address, "GET /readyz", None, "").await);
    assert_eq!((ready, body.as_str()), (200, "ready\n"));
    let (ended, said) = service.stop();
    assert!(ended.success() && said.contains("can be listened at now"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_command_works_without_an_admin_address_and_while_another_program_has_it() {
    let stranger = Stranger::listen();
    for listen in ["off", stranger.address.as_str()] {
        let rig = Rig::new(RigPlan::default());
        rig.configure(ANY, &format!("listen = \"{listen}\""));
        let service = rig.start();
        rig.told(EventKind::ShopBaseline).await;
        for command in COMMANDS {
            let output = rig.run(command);
            let is_well = output.status.success() || (listen != "off" && command.contains(&"--check"));
            assert!(is_well, "{listen}: {command:?}: {}", printed(&output));
        }
        assert_eq!(rig.lines(&["status", "--json"])[0]["running"], true);
        let (ended, said) = service.stop();
        assert!(ended.success() && !said.contains("the admin address is"), "{said}");
    }
    assert_eq!(stranger.heard(), "", "a command has told something to whoever listens");
}

#[tokio::test(flavor = "multi_thread")]
async fn no_command_gives_the_token_to_a_stranger_who_has_the_admin_port() {
    let stranger = Stranger::listen();
    let rig = Rig::new(RigPlan::default());
    rig.configure(ANY, &format!("listen = \"{}\"", stranger.address));
    let data = rig.path().join("posbell-data");
    // Another process has the store and is no service, as a long backup is none.
    let store = Store::open_or_create(&data, Epoch::from_random([7; 16])).expect("opens");
    std::fs::write(data.join("admin-token"), "a-token-that-nobody-may-see").expect("writes");
    let running: Vec<_> = COMMANDS
        .iter()
        .map(|command| (command, rig.command(command).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()))
        .collect();
    for (command, child) in running {
        let output = child.expect("starts").wait_with_output().expect("ends");
        let said = printed(&output);
        assert!(!output.status.success() && said.contains("in use by process"), "{command:?}: {said}");
        assert!(said.contains("waiting: "), "{command:?}: {said}");
    }
    assert_eq!(stranger.heard(), "");
    drop(store);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_waits_for_a_store_that_is_held_for_a_moment() {
    let rig = Rig::new(RigPlan::default());
    let data = rig.path().join("posbell-data");
    let store = Store::open_or_create(&data, Epoch::from_random([7; 16])).expect("opens");
    let mut child = rig.command(&["held"]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("starts");
    let mut said = [0; 17];
    child.stderr.as_mut().expect("is piped").read_exact(&mut said).expect("is said");
    assert_eq!(String::from_utf8_lossy(&said), "posbell: waiting:");
    drop(store);
    let output = child.wait_with_output().expect("ends");
    assert!(output.status.success(), "{}", printed(&output));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_service_leaves_a_socket_that_is_in_nobodys_way() {
    let rig = Rig::new(RigPlan::default());
    let socket = rig.path().join("posbell-data/posbell.sock");
    let service = rig.start();
    rig.told(EventKind::ShopBaseline).await;
    let mode = std::fs::metadata(&socket).expect("is there").permissions().mode();
    assert_eq!(mode & 0o777, 0o600, "{mode:o}");
    service.kill();
    assert!(socket.exists(), "a killed process removes nothing");
    assert_eq!(rig.lines(&["status", "--json"])[0]["running"], false);
    let service = rig.start();
    until("it is asked", || rig.lines(&["status", "--json"])[0]["running"] == true).await;
    std::fs::remove_file(&socket).expect("is there");
    until("the socket is there again", || socket.exists()).await;
    assert_eq!(rig.lines(&["status", "--json"])[0]["running"], true);
    let (ended, said) = service.stop();
    assert!(ended.success() && !socket.exists(), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_data_directory_may_have_a_path_longer_than_the_address_of_a_socket() {
    let rig = Rig::new(RigPlan::default());
    let deep = rig.path().join("d".repeat(120)).join("e".repeat(120));
    rig.configure("language = ", &format!("data_dir = \"{}\"\nlanguage = ", deep.display()));
    let service = rig.start();
    rig.told(EventKind::ShopBaseline).await;
    assert_eq!(rig.lines(&["status", "--json"])[0]["running"], true);
    assert!(deep.join("posbell.sock").exists());
    drop(service);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_shows_rows_needs_the_token_on_loopback_too() {
    let rig = Rig::new(RigPlan::default());
    let service = rig.start();
    rig.told(EventKind::ShopBaseline).await;
    for path in ["events", "events?limit=1", "events/export", "deliveries", "status", "held", "shops", "no-such-thing"]
    {
        let path = format!("/api/v1/{path}");
        let (status, said) = admin::get_without_token(&rig, &path).await;
        assert_eq!(status, 401, "{path}: {said}");
        assert!(said.contains("authorization: Bearer") && !said.contains("evt_"), "{path}: {said}");
        let wrong = admin::answer(&rig, &format!("GET {path}"), Some("wrong"), "").await;
        assert_eq!(admin::read(&wrong).0, 401, "{path}");
    }
    for path in ["/healthz", "/readyz", "/api/v1/problems"] {
        assert_eq!(admin::get_without_token(&rig, path).await.0, 200, "{path}");
    }
    let (status, events) = admin::get(&rig, "/api/v1/events?limit=1").await;
    let events: serde_json::Value = serde_json::from_str(&events).expect("is JSON");
    assert_eq!((status, events["data"].as_array().map(Vec::len)), (200, Some(1)));
    assert!(events["last"].is_u64(), "{events}");
    for limit in ["0", "1001", "10000"] {
        let (status, said) = admin::get(&rig, &format!("/api/v1/events?limit={limit}")).await;
        assert!(status == 400 && said.contains("from 1 to 1000"), "{limit}: {status} {said}");
    }
    drop(service);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_ordinary_user_sees_the_problems_and_what_sudo_would_add() {
    let rig = Rig::new(RigPlan::default());
    let port = TcpListener::bind("127.0.0.1:0").expect("loopback has a free port");
    let address = port.local_addr().expect("has one").to_string();
    drop(port);
    rig.configure(ANY, &format!("listen = \"{address}\""));
    // Their files are the owner's alone, the configuration is everyone's.
    std::fs::set_permissions(rig.path(), PermissionsExt::from_mode(0o755)).expect("is mine");
    let program = rig.path().join("posbell");
    let build = env!("CARGO_BIN_EXE_posbell");
    std::fs::hard_link(build, &program).or_else(|_| std::fs::copy(build, &program).map(drop)).expect("is there");
    let is_root = rustix::process::getuid().is_root();
    let as_nobody = |args: &[&str]| {
        let mut command = Command::new(&program);
        command.arg("--config").arg(rig.config()).args(args).current_dir("/").env_remove("STATE_DIRECTORY");
        if is_root {
            command.uid(65_534).gid(65_534);
        }
        command.output().expect("runs")
    };
    let service = rig.start();
    rig.told(EventKind::ShopBaseline).await;
    if is_root {
        from_outside(&rig, &as_nobody).await;
    }
    let (ended, log) = service.stop();
    assert!(ended.success(), "{log}");
    if !is_root {
        // Nobody else's data can be had; one's own can be closed to oneself.
        std::fs::set_permissions(rig.path().join("posbell-data"), PermissionsExt::from_mode(0o000)).expect("is mine");
    }
    for args in [&["status"][..], &["status", "--check"]] {
        let off = as_nobody(args);
        let said = printed(&off);
        assert_eq!(off.status.code(), Some(1), "{said}");
        assert!(said.contains("does not run, or only `sudo posbell status` can say"), "{said}");
        assert!(!said.contains("os error") && !said.contains("error sending request"), "{said}");
    }
    std::fs::set_permissions(rig.path().join("posbell-data"), PermissionsExt::from_mode(0o700)).expect("is mine");
}

/// What another user sees of a running service.
async fn from_outside(rig: &Rig, as_nobody: &impl Fn(&[&str]) -> Output) {
    let seen = as_nobody(&["status"]);
    let said = printed(&seen);
    assert!(seen.status.success() && said.contains("is running") && said.contains("No problems."), "{said}");
    assert!(said.contains("try sudo"), "{said}");
    assert!(as_nobody(&["status", "--check"]).status.success());
    rig.shop.revoke_key();
    until("the key is refused", || !rig.run(&["status", "--check"]).status.success()).await;
    let check = as_nobody(&["status", "--check"]);
    assert_eq!(check.status.code(), Some(1));
    assert!(printed(&check).contains("its key was refused"), "{}", printed(&check));
    let events = as_nobody(&["events"]);
    assert!(!events.status.success() && printed(&events).contains("try sudo"), "{}", printed(&events));
}
