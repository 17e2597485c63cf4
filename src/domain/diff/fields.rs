//! Which fields of a thing are compared, and what becomes of one that an answer leaves out.
//!
//! To the API, absent, null and empty are the same. So a field that was given and is not any more may have been
//! emptied by the shop, or left out of one answer. It is believed as a missing row is: when two whole passes in a row
//! leave it out. Until then it stays as it was, and nothing is told. A quantity is not among these fields: that it is
//! missing never means anything.

use crate::domain::model::{
    Credit, Member, Payment, Product, Purchase, PurchaseLine, Sale, SaleLine, SaleStatus, Vendor,
};

/// A thing whose fields are compared one by one.
pub trait Fields {
    /// The names of the compared fields in which the two differ, as events have them.
    fn differences(&self, prev: &Self) -> Vec<String>;

    /// Puts the last value in for every field that was given in `prev` and is not here, unless the pass before had left
    /// it out as well (`left_out`). Returns the names of those it has put in.
    fn keep_left_out(&mut self, prev: &Self, left_out: &[String]) -> Vec<String>;
}

/// A value that may not be there.
trait Value: Clone {
    fn is_none(&self) -> bool;

    fn is_same(&self, other: &Self) -> bool;
}

impl<T: Clone + PartialEq> Value for Option<T> {
    fn is_none(&self) -> bool {
        Option::is_none(self)
    }

    fn is_same(&self, other: &Self) -> bool {
        self == other
    }
}

/// The names of tags: in which order they are listed says nothing.
impl Value for Vec<String> {
    fn is_none(&self) -> bool {
        self.is_empty()
    }

    fn is_same(&self, other: &Self) -> bool {
        let sorted = |tags: &Self| {
            let mut tags = tags.clone();
            tags.sort_unstable();
            tags
        };
        self == other || sorted(self) == sorted(other)
    }
}

macro_rules! lists {
    ($($item:ty),+) => {
        $(impl Value for Vec<$item> {
            fn is_none(&self) -> bool {
                self.is_empty()
            }

            fn is_same(&self, other: &Self) -> bool {
                self == other
            }
        })+
    };
}
lists!(SaleLine, Payment, PurchaseLine);

macro_rules! always_there {
    ($($value:ty),+) => {
        $(impl Value for $value {
            fn is_none(&self) -> bool {
                false
            }

            fn is_same(&self, other: &Self) -> bool {
                self == other
            }
        })+
    };
}
always_there!(String, SaleStatus, u64);

macro_rules! compared {
    ($thing:ty: $($field:ident = $name:literal),+ $(,)?) => {
        impl Fields for $thing {
            fn differences(&self, prev: &Self) -> Vec<String> {
                let mut names = Vec::new();
                $(if !self.$field.is_same(&prev.$field) && !names.iter().any(|name| name == $name) {
                    names.push($name.to_owned());
                })+
                names
            }

            fn keep_left_out(&mut self, prev: &Self, left_out: &[String]) -> Vec<String> {
                let mut kept = Vec::new();
                $(if Value::is_none(&self.$field) && !Value::is_none(&prev.$field)
                    && !left_out.iter().any(|name| name == $name)
                {
                    self.$field = prev.$field.clone();
                    kept.push($name.to_owned());
                })+
                kept
            }
        }
    };
}

compared!(Sale: code = "code", receipt = "receipt", status = "status", sold_at = "sold_at",
    cancelled_at = "cancelled_at", subtotal = "subtotal", discount = "discount", total = "total",
    currency = "currency", comment = "comment", staff = "staff", member = "member", payments = "payments",
    lines = "lines", lines_left_out = "lines");
// Not `quantity`, which has events of its own, and not `updated_at`, which moves with every sale.
compared!(Product: name = "name", code = "code", barcode = "barcode", category = "category", unit = "unit",
    price = "price", cost = "cost");
// Not `overdue` and `days_overdue`: the passing of days is no change of the credit.
compared!(Credit: code = "code", sale_code = "sale_code", customer = "customer", amount = "amount", paid = "paid",
    balance = "balance", issued_at = "issued_at", due_at = "due_at", status = "status");
// Not `created_at`, which cannot change, and not `updated_at`, which was seen to move on many rows at once with no
// other change.
compared!(Member: code = "code", name = "name", nickname = "nickname", phone = "phone", email = "email",
    kind = "type", tags = "tags", points = "points", credit_days = "credit_days");
compared!(Vendor: code = "code", name = "name", phone = "phone", email = "email", tax_id = "tax_id");
compared!(Purchase: code = "code", vendor = "vendor", status = "status", total = "total", issued_at = "issued_at",
    lines = "lines");
