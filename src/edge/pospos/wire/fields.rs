//! Where does the API keep what posbell wants to know? Defaults as seen or guessed, and a shop's own where it differs.
//!
//! Every place is a JSON Pointer into a row, or several with ` | ` between them, of which the first that holds something
//! counts: where nobody has seen the resource, posbell tries the likely names instead of betting on one.

use super::{CreditFields, MemberFields, PurchaseFields, SaleFields, StockFields, VendorFields};
use crate::domain::model::Resource;

/// What stands between two places of which the first that holds something counts.
pub(super) const OR: &str = " | ";

/// Whether `text` is a JSON Pointer (RFC 6901), or several of them with ` | ` between.
pub fn is_pointer(text: &str) -> bool {
    let is_one = |one: &str| one.starts_with('/') && !one.replace("~0", "").replace("~1", "").contains('~');
    text.split(OR).all(is_one)
}

/// Declares the places of one resource's fields: `[shop.fields.…]`.
macro_rules! places {
    ($(#[$doc:meta])* $name:ident { $($(#[$field_doc:meta])* $field:ident = $pointer:literal,)+ }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub struct $name {
            $($(#[$field_doc])* pub $field: String,)+
        }

        impl $name {
            /// Puts the field of that name elsewhere; false where there is no such field.
            pub fn set(&mut self, name: &str, pointer: String) -> bool {
                $(if name == stringify!($field).trim_start_matches("r#") {
                    self.$field = pointer;
                    return true;
                })+
                false
            }

            /// Every field with its place.
            pub fn all(&self) -> Vec<(&'static str, &str)> {
                vec![$((stringify!($field).trim_start_matches("r#"), self.$field.as_str()),)+]
            }
        }

        impl Default for $name {
            fn default() -> Self {
                Self { $($field: $pointer.to_owned(),)+ }
            }
        }
    };
}
pub(super) use places;

/// The places of all fields of one shop.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct FieldMap {
    /// Of a sale.
    pub transactions: SaleFields,
    /// Of a product.
    pub stock: StockFields,
    /// Of a credit.
    pub credit: CreditFields,
    /// Of a member.
    pub members: MemberFields,
    /// Of a vendor.
    pub vendors: VendorFields,
    /// Of a purchase document.
    pub buy_documents: PurchaseFields,
}

impl FieldMap {
    /// Puts one field of `resource` elsewhere; false where it has no field of that name.
    pub fn set(&mut self, resource: Resource, name: &str, pointer: String) -> bool {
        match resource {
            Resource::Transactions => self.transactions.set(name, pointer),
            Resource::Stock => self.stock.set(name, pointer),
            Resource::Credit => self.credit.set(name, pointer),
            Resource::Members => self.members.set(name, pointer),
            Resource::Vendors => self.vendors.set(name, pointer),
            Resource::BuyDocuments => self.buy_documents.set(name, pointer),
        }
    }

    /// Every field of `resource` with its place.
    pub fn of(&self, resource: Resource) -> Vec<(&'static str, &str)> {
        match resource {
            Resource::Transactions => self.transactions.all(),
            Resource::Stock => self.stock.all(),
            Resource::Credit => self.credit.all(),
            Resource::Members => self.members.all(),
            Resource::Vendors => self.vendors.all(),
            Resource::BuyDocuments => self.buy_documents.all(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pointer_begins_with_a_slash_and_may_have_others_behind_it() {
        for (text, is) in [
            ("/a/b", true),
            ("/a~1b", true),
            ("/a | /b/c", true),
            ("a", false),
            ("", false),
            ("/a~2", false),
            ("/a~", false),
            ("/a | b", false),
            ("/a | ", false),
        ] {
            assert_eq!(is_pointer(text), is, "{text}");
        }
    }

    #[test]
    fn every_standard_place_is_a_pointer_and_every_field_can_be_put_elsewhere() {
        let mut map = FieldMap::default();
        for resource in Resource::ALL {
            let names: Vec<_> = map.of(resource).into_iter().map(|(name, place)| (name, is_pointer(place))).collect();
            assert!(names.len() > 5, "{resource}: {names:?}");
            for (name, is_place) in names {
                assert!(is_place, "{resource} {name}");
                assert!(map.set(resource, name, "/elsewhere".to_owned()), "{resource} {name}");
            }
            assert!(map.of(resource).iter().all(|(_, place)| *place == "/elsewhere"), "{resource}");
            assert!(!map.set(resource, "no_such_field", "/x".to_owned()));
        }
    }
}
