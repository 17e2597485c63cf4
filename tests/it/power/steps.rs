//! Killed before each of its steps in turn: each file that it opens, writes, syncs, renames or removes.

use std::os::unix::process::ExitStatusExt as _;
use std::process::Stdio;

use posbell::domain::event::{Epoch, EventKind, Scribe};
use posbell::domain::model::{ShopId, Timestamp};
use posbell::edge::store::{Commit, Store};

use super::recorded::Recorded;
use crate::support::rig::{Rig, RigPlan};
use crate::whole::copies::done;

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

/// How many events the store has that the commands see.
fn count(rig: &Rig) -> usize {
    done(&rig.run(&["export", "events"])).lines().count()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restore_that_is_killed_before_any_of_its_steps_leaves_the_old_store_or_the_new_one() {
    const EVENTS: u64 = 200;
    let recorded = Recorded::new(RigPlan::default());
    let rig = &recorded.rig;
    let data = recorded.disk().join("data");
    let epoch = Epoch::from_random([7; 16]);
    let seen = Timestamp::from_timestamp(1_700_000_000, 0).unwrap();
    let scribe = Scribe::new(ShopId::new("main").unwrap(), "Test shop", epoch.clone(), seen);
    let file = |name: &str| rig.path().join(name).to_str().unwrap().to_owned();
    for (name, numbers) in [("small", 0..EVENTS), ("large", EVENTS..EVENTS + 1)] {
        let store = Store::open_or_create(&data, epoch.clone()).unwrap();
        let events = numbers.map(|n| (seen, scribe.key_rejected(n, 401))).collect();
        store.commit(Commit { events, ..Commit::default() }).await.unwrap();
        drop(store);
        done(&rig.run(&["backup", &file(name)]));
    }
    let (mut in_place, mut swapped) = (EVENTS as usize + 1, 0);
    for step in 1.. {
        // Always the other one, so that what is in place shows whether it was taken.
        let (name, wanted) = match in_place == EVENTS as usize {
            true => ("large", EVENTS as usize + 1),
            false => ("small", EVENTS as usize),
        };
        let mut command = rig.command(&["restore", &file(name)]);
        recorded.recorder.watch(&mut command, &recorded.disk());
        let status = command.env("POSBELL_RECORD_KILL_AT", step.to_string()).stdout(Stdio::null()).status().unwrap();
        let found = count(rig);
        assert!(found == in_place || found == wanted, "{found} events after a kill before step {step}");
        swapped += usize::from(found != in_place);
        in_place = found;
        if status.success() {
            println!("{} kills, {swapped} of them behind the swap", step - 1);
            assert!(step > 40 && found == wanted && swapped > 1, "{step} steps, {swapped} behind the swap");
            break;
        }
        assert_eq!(status.signal(), Some(9), "before step {step}: {status}");
    }
    let names = std::fs::read_dir(&data).unwrap().map(|entry| entry.unwrap().file_name());
    let aside = names.filter(|name| name.to_string_lossy().starts_with("store.before-restore.")).count();
    assert!(aside >= swapped, "a store was not set aside: {aside} of {swapped}");
}
