//! Is what should be known before it matters told, and nothing else?

use super::*;

/// Everything about the channels that is well: two for people, and no others.
const PEOPLE: &str = "[channel.owner]\ntype = \"telegram\"\ntoken = \"1:a\"\nchat_id = 1\n\
                      [channel.mail]\ntype = \"email\"\nsmtp = \"smtp://127.0.0.1\"\nfrom = \"a@b.c\"\nto = [\"d@e.f\"]\n";

/// A rule that tells people of everything.
const ALL: &str = "[[rule]]\nname = \"all\"\non = [\"*\"]\nto = [\"owner\", \"mail\"]\n";

/// `file:line message; advice` of every warning, without the directory.
fn advice(dir: &TempDir) -> Vec<String> {
    let config = load(dir, &[]).unwrap_or_else(|problems| panic!("{problems:#?}"));
    let here = format!("{}/", dir.path().display());
    let said = config.advice(&|_| None).into_iter().map(|problem| {
        assert_eq!(problem.weight, Weight::Warning);
        let line = problem.file.text[..problem.mistake.span.start].matches('\n').count() + 1;
        let Mistake { message, help, .. } = problem.mistake;
        let place = problem.file.path.display().to_string();
        format!("{place}:{line} {message}; {}", help.unwrap_or_default()).replace(&here, "")
    });
    said.collect()
}

/// `config` after a shop, and `rules` in files of their own, have exactly these warnings.
#[track_caller]
fn check(config: &str, rules: &[&str], want: &[&str]) {
    let names: Vec<String> = (1..=rules.len()).map(|number| format!("rules/{number}.toml")).collect();
    let text = format!("{LEAST}{config}");
    let mut all = vec![("posbell.toml", text.as_str())];
    all.extend(names.iter().map(String::as_str).zip(rules.iter().copied()));
    let dir = files(&all);
    set_mode(&dir, "posbell.toml", 0o600);
    assert_eq!(advice(&dir), want, "{config} {rules:?}");
}

fn set_mode(dir: &TempDir, file: &str, mode: u32) {
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(dir.path().join(file), fs::Permissions::from_mode(mode)).unwrap();
}

#[test]
fn what_is_well_is_not_warned_of() {
    check(PEOPLE, &[ALL], &[]);
    let webhook = "[channel.erp]\ntype = \"webhook\"\nsecret = \"x\"\n";
    let rule = "[[rule]]\nname = \"erp\"\non = [\"*\"]\nto = [\"erp\"]\n";
    for url in [
        "url = \"https://erp.example.com\"",
        "url = \"http://127.0.0.1\"\nallow_networks = [\"127.0.0.1\"]",
        "url = \"http://erp.lan\"\nallow_networks = [\"192.168.1.0/24\"]",
        "url = \"http://localhost:8080\"\nallow_networks = [\"127.0.0.0/8\"]",
    ] {
        check(&format!("{PEOPLE}{webhook}{url}\n"), &[ALL, rule], &[]);
    }
}

#[test]
fn a_threshold_behind_a_catch_all_is_named_with_the_one_before_it() {
    check(
        PEOPLE,
        &[
            ALL,
            "[[threshold]]\nlow = \"min_stock\"\n\n[[threshold]]\nlow = 5\n",
            "\n[[threshold]]\nproducts = [\"PK64*\"]\nlow = 24\n",
        ],
        &["rules/3.toml:2 this threshold never counts: rules/2.toml, line 4 comes first and matches all of its \
           products; put it before that one; files are read in the order of their names"],
    );
}

#[test]
fn a_rule_that_no_event_is_left_for_is_named_with_the_ones_before_it() {
    check(
        PEOPLE,
        &[ALL, "[[rule]]\nname = \"low\"\non = [\"stock.low\"]\nto = [\"owner\"]\n"],
        &[
            "rules/2.toml:2 rule `low` never counts: `all` (rules/1.toml, line 2) decides for its channels before it; put \
           it before that one, or take it out",
        ],
    );
    let stops = "[[rule]]\nname = \"all\"\non = [\"*\"]\nto = [\"owner\"]\nstop = true\n";
    check(
        PEOPLE,
        &[stops, "[[rule]]\nname = \"low\"\non = [\"stock.low\"]\nto = [\"mail\"]\n"],
        &[
            "rules/2.toml:2 rule `low` never counts: `all` (rules/1.toml, line 2) stops all of its events before it; put it \
           before that one, or take it out",
        ],
    );
}

#[test]
fn a_webhook_that_anybody_could_have_called_or_read_is_named() {
    let rule = "[[rule]]\nname = \"erp\"\non = [\"*\"]\nto = [\"erp\"]\n";
    let webhook = "[channel.erp]\ntype = \"webhook\"\n";
    check(
        &format!("{PEOPLE}{webhook}url = \"https://erp.example.com\"\n"),
        &[ALL, rule],
        &[
            "posbell.toml:13 channel erp has no secret: its receiver cannot tell who sent a message; add `secret_file`; \
           make one with: echo whsec_$(openssl rand -base64 32)",
        ],
    );
    for url in ["http://erp.example.com/TOKEN", "http://93.184.215.14/TOKEN"] {
        check(
            &format!("{PEOPLE}{webhook}secret = \"x\"\nurl = \"{url}\"\n"),
            &[ALL, rule],
            &["posbell.toml:13 channel erp sends over http:// to a public host: anyone on the way can read it; use \
               https://"],
        );
    }
}

#[test]
fn a_secret_that_others_can_read_is_named_with_the_line_that_mends_it() {
    let text = format!("[[shop]]\nid = \"main\"\napi_key_file = \"key\"\n{PEOPLE}");
    let dir = files(&[("posbell.toml", &text), ("rules/a.toml", ALL), ("key", "k")]);
    set_mode(&dir, "posbell.toml", 0o600);
    for (mode, is_open) in [(0o600, false), (0o400, false), (0o640, true), (0o604, true), (0o644, true)] {
        set_mode(&dir, "key", mode);
        let want = is_open.then_some("posbell.toml:3 others than its owner can read key; chmod 600 key");
        assert_eq!(advice(&dir), want.into_iter().collect::<Vec<_>>(), "{mode:o}");
    }
    // The service manager guards the unit's own copy.
    let env = |name: &str| (name == "CREDENTIALS_DIRECTORY").then(|| dir.path().display().to_string());
    let config = load(&dir, &[]).unwrap();
    assert!(config.advice(&env).is_empty());
    // The tokens of two channels stand in the configuration itself: one warning.
    set_mode(&dir, "key", 0o600);
    set_mode(&dir, "posbell.toml", 0o644);
    assert_eq!(advice(&dir), ["posbell.toml:6 others than its owner can read posbell.toml; chmod 600 posbell.toml"]);
}

#[test]
fn a_channel_that_no_rule_names_is_unused() {
    let third = "[channel.second]\ntype = \"telegram\"\ntoken = \"1:a\"\nchat_id = 2\n";
    let want =
        "posbell.toml:13 no rule sends anything to channel second; name it in the `to` of a rule, or take it out";
    check(&format!("{PEOPLE}{third}"), &[ALL], &[want]);
    check(PEOPLE, &[], &[]);
}

#[test]
fn notices_that_no_rule_brings_to_people_are_named() {
    let sales = "[[rule]]\nname = \"sales\"\non = [\"sale.*\", \"shop.*\"]\nto = [\"owner\", \"mail\"]\n";
    let untold = "pass.held, channel.failing: posbell then tells every channel for people; say who is told: a rule with \
                  on = [\"pass.held\", \"channel.failing\"]";
    check(PEOPLE, &[sales], &[&format!("posbell.toml:1 no rule tells people of {untold}")]);
    let erp = "[channel.erp]\ntype = \"webhook\"\nurl = \"https://a.b\"\nsecret = \"x\"\n";
    let to_machine = "[[rule]]\nname = \"erp\"\non = [\"*\"]\nto = [\"erp\"]\n";
    check(
        &format!("{PEOPLE}{erp}"),
        &[sales, to_machine],
        &[&format!("posbell.toml:1 no rule tells people of {untold}")],
    );
    let second = "[[shop]]\nid = \"second\"\napi_key = \"k2\"\n";
    let rest = "[[rule]]\nname = \"rest\"\non = [\"pass.held\", \"channel.*\"]\nto = [\"mail\"]\nshops = [\"main\"]\n";
    check(
        &format!("{second}{PEOPLE}"),
        &[sales, rest],
        &[&format!("posbell.toml:1 no rule of second tells people of {untold}")],
    );
}

#[test]
fn fewer_than_two_channels_for_people_are_warned_of() {
    let owner = PEOPLE.split("[channel.mail]").next().unwrap();
    let all = "[[rule]]\nname = \"all\"\non = [\"*\"]\nto = [\"owner\"]\n";
    check(
        owner,
        &[all],
        &[
            "posbell.toml:4 channel owner is the only one for people: when it fails, nobody is told; add a second one of \
           another kind, or `[heartbeat]`",
        ],
    );
    check(
        "",
        &[],
        &["posbell.toml:1 there is no channel for people: when posbell cannot do its work, nobody is told; add an \
           `email` or a `telegram` channel, or watch `posbell status`"],
    );
}
