//! Dead space in the log is won back by writing elsewhere what lives around it, and then its place is used again. What
//! was moved must be on the disk before that.

use std::collections::BTreeMap;
use std::path::Path;

use posbell::demo::shop::Generator;
use posbell::domain::event::EventKind;
use posbell::domain::model::{Quantity, Resource};

use super::disk::Disk;
use super::recorded::{Recorded, room};
use super::recording::{Place, What};
use super::{cuts, draw};
use crate::support::rig::RigPlan;

const RULES: &str = "[[rule]]\nname = \"sales\"\non = [\"sale.*\", \"shop.*\"]\nto = [\"receiver\"]\n";
/// How much of the log is used again as one.
const SEGMENT: usize = 512 * 1024;

#[tokio::test(flavor = "multi_thread")]
async fn what_lies_in_a_log_whose_space_is_used_again_is_there_after_a_power_cut() {
    let plan = RigPlan { products: 1_200, sales: 5, seed: 23, rules: RULES.to_owned(), ..RigPlan::default() };
    let recorded = Recorded::new(plan);
    let rig = &recorded.rig;
    let service = recorded.start();
    rig.told(EventKind::ShopBaseline).await;
    let products = rig.shop.products();
    for round in 1..=14 {
        for product in products.iter().skip(round % 3).step_by(3) {
            rig.shop.set_quantity(product, Quantity::from(500 + round as i64)).unwrap();
        }
        rig.sell_one();
        rig.passes(Resource::Stock, 2).await;
    }
    recorded.stop(service);

    let recording = recorded.recorder.read();
    let begin = room();
    recorded.assert_nothing_went_past(Disk::load(begin.path()), &recording);
    let used_again = used_again(&recording.steps.iter().map(|step| (step.begin, &step.what)).collect::<Vec<_>>());
    assert!(used_again.len() > 3, "places of the log were used again at {used_again:?}");
    let mut places = recorded.arrivals(&recording);
    places.extend(used_again.iter().flat_map(|place| [1, 5, 12].map(|later| (place + later).min(recording.end()))));
    places.extend(draw(&mut Generator::new(9), 25, 0..recording.end()));
    let tried = recorded.assert_kept(Disk::load(begin.path()), &recording, cuts(places)).await;
    assert!(tried > 50, "{tried} cuts");
}

/// Where something is first written into a segment of the log behind which the log had gone on before.
fn used_again(steps: &[(Place, &What)]) -> Vec<Place> {
    let log = |path: &Path| path.ends_with("store/db") || path.ends_with("store.new/db");
    let (mut logs, mut last, mut found) = (BTreeMap::new(), 0, Vec::new());
    for (place, what) in steps {
        match what {
            What::Open { handle, path, .. } => drop(logs.insert(*handle, log(path))),
            What::Write { handle, offset, .. } if logs.get(handle) == Some(&true) => {
                let segment = offset / SEGMENT;
                if segment < last {
                    found.push(*place);
                }
                last = segment;
            }
            _ => {}
        }
    }
    found
}
