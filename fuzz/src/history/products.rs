//! Products: the list, and one of them read alone.

use super::rows::{self, Rows};
use crate::domain::diff::product::{self, ProductRow};
use crate::domain::diff::{Change, Taken};
use crate::domain::event::Scribe;
use crate::domain::model::StockRow;
use crate::domain::rules::Limits;
use crate::edge::pospos::products;
use crate::input::Input;
use crate::told::Told;

struct Products<'a>(&'a Input<'a>);

impl Products<'_> {
    fn limits(&self) -> impl Fn(&StockRow) -> Limits {
        |row| self.0.limits(row.min_stock)
    }
}

impl Rows for Products<'_> {
    type Item = StockRow;
    type Row = ProductRow;

    fn compare(
        &self,
        prev: Option<&ProductRow>,
        item: StockRow,
        taken: Taken,
        scribe: &Scribe,
    ) -> Option<Change<ProductRow>> {
        product::compare_one(prev, item, taken, self.limits(), scribe)
    }

    fn miss(&self, prev: &ProductRow, taken: Taken, scribe: &Scribe) -> Option<Change<ProductRow>> {
        match taken {
            Taken::Compared => product::miss_one(prev, scribe),
            Taken::Quietly => product::miss_quietly(prev),
        }
    }

    fn rests(&self, row: &ProductRow) -> bool {
        row.rests()
    }

    fn is_removed(&self, row: &ProductRow) -> bool {
        row.removed
    }

    fn is_read_otherwise(&self, row: &ProductRow) -> bool {
        row.read_otherwise
    }
}

pub fn play(input: &Input<'_>) {
    let list = Products(input);
    rows::play(&list, input, products);
    refresh(&list, input);
}

/// Between two passes each product is read alone, twice.
fn refresh(list: &Products<'_>, input: &Input<'_>) {
    let [Some(before), Some(after)] = [0, 1].map(|place| products(input, input.answer(place))) else { return };
    let mut told = Told::new();
    for (id, item) in before.rows {
        let baseline = list.compare(None, item, Taken::Quietly, &told.next_scribe()).and_then(|change| change.row);
        let (Some(row), Some(item)) = (baseline, after.rows.get(&id)) else { continue };
        let change = product::refresh_one(&row, item.clone(), list.limits(), &told.next_scribe());
        told.check(change.as_slice());
        let row = change.and_then(|change| change.row).unwrap_or(row);
        let again = product::refresh_one(&row, item.clone(), list.limits(), &told.next_scribe());
        assert_eq!(again, None, "the same product made a change");
    }
}
