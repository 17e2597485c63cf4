//! How an object or a list is taken apart without being read: members and elements as they were written.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

/// The first elements of a list.
#[derive(Debug, Default)]
pub(super) struct First<'a> {
    pub elements: Vec<&'a RawValue>,
    /// How many more there are.
    pub left_out: u64,
}

/// Takes the first elements, at most so many and so many bytes, and counts the rest.
pub(super) struct EachElement {
    pub most: usize,
    pub bytes: usize,
}

impl<'de> Visitor<'de> for EachElement {
    type Value = First<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
        let (mut first, mut bytes) = (First::default(), 0_usize);
        while first.elements.len() < self.most
            && let Some(raw) = list.next_element::<&RawValue>()?
        {
            bytes = bytes.saturating_add(raw.get().len());
            if bytes > self.bytes {
                first.left_out = 1;
                break;
            }
            first.elements.push(raw);
        }
        while list.next_element::<IgnoredAny>()?.is_some() {
            first.left_out += 1;
        }
        Ok(first)
    }
}

/// The members of an object in the order in which they were written. A row has some twenty: a look through them takes
/// less than a tree of them would cost.
#[derive(Debug)]
pub(super) struct Members<'a>(pub(super) Vec<(Cow<'a, str>, &'a RawValue)>);

impl<'a> Members<'a> {
    /// The member of that name; of two the first, as `id_of` finds it without reading further.
    pub fn get(&self, name: &str) -> Option<&'a RawValue> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, raw)| *raw)
    }
}

impl<'de> Deserialize<'de> for Members<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(EachMember)
    }
}

struct EachMember;

impl<'de> Visitor<'de> for EachMember {
    type Value = Members<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut members = Vec::with_capacity(MEMBERS);
        while let Some(Name(name)) = map.next_key()? {
            members.push((name, map.next_value()?));
        }
        Ok(Members(members))
    }
}

/// How many members a row may well have.
const MEMBERS: usize = 32;

/// A name as it was written, where that is how it reads.
pub(super) struct Name<'a>(pub(super) Cow<'a, str>);

impl<'de> Deserialize<'de> for Name<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(OneName).map(Name)
    }
}

struct OneName;

impl<'de> Visitor<'de> for OneName {
    type Value = Cow<'de, str>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a name")
    }

    fn visit_borrowed_str<E>(self, name: &'de str) -> Result<Self::Value, E> {
        Ok(Cow::Borrowed(name))
    }

    fn visit_str<E>(self, name: &str) -> Result<Self::Value, E> {
        Ok(Cow::Owned(name.to_owned()))
    }
}
