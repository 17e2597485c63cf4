//! A power cut at any moment takes nothing that was acknowledged.
//!
//! The built program runs with a recorder of what it does to its files ([`recording`], `recorder.c`). Played on a disk
//! that forgets what was not forced out ([`disk`] says what it may forget), up to any moment, that gives the directory
//! that a power cut at this moment leaves. Such a directory must open, hold what the receiver had been told by then, and
//! agree with itself ([`check`]); and the program must go on from it.

mod check;
mod disk;
mod recorded;
mod recording;
mod steps;
mod swept;

use std::path::Path;
use std::time::Duration;

use posbell::demo::shop::{Generator, SaleEdit};
use posbell::domain::event::EventKind;

use crate::support::rig::RigPlan;
use crate::whole::journal::make_changes;
use disk::{Disk, Fate, Kept};
use recorded::{Recorded, room};
use recording::{Place, What};

/// All that may be lost is.
const LEAST: Fate = Fate { names: Kept::Nothing, data: Kept::Nothing };

/// Nothing is lost, names without contents and the other way round, any part, and what came first.
const OTHERS: [Fate; 5] = [
    Fate { names: Kept::Everything, data: Kept::Everything },
    Fate { names: Kept::Everything, data: Kept::Nothing },
    Fate { names: Kept::Some, data: Kept::Some },
    Fate { names: Kept::Nothing, data: Kept::Everything },
    Fate { names: Kept::First, data: Kept::First },
];

/// A place in a recording, and what becomes there of what was not forced out.
type Cut = (Place, Vec<Fate>);

/// Cuts at these places: with the worst that may come of it, and with one of the others in turn.
fn cuts(mut places: Vec<Place>) -> Vec<Cut> {
    places.sort_unstable();
    places.dedup();
    places.into_iter().enumerate().map(|(i, place)| (place, vec![LEAST, OTHERS[i % OTHERS.len()]])).collect()
}

/// So many places of a recording, drawn from a range of it.
fn draw(chance: &mut Generator, count: usize, range: std::ops::Range<Place>) -> Vec<Place> {
    (0..count).map(|_| range.start + chance.below(range.len())).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_told_before_a_power_cut_is_there_after_it() {
    let recorded = Recorded::new(RigPlan { seed: 21, ..RigPlan::default() });
    let rig = &recorded.rig;
    let service = recorded.start();
    rig.told(EventKind::ShopBaseline).await;
    make_changes(rig, &rig.shop, 21, 50).await;
    rig.all_told().await;
    recorded.stop(service);
    let again = recorded.recorder.read().end();
    let service = recorded.start();
    make_changes(rig, &rig.shop, 22, 20).await;
    rig.all_told().await;
    recorded.stop(service);

    let recording = recorded.recorder.read();
    let begin = room();
    recorded.assert_nothing_went_past(Disk::load(begin.path()), &recording);
    let mut chance = Generator::new(7);
    let mut places = recorded.arrivals(&recording);
    places.extend(draw(&mut chance, 40, 0..recording.end()));
    // While the store is made, and while it is opened again.
    places.extend((0..120).step_by(3));
    places.extend((again..again + 60).step_by(3));
    let tried = recorded.assert_kept(Disk::load(begin.path()), &recording, cuts(places)).await;
    assert!(tried > 150, "{tried} cuts");
}

#[tokio::test(flavor = "multi_thread")]
async fn long_values_are_there_after_a_power_cut_too() {
    let recorded = Recorded::new(RigPlan { seed: 22, ..RigPlan::default() });
    let rig = &recorded.rig;
    let service = recorded.start();
    rig.told(EventKind::ShopBaseline).await;
    let sales: Vec<_> = (0..5).map(|_| rig.sell_one().id).collect();
    rig.all_told().await;
    for round in 1..=12 {
        for (i, sale) in sales.iter().enumerate() {
            let length = [600, 6_000, 12_000, 18_000, 20_500][(round + i) % 5];
            rig.shop.edit_sale(sale, SaleEdit::Comment("ก".repeat(length + round))).unwrap();
        }
        rig.all_told().await;
    }
    recorded.stop(service);

    let recording = recorded.recorder.read();
    let begin = room();
    recorded.assert_nothing_went_past(Disk::load(begin.path()), &recording);
    // What lies beside the log is not synced by whoever writes it there.
    let beside = |path: &Path| path.parent().is_some_and(|dir| dir.ends_with("blobs"));
    let made = |what: &What| matches!(what, What::Open { path, creates: true, .. } if beside(path));
    assert!(!recording.steps.iter().any(|step| made(&step.what)), "nothing lies beside the log");
    let mut at = recorded.arrivals(&recording);
    at.extend(draw(&mut Generator::new(8), 60, 0..recording.end()));
    let tried = recorded.assert_kept(Disk::load(begin.path()), &recording, cuts(at)).await;
    assert!(tried > 150, "{tried} cuts");
}

#[tokio::test(flavor = "multi_thread")]
async fn through_12_power_cuts_every_change_is_told_under_one_id() {
    let recorded = Recorded::new(RigPlan { products: 60, sales: 30, seed: 5, ..RigPlan::default() });
    let rig = &recorded.rig;
    let changes = async {
        rig.told(EventKind::ShopBaseline).await;
        make_changes(rig, &rig.shop, 5, 80).await;
    };
    tokio::pin!(changes);
    let mut business = true;
    let mut chance = Generator::new(42);
    for (cut, fate) in [LEAST].iter().chain(&OTHERS).cycle().take(12).enumerate() {
        let before = Disk::load(&recorded.disk());
        recorded.recorder.forget();
        let service = recorded.start();
        // The first ones before the first reading has ended.
        let longest = if cut < 4 { 150 } else { 900 };
        let moment = tokio::time::sleep(Duration::from_millis(20 + chance.below(longest) as u64));
        tokio::pin!(moment);
        loop {
            tokio::select! {
                () = &mut changes, if business => business = false,
                // A cut at a random moment is what is tested here: there is nothing to wait for.
                () = &mut moment => break,
            }
        }
        service.kill();
        let recording = recorded.recorder.read();
        // While it opens what the last cut has left.
        let places = draw(&mut chance, 4, 0..recording.end().min(60));
        let places = places.into_iter().chain([recording.end()]).collect();
        recorded.assert_kept(before.clone(), &recording, cuts(places)).await;
        recorded.lose_power(before, &recording, *fate, &mut chance);
    }
    let service = recorded.start();
    if business {
        changes.await;
    }
    // Told by the last one in any case.
    rig.sell_one();
    let received = rig.all_told().await;
    rig.assert_exact(&received);
    recorded.told_by(Duration::MAX);
    recorded.stop(service);
}
