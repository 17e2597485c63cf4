//! What holds of sales whatever is read.

use super::*;
use crate::domain::model::Subject;

/// A sale with a time of its own, which never changes.
fn any_sale(name: String) -> impl Strategy<Value = Sale> + use<> {
    let words = prop::sample::select(vec!["success", "cancel", "refunded"]);
    let hours = i64::from(name.as_bytes()[0] - b'a') * 20;
    (words, 0i64..3).prop_map(move |(word, total)| Sale {
        status: SaleStatus::from(word.to_owned()),
        sold_at: (name != "e").then(|| time("2026-11-19T10:00:00Z") + TimeDelta::hours(hours)),
        total: Some(Money::from(total)),
        ..sale(&name)
    })
}

/// How the sales of one pass are read.
#[derive(Debug, Clone, Copy)]
enum How {
    Whole,
    Newest(usize),
    ByOtherFields,
}

fn any_how() -> impl Strategy<Value = How> {
    prop_oneof![4 => Just(How::Whole), 4 => (1usize..4).prop_map(How::Newest), 1 => Just(How::ByOtherFields)]
}

proptest! {
    #[test]
    fn what_is_read_whole_is_what_is_known(a in list(any_sale), b in list(any_sale)) {
        let known = known(&[&a]);
        let Ok(changes) = read(&known, &b, window()) else { return Ok(()) };
        let known = after(&known, &changes, Some(window().from));
        for sale in &b {
            prop_assert_eq!(&known.row(&sale.id).expect("was read").sale, sale);
        }
    }

    #[test]
    fn late_cancelled_and_edited_sales_are_each_told_once_in_any_interleaving(
        passes in prop::collection::vec((list(any_sale), any_how()), 1..12),
    ) {
        // What a shop does to its sales: they come, late ones too, and are edited, and none goes.
        let (mut shop, mut known, mut seen) = (BTreeMap::new(), known(&[&[]]), BTreeSet::new());
        let mut created = BTreeSet::new();
        for (sales, how) in passes {
            shop.extend(sales.into_iter().map(|sale| (sale.id.clone(), sale)));
            let mut newest: Vec<Sale> = shop.values().cloned().collect();
            newest.sort_by_key(|sale| std::cmp::Reverse(sale.sold_at));
            let changes = match how {
                How::Whole => read(&known, &newest, window()).unwrap(),
                How::ByOtherFields => take_quietly(&known, Whole::vouch(newest, 0), window(), &scribe()).unwrap(),
                How::Newest(count) => {
                    newest.truncate(count);
                    compare_some(&known, newest, Besides::default(), &scribe()).unwrap_or_default()
                }
            };
            known = after(&known, &changes, Some(window().from));
            for event in events(&changes) {
                prop_assert!(seen.insert(event.id.clone()), "{} twice", event.kind);
                if event.kind == EventKind::SaleCreated {
                    created.insert(event.subject.clone());
                }
            }
        }
        let last = read(&known, &shop.values().cloned().collect::<Vec<_>>(), window()).unwrap();
        known = after(&known, &last, Some(window().from));
        created.extend(events(&last).iter().filter(|e| e.kind == EventKind::SaleCreated).map(|e| e.subject.clone()));
        prop_assert!(shop.iter().all(|(id, sale)| known.row(id).is_some_and(|row| row.sale == *sale)));
        // Every sale was told as new, but for those from before the horizon.
        let new = shop.values().filter(|sale| sale.sold_at.is_none_or(|sold_at| sold_at >= window().from));
        prop_assert_eq!(created, new.map(|sale| Subject::sale(&sale.id)).collect());
    }

    #[test]
    fn whatever_a_till_does_and_whenever_it_is_read_each_thing_is_told_exactly_once(
        steps in prop::collection::vec((any_act(), prop::option::of(any_way())), 1..40),
    ) {
        // What is on the bills, newest first, and what of it was read.
        let (mut shop, mut seen) = (Vec::new(), BTreeMap::new());
        let mut known = known(&[&[]]);
        for (act, way) in steps {
            act.done_to(&mut shop);
            let Some(way) = way else { continue };
            let mut sales = shop.clone();
            if way == Way::Newest {
                sales.truncate(2);
            }
            let mut want = Vec::new();
            for sale in sales.iter().rev() {
                want.extend(told_of_one(seen.insert(sale.id.clone(), sale.clone()).as_ref(), sale));
            }
            let changes = match way {
                Way::Whole => read(&known, &sales, window()).unwrap(),
                // A page of nothing but strangers says nothing without the rest.
                Way::Newest => match compare_some(&known, sales.clone(), Besides::default(), &scribe()) {
                    Some(changes) => changes,
                    None => {
                        sales.clone_from(&shop);
                        want.clear();
                        for sale in sales.iter().rev() {
                            let before = known.row(&sale.id).map(|row| row.sale.clone());
                            want.extend(told_of_one(before.as_ref(), sale));
                            seen.insert(sale.id.clone(), sale.clone());
                        }
                        read(&known, &sales, window()).unwrap()
                    }
                },
            };
            let mut told: Vec<String> = events(&changes).iter().map(|e| format!("{} {}", e.kind, e.subject)).collect();
            told.sort();
            want.sort();
            prop_assert_eq!(told, want);
            known = after(&known, &changes, Some(window().from));
        }
    }

    #[test]
    fn the_same_reading_twice_tells_nothing(a in list(any_sale), b in list(any_sale)) {
        let known = known(&[&a]);
        prop_assert_eq!(read(&known, &a, window()).unwrap(), []);
        if let Ok(changes) = read(&known, &b, window()) {
            prop_assert!(one_change_each(&changes));
            let known = after(&known, &changes, Some(window().from));
            prop_assert_eq!(read(&known, &b, window()).unwrap(), []);
        }
    }

    #[test]
    fn without_the_rows_that_came_just_as_they_were_the_same_is_told(
        a in list(any_sale),
        b in list(any_sale),
        again in prop::collection::vec(any::<bool>(), 12),
    ) {
        let known = known(&[&a]);
        // Some of those that are known come once more, just as they were.
        let mut sales = b;
        for (sale, _) in a.iter().zip(again).filter(|(_, again)| *again) {
            sales.retain(|other| other.id != sale.id);
            sales.push(sale.clone());
        }
        let Known::Rows { rows, horizon } = &known else { panic!("there is a baseline") };
        let is_same = |sale: &Sale| rows.get(&sale.id).is_some_and(|row| row.sale == *sale);
        let (same, others): (Vec<Sale>, Vec<Sale>) = sales.iter().cloned().partition(is_same);
        let mut few = rows.clone();
        same.iter().for_each(|sale| drop(few.remove(&sale.id)));
        let few = Known::Rows { rows: few, horizon: *horizon };
        let besides = Besides { same: same.len(), unasked: 0 };
        let told_by_few = compare(&few, Whole::vouch(others, 0), besides, window(), &scribe());
        prop_assert_eq!(told_by_few, read(&known, &sales, window()));
    }

    #[test]
    fn the_order_of_the_rows_does_not_matter(a in list(any_sale), (b, c) in list(any_sale).prop_flat_map(shuffled)) {
        let known = known(&[&a]);
        prop_assert_eq!(read(&known, &b, window()), read(&known, &c, window()));
    }

    #[test]
    fn no_id_is_told_twice_whatever_is_read(readings in prop::collection::vec((list(any_sale), 0i64..30), 1..12)) {
        let (mut known, mut window, mut seen) = (Known::Nothing, window(), BTreeSet::new());
        let mut now = scribe().now();
        for (sales, hours) in readings {
            window.from += TimeDelta::hours(hours);
            now += TimeDelta::seconds(15);
            let Ok(changes) = compare(&known, Whole::vouch(sales, 0), Besides::default(), window, &scribe_at(now)) else { continue };
            known = after(&known, &changes, Some(window.from));
            for event in events(&changes) {
                // A sale can be cancelled, forgotten, un-cancelled and cancelled once more; its cancel has one id.
                let twice = !seen.insert(event.id.clone()) && event.kind != EventKind::SaleCancelled;
                prop_assert!(!twice, "{} twice", event.kind);
            }
        }
    }
}

/// What a till does.
#[derive(Debug, Clone)]
enum Act {
    /// A bill that was made so many hours before the last one: a late one, where it is more than none.
    Sell(i64),
    /// The bill at that place is cancelled, if it stands.
    Cancel(usize),
    /// The bill at that place gets another comment.
    Edit(usize, u8),
}

fn any_act() -> impl Strategy<Value = Act> {
    prop_oneof![
        3 => prop_oneof![3 => Just(0), 1 => 1i64..60].prop_map(Act::Sell),
        1 => (0usize..6).prop_map(Act::Cancel),
        1 => (0usize..6, 0u8..3).prop_map(|(place, comment)| Act::Edit(place, comment)),
    ]
}

impl Act {
    fn done_to(self, shop: &mut Vec<Sale>) {
        match self {
            Act::Sell(hours) => {
                let number = shop.len() as i64;
                let at = time("2026-11-23T01:00:00Z") + TimeDelta::minutes(number) - TimeDelta::hours(hours);
                let code = Some(format!("TR{number}"));
                shop.push(Sale { sold_at: Some(at), code, ..sale(&format!("s{number}")) });
                shop.sort_by_key(|sale| std::cmp::Reverse(sale.sold_at));
            }
            Act::Cancel(place) => {
                if let Some(sale) = shop.get_mut(place).filter(|sale| sale.status == SaleStatus::Success) {
                    *sale = cancelled(sale.clone());
                }
            }
            Act::Edit(place, comment) => {
                if let Some(sale) = shop.get_mut(place) {
                    sale.comment = Some(comment.to_string());
                }
            }
        }
    }
}

/// How much of the bills is read.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Way {
    Whole,
    Newest,
}

fn any_way() -> impl Strategy<Value = Way> {
    prop_oneof![Just(Way::Whole), Just(Way::Newest)]
}

/// What is told of a bill that was read so before, in the contract's words.
fn told_of_one(before: Option<&Sale>, sale: &Sale) -> Vec<String> {
    let is_cancelled = sale.status == SaleStatus::Cancelled;
    let kinds: &[&str] = match before {
        None if is_cancelled => &["sale.created", "sale.cancelled"],
        None => &["sale.created"],
        Some(before) if before == sale => &[],
        Some(before) if is_cancelled && before.status != sale.status => &["sale.cancelled"],
        Some(_) => &["sale.updated"],
    };
    kinds.iter().map(|kind| format!("{kind} {}", Subject::sale(&sale.id))).collect()
}

fn shuffled(sales: Vec<Sale>) -> impl Strategy<Value = (Vec<Sale>, Vec<Sale>)> {
    (Just(sales.clone()), Just(sales).prop_shuffle())
}
