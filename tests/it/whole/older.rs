//! Does a store that an older version has written go on as if nothing had happened?

use posbell::domain::event::EventKind;
use posbell::domain::model::Resource;

use crate::support::rig::{Rig, RigPlan, events};

const RULES: &str = r#"
[[rule]]
name = "everything"
on = ["stock.*", "product.*", "shop.*", "pass.*"]
to = ["receiver"]
"#;

/// How form 1 stood on the disk.
#[derive(Clone, Copy)]
enum Form1 {
    /// Rows were nothing but JSON.
    Plain,
    /// Rows had a shorter head, which stood nowhere else.
    Headed,
}

/// Makes of the store one of form 1.
fn age(rig: &Rig, form: Form1) {
    let db = sled::open(rig.path().join("posbell-data/store")).expect("opens");
    for entry in db.scan_prefix("h/") {
        db.remove(entry.expect("reads").0).expect("removes");
    }
    for entry in db.scan_prefix("r/main/stock/") {
        let (key, value) = entry.expect("reads");
        let (head, json) = value.split_at(22);
        let old = match form {
            Form1::Plain => json.to_vec(),
            Form1::Headed => [&[2, head[1] & 3], &head[2..18], json].concat(),
        };
        db.insert(key, old).expect("writes");
    }
    assert_eq!(db.insert("m/form", "1").expect("writes").as_deref(), Some(&b"2"[..]));
}

/// Of a shop with an older store: a product that goes is told once, a list of zeros is held, and one that comes back to
/// life is told by what it was.
async fn goes_on(form: Form1) {
    let rig = Rig::new(RigPlan { rules: RULES.to_owned(), ..RigPlan::default() });
    let service = rig.start();
    rig.told(EventKind::ShopBaseline).await;
    drop(service.stop());
    age(&rig, form);
    let product = rig.shop.products().remove(3);
    rig.shop.remove_product(&product).expect("is there");
    let service = rig.start();
    rig.told(EventKind::ProductRemoved).await;
    rig.shop.zero_all();
    rig.told(EventKind::PassHeld).await;
    rig.passes(Resource::Credit, 2).await;
    drop(service.stop());
    let told: Vec<&str> = rig.receiver.received().iter().flat_map(events).map(|event| event.kind.name()).collect();
    assert_eq!(told, ["shop.baseline", "product.removed", "pass.held"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_with_plain_rows_goes_on() {
    goes_on(Form1::Plain).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_with_shorter_heads_goes_on() {
    goes_on(Form1::Headed).await;
}
