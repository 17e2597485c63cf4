//! What holds of products whatever is read.

use super::*;

fn any_row(name: String) -> impl Strategy<Value = StockRow> + use<> {
    let left = prop::sample::select(vec!["-", "-2", "0", "0.5", "1", "2", "4", "5", "6", "8", "9"]);
    (left, prop::bool::weighted(0.1), 0i64..3).prop_map(move |(left, deleted, price)| {
        edited(&name, left, |row| {
            row.deleted = deleted;
            row.product.price = Some(price.into());
        })
    })
}

fn shuffled(rows: Vec<StockRow>) -> impl Strategy<Value = (Vec<StockRow>, Vec<StockRow>)> {
    (Just(rows.clone()), Just(rows).prop_shuffle())
}

proptest! {
    #[test]
    fn what_was_read_twice_is_what_is_known(a in list(any_row), b in list(any_row)) {
        let before = known(&a);
        let once = after(&before, &read(&before, &b, &rules()), None);
        let twice = after(&once, &read(&once, &b, &rules()), None);
        let there: BTreeSet<_> = b.iter().filter(|row| !row.deleted).map(|row| &row.product.id).collect();
        for row in twice.rows() {
            prop_assert_eq!(!row.removed, there.contains(&row.product.id));
        }
        for read in b.iter().filter(|row| !row.deleted) {
            let known = &twice.row(&read.product.id).expect("was read").product;
            let quantity = read.product.quantity.or(known.quantity);
            prop_assert_eq!(known, &Product { quantity, ..read.product.clone() });
        }
    }

    #[test]
    fn a_series_is_told_as_the_machine_of_the_contract_tells_it(
        series in prop::collection::vec((-1i64..12, any::<bool>()), 1..40),
    ) {
        // The contract's words, as a machine of its own: worse than the worst level since the last recovery, or rearm.
        let level = |left| if left <= 0 { 3 } else if left < 2 { 2 } else if left < 5 { 1 } else { 0 };
        let mut known = known(&[row("a", "9")]);
        let (mut worst, mut last) = (0, 9);
        for (left, by_refresh) in series {
            let mut want = Vec::new();
            if left != last {
                want.push("stock.changed");
            }
            if level(left) > worst {
                worst = level(left);
                want.push(["", "stock.low", "stock.critical", "stock.out"][worst]);
            } else if worst > 0 && left >= 8 {
                worst = 0;
                want.push("stock.recovered");
            }
            last = left;
            let read_row = row("a", &left.to_string());
            let changes = match by_refresh {
                true => refresh(&known, read_row, &rules()),
                false => read(&known, &[read_row], &rules()),
            };
            let said: Vec<&str> = events(&changes).iter().map(|event| event.kind.name()).collect();
            prop_assert_eq!(said, want);
            known = after(&known, &changes, None);
        }
    }

    #[test]
    fn the_same_reading_twice_tells_nothing(readings in prop::collection::vec(list(any_row), 1..6)) {
        let mut known = Known::Nothing;
        for rows in readings {
            let changes = read(&known, &rows, &rules());
            prop_assert!(one_change_each(&changes));
            known = after(&known, &changes, None);
            // Once more for what two passes must agree about; from then on nothing is written.
            known = after(&known, &read(&known, &rows, &rules()), None);
            prop_assert_eq!(read(&known, &rows, &rules()), []);
        }
    }

    #[test]
    fn the_order_of_the_rows_does_not_matter(a in list(any_row), (b, c) in list(any_row).prop_flat_map(shuffled)) {
        let known = known(&a);
        let [b, c] = [b, c].map(|rows| sorted(&read(&known, &rows, &rules())));
        prop_assert_eq!(b, c);
    }

    #[test]
    fn no_id_is_told_twice_whatever_is_read(readings in prop::collection::vec(list(any_row), 1..12)) {
        let (mut known, mut seen) = (Known::Nothing, BTreeSet::new());
        for rows in readings {
            let changes = read(&known, &rows, &rules());
            known = after(&known, &changes, None);
            for event in events(&changes) {
                prop_assert!(seen.insert(event.id.clone()), "{} twice", event.kind);
            }
        }
    }
}
