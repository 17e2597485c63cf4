//! Files that are wrong in one way each, named after it.

mod channels;

use super::*;

/// `line:column message; advice` of every problem, in the order in which they are reported.
fn problems(dir: &TempDir) -> Vec<String> {
    let said = load(dir, &[]).err().unwrap_or_default().into_iter().map(|problem| {
        assert_eq!(problem.weight, Weight::Error);
        let before = &problem.file.text[..problem.mistake.span.start];
        let line = before.matches('\n').count() + 1;
        let column = before.chars().rev().take_while(|c| *c != '\n').count() + 1;
        let Mistake { message, help, .. } = problem.mistake;
        format!("{line}:{column} {message}{}", help.map_or_else(String::new, |help| format!("; {help}")))
    });
    said.collect()
}

/// The file has exactly this mistake; `want` ends where the rest does not matter.
#[track_caller]
fn check(name: &str, text: &str, want: &str) {
    let said = problems(&files(&[("posbell.toml", text)]));
    assert!(said.len() == 1 && said[0].starts_with(want), "{name}: {said:#?}\n{text}");
}

/// A file whose only shop has these lines from the fourth on.
#[track_caller]
fn check_shop(name: &str, lines: &str, want: &str) {
    check(name, &format!("{LEAST}{lines}\n"), want);
}

/// A file whose only channel has these lines from the fifth on.
#[track_caller]
fn check_channel(name: &str, lines: &str, want: &str) {
    check(name, &format!("{LEAST}[channel.x]\n{lines}\n"), want);
}

const LATER: &str = "does not work in this version of posbell yet; take it out, so that nobody relies on it";

#[test]
fn mistakes_at_the_top() {
    for (name, line, want) in [
        ("a syntax error", "data_dir = ", "1:"),
        ("a key twice", "language = \"th\"\nlanguage = \"th\"", "2:1 "),
        ("an unknown key", "datadir = \"x\"", "1:1 unknown key `datadir`; did you mean `data_dir`?"),
        ("an unknown table", "[shops]", "1:2 unknown key `shops`; did you mean `shop`?"),
        ("a number for a path", "data_dir = 5", "1:12 `data_dir` must be text in quotes; put quotes around it"),
        (
            "an unknown zone",
            "timezone = \"Bangkok\"",
            "1:12 there is no time zone `Bangkok`; write it as `Asia/Bangkok`",
        ),
        ("an unknown language", "language = \"en-GB\"", "1:12 `language` must be \"th\" or \"en\""),
        ("rules that are not there", "rules = \"nowhere\"", "1:9 the rules "),
        (
            "a retention without a unit",
            "[store]\nretain = \"90\"",
            "2:10 `retain`: `90` is no length of time; write it as",
        ),
        ("a retention of nothing", "[store]\nretain = \"0s\"", "2:10 `retain`: `0s` is no length of time"),
        ("nothing that may wait", "[store]\nmax_waiting = 0", "2:15 `max_waiting` must be from 1 to 10000000"),
        (
            "less than nothing that may wait",
            "[store]\nmax_waiting = -1",
            "2:15 `max_waiting` must be a whole number, 0 or more",
        ),
        ("a database", "[store]\nurl = \"postgres://\"", &format!("2:1 `url` {LATER}")),
        ("an address without a port", "[admin]\nlisten = \"127.0.0.1\"", "2:10 `127.0.0.1` is no address; write it as"),
        (
            "an address for everyone without a token",
            "[admin]\nlisten = \"0.0.0.0:8787\"",
            "2:10 others than this machine can reach this address, so it needs a `token_file`",
        ),
        (
            "an unknown key of the admin address",
            "[admin]\nlisten_on = \"off\"",
            "2:1 unknown key `listen_on`; did you mean",
        ),
        ("a heartbeat to nowhere", "[heartbeat]\nevery = \"5m\"", "1:1 `url` is missing"),
        (
            "a heartbeat of another kind",
            "[heartbeat]\nurl = \"ftp://x/TOKEN\"",
            "2:7 `url` must be an http:// or https:// address",
        ),
        (
            "a heartbeat without a unit",
            "[heartbeat]\nurl = \"https://x\"\nevery = 5",
            "3:9 `every`: `5` is no length of time",
        ),
        ("pauses that are no time", "[delivery]\nretry_first = \"soon\"", "2:15 `retry_first`: `soon` is no length"),
        ("an unknown key of the delivery", "[delivery]\nretries = 5", "2:1 unknown key `retries`; did you mean"),
    ] {
        check(name, &format!("{line}\n{LEAST}"), want);
    }
    check("no shop", "language = \"th\"\n", "1:1 there is no `[[shop]]`; add one with `id` and `api_key_file`");
    check("one shop in single brackets", "[shop]\nid = \"main\"\n", "1:1 `shop` must be written as `[[shop]]`");
}

#[test]
fn mistakes_of_a_shop() {
    check("no id", "[[shop]]\napi_key = \"k\"\n", "1:1 `id` is missing");
    check(
        "no key",
        "[[shop]]\nid = \"main\"\n",
        "1:1 the shop has no key; add `api_key_file`, `api_key_env` or `api_key`",
    );
    check(
        "a key that is a number",
        "[[shop]]\nid = \"main\"\napi_key = 5\n",
        "3:11 `api_key` must be text in quotes; put quotes around it",
    );
    check(
        "an id with a space",
        "[[shop]]\nid = \"a b\"\napi_key = \"k\"\n",
        "2:6 `id` must be 1 to 64 letters, digits, `-`",
    );
    check("two shops of one id", &LEAST.repeat(2), "5:6 there is another shop `main`");
    for (name, line, want) in [
        ("an unknown key", "page-size = 5", "4:1 unknown key `page-size`; did you mean `page_size`?"),
        (
            "two forms of the key",
            "api_key_env = \"K\"",
            "4:15 give one of `api_key`, `api_key_env` and `api_key_file`, not",
        ),
        (
            "an address of another kind",
            "base_url = \"ftp://x\"",
            "4:12 `base_url` must be an http:// or https:// address",
        ),
        ("an address without a host", "base_url = \"go.pospos.co\"", "4:12 `base_url` must be an http:// or https://"),
        ("a quota of another form", "quota = [\"300 per 10s\"]", "4:10 `300 per 10s`: a quota is COUNT/DURATION"),
        ("the second quota wrong", "quota = [\"300/10s\", \"0/1d\"]", "4:21 `0/1d`: the count before the `/`"),
        ("no quota in the list", "quota = []", "4:9 `quota` is empty; write what your licence allows"),
        (
            "a quota without a list",
            "quota = \"300/10s\"",
            "4:9 `quota` must be a list; write it in brackets: quota = [\"300/10s\"]",
        ),
        ("a page of nothing", "page_size = 0", "4:13 `page_size` must be from 1 to 1000"),
        ("a page of too much", "page_size = 1001", "4:13 `page_size` must be from 1 to 1000"),
        ("a timeout without a unit", "timeout = \"30\"", "4:11 `timeout`: `30` is no length of time"),
        ("a timeout that is a number", "timeout = 30", "4:11 `timeout`: `30` is no length of time; write it as"),
        ("an interval that is no time", "[shop.poll]\nstock = \"on\"", "5:9 `stock`: `on` is no length of time"),
        ("an unknown resource", "[shop.poll]\nstocks = \"1m\"", "5:1 unknown key `stocks`; did you mean `stock`?"),
        ("an interval without a unit", "[shop.poll]\nmembers = \"60\"", "5:11 `members`: `60` is no length of time"),
    ] {
        check_shop(name, line, want);
    }
}

#[test]
fn mistakes_of_the_fields_and_queries_of_a_shop() {
    for (name, line, want) in [
        ("a field that is not there", "[shop.fields.stock]\nqty = \"/q\"", "5:1 there is no field `qty` here"),
        (
            "a field that is no pointer",
            "[shop.fields.stock]\nquantity = \"stock\"",
            "5:12 `stock` is no JSON Pointer; ",
        ),
        (
            "fields of nothing",
            "[shop.fields.stok]\nquantity = \"/q\"",
            "4:14 unknown key `stok`; did you mean `stock`?",
        ),
        (
            "a query of nothing",
            "[shop.query.membre]\ndbname = \"x\"",
            "4:13 unknown key `membre`; did you mean `member`?",
        ),
        (
            "a query that is a number",
            "[shop.query.stock]\ndbname = 5",
            "5:10 `dbname` must be text in quotes; put quotes around it",
        ),
    ] {
        check_shop(name, line, want);
    }
}

#[test]
fn mistakes_of_when_and_how_a_shop_is_read() {
    for (name, line, want) in [
        ("a trailing reading that is off", "[shop.poll]\ntrailing = \"off\"", "5:12 `trailing`: `off` is no length of"),
        (
            "a trailing reading without a unit",
            "[shop.poll]\ntrailing = 3600",
            "5:12 `trailing`: `3600` is no length of time",
        ),
        ("hours without an end", "open = \"07:00\"", "4:8 `07:00`: opening hours are FROM-UNTIL, such as 07:00-21:00"),
        ("hours without minutes", "open = \"7-21\"", "4:8 `7-21`: `7` is no time of day; write it as 07:00"),
        ("an hour that no day has", "open = \"07:00-25:00\"", "4:8 `07:00-25:00`: `25:00` is no time of day"),
        ("hours of no time", "open = \"07:00-07:00\"", "4:8 `07:00-07:00`: `07:00-07:00` ends when it begins; for a"),
        (
            "hours as a list",
            "open = [\"07:00-21:00\"]",
            "4:8 `open` must be text in quotes; write one text, without brackets",
        ),
        ("a patience of nothing", "stale_after = \"0s\"", "4:15 `stale_after`: `0s` is no length of time"),
        (
            "a patience without a unit",
            "stale_after = \"15\"",
            "4:15 `stale_after`: `15` is no length of time; write it",
        ),
        ("another way to read", "stock_list = \"page\"", "4:14 `stock_list` must be \"auto\", \"whole\" or \"pages\""),
    ] {
        check_shop(name, line, want);
    }
}

#[test]
fn mistakes_of_the_guard_of_a_shop() {
    for (name, line, want) in [
        (
            "an unknown key of the guard",
            "[shop.guard]\nmax_change = \"5%\"",
            "5:1 unknown key `max_change`; did you mean",
        ),
        (
            "a share without its sign",
            "[shop.guard]\nmax_changed = \"20\"",
            "5:15 `max_changed`: `20` is no share of the rows; write it as `20%`",
        ),
        ("a share of a half", "[shop.guard]\nmax_changed = \"2.5%\"", "5:15 `max_changed`: `2.5%` is no share"),
        ("a share of too much", "[shop.guard]\nmax_changed = \"101%\"", "5:15 `max_changed`: `101%` is no share"),
        ("a share below nothing", "[shop.guard]\nmax_changed = \"-1%\"", "5:15 `max_changed`: `-1%` is no share"),
        (
            "a share that is a number",
            "[shop.guard]\nmax_changed = 20",
            "5:15 `max_changed`: `20` is no share of the rows; write it as `20%`",
        ),
        (
            "fewer rows than none",
            "[shop.guard]\nmin_changed = -1",
            "5:15 `min_changed` must be a whole number, 0 or more",
        ),
        (
            "rows that are a share",
            "[shop.guard]\nmin_changed = \"5%\"",
            "5:15 `min_changed` must be a whole number, 0 or more",
        ),
        (
            "an hour without a unit",
            "[shop.guard]\naccept_after = \"1\"",
            "5:16 `accept_after`: `1` is no length of time",
        ),
        ("a guard that is no table", "guard = \"off\"", "4:9 `guard` must be a table"),
    ] {
        check_shop(name, line, want);
    }
}

#[test]
fn a_file_that_cannot_be_read_is_named() {
    let dir = files(&[]);
    let problems = load(&dir, &[]).unwrap_err();
    assert_eq!(problems.len(), 1);
    assert_eq!(problems[0].file.path, dir.path().join("posbell.toml"));
    assert!(problems[0].mistake.message.starts_with("cannot be read: "), "{problems:?}");
}

#[test]
fn the_mistakes_of_all_files_are_reported_at_once_each_with_its_file() {
    let text = format!("language = \"xx\"\n{LEAST}\n[channel.owner]\ntype = \"fax\"\n");
    let rule = |to: &str| format!("[[rule]]\nname = \"a\"\non = [\"*\"]\nto = [\"{to}\"]\nnonsense = 1\n");
    let dir = files(&[("posbell.toml", &text), ("rules/a.toml", &rule("erp")), ("rules/b.toml", &rule("owner"))]);
    let problems = load(&dir, &[]).unwrap_err();
    let said = problems.iter().map(|problem| {
        (problem.file.path.strip_prefix(dir.path()).unwrap().to_str().unwrap(), problem.mistake.message.as_str())
    });
    assert_eq!(
        said.collect::<Vec<_>>(),
        [
            ("posbell.toml", "`language` must be \"th\" or \"en\""),
            ("posbell.toml", "there are no `fax` channels"),
            ("rules/a.toml", "there is no channel `erp`"),
            ("rules/a.toml", "unknown key `nonsense`"),
            ("rules/b.toml", "unknown key `nonsense`"),
        ]
    );
}

#[test]
fn a_shop_or_channel_that_is_broken_itself_is_not_unknown_to_the_rules() {
    let text = "[[shop]]\nid = \"main\"\n[channel.owner]\ntype = \"telegram\"\n";
    let rule = "[[rule]]\nname = \"a\"\non = [\"*\"]\nto = [\"owner\"]\nshops = [\"main\"]\n";
    let said = problems(&files(&[("posbell.toml", text), ("rules/a.toml", rule)]));
    assert_eq!(
        said,
        [
            "1:1 the shop has no key; add `api_key_file`, `api_key_env` or `api_key`",
            "3:1 the bot has no token; add `token_file`",
            "3:1 `chat_id` is missing",
        ]
    );
}

#[test]
fn the_mistake_of_one_channel_does_not_hide_that_of_the_next() {
    let text = format!("{LEAST}[channel.a]\ntype = \"webhook\"\nurl = \"x\"\n[channel.b]\ntype = \"webhook\"\n");
    let said = problems(&files(&[("posbell.toml", &text)]));
    assert_eq!(said, ["6:7 `url` must be an http:// or https:// address", "7:1 `url` is missing"]);
}
