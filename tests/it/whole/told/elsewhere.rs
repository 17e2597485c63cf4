//! A notice that nobody has taken in time goes to the other people of the shop, once.

use super::{chat, messages, shown};
use crate::support::clock::WallClock;
use crate::support::rig::{PATIENCE, Rig, RigPlan};
use crate::support::telegram::{Answer, BotApi};

const RULES: &str = "[[rule]]\nname = \"a\"\non = [\"shop.*\"]\nto = [\"owner\", \"receiver\"]\n\n\
                     [[rule]]\nname = \"b\"\non = [\"stock.*\"]\nto = [\"boss\"]\n";

/// Waits until the first attempt at the owner's chat has failed.
async fn tried_in_vain(rig: &Rig, count: usize) {
    let tried = async {
        while rig.lines(&["deliveries", "--state", "retrying", "--channel", "owner", "--json"]).len() < count {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(PATIENCE, tried).await.unwrap_or_else(|_| panic!("{}", shown(&rig.run(&["status"]))));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_notice_that_nobody_takes_for_five_minutes_goes_to_the_others() {
    let (owner, boss, clock) = (BotApi::start().await, BotApi::start().await, WallClock::build());
    let config = chat("owner", &owner) + &chat("boss", &boss);
    let rig = Rig::new(RigPlan { config, rules: RULES.to_owned(), ..RigPlan::default() });
    let service = rig.start_with(|command| clock.hang(command));
    messages(&owner, 1).await;
    owner.answer(Answer::Html);
    rig.shop.revoke_key();
    tried_in_vain(&rig, 1).await;
    assert_eq!(boss.messages(), []);
    // A restart in between forgets nothing.
    service.kill();
    clock.ahead_by(4 * 60);
    let service = rig.start_with(|command| clock.hang(command));
    tried_in_vain(&rig, 1).await;
    assert_eq!(boss.messages(), []);
    clock.ahead_by(6 * 60);
    let said = messages(&boss, 1).await.remove(0).text;
    assert!(said.contains("posbell resume main"), "{said}");
    // What a kill finds on its way would come twice.
    while rig.lines(&["deliveries", "--state", "delivered", "--channel", "boss", "--json"]).is_empty() {
        tokio::task::yield_now().await;
    }
    service.kill();
    let service = rig.start_with(|command| clock.hang(command));
    tried_in_vain(&rig, 1).await;
    assert_eq!(boss.messages().len(), 1);
    assert_eq!(rig.lines(&["deliveries", "--channel", "boss", "--json"]).len(), 1);
    drop(service);
}
