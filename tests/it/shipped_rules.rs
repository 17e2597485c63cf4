//! Do the rule files that ship with posbell say what they promise, to the reader that the service uses?

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use posbell::domain::event::{Event, EventKind};
use posbell::domain::model::{ChannelName, EntityId, Product, Quantity, ShopId, StockRow};
use posbell::domain::rules::{Names, Rule, RuleSet, parse};

/// Reads one file below `rules/`, knowing these channels and the shop `main`.
fn read(file: &str, channels: &[&str]) -> RuleSet {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("rules").join(file);
    let text = fs::read_to_string(&path).expect("rules ship with posbell");
    let names = Names {
        shops: [ShopId::new("main").unwrap()].into(),
        channels: channels.iter().map(|name| ChannelName::new(*name).unwrap()).collect(),
    };
    let mut rules = RuleSet::default();
    match parse(&text, &names, &|name| Err(format!("{name} is not shipped")), &mut rules) {
        Ok(_) => rules,
        Err(mistakes) => panic!("{file}: {mistakes:#?}"),
    }
}

/// The kinds that some rule of the file sends somewhere.
fn told(rules: &RuleSet) -> Vec<&'static str> {
    let kinds = EventKind::ALL.iter();
    let told = kinds.filter(|kind| rules.rules.iter().any(|rule| rule.on.iter().any(|on| on.matches(**kind))));
    told.map(|kind| kind.name()).collect()
}

/// The files that ship, each with the channels that it needs.
const SHIPPED: [(&str, &[&str]); 4] = [
    ("default.toml", &["owner"]),
    ("examples/telegram-low-stock.toml", &["owner"]),
    ("examples/sales-to-webhook.toml", &["erp", "owner"]),
    ("examples/credit-overdue-by-mail.toml", &["accountant"]),
];

#[test]
fn the_default_rules_need_the_owner_alone_and_tell_what_matters() {
    let listed = [
        "sale.cancelled",
        "stock.low",
        "stock.critical",
        "stock.out",
        "credit.overdue",
        "shop.baseline",
        "shop.key_rejected",
        "pass.held",
        "shop.stale",
        "shop.recovered",
        "channel.failing",
        "channel.recovered",
    ];
    assert_eq!(told(&read("default.toml", &["owner"])), listed);
}

#[test]
fn by_default_cancels_are_told_from_500_baht() {
    let rules = read("default.toml", &["owner"]);
    let mut events = include_str!("fixtures/events.jsonl").lines();
    let cancelled = events.rfind(|line| line.contains("\"sale.cancelled\"")).expect("there is one");
    for (total, is_told) in [("499.99", false), ("500", true), ("500.00", true), ("4000", true)] {
        let mut event: serde_json::Value = serde_json::from_str(cancelled).unwrap();
        event["data"]["sale"]["total"] = serde_json::from_str(total).unwrap();
        let event = Event::from_json(&event.to_string()).expect("is an event");
        assert_eq!(!rules.route(&event).is_empty(), is_told, "{total}");
    }
}

#[test]
fn each_shipped_file_routes_every_notice_to_people_and_no_recovery_of_stock() {
    for (file, channels) in SHIPPED {
        let rules = read(file, channels);
        let notices = EventKind::ALL.iter().filter(|kind| kind.is_notice() || **kind == EventKind::ShopBaseline);
        for kind in notices {
            let routes = |rule: &&Rule| rule.when.is_none() && rule.on.iter().any(|on| on.matches(*kind));
            let mut to = rules.rules.iter().filter(routes).flat_map(|rule| &rule.to);
            assert!(to.any(|channel| channel.as_str() != "erp"), "{file} tells nobody of {kind}");
        }
        assert!(!told(&rules).contains(&"stock.recovered"), "{file}");
    }
}

#[test]
fn by_default_a_products_own_minimum_counts_and_five_where_it_has_none() {
    let rules = read("default.toml", &["owner"]);
    let product = Product {
        id: EntityId::new("600c45c60000000000000004").unwrap(),
        code: Some("PK64000158".to_owned()),
        name: None,
        barcode: None,
        category: None,
        unit: None,
        price: None,
        cost: None,
        quantity: None,
        updated_at: None,
    };
    for (min_stock, low) in [(Some(12), 12), (None, 5)] {
        let row = StockRow { product: product.clone(), min_stock: min_stock.map(Quantity::from), deleted: false };
        assert_eq!(rules.limits(&ShopId::new("main").unwrap(), &row).low, Some(Quantity::from(low)), "{min_stock:?}");
    }
}

#[test]
fn each_shipped_file_works_alone_beside_a_configuration_with_its_channels() {
    let rules = Path::new(env!("CARGO_MANIFEST_DIR")).join("rules");
    for (file, channels) in SHIPPED {
        let dir = tempfile::tempdir().unwrap();
        let config: String = channels
            .iter()
            .map(|name| match *name {
                "erp" => "[channel.erp]\ntype = \"webhook\"\nurl = \"https://a.b\"\nsecret = \"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\"\n".to_owned(),
                name => format!("[channel.{name}]\ntype = \"telegram\"\ntoken = \"1:a\"\nchat_id = 1\n"),
            })
            .collect();
        fs::write(dir.path().join("posbell.toml"), format!("[[shop]]\nid = \"main\"\napi_key = \"k\"\n{config}"))
            .unwrap();
        fs::set_permissions(dir.path().join("posbell.toml"), fs::Permissions::from_mode(0o600)).unwrap();
        fs::create_dir(dir.path().join("rules")).unwrap();
        fs::copy(rules.join(file), dir.path().join("rules/rules.toml")).unwrap();
        let mut posbell = Command::new(env!("CARGO_BIN_EXE_posbell"));
        let output = posbell.arg("check").current_dir(dir.path()).env_remove("POSBELL_CONFIG").output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.success(), "{file}: {said}");
        // One channel for people is what the files are written for.
        assert_eq!(said.matches("warning: ").count(), 1, "{file}: {said}");
        assert!(said.contains("is the only one for people"), "{file}: {said}");
    }
    let shipped = fs::read_dir(rules.join("examples")).unwrap().count();
    assert_eq!(shipped + 1, SHIPPED.len(), "an example that no test reads may rot");
}
