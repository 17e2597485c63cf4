//! Do the rule files that ship with posbell say what they promise, to the reader that the service uses?

use std::fs;
use std::path::Path;

use posbell::domain::event::EventKind;
use posbell::domain::model::{ChannelName, EntityId, Product, Quantity, ShopId, StockRow};
use posbell::domain::rules::{Names, RuleSet, parse};

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

#[test]
fn the_default_rules_need_the_owner_alone_and_tell_what_matters() {
    let listed = [
        "sale.cancelled",
        "stock.low",
        "stock.critical",
        "stock.out",
        "stock.recovered",
        "credit.overdue",
        "shop.baseline",
        "shop.key_rejected",
    ];
    assert_eq!(told(&read("default.toml", &["owner"])), listed);
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
fn each_example_can_be_copied_beside_a_configuration_with_its_channel() {
    let examples = [
        ("examples/telegram-low-stock.toml", &["owner"][..]),
        ("examples/sales-to-webhook.toml", &["erp", "owner"]),
        ("examples/credit-overdue-by-mail.toml", &["accountant"]),
    ];
    for (file, channels) in examples {
        assert!(!told(&read(file, channels)).is_empty(), "{file}");
    }
    let shipped = fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("rules/examples")).unwrap().count();
    assert_eq!(shipped, examples.len(), "an example that no test reads may rot");
}
