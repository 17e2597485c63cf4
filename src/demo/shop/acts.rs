//! Everything that can be done in a simulated shop, one method each.
//!
//! A change is complete when its method returns: the API shows it and the journal knows it.

use chrono::TimeDelta;

use super::SimulatedShop;
use super::changes::{CREDIT_PERIOD, Change, Line, Refused};
use super::edits::{MemberEdit, ProductEdit, PurchaseEdit, SaleEdit, VendorEdit};
use super::generator::Generator;
use super::script::Script;
use crate::domain::model::{EntityId, Money, Quantity, Timestamp};

impl SimulatedShop {
    /// Sells these lines now.
    pub fn sell(&self, lines: &[Line]) -> Result<Change, Refused> {
        let now = self.shared.now();
        self.sell_at(now, lines)
    }

    /// A sale of a till that was offline: made at `sold_at`, shown from now on.
    pub fn sell_at(&self, sold_at: Timestamp, lines: &[Line]) -> Result<Change, Refused> {
        let now = self.shared.now();
        let mut world = self.shared.world();
        let basket = world.basket(lines)?;
        Ok(world.sell(&basket, sold_at, now))
    }

    /// Cancels a sale. Only its `status`, `return_date` and `comment` change; the goods stay sold.
    pub fn cancel(&self, sale: &EntityId, reason: &str) -> Result<Change, Refused> {
        self.shared.world().cancel(sale, reason, self.shared.now())
    }

    /// Puts more of a product on its shelf.
    pub fn restock(&self, product: &EntityId, quantity: Quantity) -> Result<Change, Refused> {
        self.shared.world().restock(product, quantity, self.shared.now())
    }

    /// Counts a product and finds this much of it.
    pub fn set_quantity(&self, product: &EntityId, quantity: Quantity) -> Result<Change, Refused> {
        self.shared.world().set_quantity(product, quantity, self.shared.now())
    }

    /// Sells these lines on credit; the change is the credit's, and the sale is among what it expects.
    pub fn lend(&self, lines: &[Line]) -> Result<Change, Refused> {
        let now = self.shared.now();
        let mut world = self.shared.world();
        let basket = world.basket(lines)?;
        Ok(world.lend(&basket, CREDIT_PERIOD, now))
    }

    /// The same with a period of its own.
    pub fn lend_for(&self, lines: &[Line], period: TimeDelta) -> Result<Change, Refused> {
        let now = self.shared.now();
        let mut world = self.shared.world();
        let basket = world.basket(lines)?;
        Ok(world.lend(&basket, period, now))
    }

    /// Lets another day begin in Bangkok: debts whose day of payment was yesterday are out of their period, and some
    /// have been so for a week or a month. Nothing of it happens by itself: a change that nobody made would be told to
    /// nobody.
    pub fn begin_day(&self) -> Vec<Change> {
        self.shared.world().begin_day(self.shared.now())
    }

    /// Lets the period of a pending credit end.
    pub fn let_fall_due(&self, credit: &EntityId) -> Result<Change, Refused> {
        self.shared.world().let_fall_due(credit, self.shared.now())
    }

    /// Takes the whole sum of a pending credit.
    pub fn pay(&self, credit: &EntityId) -> Result<Change, Refused> {
        self.shared.world().pay(credit, self.shared.now())
    }

    /// A run of seeded changes that hide nothing from a poller.
    pub fn script(&self, seed: u64) -> Script {
        Script::new(self.shared.clone(), seed)
    }

    /// Takes part of what is owed; the credit stays pending.
    pub fn pay_part(&self, credit: &EntityId, part: Money) -> Result<Change, Refused> {
        self.shared.world().pay_part(credit, part, self.shared.now())
    }

    /// Takes a credit out of every list. Of one that was pending it must be told that nobody knows its status.
    pub fn lose_credit(&self, credit: &EntityId) -> Result<Change, Refused> {
        self.shared.world().lose_credit(credit, self.shared.now())
    }

    /// Changes a bill that stands.
    pub fn edit_sale(&self, sale: &EntityId, edit: SaleEdit) -> Result<Change, Refused> {
        self.shared.world().edit_sale(sale, edit, self.shared.now())
    }

    /// Enters a product with so much of it.
    pub fn add_product(&self, name: &str, quantity: Quantity) -> Change {
        self.shared.world().add_product(name, quantity, self.shared.now())
    }

    /// Changes a product's name, price or mark of deletion.
    pub fn edit_product(&self, product: &EntityId, edit: ProductEdit) -> Result<Change, Refused> {
        self.shared.world().edit_product(product, edit, self.shared.now())
    }

    /// Takes a product's row out of the list.
    pub fn remove_product(&self, product: &EntityId) -> Result<Change, Refused> {
        self.shared.world().remove_product(product, self.shared.now())
    }

    /// Enters a member.
    pub fn add_member(&self, firstname: &str, phone: &str) -> Change {
        self.shared.world().add_member(firstname, phone, self.shared.now())
    }

    /// Changes a member's data, and its `updated_at`.
    pub fn edit_member(&self, member: &EntityId, edit: MemberEdit) -> Result<Change, Refused> {
        self.shared.world().edit_member(member, edit, self.shared.now())
    }

    /// Takes a member out of the list.
    pub fn remove_member(&self, member: &EntityId) -> Result<Change, Refused> {
        self.shared.world().remove_member(member, self.shared.now())
    }

    /// Enters a vendor.
    pub fn add_vendor(&self, name: &str) -> Change {
        self.shared.world().add_vendor(name, self.shared.now())
    }

    /// Changes a vendor's data.
    pub fn edit_vendor(&self, vendor: &EntityId, edit: VendorEdit) -> Result<Change, Refused> {
        self.shared.world().edit_vendor(vendor, edit, self.shared.now())
    }

    /// Takes a vendor out of the list.
    pub fn remove_vendor(&self, vendor: &EntityId) -> Result<Change, Refused> {
        self.shared.world().remove_vendor(vendor, self.shared.now())
    }

    /// Buys these lines from a vendor. The shelves stay as they are.
    pub fn add_purchase(&self, vendor: &EntityId, lines: &[Line]) -> Result<Change, Refused> {
        let now = self.shared.now();
        let mut world = self.shared.world();
        let basket = world.basket(lines)?;
        world.vendors.get(vendor).ok_or_else(|| Refused::Unknown(vendor.clone()))?;
        Ok(world.add_purchase(Some(vendor), &basket, now))
    }

    /// Changes a purchase document.
    pub fn edit_purchase(&self, purchase: &EntityId, edit: PurchaseEdit) -> Result<Change, Refused> {
        self.shared.world().edit_purchase(purchase, edit, self.shared.now())
    }

    /// Takes a purchase document out of the list.
    pub fn remove_purchase(&self, purchase: &EntityId) -> Result<Change, Refused> {
        self.shared.world().remove_purchase(purchase, self.shared.now())
    }

    /// Moves `updated_at` of every member and nothing else, as the vendor was seen to do; nothing is to be told of it.
    pub fn bump_members(&self) {
        self.shared.world().bump_members(self.shared.now());
    }

    /// Moves `lastupdate` of every product and nothing else; nothing is to be told of it.
    pub fn bump_products(&self) {
        self.shared.world().bump_products(self.shared.now());
    }

    /// Gives every product another name, made of its own. Too much for a shop's day, so the journal has none of it.
    pub fn rename_all(&self, name: impl Fn(&str) -> String) {
        self.shared.world().rename_all(name);
    }

    /// Says of every product that nothing is left. Too much for a shop's day, so the journal has none of it, and goes
    /// on from the quantities before: [`SimulatedShop::set_quantity`] puts them back.
    pub fn zero_all(&self) {
        self.shared.world().zero_all(self.shared.now());
    }

    /// Takes every second product out of the list until [`SimulatedShop::unhide`]. Too much for a shop's day, so the
    /// journal has none of it.
    pub fn hide(&self) {
        self.shared.world().hide();
    }

    /// Puts the hidden products back where they stood.
    pub fn unhide(&self) {
        self.shared.world().unhide();
    }

    /// From now on each list moves after each of its pages: a row comes at the end where new ones come, or one goes
    /// from anywhere, or both at once. The seed decides; `None` is peace again. Rows of which something is still to
    /// be told stay, and each list stays about as long as it would be.
    pub fn set_restless(&self, seed: Option<u64>) {
        self.shared.world().restless = seed.map(Generator::new);
    }
}
