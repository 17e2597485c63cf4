//! The heads of a hundred thousand rows in a few megabytes: one text of all ids, and 20 bytes beside each.

use std::cmp::Ordering;

use super::head::Head;
use crate::domain::event::Level;
use crate::domain::model::EntityId;

/// The heads of every row of a resource, in the order of their ids.
#[derive(Debug, Default)]
pub struct Heads {
    ids: String,
    entries: Vec<Entry>,
}

/// Where an id ends in the text, and the head as it is stored.
#[derive(Debug, Clone, Copy)]
struct Entry {
    end: u32,
    fingerprint: [u8; 8],
    tag: u32,
    flags: u8,
    level: Level,
}

/// The row has a fingerprint.
const PRINTED: u8 = 1;
const UNSETTLED: u8 = 2;
const GONE: u8 = 4;

impl Heads {
    /// Adds the head of a row. One behind four billion bytes of ids is not found again: its row counts as new.
    pub(super) fn push(&mut self, id: &str, head: Head) {
        self.ids.push_str(id);
        let Ok(end) = u32::try_from(self.ids.len()) else { return };
        let flag = |is: bool, flag: u8| if is { flag } else { 0 };
        let flags = flag(head.fingerprint.is_some(), PRINTED) | flag(head.unsettled, UNSETTLED) | flag(head.gone, GONE);
        let fingerprint = head.fingerprint.map(crate::domain::model::Fingerprint::to_bytes).unwrap_or_default();
        self.entries.push(Entry { end, fingerprint, tag: head.tag, flags, level: head.level });
    }

    /// Brings the rows into the order of their ids, which that of their keys is unless ids of several kinds are among
    /// them, and gives back what was reserved for more.
    pub(super) fn close(&mut self) {
        if !(1..self.entries.len()).all(|index| self.id(index - 1) <= self.id(index)) {
            let mut order: Vec<usize> = (0..self.entries.len()).collect();
            order.sort_by_key(|index| self.id(*index));
            let mut sorted = Heads::default();
            for index in order {
                sorted.push(self.id(index), self.head(index));
            }
            *self = sorted;
        }
        self.ids.shrink_to_fit();
        self.entries.shrink_to_fit();
    }

    /// The head of this row.
    pub fn get(&self, id: &EntityId) -> Option<Head> {
        let (mut from, mut until) = (0, self.entries.len());
        while from < until {
            let middle = from.midpoint(until);
            match self.id(middle).cmp(id.as_str()) {
                Ordering::Less => from = middle + 1,
                Ordering::Greater => until = middle,
                Ordering::Equal => return Some(self.head(middle)),
            }
        }
        None
    }

    /// Whether there is such a row.
    pub fn contains(&self, id: &EntityId) -> bool {
        self.get(id).is_some()
    }

    /// Every row with its head.
    pub fn iter(&self) -> impl Iterator<Item = (&str, Head)> {
        (0..self.entries.len()).map(|index| (self.id(index), self.head(index)))
    }

    /// How many rows the shop still has.
    pub fn living(&self) -> usize {
        self.entries.iter().filter(|entry| entry.flags & GONE == 0).count()
    }

    /// The level of every row that the shop still has.
    pub fn levels(&self) -> impl Iterator<Item = Level> {
        self.entries.iter().filter(|entry| entry.flags & GONE == 0).map(|entry| entry.level)
    }

    fn id(&self, index: usize) -> &str {
        let start = index.checked_sub(1).map_or(0, |before| self.entries[before].end);
        &self.ids[start as usize..self.entries[index].end as usize]
    }

    fn head(&self, index: usize) -> Head {
        let Entry { fingerprint, flags, tag, level, .. } = self.entries[index];
        let fingerprint = crate::domain::model::Fingerprint::from_bytes(fingerprint);
        Head {
            fingerprint: (flags & PRINTED != 0).then_some(fingerprint),
            unsettled: flags & UNSETTLED != 0,
            gone: flags & GONE != 0,
            level,
            tag,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::model::Fingerprint;

    #[test]
    fn each_head_is_found_under_its_id() {
        let id = |text: &str| EntityId::new(text).unwrap();
        let heads_of = |number: u64| Head {
            fingerprint: (!number.is_multiple_of(3)).then(|| Fingerprint::new(number)),
            unsettled: number.is_multiple_of(2),
            gone: number.is_multiple_of(5),
            level: if number.is_multiple_of(7) { Level::Out } else { Level::Ok },
            tag: number as u32,
        };
        let mut heads = Heads::default();
        // As they stand in the store where ids are of two kinds.
        for number in (50..100_u64).chain(0..50) {
            heads.push(&format!("{number:03}"), heads_of(number));
        }
        heads.close();
        for number in 0..100_u64 {
            assert_eq!(heads.get(&id(&format!("{number:03}"))), Some(heads_of(number)), "{number}");
        }
        for text in ["", "00", "0000", "100", "ก"].into_iter().filter_map(|text| EntityId::new(text).ok()) {
            assert!(!heads.contains(&text), "{text}");
        }
        assert_eq!((heads.iter().count(), heads.living()), (100, 80));
        assert_eq!(size_of::<Entry>(), 20);
        assert_eq!(Heads::default().get(&id("a")), None);
    }
}
