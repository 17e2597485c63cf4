//! Lists that have no rows yet: an answer, and no baseline.

use posbell::domain::event::{EventData, EventKind, ShopDetails};
use posbell::domain::model::Resource;

use crate::support::rig::{PATIENCE, Rig, RigPlan, event};

const RULES: &str = r#"
[[rule]]
name = "everything"
on = ["vendor.*", "shop.*"]
to = ["receiver"]
"#;

fn shop_without_suppliers() -> Rig {
    Rig::new(RigPlan { vendors: 0, purchases: 0, rules: RULES.to_owned(), ..RigPlan::default() })
}

fn status(rig: &Rig) -> String {
    String::from_utf8(rig.run(&["status"]).stdout).expect("is text")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shop_without_suppliers_gets_its_first_message_and_fails_nowhere() {
    let rig = shop_without_suppliers();
    let service = rig.start();
    // Waited for less long than a list that is not answered is.
    let received = rig.told(EventKind::ShopBaseline).await;
    let EventData::Shop { details: ShopDetails::Baseline(counts), .. } = event(&received[0]).data else {
        panic!("{received:?}")
    };
    assert_eq!((counts.vendors, counts.purchases, counts.products), (Some(0), Some(0), Some(40)));
    for resource in [Resource::Vendors, Resource::BuyDocuments] {
        let said = rig.resource(resource);
        assert_eq!((&said["empty_so_far"], said["passed_at"].is_null()), (&true.into(), true), "{said}");
    }
    assert_eq!(rig.resource(Resource::Members)["empty_so_far"], false);
    let said = status(&rig);
    assert_eq!(said.matches("empty so far").count(), 2, "{said}");
    let (_, log) = service.stop();
    assert!(!said.contains("failing") && !log.contains("could not be read"), "{said}{log}");
    assert_eq!(log.matches("empty so far").count(), 2, "said once of each: {log}");
    assert!(status(&rig).contains("not read yet"), "nothing is kept of an empty list");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_rows_of_an_empty_list_are_its_baseline_and_the_next_is_an_event() {
    let rig = shop_without_suppliers();
    let service = rig.start();
    rig.told(EventKind::ShopBaseline).await;
    rig.shop.add_vendor("The first mill");
    let baseline = async {
        while rig.resource(Resource::Vendors)["passed_at"].is_null() {
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(PATIENCE, baseline).await.expect("the list is taken in");
    assert_eq!(rig.resource(Resource::Vendors)["empty_so_far"], false);
    let second = rig.shop.add_vendor("Another mill");
    let received = rig.told(EventKind::VendorCreated).await;
    assert_eq!(received.len(), 2, "the baseline, and the second vendor");
    assert_eq!(event(&received[1]).subject.as_str(), format!("vendor/{}", second.id));
    drop(service);
}
