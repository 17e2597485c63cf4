//! Which id does a row carry? Found without taking the row apart, because most rows of a sweep are known already, and
//! without reading further than the id, which the API writes first.

use std::fmt;

use serde::de::{Deserializer as _, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::field::{Row, text};
use super::parts::Name;
use crate::domain::model::EntityId;

/// The id at the first of `pointers` that holds one, where it can be used.
pub(in crate::edge::pospos) fn id_of(raw: &RawValue, pointers: &str) -> Option<EntityId> {
    let found = match pointers.strip_prefix('/') {
        // The usual place: a member of the row itself.
        Some(name) if !name.contains(['/', '~', '|']) => text(member(raw, name)?),
        _ => Row::new(raw.get())?.text(pointers),
    };
    EntityId::new(plain(found?)).ok()
}

/// A whole number as it is usually written: `17.0` is the id 17, whichever way an answer has it.
fn plain(id: String) -> String {
    let whole =
        id.split_once('.').filter(|(_, fraction)| !fraction.is_empty() && fraction.bytes().all(|digit| digit == b'0'));
    match whole {
        Some((whole, _)) if whole.parse::<u64>().is_ok() => whole.to_owned(),
        _ => id,
    }
}

/// The member of that name, where the row is an object; of two, the first.
fn member<'a>(raw: &'a RawValue, name: &str) -> Option<&'a RawValue> {
    let mut found = None;
    let looking = serde_json::Deserializer::from_str(raw.get()).deserialize_map(Member { name, found: &mut found });
    // It is an error not to read to the end, and the row was read to its end before.
    drop(looking);
    found
}

struct Member<'n, 'a> {
    name: &'n str,
    found: &'n mut Option<&'a RawValue>,
}

impl<'de> Visitor<'de> for Member<'_, 'de> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<(), A::Error> {
        while let Some(Name(name)) = members.next_key()? {
            if name == self.name {
                *self.found = Some(members.next_value()?);
                return Ok(());
            }
            members.next_value::<IgnoredAny>()?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_found_where_the_shop_has_it() {
        let check = |json: &str, pointers: &str, want: Option<&str>| {
            let raw: &RawValue = serde_json::from_str(json).unwrap();
            let id = id_of(raw, pointers).map(|id| id.to_string());
            assert_eq!(id.as_deref(), want, "{json} {pointers}");
        };
        check(r#"{"a":[1,{"_id":"no"}],"_id":"x","b":null}"#, "/_id", Some("x"));
        check(r#"{"_id":"x","_id":"y"}"#, "/_id", Some("x"));
        check(r#"{"_id":"x","_id":"y"}"#, "/_id | /_id", Some("x"));
        check(r#"{"\u005fid":7}"#, "/_id", Some("7"));
        check(r#"{"_id":17.0}"#, "/_id", Some("17"));
        check(r#"{"_id":"17"}"#, "/_id", Some("17"));
        check(r#"{"_id":600045060000000000000004}"#, "/_id", Some("600045060000000000000004"));
        check(r#"{"_id":1.5}"#, "/_id", Some("1.5"));
        check(r#"{"_id":-1}"#, "/_id", Some("-1"));
        check(r#"{"_id":"-"}"#, "/_id", None);
        check(r#"{"_id":{"$oid":"x"}}"#, "/_id", None);
        check(r#"{"_id":{"$oid":"x"}}"#, "/_id/$oid", Some("x"));
        check(r#"{"id":"x"}"#, "/_id | /id", Some("x"));
        check(r#"{"c~d":"y"}"#, "/c~0d", Some("y"));
        check("7", "/_id", None);
        check(r#"["x"]"#, "/0", None);
        check("{}", "/_id", None);
    }
}
