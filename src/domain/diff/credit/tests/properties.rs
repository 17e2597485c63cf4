//! What holds of credits whatever is read.

use super::*;

/// A credit, and in which of the lists it stands: 0 and 1 within, 2 and 3 out, 4 both, 5 paid.
fn any_credit(name: String) -> impl Strategy<Value = (Credit, u8)> + use<> {
    (0u8..6, 0i64..2).prop_map(move |(place, owed)| (Credit { balance: Some(owed.into()), ..credit(&name) }, place))
}

fn any_reading() -> impl Strategy<Value = Reading> {
    list(any_credit).prop_map(reading)
}

fn reading(credits: Vec<(Credit, u8)>) -> Reading {
    let mut reading = Reading::default();
    for (credit, place) in credits {
        match place {
            0 | 1 => reading.within.push(credit),
            2 | 3 => reading.out.push(overdue(credit)),
            4 => {
                reading.within.push(credit.clone());
                reading.out.push(overdue(credit));
            }
            _ => reading.paid.push(paid(credit)),
        }
    }
    reading
}

fn shuffled(credits: Vec<(Credit, u8)>) -> impl Strategy<Value = (Reading, Reading)> {
    (Just(credits.clone()).prop_map(reading), Just(credits).prop_shuffle().prop_map(reading))
}

proptest! {
    #[test]
    fn what_was_read_twice_is_what_is_known(a in any_reading(), b in any_reading()) {
        let mut known = known(&a);
        for _ in 0..2 {
            let Ok(changes) = read(&known, &b) else { return Ok(()) };
            known = after(&known, &changes, None);
        }
        // The later list counts where a credit is in both.
        for read in b.within.iter().chain(&b.out).rev() {
            let later = b.out.iter().find(|later| later.id == read.id).unwrap_or(read);
            prop_assert_eq!(&known.row(&read.id).expect("was read").credit, later);
        }
        for row in known.rows().filter(|row| pending(&b).missing(&known).any(|missing| missing.credit.id == row.credit.id)) {
            prop_assert_eq!(row.credit.status, None, "it is found nowhere");
        }
    }

    #[test]
    fn the_same_reading_twice_tells_nothing(readings in prop::collection::vec(any_reading(), 1..6)) {
        let mut known = Known::Nothing;
        for reading in readings {
            let Ok(changes) = read(&known, &reading) else { continue };
            prop_assert!(one_change_each(&changes));
            known = after(&known, &changes, None);
            // The second pass looks for what the first one missed; from then on nothing is told.
            known = pass(&known, &reading).1;
            let Ok(again) = read(&known, &reading) else { continue };
            prop_assert_eq!(told(&again), "");
            // What is found nowhere is counted, and nothing else is written.
            let missed = |change: &Change<CreditRow>| change.row.as_ref().is_some_and(|row| row.missed > 1);
            prop_assert!(again.iter().all(missed), "{again:?}");
        }
    }

    #[test]
    fn the_order_of_the_rows_does_not_matter(a in any_reading(), (b, c) in list(any_credit).prop_flat_map(shuffled)) {
        let known = known(&a);
        let [b, c] = [b, c].map(|reading| read(&known, &reading).map(|changes| sorted(&changes)));
        prop_assert_eq!(b, c);
    }

    #[test]
    fn no_id_is_told_twice_whatever_is_read_and_forgotten(
        readings in prop::collection::vec((any_reading(), 0i64..200), 1..12),
    ) {
        let (mut known, mut seen) = (Known::Nothing, BTreeSet::new());
        let mut now = scribe().now();
        for (reading, days) in readings {
            now += TimeDelta::days(days) + TimeDelta::minutes(10);
            let scribe = scribe_at(now);
            let Ok(changes) = compare(&known, pending(&reading), found(&known, &reading), &terms(&scribe)) else {
                continue;
            };
            prop_assert!(one_change_each(&changes));
            known = after(&known, &changes, None);
            for event in events(&changes) {
                prop_assert!(seen.insert(event.id.clone()), "{} twice", event.kind);
            }
        }
    }
}
