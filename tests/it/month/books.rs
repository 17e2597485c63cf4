//! What is entered, corrected and removed in the shop's books in a month: products, members, vendors, purchases.

use posbell::demo::shop::{Change, Line, MemberEdit, ProductEdit, PurchaseEdit, Refused, VendorEdit};
use posbell::domain::model::{EntityId, Money, Quantity, Subject};

use super::business::{Act as Agenda, Business};

/// Something that is to be done in the books.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Act {
    /// A product that was not there before.
    AddProduct,
    /// Another price or name.
    EditProduct,
    /// The row goes.
    RemoveProduct,
    /// The row says that it is deleted.
    DeleteProduct,
    /// It says so no more.
    RestoreProduct(EntityId),
    /// Back to the customers, once its coming was told.
    Shelve(EntityId),
    AddMember,
    EditMember,
    RemoveMember,
    AddVendor,
    EditVendor,
    RemoveVendor,
    AddPurchase,
    /// A purchase has arrived.
    EditPurchase(EntityId),
    RemovePurchase(EntityId),
    /// The vendor moves every stamp and nothing else.
    Stamps,
}

/// How many products stay on the shelves whatever happens: the favourites and some more.
const STAPLES: usize = 40;

impl Business {
    /// What is to be done in the books today.
    pub(super) fn plan_books(&mut self) {
        use Act::{
            AddMember, AddProduct, AddPurchase, AddVendor, DeleteProduct, EditMember, EditProduct, EditVendor,
            RemoveMember, RemoveProduct, RemoveVendor, Stamps,
        };
        // How many hundredths of a day's chance each has.
        let chances = [
            (AddProduct, 100),
            (EditProduct, 300),
            (RemoveProduct, 40),
            (DeleteProduct, 40),
            (AddMember, 300),
            (EditMember, 400),
            (RemoveMember, 50),
            (AddVendor, 30),
            (EditVendor, 40),
            (RemoveVendor, 15),
            (AddPurchase, 200),
            (Stamps, 30),
        ];
        for (act, hundredths) in chances {
            let times = hundredths / 100 + i64::from(self.between(0, 100) < hundredths % 100);
            for _ in 0..times {
                let at = self.between(8 * 60, 20 * 60);
                self.later(at, Agenda::Book(act.clone()));
            }
        }
    }

    pub(super) fn book(&mut self, act: Act) {
        match act {
            Act::AddProduct => {
                let product = self.shop.add_product("ของใหม่", 50.into()).id;
                self.later(60, Agenda::Book(Act::Shelve(product)));
            }
            Act::EditProduct => self.edit_product(),
            Act::RemoveProduct => {
                if let Some(product) = self.quiet_product(act) {
                    self.shop.remove_product(&product).expect("is there");
                }
            }
            Act::DeleteProduct => {
                if let Some(product) = self.quiet_product(act) {
                    self.shop.edit_product(&product, ProductEdit::Deleted(true)).expect("is there");
                    self.later(26 * 60, Agenda::Book(Act::RestoreProduct(product)));
                }
            }
            Act::RestoreProduct(product) => {
                if !self.shop.awaited_of(&Subject::product(&product)).is_empty() {
                    return self.later(60, Agenda::Book(Act::RestoreProduct(product)));
                }
                self.shop.edit_product(&product, ProductEdit::Deleted(false)).expect("is deleted");
                self.later(60, Agenda::Book(Act::Shelve(product)));
            }
            Act::Shelve(product) => match self.shop.awaited_of(&Subject::product(&product)).is_empty() {
                true => self.shelves.push(product),
                false => self.later(60, Agenda::Book(Act::Shelve(product))),
            },
            Act::AddMember => {
                let name = format!("สมาชิก {}", self.chance.below(1000));
                self.shop.add_member(&name, "0811111111");
            }
            Act::AddVendor => {
                let name = format!("ผู้ขาย {}", self.chance.below(1000));
                self.shop.add_vendor(&name);
            }
            Act::EditMember | Act::RemoveMember | Act::EditVendor | Act::RemoveVendor => self.someone(act),
            Act::AddPurchase => self.buy(),
            Act::EditPurchase(purchase) => {
                let edit = match self.chance.once_in(2) {
                    true => PurchaseEdit::Status("received".to_owned()),
                    false => PurchaseEdit::Total(Money::from(self.between(100, 900))),
                };
                self.unless_awaited(&Subject::purchase(&purchase), Act::EditPurchase(purchase.clone()), |business| {
                    business.shop.edit_purchase(&purchase, edit)
                });
            }
            Act::RemovePurchase(purchase) => {
                self.unless_awaited(&Subject::purchase(&purchase), Act::RemovePurchase(purchase.clone()), |business| {
                    business.shop.remove_purchase(&purchase)
                });
            }
            Act::Stamps => {
                self.shop.bump_members();
                self.shop.bump_products();
            }
        }
    }

    /// Does it now, or later where something of the subject is still to be told.
    fn unless_awaited(
        &mut self,
        subject: &Subject,
        act: Act,
        how: impl FnOnce(&mut Business) -> Result<Change, Refused>,
    ) {
        if !self.shop.awaited_of(subject).is_empty() {
            return self.later(60, Agenda::Book(act));
        }
        match how(self) {
            // It is so already.
            Ok(_) | Err(Refused::Already(_)) => {}
            Err(error) => panic!("{act:?}: {error}"),
        }
    }

    fn edit_product(&mut self) {
        let place = self.chance.below(self.shelves.len());
        let product = self.shelves[place].clone();
        let edit = match self.chance.once_in(4) {
            true => ProductEdit::Name(format!("ชื่อใหม่ {}", self.chance.below(1000))),
            false => ProductEdit::Price(Money::from(self.between(5, 500))),
        };
        let waits =
            self.shop.awaited_of(&Subject::product(&product)).iter().any(|kind| kind.name().starts_with("product."));
        if waits {
            return self.later(60, Agenda::Book(Act::EditProduct));
        }
        match self.shop.edit_product(&product, edit) {
            Ok(_) | Err(Refused::Already(_)) => {}
            Err(error) => panic!("{error}"),
        }
    }

    /// Takes a product from the shelves of which nothing is to be told any more, or tries again later.
    fn quiet_product(&mut self, act: Act) -> Option<EntityId> {
        let place = STAPLES + self.chance.below(self.shelves.len().saturating_sub(STAPLES));
        let found = self.shelves.get(place).cloned();
        let quiet = found.filter(|product| self.shop.awaited_of(&Subject::product(product)).is_empty());
        match quiet {
            Some(product) => {
                self.shelves.remove(place);
                Some(product)
            }
            None => {
                self.later(60, Agenda::Book(act));
                None
            }
        }
    }

    fn someone(&mut self, act: Act) {
        let is_member = matches!(act, Act::EditMember | Act::RemoveMember);
        let all = if is_member { self.shop.members() } else { self.shop.vendors() };
        let Some(id) = self.chance.pick(&all).cloned() else { return };
        let subject = if is_member { Subject::member(&id) } else { Subject::vendor(&id) };
        let number = self.chance.below(1_000_000);
        // Lists must not become empty: an empty one is not believed.
        let may_go = all.len() > 3;
        self.unless_awaited(&subject, act.clone(), |business| match act {
            Act::EditMember if number.is_multiple_of(2) => {
                business.shop.edit_member(&id, MemberEdit::Points(u32::try_from(number).unwrap_or_default()))
            }
            Act::EditMember => business.shop.edit_member(&id, MemberEdit::Phone(format!("09{number:08}"))),
            Act::RemoveMember if may_go => business.shop.remove_member(&id),
            Act::EditVendor => business.shop.edit_vendor(&id, VendorEdit::Phone(format!("02{number:07}"))),
            Act::RemoveVendor if may_go => business.shop.remove_vendor(&id),
            _ => Err(Refused::Already(id.clone())),
        });
    }

    fn buy(&mut self) {
        let (vendors, place) = (self.shop.vendors(), self.chance.below(self.shelves.len()));
        let Some(vendor) = self.chance.pick(&vendors) else { return };
        let line = Line { product: self.shelves[place].clone(), quantity: Quantity::from(self.between(10, 100)) };
        let purchase = self.shop.add_purchase(vendor, &[line]).expect("is known").id;
        match self.between(0, 8) {
            0 => self.later(600, Agenda::Book(Act::RemovePurchase(purchase))),
            1..6 => self.later(1400, Agenda::Book(Act::EditPurchase(purchase))),
            _ => {}
        }
    }
}
