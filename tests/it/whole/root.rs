//! What root does in a data directory of another user is done as that user, and a file that is denied is no damage.
//!
//! The directory is that of a unit with `DynamicUser=`: a link to a directory behind one that only root may enter.
//! Only root can play this; for anyone else the tests say so and end.

use std::fs::Permissions;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown, symlink};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use posbell::domain::event::EventKind;

use crate::support::rig::{Rig, RigPlan, Service, printed, until};

/// The user of the service.
const USER: u32 = 65_534;

/// A rig whose data directory is a link into a directory of root, to one that belongs to [`USER`].
struct Stage {
    rig: Rig,
    program: PathBuf,
    data: PathBuf,
}

impl Stage {
    /// One in which the service has run; `None`, and said, where this is not root.
    async fn after_a_run() -> Option<Stage> {
        if !rustix::process::geteuid().is_root() {
            println!("skipped: only root can work in the directory of another user");
            return None;
        }
        let stage = Stage::new();
        let service = stage.start();
        stage.rig.told(EventKind::ShopBaseline).await;
        let (status, log) = service.stop();
        assert!(status.success(), "{log}");
        Some(stage)
    }

    fn new() -> Stage {
        let rig = Rig::new(RigPlan::default());
        let private = rig.path().join("private");
        let data = private.join("posbell");
        std::fs::create_dir_all(&data).unwrap();
        symlink("private/posbell", rig.path().join("posbell-data")).unwrap();
        chown(&data, Some(USER), Some(USER)).unwrap();
        for (path, mode) in [(&data, 0o700), (&private, 0o700), (&rig.path().to_owned(), 0o755)] {
            std::fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
        }
        for path in [rig.config(), rig.path().join("rules"), rig.path().join("rules/rules.toml")] {
            std::fs::set_permissions(path, Permissions::from_mode(0o755)).unwrap();
        }
        // The user may not be able to enter the directory in which it was built.
        let (built, program) = (env!("CARGO_BIN_EXE_posbell"), rig.path().join("posbell"));
        if std::fs::hard_link(built, &program).is_err() {
            std::fs::copy(built, &program).unwrap();
        }
        Stage { rig, program, data }
    }

    /// Lets the user reach the directory, as the unit's mounts do, or keeps it away.
    fn let_in(&self, is_let: bool) {
        let mode = if is_let { 0o711 } else { 0o700 };
        std::fs::set_permissions(self.data.parent().unwrap(), Permissions::from_mode(mode)).unwrap();
    }

    fn as_user(&self, command: &mut Command) {
        let mut other = Command::new(&self.program);
        other.args(command.get_args()).current_dir(self.rig.path()).uid(USER).gid(USER);
        other.env_remove("POSBELL_CONFIG").env_remove("STATE_DIRECTORY").env_remove("CREDENTIALS_DIRECTORY");
        other.env_remove("NOTIFY_SOCKET").env("POSBELL_LOG", "warn,posbell=info");
        *command = other;
    }

    /// The service of the user.
    fn start(&self) -> Service {
        self.let_in(true);
        self.rig.start_with(|command| self.as_user(command))
    }

    fn run_as_user(&self, args: &[&str]) -> Output {
        self.let_in(true);
        let mut command = self.rig.command(args);
        self.as_user(&mut command);
        command.output().unwrap()
    }

    /// A command of root with the umask of a careful administrator, while the user is kept away.
    fn root(&self, args: &[&str]) -> Command {
        self.let_in(false);
        let command = self.rig.command(args);
        let mut careful = Command::new("sh");
        careful.args(["-c", "umask 077; exec \"$0\" \"$@\""]).arg(command.get_program()).args(command.get_args());
        careful.current_dir(self.rig.path()).env("POSBELL_LOG", "warn");
        careful
    }

    /// Everything in the data directory that does not belong to the user.
    fn strangers(&self) -> Vec<PathBuf> {
        let mut all = Vec::new();
        below(&self.data, &mut all);
        assert!(all.len() > 5, "{all:?}");
        all.retain(|path| {
            let found = std::fs::symlink_metadata(path).unwrap();
            (found.uid(), found.gid()) != (USER, USER)
        });
        all
    }
}

/// Everything in `dir`, it too. What is removed meanwhile is left out.
fn below(dir: &Path, all: &mut Vec<PathBuf>) {
    all.push(dir.to_owned());
    for entry in std::fs::read_dir(dir).into_iter().flatten().flatten() {
        match entry.path().is_dir() {
            true => below(&entry.path(), all),
            false => all.push(entry.path()),
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_root_does_beside_the_service_belongs_to_the_services_user() {
    let Some(stage) = Stage::after_a_run().await else { return };

    let inside = stage.data.join("mine.backup");
    let commands: &[&[&str]] = &[
        &["status"],
        &["status", "--check"],
        &["events"],
        &["deliveries"],
        &["held"],
        &["export", "events"],
        &["resume", "main"],
        &["retry", "--dead"],
        &["replay", "--since", "1h"],
        &["fetch", "vendors"],
        &["backup", "roots.backup"],
        &["backup", inside.to_str().unwrap()],
        &["restore", "roots.backup"],
        &["status"],
    ];
    for args in commands {
        let output = stage.root(args).output().unwrap();
        let is_no = args[..] == ["status", "--check"];
        assert_eq!(output.status.code(), Some(i32::from(is_no)), "{args:?}: {}", printed(&output));
        assert!(!printed(&output).contains("may not work as that user"), "{args:?}: {}", printed(&output));
        assert_eq!(stage.strangers(), Vec::<PathBuf>::new(), "{args:?}");
    }
    let of_root = std::fs::metadata(stage.rig.path().join("roots.backup")).unwrap();
    assert_eq!((of_root.uid(), of_root.mode() & 0o777), (0, 0o600), "what root asked for is root's");

    let mut service = stage.start();
    stage.rig.sell_one();
    stage.rig.all_told().await;
    let (status, log) = service.stop();
    assert!(status.success(), "{log}");

    // A service that root starts by hand leaves nothing of root's either.
    stage.let_in(false);
    service = stage.rig.start();
    stage.rig.sell_one();
    stage.rig.all_told().await;
    assert_eq!(stage.strangers(), Vec::<PathBuf>::new());
    let (status, log) = service.stop();
    assert!(status.success(), "{log}");
    drop(stage.start());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restore_of_root_that_is_killed_leaves_nothing_of_roots() {
    let Some(stage) = Stage::after_a_run().await else { return };
    assert!(stage.root(&["backup", "roots.backup"]).output().unwrap().status.success());
    let mut cut_off = 0;
    while cut_off < 3 {
        let mut restore = stage.root(&["restore", "roots.backup"]);
        let mut restore = restore.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let begun = stage.data.join("store.restoring/db");
        until("a restore", || begun.exists() || restore.try_wait().unwrap().is_some()).await;
        drop(restore.kill());
        let status = restore.wait().unwrap();
        cut_off += usize::from(!status.success());
        assert_eq!(stage.strangers(), Vec::<PathBuf>::new());
    }
    let service = stage.start();
    stage.rig.sell_one();
    stage.rig.all_told().await;
    let (status, log) = service.stop();
    assert!(status.success(), "{log}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_of_root_in_the_store_is_no_damage_and_the_way_out_is_said() {
    let Some(stage) = Stage::after_a_run().await else { return };
    let mut all = Vec::new();
    below(&stage.data, &mut all);
    all.retain(|path| {
        *path != stage.data && !path.ends_with("admin-token") && !path.to_string_lossy().contains("quota")
    });
    let mut refused = 0;
    for path in &all {
        // Each opening that goes well writes some of them anew, under other names.
        if chown(path, Some(0), Some(0)).is_err() {
            continue;
        }
        let output = stage.run_as_user(&["status"]);
        let said = printed(&output);
        let path = path.display();
        assert!(!said.contains("damaged") && !said.contains("panicked"), "{path}: {said}");
        if !output.status.success() {
            refused += 1;
            assert!(said.contains("belongs to root: chown -R --reference="), "{path}: {said}");
        }
        drop(chown(path.to_string(), Some(USER), Some(USER)));
    }
    assert!(refused > 3, "{refused} of {all:?}");
    chown(stage.data.join("store/conf"), Some(0), Some(0)).unwrap();
    stage.let_in(true);
    let (status, log) = stage.start().ended();
    assert!(!status.success() && !log.contains("damaged"), "{log}");
    let mend = &log[log.find("chown -R").unwrap()..];
    assert!(Command::new("sh").args(["-c", mend.lines().next().unwrap()]).status().unwrap().success(), "{mend}");
    let service = stage.start();
    stage.rig.sell_one();
    stage.rig.all_told().await;
    assert!(service.stop().0.success());
}

#[tokio::test(flavor = "multi_thread")]
async fn root_that_may_not_become_another_user_goes_on_with_a_warning() {
    let Some(stage) = Stage::after_a_run().await else { return };
    let root = stage.root(&["status"]);
    let mut bound = Command::new("setpriv");
    bound.args(["--bounding-set=-setuid,-setgid", "--"]).arg(root.get_program()).args(root.get_args());
    let output = bound.current_dir(stage.rig.path()).output().unwrap();
    let said = printed(&output);
    assert!(output.status.success() && said.contains("may not work as that user"), "{said}");
    assert!(said.contains("chown -R --reference="), "{said}");
}
