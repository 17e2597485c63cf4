//! What is wrong is found before the service runs, and what is only unwise does not keep it from running.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::{Command, Output};

use tempfile::TempDir;

/// A configuration of two channels for people, whose rules tell them everything.
const CONFIG: &str = r#"
[[shop]]
id = "main"
api_key_file = "pospos-key"

[channel.owner]
type = "telegram"
token = "1:a"
chat_id = "@channel"

[channel.mail]
type = "email"
smtp = "smtp://127.0.0.1"
from = "a@example.com"
to = ["b@example.com"]
"#;

const ALL: &str = "[[rule]]\nname = \"all\"\non = [\"*\"]\nto = [\"owner\", \"mail\"]\n";

/// A directory with the configuration, these rules and the shop's key, which only its owner can read.
fn files(config: &str, rules: &str) -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    fs::create_dir(dir.path().join("rules")).unwrap();
    fs::write(dir.path().join("rules/all.toml"), rules).unwrap();
    fs::write(dir.path().join("posbell.toml"), config).unwrap();
    fs::write(dir.path().join("pospos-key"), "k\n").unwrap();
    for file in ["pospos-key", "posbell.toml"] {
        fs::set_permissions(dir.path().join(file), fs::Permissions::from_mode(0o600)).unwrap();
    }
    dir
}

fn posbell(dir: &TempDir, command: &str) -> Output {
    let mut posbell = Command::new(env!("CARGO_BIN_EXE_posbell"));
    posbell.arg(command).current_dir(dir.path());
    posbell.env_remove("POSBELL_CONFIG").env_remove("STATE_DIRECTORY").env_remove("CREDENTIALS_DIRECTORY");
    posbell.output().unwrap()
}

/// `posbell check` ends with `status`, and its standard error has all of this.
#[track_caller]
fn check(dir: &TempDir, status: i32, says: &[&str]) -> String {
    let output = posbell(dir, "check");
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(status), "{said}");
    for part in says {
        assert!(said.contains(part), "no {part} in {said}");
    }
    let is_well = String::from_utf8(output.stdout).unwrap().contains("posbell.toml is well");
    assert_eq!(is_well, status == 0, "{said}");
    said
}

#[test]
fn a_good_configuration_is_well_without_a_word_on_standard_error() {
    assert_eq!(check(&files(CONFIG, ALL), 0, &[]), "");
}

#[test]
fn a_key_that_is_not_there_is_a_mistake() {
    let dir = files(CONFIG, ALL);
    fs::remove_file(dir.path().join("pospos-key")).unwrap();
    check(&dir, 78, &["posbell.toml:4:16", "there is no file pospos-key", "1 mistake"]);
    assert_eq!(posbell(&dir, "run").status.code(), Some(78));
}

#[test]
fn what_is_only_unwise_is_shown_and_does_not_change_the_exit_status() {
    let channel = "\n[channel.erp]\ntype = \"webhook\"\nurl = \"http://erp.example.com\"\n";
    let rules = "[[threshold]]\nlow = 5\n[[threshold]]\nproducts = [\"PK64*\"]\nlow = 24\n\
                 [[rule]]\nname = \"stock\"\non = [\"stock.*\"]\nto = [\"owner\"]\n\
                 [[rule]]\nname = \"low\"\non = [\"stock.low\"]\nto = [\"owner\"]\n";
    let dir = files(&format!("{CONFIG}{channel}"), rules);
    fs::set_permissions(dir.path().join("pospos-key"), fs::Permissions::from_mode(0o644)).unwrap();
    let says = [
        "warning: others than its owner can read pospos-key",
        "help: chmod 600 pospos-key",
        "warning: channel erp has no secret",
        "warning: channel erp sends over http:// to a public host",
        "warning: no rule sends anything to channel erp",
        "warning: no rule sends anything to channel mail",
        "warning: no rule tells people of shop.stale, shop.key_rejected, pass.held, channel.failing",
        "warning: this threshold never counts: rules/all.toml, line 1 comes first",
        "warning: rule `low` never counts: `stock` (rules/all.toml, line 7) decides",
        "8 warnings",
    ];
    check(&dir, 0, &says);
}

#[test]
fn a_webhook_that_could_not_work_is_a_mistake() {
    let erp = |lines: &str| format!("{CONFIG}\n[channel.erp]\ntype = \"webhook\"\n{lines}\n");
    let all = ALL.replace("\"mail\"", "\"mail\", \"erp\"");
    let short = files(&erp("url = \"https://erp.example.com\"\nsecret = \"mysecret\""), &all);
    let said = check(&short, 78, &["the secret has only 6 bytes", "openssl rand -base64 32"]);
    assert!(!said.contains("mysecret"), "{said}");
    let here = files(&erp("url = \"http://127.0.0.1:9/\"\nsecret = \"x\""), &all);
    check(&here, 78, &["127.0.0.1 is a loopback address; add allow_networks = [\"127.0.0.1/32\"]"]);
}

#[test]
fn a_wrong_form_is_said_in_the_words_of_who_wrote_it() {
    let rules = "[[rule]]\nname = \"all\"\non = \"stock.low\"\nto = \"owner\"\n[[threshold]]\nlow = \"minstock\"\n";
    let config = CONFIG.replace("[\"b@example.com\"]", "\"b@example.com\"");
    let says = [
        "write it in brackets: to = [\"b@example.com\"]",
        "write it in brackets: on = [\"stock.low\"]",
        "write it in brackets: to = [\"owner\"]",
        "did you mean \"min_stock\"?",
        "4 mistakes",
    ];
    check(&files(&config, rules), 78, &says);
}

#[test]
fn what_never_ends_is_refused_instead_of_read() {
    for name in ["csv", "rules", "config", "secret"] {
        let csv = format!("{ALL}[[threshold]]\ncsv = \"/dev/zero\"\n");
        let (config, rules) = match name {
            "csv" => (CONFIG.to_owned(), csv.as_str()),
            "secret" => (CONFIG.replace("\"pospos-key\"", "\"/dev/zero\""), ALL),
            _ => (CONFIG.to_owned(), ALL),
        };
        let dir = files(&config, rules);
        let link = |name: &str| {
            let path = dir.path().join(name);
            fs::remove_file(&path).unwrap();
            std::os::unix::fs::symlink("/dev/zero", path).unwrap();
        };
        match name {
            "rules" => link("rules/all.toml"),
            "config" => link("posbell.toml"),
            _ => {}
        }
        check(&dir, 78, &["is a device or a pipe, not a file"]);
    }
}

#[test]
fn of_thousands_of_mistakes_a_hundred_are_printed() {
    let rule = |number: usize| format!("[[rule]]\nname = \"{number}\"\non = [\"stock.lwo\"]\nto = [\"owenr\"]\n");
    let said =
        check(&files(CONFIG, &(0..3_000).map(rule).collect::<String>()), 78, &["and 5900 more", "6000 mistakes"]);
    assert_eq!(said.matches("error: ").count(), 100);
    assert!(said.len() < 100_000, "{} bytes", said.len());
}
