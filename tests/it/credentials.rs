//! Root's `posbell check` holds the configuration against the systemd unit: a secret that the unit does not bring, and
//! one that it cannot bring, are mistakes before the service fails. For others than root the tests say so and end.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use tempfile::TempDir;

const CONFIG: &str = r#"
[[shop]]
id = "main"
api_key_file = "pospos-key"

[channel.owner]
type = "telegram"
token_file = "bot-token"
chat_id = 1
"#;

const RULES: &str = "[[rule]]\nname = \"all\"\non = [\"*\"]\nto = [\"owner\"]\n";

/// A directory with the configuration, its secrets, and the unit that ships, which has these lines for its credentials.
fn files(credentials: &str) -> Option<TempDir> {
    if !rustix::process::geteuid().is_root() {
        println!("skipped: only root compares");
        return None;
    }
    let dir = tempfile::tempdir().unwrap();
    fs::create_dir_all(dir.path().join("etc/rules")).unwrap();
    fs::create_dir_all(dir.path().join("units")).unwrap();
    for (name, text) in
        [("posbell.toml", CONFIG), ("rules/all.toml", RULES), ("pospos-key", "k\n"), ("bot-token", "1:a\n")]
    {
        let path = dir.path().join("etc").join(name);
        fs::write(&path, text).unwrap();
        fs::set_permissions(path, Permissions::from_mode(0o600)).unwrap();
    }
    let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("systemd/posbell.service");
    let etc = dir.path().join("etc").display().to_string();
    let unit = fs::read_to_string(shipped).unwrap().replace("/etc/posbell", &etc);
    let lines = unit.lines().filter(|line| !line.contains("LoadCredential=")).map(|line| match line {
        "[Service]" => format!("[Service]\n{}", credentials.replace("ETC", &etc)),
        line => line.to_owned(),
    });
    let unit = lines.collect::<Vec<_>>().join("\n");
    fs::write(dir.path().join("units/posbell.service"), unit).unwrap();
    Some(dir)
}

/// `posbell check` ends with `status` and says all of this.
#[track_caller]
fn check(dir: &TempDir, status: i32, says: &[&str]) -> String {
    let mut command = Command::new(env!("CARGO_BIN_EXE_posbell"));
    command.arg("--config").arg(dir.path().join("etc/posbell.toml")).arg("check").current_dir(dir.path());
    command.env("SYSTEMD_UNIT_PATH", dir.path().join("units"));
    command.env_remove("STATE_DIRECTORY").env_remove("CREDENTIALS_DIRECTORY");
    let output = command.output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(status), "{said}");
    for part in says {
        assert!(said.contains(part), "no {part} in {said}");
    }
    said
}

const KEY: &str = "LoadCredential=pospos-key:ETC/pospos-key\n";

#[test]
fn a_secret_that_only_a_commented_line_would_bring_is_named_with_the_line() {
    let Some(dir) = files(&format!("{KEY}#LoadCredential=bot-token:ETC/bot-token")) else { return };
    let unit = fs::read_to_string(dir.path().join("units/posbell.service")).unwrap();
    let line = unit.lines().position(|line| line.starts_with("#LoadCredential=bot-token")).unwrap() + 1;
    let place = format!("units/posbell.service:{line}:1");
    let says =
        ["does not get the secret `bot-token`", &place, "take the # away: LoadCredential=bot-token:", "1 mistake"];
    check(&dir, 78, &says);
    // A line of a drop-in brings it; one that takes all back takes it back.
    let drop_ins = dir.path().join("units/posbell.service.d");
    fs::create_dir(&drop_ins).unwrap();
    let etc = dir.path().join("etc");
    fs::write(drop_ins.join("10.conf"), format!("[Service]\nLoadCredential=bot-token:{}/bot-token\n", etc.display()))
        .unwrap();
    check(&dir, 0, &[]);
    fs::write(drop_ins.join("20.conf"), "[Service]\nLoadCredential=\n").unwrap();
    check(&dir, 78, &["`bot-token`", "does not bring the secret `pospos-key`", "2 mistakes"]);
}

#[test]
fn a_secret_without_any_line_and_one_without_its_file_are_mistakes() {
    let Some(dir) = files(&format!("{KEY}LoadCredential=smtp-password:ETC/smtp-password")) else { return };
    let says = [
        "units/posbell.service does not bring the secret `bot-token` to the service",
        "posbell.toml:8:14",
        "write below [Service] in it: LoadCredential=bot-token:",
        "there is no file",
        "smtp-password: systemd does not start the service without it",
        "2 mistakes",
    ];
    check(&dir, 78, &says);
    // The service's user can read it by itself.
    fs::set_permissions(dir.path().join("etc/bot-token"), Permissions::from_mode(0o644)).unwrap();
    let said = check(&dir, 78, &["1 mistake", "chmod 600"]);
    assert!(!said.contains("does not bring"), "{said}");
}

#[test]
fn a_path_that_the_services_user_cannot_read_is_a_mistake() {
    let Some(dir) = files(KEY) else { return };
    let token = dir.path().join("etc/bot-token");
    let config = CONFIG.replace("\"bot-token\"", &format!("\"{}\"", token.display()));
    fs::write(dir.path().join("etc/posbell.toml"), config).unwrap();
    check(&dir, 78, &["the user of the service cannot read", "write \"bot-token\" here", "1 mistake"]);
    let unit = dir.path().join("units/posbell.service");
    let of_root = fs::read_to_string(&unit).unwrap().replace("DynamicUser=yes", "");
    fs::write(unit, of_root).unwrap();
    check(&dir, 0, &[]);
}

#[test]
fn a_secret_that_comes_from_elsewhere_is_not_missing() {
    let Some(dir) = files(&format!("{KEY}LoadCredential=bot-token:ETC/elsewhere")) else { return };
    fs::rename(dir.path().join("etc/bot-token"), dir.path().join("etc/elsewhere")).unwrap();
    check(&dir, 0, &[]);
    fs::remove_file(dir.path().join("etc/elsewhere")).unwrap();
    check(&dir, 78, &["there is no file", "etc/elsewhere: systemd does not start", "1 mistake"]);
}

#[test]
fn a_unit_that_runs_another_configuration_is_not_compared() {
    let Some(dir) = files("") else { return };
    check(&dir, 78, &["2 mistakes"]);
    let path = dir.path().join("units/posbell.service");
    let unit = fs::read_to_string(&path).unwrap().replace("etc/posbell.toml run", "etc/other.toml run");
    fs::write(path, unit).unwrap();
    check(&dir, 0, &[]);
}
