//! Whether the rows are what was captured, as far as something was.

use super::super::state::Basket;
use super::super::{ShopPlan, seed};
use super::people::member_row;
use super::*;

const TRANSACTIONS: &str = include_str!("../../../../tests/it/fixtures/pospos/transactions.json");
const MEMBERS: &str = include_str!("../../../../tests/it/fixtures/pospos/member.json");
const STOCK: &str = include_str!("../../../../tests/it/fixtures/pospos/stock.json");

/// The keys of a captured row that `ours` lacks, as paths. An empty or null place in ours is a place all the same.
fn missing(captured: &Value, ours: &Value, path: &str) -> Vec<String> {
    match (captured, ours) {
        (Value::Object(captured), Value::Object(ours)) => captured
            .iter()
            .flat_map(|(key, value)| match ours.get(key) {
                None => vec![format!("{path}/{key}")],
                Some(found) => missing(value, found, &format!("{path}/{key}")),
            })
            .collect(),
        (Value::Array(captured), Value::Array(ours)) => match (captured.first(), ours.first()) {
            (Some(captured), Some(ours)) => missing(captured, ours, &format!("{path}/0")),
            _ => Vec::new(),
        },
        _ => Vec::new(),
    }
}

fn product_json(product: &Product) -> Value {
    let mut row = String::new();
    write_product(product, &mut row);
    serde_json::from_str(&row).expect("is JSON")
}

fn captured(text: &str) -> Value {
    serde_json::from_str::<Value>(text).expect("is JSON")["data"][0].take()
}

#[test]
fn every_field_of_the_captured_rows_is_there() {
    let now = "2026-11-23T03:00:00Z".parse().expect("is a time");
    let mut world = seed::world(ShopPlan::default(), now);
    let product = world.products.at(0).expect("has products").clone();
    let bill = world.write_bill(now, &Basket::from([(product.id.clone(), 2.into())]), PaidBy::Transfer);
    let member = world.members.at(1).expect("has members").clone();
    let bill = Sale { buyer: Some(member.card.clone()), ..world.sales.get(&bill).expect("was written").clone() };
    assert_eq!(missing(&captured(TRANSACTIONS), &sale_row(&bill), ""), Vec::<String>::new());
    assert_eq!(missing(&captured(MEMBERS), &member_row(&member), ""), Vec::<String>::new());
    assert_eq!(missing(&captured(STOCK), &product_json(&product), ""), Vec::<String>::new());
}

#[test]
fn the_comparison_with_the_captures_finds_what_is_missing() {
    let ours = json!({ "order_list": [{}], "code": null });
    let found = missing(&captured(TRANSACTIONS), &ours, "");
    assert!(found.contains(&"/order_list/0/stock".to_owned()) && found.contains(&"/status".to_owned()));
    assert!(!found.contains(&"/code".to_owned()));
}

#[test]
fn a_cancel_changes_only_status_return_date_and_comment() {
    let now = "2026-11-23T03:00:00Z".parse().expect("is a time");
    let mut world = seed::world(ShopPlan::default(), now);
    let before = world.sales.iter().find(|sale| sale.cancelled.is_none()).expect("one stands").clone();
    world.cancel(&before.id, "คีย์ผิด", now).expect("stands");
    let (before, after) = (sale_row(&before), sale_row(world.sales.get(&before.id).expect("is known")));
    let fields = before.as_object().expect("is an object").keys();
    let changed: Vec<&str> = fields.filter(|key| before[*key] != after[*key]).map(String::as_str).collect();
    assert_eq!(changed, ["comment", "return_date", "status"]);
    assert_eq!(after["return_date"], "2026-11-23T03:00:00.000Z");
}

#[test]
fn whole_numbers_are_integers_and_fractions_keep_their_digits() {
    let now = "2026-11-23T03:00:00Z".parse().expect("is a time");
    let mut world = seed::world(ShopPlan::default(), now);
    let id = world.products.at(0).expect("has products").id.clone();
    for (quantity, text) in [("4.00", "4"), ("1.01", "1.01"), ("-2.50", "-2.5"), ("0.1", "0.1")] {
        world.set_quantity(&id, quantity.parse().expect("is a quantity"), now).expect("is known");
        let mut row = String::new();
        write_product(world.products.get(&id).expect("is known"), &mut row);
        assert!(row.contains(&format!(r#""stock":{text},"#)), "{quantity} in {row}");
    }
    assert_eq!(next_banknote("160.59".parse().expect("is money")).to_string(), "200");
}
