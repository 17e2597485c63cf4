//! What do the rows of an answer have of what posbell reads, and what have they besides?
//!
//! Of each of posbell's fields the survey knows whether its place is there and whether it ever held anything; of the
//! rest it knows names. It refuses to keep a value: whoever sees it may show it to anybody.

use std::collections::BTreeSet;

use serde_json::value::RawValue;

use super::field::{Presence, Row};
use super::fields::FieldMap;
use crate::domain::model::Resource;

/// The most names that are kept of what posbell does not read, and the most letters of one: a server that makes up
/// names costs nothing.
const NAMES: usize = 100;
const NAME_LENGTH: usize = 60;

/// One of posbell's fields, and how much of it was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Surveyed {
    /// The field's name, as in `[shop.fields]`.
    pub name: &'static str,
    /// Where it is looked for.
    pub place: String,
    /// Whether it was found.
    pub presence: Presence,
    /// The field with the list in whose elements this one stands, where it does.
    list: Option<String>,
}

/// What rows of one resource have shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Survey {
    /// How many rows.
    pub rows: u64,
    /// How many of them posbell understands.
    pub readable: u64,
    /// Each of posbell's fields.
    pub fields: Vec<Surveyed>,
    /// Names of a row's members that posbell does not read.
    pub unread: BTreeSet<String>,
    /// Names of a row's members that it does read.
    read: BTreeSet<String>,
}

impl Survey {
    /// No row yet.
    pub fn new(map: &FieldMap, resource: Resource) -> Self {
        let all = map.of(resource);
        let list_of = |name: &str| {
            let list = format!("{}s", name.split_once('_')?.0);
            all.iter().find(|(name, _)| *name == list).map(|(_, place)| (*place).to_owned())
        };
        let fields: Vec<_> = all
            .iter()
            .map(|&(name, place)| {
                let (place, list) = (place.to_owned(), list_of(name));
                Surveyed { name, place, presence: Presence::Missing, list }
            })
            .collect();
        let tops = fields.iter().filter(|field| field.list.is_none()).flat_map(|field| Row::first_names(&field.place));
        Self { rows: 0, readable: 0, read: tops.collect(), fields, unread: BTreeSet::new() }
    }

    /// Looks at one more row.
    pub fn note(&mut self, raw: &RawValue, is_readable: bool) {
        self.rows += 1;
        self.readable += u64::from(is_readable);
        let Some(row) = Row::new(raw.get()) else { return };
        for field in &mut self.fields {
            let presence = match &field.list {
                None => row.presence(&field.place),
                Some(list) => in_elements(&row, list, &field.place),
            };
            field.presence = field.presence.max(presence);
        }
        for name in row.names().filter(|name| !self.read.contains(*name)) {
            if self.unread.len() < NAMES {
                self.unread.insert(name.chars().filter(|c| !c.is_control()).take(NAME_LENGTH).collect());
            }
        }
    }
}

/// The most that any element of a list has. Of a list that is there and has no elements nobody can say more than that
/// nothing stands in it.
fn in_elements(row: &Row<'_>, list: &str, place: &str) -> Presence {
    let elements = row.list(list).unwrap_or_default();
    let found = elements.into_iter().map(|raw| Row::new(raw.get()).map_or(Presence::Empty, |row| row.presence(place)));
    found.max().unwrap_or_else(|| row.presence(list).min(Presence::Empty))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn survey(map: &FieldMap, resource: Resource, rows: &[&str]) -> Survey {
        let mut survey = Survey::new(map, resource);
        rows.iter().for_each(|row| survey.note(serde_json::from_str(row).unwrap(), true));
        survey
    }

    fn of(survey: &Survey, wanted: Presence) -> Vec<&'static str> {
        survey.fields.iter().filter(|field| field.presence == wanted).map(|field| field.name).collect()
    }

    #[test]
    fn a_field_is_seen_if_one_row_has_it_and_empty_if_only_its_place_is_there() {
        let rows = [
            r#"{"_id":"a","code":"PK1","name":"Feed","category":null,"unit":{"name":"-"},"stock":0,"delete":false}"#,
            r#"{"_id":"b","code":"","price":"12.50","cost":null,"image":"x","brand":{"name":"y"}}"#,
        ];
        let survey = survey(&FieldMap::default(), Resource::Stock, &rows);
        assert_eq!(of(&survey, Presence::Seen), ["id", "code", "name", "price", "quantity", "deleted"]);
        assert_eq!(of(&survey, Presence::Empty), ["category", "unit", "cost"]);
        assert_eq!(of(&survey, Presence::Missing), ["barcode", "min_stock", "updated_at"]);
        assert_eq!(survey.unread, BTreeSet::from(["brand".to_owned(), "image".to_owned()]));
    }

    #[test]
    fn a_field_that_was_put_elsewhere_is_looked_for_there() {
        let mut map = FieldMap::default();
        assert!(map.set(Resource::Stock, "quantity", "/left/~0 | /qty".to_owned()));
        let survey = survey(&map, Resource::Stock, &[r#"{"_id":"a","stock":1,"qty":2,"left":{}}"#]);
        assert!(of(&survey, Presence::Seen).contains(&"quantity"));
        assert_eq!(survey.unread, BTreeSet::from(["stock".to_owned()]));
    }

    #[test]
    fn what_stands_in_a_line_or_a_payment_is_looked_for_in_each() {
        let sale = |lines: &str| format!(r#"{{"_id":"a","order_list":{lines},"segment_detail_type_list":[]}}"#);
        let check = |lines: &str, seen: &[&str], empty: &[&str]| {
            let survey = survey(&FieldMap::default(), Resource::Transactions, &[&sale(lines)]);
            let inner = |wanted| of(&survey, wanted).into_iter().filter(|name| name.starts_with("line_"));
            assert_eq!(inner(Presence::Seen).collect::<Vec<_>>(), seen, "{lines}");
            assert_eq!(inner(Presence::Empty).collect::<Vec<_>>(), empty, "{lines}");
            assert!(of(&survey, Presence::Empty).contains(&"payment_bank"), "nobody paid, so nobody can say");
        };
        check(
            r#"[{"code":"PK1","note_in_order":[]},{"stock":1.01,"code":""}]"#,
            &["line_product_code", "line_quantity"],
            &["line_notes"],
        );
        check(r#"[{"qty":1}]"#, &[], &[]);
        let all = ["line_product_code", "line_name", "line_quantity", "line_unit_price", "line_unit_discount"];
        check("[]", &[], &[&all[..], &["line_total", "line_notes"]].concat());
        check("7", &[], &[&all[..], &["line_total", "line_notes"]].concat());
    }

    #[test]
    fn only_what_is_meant_so_stands_in_a_list() {
        let map = FieldMap::default();
        for resource in Resource::ALL {
            let survey = Survey::new(&map, resource);
            for field in survey.fields {
                let inside = ["line_", "payment_", "tag_"].iter().any(|list| field.name.starts_with(list));
                assert_eq!(field.list.is_some(), inside, "{resource} {}", field.name);
            }
        }
    }

    #[test]
    fn names_that_are_made_up_cost_nothing() {
        let members: Vec<_> = (0..500).map(|n| format!(r#""{n}\u001b{}":1"#, "x".repeat(500))).collect();
        let survey = survey(&FieldMap::default(), Resource::Vendors, &[&format!("{{{}}}", members.join(","))]);
        assert_eq!(survey.unread.len(), NAMES);
        assert!(survey.unread.iter().all(|name| name.len() <= NAME_LENGTH && !name.contains('\u{1b}')));
    }
}
