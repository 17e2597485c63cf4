//! What happens in the demo: first a sale, a shortage and a cancel, so that nobody has to wait for them, then whatever
//! the seed brings.

use std::time::Duration;

use super::receiver::Receiver;
use super::shop::{Change, Line, SimulatedShop};
use super::{DemoPlan, DemoReport, Print};
use crate::domain::event::{Event, EventKind};
use crate::domain::model::{EntityId, Quantity};

/// The pause between two changes at speed 1: slow enough to read along.
const PACE: Duration = Duration::from_millis(1500);

/// What is kept of the asked length for the last messages.
const RESERVED: Duration = Duration::from_secs(1);

/// How long the last messages may take when the time is over.
const LAST_MESSAGES: Duration = Duration::from_secs(3);

/// Lets the shop do business until the time is over or `end` returns, and says what became of it.
pub(super) async fn play(
    plan: &DemoPlan,
    shop: &SimulatedShop,
    receiver: &Receiver,
    print: &Print,
    end: impl Future<Output = ()>,
) -> DemoReport {
    // The last messages normally come within the asked length too.
    let length = plan.length.map(|length| length.saturating_sub(RESERVED.min(length / 2)));
    let over = async {
        match length {
            Some(length) => tokio::time::sleep(length).await,
            None => std::future::pending().await,
        }
    };
    tokio::select! {
        () = business(plan, shop, receiver, print) => {}
        () = over => {}
        () = end => {}
    }
    let arrived = async {
        receiver.wait_for(|_| shop.journal().awaited() == 0).await;
    };
    // What has not arrived by then is counted as not arrived.
    drop(tokio::time::timeout(LAST_MESSAGES, arrived).await);
    let journal = shop.journal();
    let owed = journal.expected().len();
    let report = DemoReport {
        owed,
        arrived: owed - journal.awaited(),
        forged: receiver.forged(),
        violations: shop.quota_violations(),
    };
    print(&format!(
        "\nThe shop owed {} messages and {} have arrived; {} had a wrong signature; {} of {} calls were over the quota.",
        report.owed,
        report.arrived,
        report.forged,
        report.violations,
        shop.calls()
    ));
    report
}

async fn business(plan: &DemoPlan, shop: &SimulatedShop, receiver: &Receiver, print: &Print) {
    receiver.wait_for(|all| all.iter().any(|one| is(&one.body, EventKind::ShopBaseline))).await;
    let pace = PACE.div_f64(plan.speed);
    let mut first = None;
    for scene in [Scene::Sale, Scene::Shortage, Scene::Cancel] {
        tokio::time::sleep(pace).await;
        let (what, change) = scene.happen(shop, first.as_ref());
        if let Some(change) = change {
            print(&format!("shop       {what}"));
            first.get_or_insert(change.id);
        }
        receiver.wait_for(|_| shop.journal().awaited() == 0).await;
    }
    let mut script = shop.script(plan.seed);
    loop {
        tokio::time::sleep(pace).await;
        if let Some(step) = script.step() {
            print(&format!("shop       {}", step.description));
        }
    }
}

fn is(body: &str, kind: EventKind) -> bool {
    Event::from_json(body).is_ok_and(|event| event.kind == kind)
}

#[derive(Clone, Copy)]
enum Scene {
    Sale,
    Shortage,
    Cancel,
}

impl Scene {
    fn happen(self, shop: &SimulatedShop, first_sale: Option<&EntityId>) -> (String, Option<Change>) {
        match self {
            Scene::Sale => {
                let product = full_shelf(shop, 0);
                let sold = product.map(|product| shop.sell(&[Line { product, quantity: Quantity::from(2) }]));
                ("sold two of a product".to_owned(), sold.and_then(Result::ok))
            }
            Scene::Shortage => {
                let product = full_shelf(shop, 1);
                let left = product.as_ref().and_then(|product| shop.quantity(product));
                let sold = product.zip(left).map(|(product, quantity)| shop.sell(&[Line { product, quantity }]));
                ("sold all that was left of another product".to_owned(), sold.and_then(Result::ok))
            }
            Scene::Cancel => {
                let cancelled = first_sale.map(|sale| shop.cancel(sale, "wrong customer"));
                ("cancelled the first sale".to_owned(), cancelled.and_then(Result::ok))
            }
        }
    }
}

/// The `nth` product of which more than a shortage is left.
fn full_shelf(shop: &SimulatedShop, nth: usize) -> Option<EntityId> {
    let enough = Quantity::from(12);
    shop.products().into_iter().filter(|id| shop.quantity(id).is_some_and(|left| left >= enough)).nth(nth)
}
