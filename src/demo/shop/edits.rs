//! What is entered, edited and removed in the shop's books: sales, products, members, vendors, purchase documents.
//!
//! What is sold, lent and paid is in [`super::changes`].

use super::changes::{Change, Refused};
use super::level::Watch;
use super::listed::{Listed, Row};
use super::news::News;
use super::people::{member, vendor};
use super::state::{Basket, IdOf, World, id, plus};
use super::things::{Product, SoldLine};
use crate::domain::model::{EntityId, Money, Quantity, Timestamp};

/// What a cashier changes on a bill that stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SaleEdit {
    /// Another note.
    Comment(String),
    /// Another sum.
    Total(Money),
}

/// What is changed of a product besides its quantity.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ProductEdit {
    /// Another name.
    Name(String),
    /// Another price.
    Price(Money),
    /// Whether its row says that it is deleted.
    Deleted(bool),
}

/// What is changed of a member.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MemberEdit {
    /// Another first name.
    Firstname(String),
    /// Another telephone number, as somebody types it.
    Phone(String),
    /// Other points.
    Points(u32),
}

/// What is changed of a vendor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum VendorEdit {
    /// Another company name.
    Name(String),
    /// Another telephone number.
    Phone(String),
}

/// What is changed of a purchase document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PurchaseEdit {
    /// Another status.
    Status(String),
    /// Another sum.
    Total(Money),
}

/// Puts the new value in place; false where it was there already.
fn put<T: PartialEq>(place: &mut T, value: T) -> bool {
    let differs = *place != value;
    *place = value;
    differs
}

/// The row to be edited.
fn known<'a, T: Row>(listed: &'a mut Listed<T>, id: &EntityId) -> Result<&'a mut T, Refused> {
    listed.get_mut(id).ok_or_else(|| Refused::Unknown(id.clone()))
}

impl World {
    /// The end of every edit: refused where nothing is another than before, else told.
    fn edited(&mut self, differs: bool, news: News, id: &EntityId, now: Timestamp) -> Result<Change, Refused> {
        if differs { Ok(self.change(news, id, now)) } else { Err(Refused::Already(id.clone())) }
    }

    /// The end of every removal.
    fn removed<T>(&mut self, row: Option<T>, news: News, id: &EntityId, now: Timestamp) -> Result<Change, Refused> {
        row.map(|_| self.change(news, id, now)).ok_or_else(|| Refused::Unknown(id.clone()))
    }

    /// Changes a bill that stands.
    pub(super) fn edit_sale(&mut self, id: &EntityId, edit: SaleEdit, now: Timestamp) -> Result<Change, Refused> {
        let sale = known(&mut self.sales, id)?;
        if sale.cancelled.is_some() {
            return Err(Refused::Already(id.clone()));
        }
        let differs = match edit {
            SaleEdit::Comment(comment) => put(&mut sale.comment, comment),
            SaleEdit::Total(total) => put(&mut sale.total, total),
        };
        self.edited(differs, News::SaleEdited, id, now)
    }

    /// Enters a product. Finding it makes no event of its level.
    pub(super) fn add_product(&mut self, name: &str, quantity: Quantity, now: Timestamp) -> Change {
        let number = self.numbers.next(IdOf::Product);
        let id = id(IdOf::Product, self.plan.seed, number);
        self.products.push(Product {
            id: id.clone(),
            code: format!("PK66{number:06}"),
            name: format!("{name} {number}"),
            barcode: String::new(),
            category: None,
            unit: None,
            price: Money::from(20),
            cost: None,
            quantity: plus(quantity, Quantity::ZERO),
            min_stock: Quantity::ZERO,
            weighed: false,
            lastupdate: now,
            deleted: false,
            watch: Watch::starting_at(quantity, &self.plan.threshold),
        });
        self.change(News::ProductAdded, &id, now)
    }

    /// Changes a product's data.
    pub(super) fn edit_product(&mut self, id: &EntityId, edit: ProductEdit, now: Timestamp) -> Result<Change, Refused> {
        let threshold = self.plan.threshold;
        let product = known(&mut self.products, id)?;
        product.lastupdate = now;
        let (differs, news) = match edit {
            ProductEdit::Name(name) => (put(&mut product.name, name), News::ProductEdited),
            ProductEdit::Price(price) => (put(&mut product.price, price), News::ProductEdited),
            ProductEdit::Deleted(true) => (put(&mut product.deleted, true), News::ProductRemoved),
            ProductEdit::Deleted(false) => {
                // What is back was removed before, so nothing is known of its level.
                product.watch = Watch::starting_at(product.quantity, &threshold);
                (put(&mut product.deleted, false), News::ProductEdited)
            }
        };
        self.edited(differs, news, id, now)
    }

    /// Takes a product's row out of the list.
    pub(super) fn remove_product(&mut self, id: &EntityId, now: Timestamp) -> Result<Change, Refused> {
        let row = self.products.remove(id);
        self.removed(row, News::ProductRemoved, id, now)
    }

    /// Enters a member.
    pub(super) fn add_member(&mut self, firstname: &str, phone: &str, now: Timestamp) -> Change {
        let number = self.numbers.next(IdOf::Member);
        let mut member = member(number, self.plan.seed, now);
        member.card.firstname = firstname.to_owned();
        member.card.phone = phone.to_owned();
        (member.created_at, member.updated_at) = (now, now);
        let id = member.id.clone();
        self.members.push(member);
        self.change(News::MemberAdded, &id, now)
    }

    /// Changes a member's data.
    pub(super) fn edit_member(&mut self, id: &EntityId, edit: MemberEdit, now: Timestamp) -> Result<Change, Refused> {
        let member = known(&mut self.members, id)?;
        member.updated_at = now;
        let differs = match edit {
            MemberEdit::Firstname(firstname) => put(&mut member.card.firstname, firstname),
            MemberEdit::Phone(phone) => put(&mut member.card.phone, phone),
            MemberEdit::Points(points) => put(&mut member.points, points),
        };
        self.edited(differs, News::MemberEdited, id, now)
    }

    /// Takes a member out of the list.
    pub(super) fn remove_member(&mut self, id: &EntityId, now: Timestamp) -> Result<Change, Refused> {
        let row = self.members.remove(id);
        self.removed(row, News::MemberRemoved, id, now)
    }

    /// Enters a vendor.
    pub(super) fn add_vendor(&mut self, name: &str, now: Timestamp) -> Change {
        let number = self.numbers.next(IdOf::Vendor);
        let mut vendor = vendor(number, self.plan.seed, now);
        vendor.name = name.to_owned();
        vendor.created_at = now;
        let id = vendor.id.clone();
        self.vendors.push(vendor);
        self.change(News::VendorAdded, &id, now)
    }

    /// Changes a vendor's data.
    pub(super) fn edit_vendor(&mut self, id: &EntityId, edit: VendorEdit, now: Timestamp) -> Result<Change, Refused> {
        let vendor = known(&mut self.vendors, id)?;
        let differs = match edit {
            VendorEdit::Name(name) => put(&mut vendor.name, name),
            VendorEdit::Phone(phone) => put(&mut vendor.phone, phone),
        };
        self.edited(differs, News::VendorEdited, id, now)
    }

    /// Takes a vendor out of the list; what was bought of it stays.
    pub(super) fn remove_vendor(&mut self, id: &EntityId, now: Timestamp) -> Result<Change, Refused> {
        let row = self.vendors.remove(id);
        self.removed(row, News::VendorRemoved, id, now)
    }

    /// Writes a purchase document, where it is known of whom. Whether the real one fills shelves is unknown, and a
    /// quantity that moved with it would make two changes of one.
    pub(super) fn add_purchase(&mut self, vendor: Option<&EntityId>, basket: &Basket, now: Timestamp) -> Change {
        let lines: Vec<SoldLine> =
            basket.iter().filter_map(|(product, quantity)| self.line(product, *quantity)).collect();
        let vendor = vendor.and_then(|vendor| self.vendors.get(vendor));
        let vendor = vendor.map(|vendor| (vendor.code.clone(), vendor.name.clone()));
        let purchase = self.new_purchase(vendor.unwrap_or_default(), "pending", lines, now);
        let id = purchase.id.clone();
        self.purchases.insert_by(purchase, |purchase| (purchase.issued_at, purchase.code.clone()));
        self.change(News::PurchaseAdded, &id, now)
    }

    /// Changes a purchase document.
    pub(super) fn edit_purchase(
        &mut self,
        id: &EntityId,
        edit: PurchaseEdit,
        now: Timestamp,
    ) -> Result<Change, Refused> {
        let purchase = known(&mut self.purchases, id)?;
        let differs = match edit {
            PurchaseEdit::Status(status) => put(&mut purchase.status, status),
            PurchaseEdit::Total(total) => put(&mut purchase.total, total),
        };
        self.edited(differs, News::PurchaseEdited, id, now)
    }

    /// Takes a purchase document out of the list.
    pub(super) fn remove_purchase(&mut self, id: &EntityId, now: Timestamp) -> Result<Change, Refused> {
        let row = self.purchases.remove(id);
        self.removed(row, News::PurchaseRemoved, id, now)
    }

    /// Moves `updated_at` of every member and nothing else, as the vendor was seen to do.
    pub(super) fn bump_members(&mut self, now: Timestamp) {
        self.members.for_each(|member| member.updated_at = now);
    }

    /// Moves `lastupdate` of every product and nothing else.
    pub(super) fn bump_products(&mut self, now: Timestamp) {
        self.products.for_each(|product| product.lastupdate = now);
    }

    /// Gives every product another name.
    pub(super) fn rename_all(&mut self, name: impl Fn(&str) -> String) {
        self.products.for_each(|product| product.name = name(&product.name));
    }

    /// Says of every product that nothing is left of it.
    pub(super) fn zero_all(&mut self, now: Timestamp) {
        self.products.for_each(|product| {
            product.quantity = Quantity::ZERO;
            product.lastupdate = now;
        });
    }

    /// Takes every second product out of the list for a while.
    pub(super) fn hide(&mut self) {
        let hidden = self.products.take(|place| place % 2 == 1);
        self.hidden.extend(hidden);
    }

    /// Puts all of them back where they stood.
    pub(super) fn unhide(&mut self) {
        let hidden = std::mem::take(&mut self.hidden);
        self.products.put_back(hidden);
    }
}
