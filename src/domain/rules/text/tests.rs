//! Is every mistake of a rule file found, where it stands, with what to do about it?

use super::*;
use crate::domain::model::Quantity;
use crate::domain::rules::{Low, Threshold};

fn names() -> Names {
    Names {
        shops: ["main", "second"].map(|id| ShopId::new(id).unwrap()).into(),
        channels: ["owner", "erp"].map(|name| ChannelName::new(name).unwrap()).into(),
    }
}

fn read(text: &str) -> RuleSet {
    let mut rules = RuleSet::default();
    parse(text, &names(), &no_file, &mut rules).unwrap_or_else(|mistakes| panic!("{text}: {mistakes:#?}"));
    rules
}

/// What the text of each mistake is, and what is said of it: `owenr: there is no channel …; did you mean `owner`?`.
fn mistakes(text: &str) -> Vec<String> {
    let mut rules = RuleSet::default();
    let Err(mistakes) = parse(text, &names(), &no_file, &mut rules) else { return Vec::new() };
    assert!(rules.rules.is_empty() && rules.thresholds.is_empty(), "a file with mistakes adds nothing");
    let said = mistakes.into_iter().map(|mistake| {
        let (place, message) = (text[mistake.span].lines().next().unwrap_or_default(), mistake.message);
        mistake.help.map_or_else(|| format!("{place}: {message}"), |help| format!("{place}: {message}; {help}"))
    });
    said.collect()
}

#[track_caller]
fn check(text: &str, want: &[&str]) {
    assert_eq!(mistakes(text), want, "{text}");
}

/// A rule that is well but for these lines.
#[track_caller]
fn check_rule(lines: &str, want: &[&str]) {
    check(&format!("[[rule]]\nname = \"a\"\non = [\"*\"]\nto = [\"owner\"]\n{lines}\n"), want);
}

#[track_caller]
fn check_threshold(lines: &str, want: &[&str]) {
    check(&format!("[[threshold]]\n{lines}\n"), want);
}

const FULL: &str = r#"
[[threshold]]
shops = ["main"]
products = ["PK64000158", "PK65*"]
category = "เครื่องดื่ม"
low = 24
critical = 6
rearm = 30
passes = 2

[[rule]]
name = "big sale to the owner"
on = ["sale.created", "stock.*"]
shops = ["main"]
when = 'sale.total >= 5000'
to = ["owner", "erp"]
severity = "critical"
stop = true

[[rule]]
name = "everything else"
on = ["*"]
to = ["erp"]
"#;

#[test]
fn every_key_of_a_rule_is_read() {
    let rules = read(FULL).rules;
    let (first, second) = (&rules[0], &rules[1]);
    assert_eq!((first.name.as_str(), second.name.as_str()), ("big sale to the owner", "everything else"));
    let matches = |kind| first.on.iter().any(|on| on.matches(kind));
    assert!(matches(EventKind::SaleCreated) && matches(EventKind::StockOut) && !matches(EventKind::SaleCancelled));
    assert_eq!(first.shops, [ShopId::new("main").unwrap()]);
    assert_eq!(first.when.as_ref().map(Condition::text), Some("sale.total >= 5000"));
    assert_eq!(first.to.iter().map(ChannelName::as_str).collect::<Vec<_>>(), ["owner", "erp"]);
    assert_eq!((first.severity, first.stop), (Some(Severity::Critical), true));
    assert_eq!((second.severity, second.stop, second.when.is_none(), second.shops.len()), (None, false, true, 0));
}

#[test]
fn every_key_of_a_threshold_is_read() {
    let want = Threshold {
        shops: vec![ShopId::new("main").unwrap()],
        products: vec!["PK64000158".to_owned(), "PK65*".to_owned()],
        by_code: None,
        category: Some("เครื่องดื่ม".to_owned()),
        low: Some(Low::Below(Quantity::from(24))),
        critical: Some(Quantity::from(6)),
        rearm: Some(Quantity::from(30)),
        passes: 2,
    };
    assert_eq!(read(FULL).thresholds, [want]);
    let least = &read("[[threshold]]\nlow = \"min_stock\"\n").thresholds[0];
    assert_eq!(least, &Threshold { low: Some(Low::MinStock), passes: 1, ..Threshold::default() });
}

#[test]
fn a_fraction_means_exactly_what_was_written() {
    for (written, meant) in [
        ("1.5", "1.5"),
        ("0.1", "0.1"),
        ("24", "24"),
        ("24.0", "24"),
        ("1e-3", "0.001"),
        ("1_000", "1000"),
        ("0.12345678901234567", "0.12345678901234567"),
    ] {
        let thresholds = read(&format!("[[threshold]]\nlow = {written}\n")).thresholds;
        assert_eq!(thresholds[0].low, Some(Low::Below(meant.parse().unwrap())), "{written}");
    }
}

#[test]
fn an_empty_file_has_no_rules_and_no_mistakes() {
    assert!(read("").rules.is_empty());
    assert!(read("# nothing yet\n").thresholds.is_empty());
}

#[test]
fn every_mistake_of_a_file_is_found_in_the_order_of_its_lines() {
    let text = "[[threshold]]\nlow = -\"a\"\n";
    assert_eq!(mistakes(text).len(), 1, "after a syntax error the rest is guesswork");
    check(
        "[[rule]]\nname = \"a\"\non = [\"sale.creatd\"]\nto = [\"owenr\"]\nsevrity = \"info\"\n\n\
         [[threshold]]\nlow = true\n\n[[rule]]\non = []\nto = []\ncooldown = \"1h\"\n\n[rules]\n",
        &[
            "\"sale.creatd\": there are no `sale.creatd` events; did you mean `sale.created`?",
            "\"owenr\": there is no channel `owenr`; did you mean `owner`?",
            "sevrity: unknown key `sevrity`; did you mean `severity`?",
            "true: `low` must be a number or \"min_stock\"",
            "[[rule]]: `name` is missing",
            "[]: `on` is empty: the rule would never match",
            "[]: `to` is empty: the rule would send nothing",
            "cooldown: `cooldown` does not work in this version of posbell yet; take it out, so that nobody relies on it",
            "rules: unknown key `rules`; did you mean `rule`?",
        ],
    );
}

#[test]
fn a_rule_needs_a_name_events_and_channels() {
    check("[[rule]]\n", &["[[rule]]: `name` is missing", "[[rule]]: `on` is missing", "[[rule]]: `to` is missing"]);
}

#[test]
fn keys_that_do_not_work_yet_are_refused() {
    for (key, value) in [
        ("title", "\"x\""),
        ("template", "\"x\""),
        ("cooldown", "\"24h\""),
        ("repeat", "\"24h\""),
        ("digest", "\"09:00\""),
        ("quiet_hours", "\"21:00-08:00\""),
        ("quiet_critical", "true"),
        ("days", "[\"mon\"]"),
        ("max_per_hour", "30"),
    ] {
        let want = format!(
            "{key}: `{key}` does not work in this version of posbell yet; take it out, so that nobody relies on it"
        );
        check_rule(&format!("{key} = {value}"), &[&want]);
    }
    let later = "does not work in this version of posbell yet; take it out, so that nobody relies on it";
    check("[[report]]\nname = \"a\"\n", &[&format!("report: `report` {later}")]);
}

#[test]
fn a_group_is_a_length_of_time_up_to_a_day() {
    for (written, want) in [("0s", 0), ("30s", 30), ("5m", 300), ("24h", 86_400)] {
        let rules = read(&format!("[[rule]]\nname = \"a\"\non = [\"*\"]\nto = [\"owner\"]\ngroup = \"{written}\"\n"));
        assert_eq!(rules.rules[0].group, Some(std::time::Duration::from_secs(want)), "{written}");
    }
    let help = "write it as `5m`, `30s` or `1h`; `0s` sends each message at once";
    check_rule("group = \"soon\"", &[&format!("\"soon\": `group` is no length of time: `soon`; {help}")]);
    check_rule("group = \"25h\"", &[&format!("\"25h\": `group` is at most `24h`; {help}")]);
    check_rule("group = 5", &["5: `group` must be text in quotes; put quotes around it"]);
}

#[test]
fn what_is_written_in_another_form_is_a_mistake() {
    check("[rule]\nname = \"a\"\n", &["[rule]: `rule` must be written as `[[rule]]`"]);
    check("rule = [1]\n", &["1: `rule` must be a table"]);
    check_rule("stop = \"yes\"", &["\"yes\": `stop` must be true or false; without quotes"]);
    check(
        "[[rule]]\nname = \"a\"\non = \"stock.low\"\nto = \"owner\"\nshops = \"main\"\n",
        &[
            "\"stock.low\": `on` must be a list; write it in brackets: on = [\"stock.low\"]",
            "\"owner\": `to` must be a list; write it in brackets: to = [\"owner\"]",
            "\"main\": `shops` must be a list; write it in brackets: shops = [\"main\"]",
        ],
    );
    check_rule("when = 5", &["5: `when` must be text in quotes; put quotes around it"]);
    check_rule("severity = \"high\"", &["\"high\": `severity` must be \"info\", \"warning\" or \"critical\""]);
}

#[test]
fn names_that_are_not_in_the_configuration_are_mistakes() {
    check_rule("shops = [\"mian\"]", &["\"mian\": there is no shop `mian`; did you mean `main`?"]);
    check_rule("shops = [\"main\", \"x y\"]", &["\"x y\": there is no shop `x y`"]);
    check_rule("shops = []", &["[]: `shops` is empty: leave it out to mean all shops"]);
    check_threshold("low = 5\nshops = [\"zzz\"]", &["\"zzz\": there is no shop `zzz`"]);
    check(
        "[[rule]]\nname = \"a\"\non = [\"*\"]\nto = [\"owner\", \"telegram\"]\n",
        &["\"telegram\": there is no channel `telegram`; write a `[channel.NAME]` for it into posbell.toml"],
    );
}

#[test]
fn events_that_nobody_makes_are_mistakes() {
    let on = |on: &str| format!("[[rule]]\nname = \"a\"\non = [\"{on}\"]\nto = [\"owner\"]\n");
    check(&on("stock.lwo"), &["\"stock.lwo\": there are no `stock.lwo` events; did you mean `stock.low`?"]);
    let families = "`*` means all events, `stock.*` all of that family";
    check(&on("zebra"), &[&format!("\"zebra\": there are no `zebra` events; {families}")]);
    let [later] = &mistakes(&on("sale.suspicious"))[..] else { panic!() };
    assert!(later.starts_with("\"sale.suspicious\": `sale.suspicious` events are not made by this version"), "{later}");
}

#[test]
fn a_when_that_cannot_be_used_is_a_mistake() {
    check_rule("when = 'total > 5'", &["'total > 5': `when`: nothing is called `total` here"]);
    let [said] = &mistakes("[[rule]]\nname = \"a\"\non = [\"*\"]\nto = [\"owner\"]\nwhen = 'sale.total >'\n")[..]
    else {
        panic!()
    };
    assert!(said.starts_with("'sale.total >': `when`: not a valid expression"), "{said}");
}

#[test]
fn a_name_stands_for_one_rule_in_all_of_the_files() {
    let rule = |name: &str| format!("[[rule]]\nname = \"{name}\"\non = [\"*\"]\nto = [\"owner\"]\n");
    let twice = "\"a\": there is another rule called `a`";
    check(&(rule("a") + &rule("b") + &rule("a")), &[twice]);

    let mut rules = read(&rule("a"));
    let text = rule("b") + &rule("a");
    let mistakes = parse(&text, &names(), &no_file, &mut rules).unwrap_err();
    assert_eq!(mistakes.len(), 1);
    assert_eq!((&text[mistakes[0].span.clone()], mistakes[0].message.as_str()), ("\"a\"", &twice[5..]));
    parse(&rule("b"), &names(), &no_file, &mut rules).unwrap();
    assert_eq!(rules.rules.iter().map(|rule| rule.name.as_str()).collect::<Vec<_>>(), ["a", "b"]);
}

#[test]
fn thresholds_that_contradict_themselves_are_mistakes() {
    for (lines, want) in [
        ("", "[[threshold]]: a threshold needs `low`, `critical` or `csv`"),
        ("products = [\"PK*\"]", "[[threshold]]: a threshold needs `low`, `critical` or `csv`"),
        ("low = 5\nproducts = []", "[]: `products` is empty: leave it out to mean all products"),
        ("low = 5\ncritical = 6", "6: `critical` is above `low`"),
        ("low = 5\nrearm = 4", "4: `rearm` is below `low`"),
        ("critical = 5\nrearm = 4", "4: `rearm` is below `critical`"),
        ("low = \"min_stock\"\ncritical = 5\nrearm = 4", "4: `rearm` is below `critical`"),
        ("low = 5\npasses = 0", "0: `passes` must be at least 1"),
        ("low = \"minstock\"", "\"minstock\": `low` must be a number or \"min_stock\"; did you mean \"min_stock\"?"),
        ("low = inf", "inf: `low` must be a number or \"min_stock\""),
        ("low = nan\ncritical = 5", "nan: `low` must be a number or \"min_stock\""),
        ("low = 1e300\ncritical = 5", "1e300: `low` must be a number or \"min_stock\""),
        ("low = [5]", "[5]: `low` must be a number or \"min_stock\""),
        ("low = 5\ncritical = inf", "inf: `critical` must be a number"),
        ("low = 5\nrearm = \"8\"", "\"8\": `rearm` must be a number; write it without quotes"),
        ("low = 5\npasses = -1", "-1: `passes` must be a whole number, 0 or more"),
        ("low = \"24\"", "\"24\": `low` must be a number or \"min_stock\"; write it without quotes"),
        (
            "low = 5\nproducts = \"PK64*\"",
            "\"PK64*\": `products` must be a list; write it in brackets: products = [\"PK64*\"]",
        ),
        ("low = 5\nreram = 8", "reram: unknown key `reram`; did you mean `rearm`?"),
    ] {
        check_threshold(lines, &[want]);
    }
    for lines in ["low = 5\ncritical = 5\nrearm = 5", "critical = 5", "low = 0", "low = \"min_stock\"\nrearm = 4"] {
        check_threshold(lines, &[]);
    }
}

#[test]
fn figures_stand_in_a_table_beside_the_rules() {
    let sheet = |name: &str| match name {
        "figures.csv" => Ok("code,low,critical\nPK1,24,6\nPK2,,2\n".to_owned()),
        "bad.csv" => Ok("code,low\nPK1,x\nPK2,y\n".to_owned()),
        other => no_file(other),
    };
    let read = |lines: &str| {
        let mut rules = RuleSet::default();
        let text = format!("[[threshold]]\n{lines}\n[[threshold]]\nlow = 1\n");
        parse(&text, &names(), &sheet, &mut rules).map(|_| rules)
    };
    let rules = read("csv = \"figures.csv\"\npasses = 2").unwrap();
    let limits = |code: &str| {
        let mut row = crate::domain::test_shop::row("a", "9");
        row.product.code = Some(code.to_owned());
        let limits = rules.limits(&ShopId::new("main").unwrap(), &row);
        (limits.low, limits.critical, limits.rearm, limits.passes)
    };
    let figure = |figure: i64| Some(Quantity::from(figure));
    assert_eq!(limits("PK1"), (figure(24), figure(6), figure(30), 2));
    assert_eq!(limits("PK2"), (None, figure(2), figure(3), 2));
    assert_eq!(limits("PK3"), (figure(1), None, figure(2), 1), "it goes on to the next threshold");
    let wrong = |lines: &str| -> Vec<String> { read(lines).unwrap_err().into_iter().map(|one| one.message).collect() };
    assert_eq!(
        wrong("csv = \"bad.csv\""),
        ["bad.csv, line 2: `low` must be a number, not `x`", "bad.csv, line 3: `low` must be a number, not `y`"]
    );
    assert_eq!(wrong("csv = \"none.csv\""), ["none.csv cannot be read: there is no such file"]);
    assert_eq!(wrong("csv = \"figures.csv\"\nlow = 3"), ["`csv` stands instead of `low`, `critical` and `rearm`"]);
}
