//! How a vendor is read. Nobody has published one: every place is a guess, with the likely names tried in turn.

use super::field::Row;
use super::fields::places;
use super::{Form, LeftOut};
use crate::domain::model::{EntityId, Vendor};

places! {
    /// Where the fields of a vendor stand: `[shop.fields.vendors]`, each a JSON Pointer into a row. All are guesses,
    /// after the names that a member has for the same things.
    VendorFields {
        /// What tells it apart.
        id = "/_id",
        /// The shop's number for it.
        code = "/code",
        /// The company's name.
        name = "/company_name | /companyname | /company | /storename | /name",
        /// Telephone number.
        phone = "/phonenumber | /company_phonenumber | /phone",
        /// E-mail address.
        email = "/email | /company_email",
        /// The company's tax number.
        tax_id = "/taxid | /tax_id",
    }
}

impl Form for VendorFields {
    type Item = Vendor;

    fn id_pointer(&self) -> &str {
        &self.id
    }

    /// A sale has lines, a product moves its `lastupdate`, a member has a price level: none of these is a vendor's.
    fn fits(&self, row: &Row<'_>) -> bool {
        let named = row.is_given(&self.code) || row.is_given(&self.name) || row.is_given(&self.phone);
        named && !["order_list", "lastupdate", "price_level", "grand_total"].iter().any(|name| row.has(name))
    }

    fn read(&self, id: EntityId, row: &Row<'_>) -> Result<Vendor, LeftOut> {
        Ok(Vendor {
            id,
            code: row.text(&self.code),
            name: row.text(&self.name),
            phone: row.text(&self.phone),
            email: row.text(&self.email),
            tax_id: row.text(&self.tax_id),
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::value::RawValue;

    use super::*;

    fn with<T>(json: &str, read: impl FnOnce(&VendorFields, &Row<'_>) -> T) -> T {
        let raw: &RawValue = serde_json::from_str(json).unwrap();
        read(&VendorFields::default(), &Row::new(raw.get()).unwrap())
    }

    #[test]
    fn a_vendor_is_told_from_the_other_lists() {
        let check = |json: &str, want| assert_eq!(with(json, |fields, row| fields.fits(row)), want, "{json}");
        check(r#"{"code":"V1"}"#, true);
        check(r#"{"name":"Mill"}"#, true);
        check(r#"{"code":"M1","phonenumber":"1","price_level":"0"}"#, false);
        check(r#"{"code":"PK1","lastupdate":null}"#, false);
        check(r#"{"code":"TR1","order_list":[]}"#, false);
        check("{}", false);
    }

    #[test]
    fn the_likely_names_are_tried_in_turn() {
        let json = r#"{"code":"V1","company_name":"-","name":"Mill","company_phonenumber":"02","tax_id":"0105"}"#;
        let vendor = with(json, |fields, row| fields.read(EntityId::new("a").unwrap(), row)).unwrap();
        assert_eq!((vendor.name.as_deref(), vendor.phone.as_deref()), (Some("Mill"), Some("02")));
        assert_eq!((vendor.tax_id.as_deref(), vendor.email), (Some("0105"), None));
    }
}
