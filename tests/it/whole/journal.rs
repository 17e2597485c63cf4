//! What is told is what happened: no more, no less, and nothing at the first reading.

use posbell::demo::shop::SimulatedShop;
use posbell::domain::event::EventKind;

use crate::support::rig::{PATIENCE, Rig, RigPlan, event};

/// Makes `count` changes, waiting for messages whenever the shop has nothing that it may do without hiding one.
pub(crate) async fn make_changes(rig: &Rig, shop: &SimulatedShop, seed: u64, count: usize) {
    let mut script = shop.script(seed);
    for _ in 0..count {
        let awaited = shop.journal().awaited();
        while script.step().is_none() {
            let fewer = rig.receiver.wait_for(|_| shop.journal().awaited() < awaited);
            tokio::time::timeout(PATIENCE, fewer).await.expect("a message arrives");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_reading_tells_only_that_it_was_made() {
    let rig = Rig::new(RigPlan { products: 450, sales: 70, ..RigPlan::default() });
    let service = rig.start();
    let received = rig.told(EventKind::ShopBaseline).await;
    assert_eq!(received.len(), 1, "{received:?}");
    let body: serde_json::Value = serde_json::from_str(&received[0].body).expect("is JSON");
    assert_eq!(body["data"]["details"]["products"], 450);
    assert_eq!(body["data"]["details"]["sales"], 70);
    assert_eq!(body["data"]["shop"]["name"], "Test shop");
    let (status, log) = service.stop();
    assert!(status.success(), "{log}");
    assert_eq!(rig.lines(&["events", "--json"]).len(), 1, "nothing else is in the log of events");
}

#[tokio::test(flavor = "multi_thread")]
async fn over_200_changes_what_is_told_is_the_shops_own_journal() {
    let rig = Rig::new(RigPlan { products: 450, sales: 70, seed: 11, ..RigPlan::default() });
    let service = rig.start();
    rig.told(EventKind::ShopBaseline).await;
    make_changes(&rig, &rig.shop, 11, 200).await;
    let received = rig.all_told().await;
    rig.assert_exact(&received);
    let kinds: std::collections::BTreeSet<EventKind> = received.iter().map(|one| event(one).kind).collect();
    for kind in [EventKind::SaleCreated, EventKind::SaleCancelled, EventKind::StockOut, EventKind::CreditOverdue] {
        assert!(kinds.contains(&kind), "the seed makes no {kind}: choose another");
    }
    drop(service);
}
