//! Killed before each of its steps in turn: each file that it opens, writes, syncs, renames or removes.

use std::os::unix::process::ExitStatusExt as _;

use posbell::domain::event::EventKind;

use super::recorded::Recorded;
use crate::support::rig::RigPlan;

/// How many steps making a store and the first reading take, and a start with a sale and what is told of it. What comes
/// later is of the same kind.
const MAKING: usize = 60;
const STEPS: usize = 120;

#[tokio::test(flavor = "multi_thread")]
async fn killed_before_each_of_its_steps_it_tells_every_change_under_one_id() {
    let quota = (4_000, std::time::Duration::from_secs(1));
    let recorded = Recorded::new(RigPlan { products: 40, sales: 10, seed: 31, quota, ..RigPlan::default() });
    let rig = &recorded.rig;
    // From an empty directory on, so that the store is made in some of these steps.
    for step in 1..=MAKING {
        killed_before(&recorded, step).await;
    }
    let service = recorded.start();
    rig.told(EventKind::ShopBaseline).await;
    recorded.stop(service);
    for step in 1..=STEPS {
        rig.sell_one();
        killed_before(&recorded, step).await;
    }
    let told = rig.receiver.received().len();
    assert!(told > STEPS / 4, "only {told} messages left before a kill: it came before the delivery each time");
    let service = recorded.start();
    rig.sell_one();
    let received = rig.all_told().await;
    rig.assert_exact(&received);
    recorded.stop(service);
}

async fn killed_before(recorded: &Recorded, step: usize) {
    let service = recorded.start_until(step);
    let (status, log) = tokio::task::spawn_blocking(move || service.ended()).await.unwrap();
    assert_eq!(status.signal(), Some(9), "before step {step}: {status}: {log}");
}
