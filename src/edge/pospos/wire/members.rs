//! How a member is read. Captured from the real API, but for the address, which posbell does not show.

use super::field::{Row, full_name, text};
use super::fields::places;
use super::{Form, LeftOut};
use crate::domain::model::{EntityId, Member};

places! {
    /// Where the fields of a member stand: `[shop.fields.members]`, each a JSON Pointer into a row. All were seen.
    MemberFields {
        /// What tells it apart.
        id = "/_id",
        /// The number on the card.
        code = "/code",
        /// First name.
        firstname = "/firstname",
        /// Last name.
        lastname = "/lastname",
        /// Free text of the shop's.
        nickname = "/nickname",
        /// Telephone number, as the shop typed it.
        phone = "/phonenumber",
        /// E-mail address.
        email = "/email",
        /// The name of the kind of member.
        r#type = "/type/name_th | /type/name_en",
        /// The list of tags.
        tags = "/tags",
        /// A tag's name, in the tag.
        tag_name = "/name",
        /// Points on the card.
        points = "/point_value",
        /// Looks like credit days.
        credit_days = "/member_credit",
        /// When it was entered.
        created_at = "/created_at | /create_date",
        /// The API's own stamp.
        updated_at = "/updated_at",
    }
}

impl Form for MemberFields {
    type Item = Member;

    fn id_pointer(&self) -> &str {
        &self.id
    }

    /// Every captured member has a telephone number, if only an empty one; no sale and no product has.
    fn fits(&self, row: &Row<'_>) -> bool {
        (row.has("phonenumber") || row.is_given(&self.phone)) && !row.has("order_list") && !row.has("lastupdate")
    }

    fn read(&self, id: EntityId, row: &Row<'_>) -> Result<Member, LeftOut> {
        let tags = row.list(&self.tags).unwrap_or_default();
        // A tag that is a text and not an object is its own name.
        let tag = |raw| text(raw).or_else(|| Row::new(raw.get())?.text(&self.tag_name));
        Ok(Member {
            id,
            code: row.text(&self.code),
            name: full_name(row.text(&self.firstname), row.text(&self.lastname)),
            nickname: row.text(&self.nickname),
            phone: row.text(&self.phone),
            email: row.text(&self.email),
            kind: row.text(&self.r#type),
            tags: tags.into_iter().filter_map(tag).collect(),
            points: row.number(&self.points)?,
            credit_days: row.text(&self.credit_days).and_then(|days| days.parse().ok()),
            created_at: row.time(&self.created_at),
            updated_at: row.time(&self.updated_at),
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::value::RawValue;

    use super::*;

    fn with<T>(json: &str, read: impl FnOnce(&MemberFields, &Row<'_>) -> T) -> T {
        let raw: &RawValue = serde_json::from_str(json).unwrap();
        read(&MemberFields::default(), &Row::new(raw.get()).unwrap())
    }

    #[test]
    fn a_member_is_told_from_a_product_and_a_sale() {
        let check = |json: &str, want| assert_eq!(with(json, |fields, row| fields.fits(row)), want, "{json}");
        check(r#"{"phonenumber":"-"}"#, true);
        check(r#"{"phonenumber":""}"#, true);
        check(r#"{"code":"PK1","lastupdate":"2025-10-01T05:04:59.197Z"}"#, false);
        check(r#"{"order_list":[],"phonenumber":"1"}"#, false);
        check("{}", false);
    }

    #[test]
    fn a_member_as_captured_is_read() {
        let json = r#"{"code":"M000001","firstname":"Somying","lastname":"-","phonenumber":"0800000000","email":null,
            "tags":[{"_id":"6","name":"zone A"},"old",{"_id":"7"}],"type":{"name_th":"ทั่วไป","name_en":"general"},
            "point_value":0,"member_credit":30,"created_at":"2021-01-24T10:28:22.000Z"}"#;
        let member = with(json, |fields, row| fields.read(EntityId::new("a").unwrap(), row)).unwrap();
        assert_eq!((member.name.as_deref(), member.kind.as_deref()), (Some("Somying"), Some("ทั่วไป")));
        assert_eq!((member.tags, member.credit_days), (vec!["zone A".to_owned(), "old".to_owned()], Some(30)));
        assert_eq!((member.points, member.email, member.nickname), (Some(0.into()), None, None));
    }

    #[test]
    fn a_bare_member_is_mostly_unknown() {
        let member = with(r#"{"phonenumber":"","point_value":"many"}"#, |fields, row| {
            fields.read(EntityId::new("a").unwrap(), row)
        });
        let member = member.unwrap();
        assert_eq!((member.phone, member.name, member.points, member.tags), (None, None, None, Vec::new()));
    }
}
