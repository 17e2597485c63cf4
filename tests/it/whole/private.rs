//! What posbell keeps is for its owner's eyes alone, whatever the umask is.

use std::fs::Permissions;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;
use std::process::Command;

use posbell::domain::event::EventKind;

use crate::support::rig::{Rig, RigPlan};

/// The same command under a umask that lets everyone do everything.
fn open_to_all(command: &mut Command) {
    let mut open = Command::new("sh");
    open.args(["-c", "umask 000; exec \"$0\" \"$@\""]).arg(command.get_program()).args(command.get_args());
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => open.env(name, value),
            None => open.env_remove(name),
        };
    }
    open.current_dir(command.get_current_dir().unwrap());
    *command = open;
}

/// What others than the owner may use in `dir`, it too; and how much there is.
fn wide(dir: &Path) -> (usize, Vec<String>) {
    let (mut count, mut wide) = (1, Vec::new());
    let mode = std::fs::symlink_metadata(dir).unwrap().mode() & 0o777;
    if mode & 0o077 != 0 {
        wide.push(format!("{} {mode:o}", dir.display()));
    }
    if dir.is_dir() {
        for entry in std::fs::read_dir(dir).unwrap() {
            let (more, found) = self::wide(&entry.unwrap().path());
            count += more;
            wide.extend(found);
        }
    }
    (count, wide)
}

fn open_run(rig: &Rig, args: &[&str]) {
    let mut command = rig.command(args);
    open_to_all(&mut command);
    let output = command.output().unwrap();
    assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
}

#[tokio::test(flavor = "multi_thread")]
async fn every_file_is_its_owners_alone_under_any_umask() {
    let rig = Rig::new(RigPlan::default());
    let data = rig.path().join("posbell-data");
    let service = rig.start_with(open_to_all);
    rig.told(EventKind::ShopBaseline).await;
    open_run(&rig, &["backup", "one.backup"]);
    let (count, open) = wide(&data);
    assert!(count > 8 && open.is_empty(), "{open:?}");
    let (status, log) = service.stop();
    assert!(status.success() && !log.contains("others"), "{log}");
    for args in [&["fetch", "vendors"][..], &["backup", "posbell-data/two.backup"], &["restore", "one.backup"]] {
        open_run(&rig, args);
    }
    let (count, open) = wide(&data);
    assert!(count > 16 && open.is_empty(), "{open:?}");
    assert!(wide(&rig.path().join("one.backup")).1.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wider_is_warned_of_and_closed() {
    let rig = Rig::new(RigPlan::default());
    let data = rig.path().join("posbell-data");
    let service = rig.start();
    rig.told(EventKind::ShopBaseline).await;
    assert!(service.stop().0.success());
    for (path, mode) in [(data.clone(), 0o755), (data.join("admin-token"), 0o644), (data.join("store/db"), 0o666)] {
        std::fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
    }
    let checked = rig.run(&["check"]);
    let said = String::from_utf8_lossy(&checked.stderr).into_owned();
    assert!(checked.status.success() && said.contains("help: chmod 700 ") && said.contains("posbell-data"), "{said}");
    let service = rig.start();
    rig.sell_one();
    rig.all_told().await;
    let (_, log) = service.stop();
    assert_eq!(log.matches("can look into the data directory: chmod 700 ").count(), 1, "{log}");
    assert_eq!(log.matches("others could use 2 files").count(), 1, "{log}");
    let (_, open) = wide(&data);
    assert_eq!(open.len(), 1, "only the directory itself is left to a person: {open:?}");
}
