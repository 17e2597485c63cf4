//! Does a store that an older version has written go on as if nothing had happened?

use posbell::domain::diff::Known;
use posbell::domain::event::EventKind;
use posbell::domain::model::{Resource, ShopId};
use posbell::edge::store::Store;
use serde_json::value::RawValue;

use crate::support::rig::{Rig, RigPlan, events};

const RULES: &str = r#"
[[rule]]
name = "everything"
on = ["stock.*", "product.*", "shop.*", "pass.*"]
to = ["receiver"]
"#;

/// How an older form stood on the disk.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Older {
    /// Form 1: rows were nothing but JSON.
    Plain,
    /// Form 1: rows had a shorter head, which stood nowhere else.
    Headed,
    /// Form 2: rows had a longer head, which stood a second time under a key of its own. Nothing said what must be there.
    TwoHeads,
}

impl Older {
    fn form(self) -> &'static str {
        match self {
            Older::Plain | Older::Headed => "1",
            Older::TwoHeads => "2",
        }
    }
}

/// Makes of the store one of an older form, as far as products go.
async fn age(rig: &Rig, form: Older) {
    let dir = rig.path().join("posbell-data");
    let store = Store::open_existing(&dir).expect("opens");
    let (shop, stock) = (ShopId::new("main").expect("is an id"), Resource::Stock);
    let known = store.known::<Box<RawValue>>(&shop, stock).await.expect("reads");
    let heads = store.heads(&shop, stock).await.expect("reads").expect("are there");
    drop(store);
    let Known::Rows { rows, .. } = known else { panic!("there are no products") };
    // sled's threads may keep its lock for a moment after it was dropped.
    std::fs::File::open(dir.join("store/db")).and_then(|db| db.lock()).expect("is closed");
    let db = sled::open(dir.join("store")).expect("opens");
    std::fs::write(dir.join("store/posbell.made"), "").expect("is writable");
    for key in db.range("\u{7f}"..).chain(db.scan_prefix("r/main/stock/")).map(|entry| entry.map(|(key, _)| key)) {
        db.remove(key.expect("reads")).expect("removes");
    }
    for (id, json) in rows {
        let head = heads.get(&id).expect("is there");
        let flags = u8::from(head.unsettled) | u8::from(head.gone) << 1;
        let print = [head.fingerprint.expect("was read").to_bytes(), [7; 8]].concat();
        let head = match form {
            Older::Plain => Vec::new(),
            Older::Headed => [&[2, flags], &print[..]].concat(),
            Older::TwoHeads => {
                [&[3, flags | (head.level as u8) << 3], &print[..], &head.tag.to_be_bytes()[..]].concat()
            }
        };
        if form == Older::TwoHeads {
            db.insert(format!("h/main/stock/{id}"), &head[..]).expect("writes");
        }
        db.insert(format!("r/main/stock/{id}"), [&head[..], json.get().as_bytes()].concat()).expect("writes");
    }
    assert_eq!(db.insert("m/form", form.form()).expect("writes").as_deref(), Some(&b"3"[..]));
}

/// Of a shop with an older store: a product that goes is told once, a list of zeros is held, and one that comes back to
/// life is told by what it was.
async fn goes_on(form: Older) {
    let rig = Rig::new(RigPlan { rules: RULES.to_owned(), ..RigPlan::default() });
    let service = rig.start();
    rig.told(EventKind::ShopBaseline).await;
    drop(service.stop());
    age(&rig, form).await;
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
async fn a_store_with_two_heads_for_each_row_goes_on() {
    goes_on(Older::TwoHeads).await;
}
