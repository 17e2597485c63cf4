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

/// How an older form stood on the disk.
#[derive(Clone, Copy)]
enum Older {
    /// Form 1, first: rows were nothing but JSON.
    Plain,
    /// Form 1, later: rows had a shorter head, which stood nowhere else.
    Headed,
    /// Form 2: nothing said what must be there.
    Unlisted,
}

impl Older {
    fn form(self) -> &'static str {
        match self {
            Older::Plain | Older::Headed => "1",
            Older::Unlisted => "2",
        }
    }
}

/// Makes of the store one of an older form.
fn age(rig: &Rig, form: Older) {
    let path = rig.path().join("posbell-data/store");
    let db = sled::open(&path).expect("opens");
    for entry in db.range("\u{7f}"..) {
        db.remove(entry.expect("reads").0).expect("removes");
    }
    std::fs::write(path.join("posbell.made"), "").expect("is writable");
    let was = db.insert("m/form", form.form()).expect("writes");
    assert_eq!(was.as_deref(), Some(&b"3"[..]));
    if matches!(form, Older::Unlisted) {
        return;
    }
    for entry in db.scan_prefix("h/") {
        db.remove(entry.expect("reads").0).expect("removes");
    }
    for entry in db.scan_prefix("r/main/stock/") {
        let (key, value) = entry.expect("reads");
        let (head, json) = value.split_at(22);
        let old = match form {
            Older::Headed => [&[2, head[1] & 3], &head[2..18], json].concat(),
            Older::Plain | Older::Unlisted => json.to_vec(),
        };
        db.insert(key, old).expect("writes");
    }
}

/// Of a shop with an older store: a product that goes is told once, a list of zeros is held, and one that comes back to
/// life is told by what it was.
async fn goes_on(form: Older) {
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
    // What it was is there for whoever must go back to the older version.
    let aside = rig.path().join("posbell-data").join(format!("store.form-{}", form.form()));
    let old = sled::open(aside).expect("opens").get("m/form").expect("reads");
    assert_eq!(old.as_deref(), Some(form.form().as_bytes()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_with_plain_rows_goes_on() {
    goes_on(Older::Plain).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_with_shorter_heads_goes_on() {
    goes_on(Older::Headed).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_without_a_list_of_what_must_be_in_it_goes_on() {
    goes_on(Older::Unlisted).await;
}
