//! Those who wait: in which order they go, and that no turn is lost with one who gives up.

use std::pin::pin;
use std::task::{Context, Waker};

use tokio::task::JoinSet;

use super::*;
use crate::edge::pospos::quota::SystemBootClock;

/// Longer than anything here can take: a waiter that was not woken never comes.
const NEVER: Duration = Duration::from_secs(60);

/// A governor that tasks can share, on the machine's own clock.
fn on_the_real_clock(limit: &str) -> (Room, Arc<Governor>) {
    let room = Room::new();
    let governor = Governor::open(room.dir.path(), &room.key, limits(&[limit]), Arc::new(SystemBootClock)).unwrap();
    (room, Arc::new(governor))
}

/// Polls once, so that the future stands at its first await, and drops it there.
fn give_up<T>(future: impl Future<Output = T>) {
    assert!(pin!(future).as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
}

/// A task that waits for a place; polled only when it is woken.
fn wait(tasks: &mut JoinSet<Permit>, governor: &Arc<Governor>, urgency: Urgency) {
    let governor = Arc::clone(governor);
    tasks.spawn(async move { governor.permit(urgency).await.unwrap() });
}

async fn next(tasks: &mut JoinSet<Permit>) -> Permit {
    tokio::time::timeout(NEVER, tasks.join_next()).await.expect("a turn was lost").unwrap().unwrap()
}

#[tokio::test]
async fn calls_are_let_go_in_order_and_apart() {
    let (_room, governor) = on_the_real_clock("2/60ms");
    let call = |n: u32| {
        let governor = &governor;
        async move {
            let permit = governor.permit(Urgency::Sales).await.unwrap();
            let left = SystemBootClock.now();
            permit.end();
            (n, left)
        }
    };
    let (a, b, c, d, e) = tokio::join!(call(0), call(1), call(2), call(3), call(4));
    let calls = [a, b, c, d, e];
    assert!(calls.is_sorted_by_key(|&(_, left)| left), "first come, first served");
    for pair in calls.windows(3) {
        assert!(pair[2].1 - pair[0].1 > Duration::from_millis(60), "{calls:?}");
    }
}

#[tokio::test]
async fn the_more_urgent_goes_first() {
    let (_room, governor) = on_the_real_clock("1/60ms");
    let gone = Mutex::new(Vec::new());
    let call = |urgency| {
        let (governor, gone) = (&governor, &gone);
        async move {
            governor.permit(urgency).await.unwrap().end();
            gone.lock().unwrap().push(urgency);
        }
    };
    tokio::join!(call(Urgency::Sweep), call(Urgency::Person), call(Urgency::Refresh), call(Urgency::Sales));
    assert_eq!(*gone.lock().unwrap(), Urgency::ALL);
}

#[tokio::test]
async fn sweeps_leave_a_fiftieth_to_a_sale() {
    let (_room, governor) = Room::rested("100/10s");
    for _ in 0..98 {
        governor.permit(Urgency::Sweep).await.unwrap().end();
    }
    give_up(governor.permit(Urgency::Sweep));
    for _ in 0..2 {
        governor.permit(Urgency::Sales).await.unwrap().end();
    }
    give_up(governor.permit(Urgency::Sales));
}

#[tokio::test]
async fn who_gives_up_while_a_group_is_written_leaves_its_places_to_the_next() {
    let (room, governor) = Room::rested("300/10s");
    let governor = Arc::new(governor);
    let mut tasks = JoinSet::new();
    {
        let _held = governor.books.file.lock().unwrap();
        give_up(governor.permit(Urgency::Sales));
        wait(&mut tasks, &governor, Urgency::Sweep);
    }
    next(&mut tasks).await.end();
    assert_eq!((left(&governor), room.ledger().matches("\n+ ").count()), (vec![299], 1), "no place was lost");
}

#[tokio::test]
async fn who_gives_up_its_turn_wakes_the_next() {
    let (room, governor) = Room::rested("1/10s");
    let governor = Arc::new(governor);
    governor.permit(Urgency::Sales).await.unwrap().end();
    let mut tasks = JoinSet::new();
    let mut first = Box::pin(governor.permit(Urgency::Sales));
    assert!(first.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending(), "sleeps until one is free");
    wait(&mut tasks, &governor, Urgency::Sales);
    tokio::task::yield_now().await;
    room.pass(11);
    drop(first);
    next(&mut tasks).await.end();
}

#[tokio::test]
async fn who_gives_up_in_the_middle_of_the_queue_changes_nothing() {
    let (room, governor) = Room::rested("1/10s");
    let governor = Arc::new(governor);
    governor.permit(Urgency::Sales).await.unwrap().end();
    let mut tasks = JoinSet::new();
    wait(&mut tasks, &governor, Urgency::Sales);
    tokio::task::yield_now().await;
    give_up(governor.permit(Urgency::Sales));
    wait(&mut tasks, &governor, Urgency::Sweep);
    tokio::task::yield_now().await;
    room.pass(11);
    governor.set_limits(limits(&["2/10s"]));
    next(&mut tasks).await.end();
    next(&mut tasks).await.end();
}

#[tokio::test]
async fn looser_limits_wake_who_waits() {
    let (_room, governor) = Room::rested("1/1h");
    let governor = Arc::new(governor);
    governor.permit(Urgency::Sales).await.unwrap().end();
    let mut tasks = JoinSet::new();
    wait(&mut tasks, &governor, Urgency::Sales);
    wait(&mut tasks, &governor, Urgency::Sales);
    tokio::task::yield_now().await;
    governor.set_limits(limits(&["3/1h"]));
    next(&mut tasks).await.end();
    next(&mut tasks).await.end();
}

#[tokio::test]
async fn a_failed_write_is_told_to_each_who_waits_and_blocks_nobody() {
    let (room, governor) = Room::rested("300/10s");
    governor.books.file.lock().unwrap().swap(None);
    let away = room.dir.path().with_extension("away");
    std::fs::rename(room.dir.path(), &away).unwrap();
    let call = |urgency| governor.permit(urgency);
    let all = async { tokio::join!(call(Urgency::Sweep), call(Urgency::Sales), call(Urgency::Sales)) };
    let (a, b, c) = tokio::time::timeout(NEVER, all).await.expect("a turn was lost");
    assert!(a.is_err() && b.is_err() && c.is_err());
    std::fs::rename(&away, room.dir.path()).unwrap();
    governor.permit(Urgency::Sales).await.unwrap().end();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn in_a_crowd_that_gives_up_at_any_moment_everybody_else_is_served() {
    let (_room, governor) = on_the_real_clock("60/50ms");
    let mut stay = JoinSet::new();
    let mut go = JoinSet::new();
    for n in 0..600u64 {
        let urgency = Urgency::ALL[usize::try_from(n).unwrap() % 4];
        let governor = Arc::clone(&governor);
        if n % 3 == 0 {
            let patience = Duration::from_micros(n * 7919 % 400_000);
            go.spawn(async move {
                if let Ok(permit) = tokio::time::timeout(patience, governor.permit(urgency)).await {
                    permit.unwrap().end();
                }
            });
        } else {
            stay.spawn(async move { governor.permit(urgency).await.unwrap().end() });
        }
    }
    let all = async { while stay.join_next().await.transpose().unwrap().is_some() {} };
    tokio::time::timeout(NEVER, all).await.expect("a turn was lost");
    while go.join_next().await.transpose().unwrap().is_some() {}
}
