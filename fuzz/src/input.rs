//! Of what are the fuzzer's bytes made?
//!
//! Two letters, then answers with the sign RS (0x1e) between them, which stands in no JSON. The first letter is the
//! resource, `0` to `5` in the order of `Resource::ALL`; the second is how it is read. A piece that begins with `#` is no
//! answer but a `[shop.fields]`, a line for each field: `#quantity=/left`. So the corpus can be read and written by hand.

use crate::domain::model::{Quantity, Resource};
use crate::domain::rules::Limits;
use crate::edge::pospos::{FieldMap, is_pointer};

/// What stands between two answers.
pub const BETWEEN: u8 = 0x1e;

/// Answers, and how they are read.
#[derive(Clone)]
pub struct Input<'a> {
    pub resource: Resource,
    /// As they came over the wire.
    pub answers: Vec<&'a [u8]>,
    /// Where the fields stand.
    pub fields: FieldMap,
    /// The fields are put there after the first state has been read; the second is taken without a word.
    pub quietly: bool,
    /// They are about one thing and not a list.
    pub about_one: bool,
    threshold: u8,
}

impl<'a> Input<'a> {
    /// `None` where there is not even a letter for each choice.
    pub fn of(bytes: &'a [u8]) -> Option<Self> {
        let [resource, way, rest @ ..] = bytes else { return None };
        let resource = Resource::ALL[usize::from(*resource) % Resource::ALL.len()];
        let mut fields = FieldMap::default();
        let mut answers = Vec::new();
        for piece in rest.split(|byte| *byte == BETWEEN) {
            match piece {
                [b'#', text @ ..] => put_elsewhere(&mut fields, resource, text),
                answer => answers.push(answer),
            }
        }
        let (quietly, about_one) = (way & 4 != 0, way & 8 != 0);
        Some(Self { resource, answers, fields, quietly, about_one, threshold: way & 3 })
    }

    /// The same as before the fields were put elsewhere.
    pub fn earlier(&self) -> Self {
        let fields = if self.quietly { FieldMap::default() } else { self.fields.clone() };
        Self { fields, ..self.clone() }
    }

    /// The answer at that place; without one, the one before it.
    pub fn answer(&self, place: usize) -> &'a [u8] {
        self.answers.get(place).or(self.answers.last()).copied().unwrap_or_default()
    }

    /// The limits of a product with this figure of its own: none, two figures, two passes, or its own.
    pub fn limits(&self, min_stock: Option<Quantity>) -> Limits {
        let [low, critical, rearm] = [24, 6, 30].map(|figure| Some(Quantity::from(figure)));
        match self.threshold {
            0 => Limits::NONE,
            1 => Limits { low, critical, rearm, passes: 1 },
            2 => Limits { low, critical, rearm, passes: 2 },
            _ => Limits { low: min_stock, critical: None, rearm: min_stock, passes: 1 },
        }
    }
}

/// As the configuration does it: only a pointer, and only where there is such a field.
fn put_elsewhere(fields: &mut FieldMap, resource: Resource, text: &[u8]) {
    let lines = std::str::from_utf8(text).unwrap_or_default().lines();
    for (name, pointer) in lines.filter_map(|line| line.trim_start_matches('#').split_once('=')) {
        if is_pointer(pointer) {
            fields.set(resource, name, pointer.to_owned());
        }
    }
}
