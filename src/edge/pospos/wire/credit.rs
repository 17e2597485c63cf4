//! How a sale on credit is read. Nobody has published one: every place is a guess and configurable.
//!
//! Whether it is paid or overdue is never read from the row. It is what was asked for: a row that comes back for
//! `period=OUT_OF_PERIOD&status=pending` is overdue.

use chrono::{FixedOffset, NaiveDate};

use super::field::Row;
use super::fields::places;
use super::{Form, LeftOut};
use crate::domain::model::{Credit, CreditStatus, Customer, EntityId, Timestamp};

places! {
    /// Where the fields of a credit stand: `[shop.fields.credit]`, each a JSON Pointer into a row. All but `id` are
    /// guesses after the names of a sale.
    CreditFields {
        /// What tells it apart.
        id = "/_id",
        /// Its own number.
        code = "/code",
        /// The number of the sale it came from.
        sale_code = "/transaction_code",
        /// The member code of who owes.
        customer_code = "/buyer_detail/code",
        /// The object with `firstname` and `lastname` of who owes, or a text with the name.
        customer_name = "/buyer_detail",
        /// Telephone number of who owes.
        customer_phone = "/buyer_detail/phonenumber",
        /// What was owed at first.
        amount = "/grand_total",
        /// What was paid of it.
        paid = "/total_paid",
        /// What is still owed; where it is missing, `amount` less `paid`.
        balance = "/balance",
        /// When the goods were taken.
        issued_at = "/timestamp",
        /// When it should be paid.
        due_at = "/due_date",
    }
}

/// The rows of `/credit`, and what was asked for.
#[derive(Debug, Clone)]
pub(in crate::edge::pospos) struct CreditForm<'a> {
    /// Where the fields stand.
    pub fields: &'a CreditFields,
    /// The `status` that was asked for.
    pub status: CreditStatus,
    /// Whether what was asked for is out of its period and not paid.
    pub overdue: bool,
    /// The day in Bangkok on which is asked.
    pub today: NaiveDate,
}

/// Thailand is seven hours ahead of UTC and knows no summer time.
const BANGKOK: FixedOffset = FixedOffset::east_opt(7 * 60 * 60).expect("seven hours are less than a day");

impl Form for CreditForm<'_> {
    type Item = Credit;

    fn id_pointer(&self) -> &str {
        &self.fields.id
    }

    /// A member has a telephone number and a price level, and a product moves its `lastupdate`: a row with one of these
    /// and with nothing that a credit must have is of another list. Whether a credit carries the lines of its sale
    /// (`order_list`) nobody knows, so that says nothing.
    fn fits(&self, row: &Row<'_>) -> bool {
        let fields = self.fields;
        let owed = [&fields.amount, &fields.balance, &fields.due_at, &fields.sale_code];
        let other = ["phonenumber", "price_level", "lastupdate"];
        owed.iter().any(|pointer| row.is_given(pointer)) || !other.iter().any(|name| row.has(name))
    }

    fn read(&self, id: EntityId, row: &Row<'_>) -> Result<Credit, LeftOut> {
        let fields = self.fields;
        let (amount, paid) = (row.number(&fields.amount)?, row.number(&fields.paid)?);
        let customer = Customer {
            code: row.text(&fields.customer_code),
            name: row.name(&fields.customer_name).or_else(|| row.text(&fields.customer_name)),
            phone: row.text(&fields.customer_phone),
        };
        let known = customer.code.is_some() || customer.name.is_some() || customer.phone.is_some();
        let due_at = row.time(&fields.due_at);
        Ok(Credit {
            id,
            code: row.text(&fields.code),
            sale_code: row.text(&fields.sale_code),
            customer: known.then_some(customer),
            amount,
            paid,
            balance: row.number(&fields.balance)?.or_else(|| amount?.minus(paid?)),
            issued_at: row.time(&fields.issued_at),
            due_at,
            days_overdue: due_at.filter(|_| self.overdue).and_then(|due_at| days_past(due_at, self.today)),
            status: Some(self.status),
            overdue: self.overdue,
        })
    }
}

/// Whole calendar days in Bangkok from `due_at` to `today`, where there are any.
fn days_past(due_at: Timestamp, today: NaiveDate) -> Option<i64> {
    let days = today.signed_duration_since(due_at.with_timezone(&BANGKOK).date_naive()).num_days();
    (days > 0).then_some(days)
}

#[cfg(test)]
mod tests {
    use serde_json::value::RawValue;

    use super::*;

    fn read(json: &str, overdue: bool) -> Credit {
        let raw: &RawValue = serde_json::from_str(json).unwrap();
        let today = NaiveDate::from_ymd_opt(2025, 9, 10).unwrap();
        let fields = CreditFields::default();
        let form = CreditForm { fields: &fields, status: CreditStatus::Pending, overdue, today };
        form.read(EntityId::new("a").unwrap(), &Row::new(raw.get()).unwrap()).unwrap()
    }

    #[test]
    fn days_are_bangkok_days_and_only_of_what_is_overdue() {
        let check = |due: &str, overdue, want| {
            assert_eq!(read(&format!(r#"{{"due_date":"{due}"}}"#), overdue).days_overdue, want, "{due}");
        };
        check("2025-09-03T08:00:00Z", true, Some(7));
        // 17:00 UTC is the next day's midnight in Bangkok.
        check("2025-09-09T16:59:59Z", true, Some(1));
        check("2025-09-09T17:00:00Z", true, None);
        check("2025-10-09T17:00:00Z", true, None);
        check("2025-09-03T08:00:00Z", false, None);
        check("soon", true, None);
    }

    #[test]
    fn days_are_counted_over_leap_days_and_the_ends_of_years() {
        let check = |due: &str, today: (i32, u32, u32), want| {
            let (year, month, day) = today;
            let today = NaiveDate::from_ymd_opt(year, month, day).unwrap();
            assert_eq!(days_past(due.parse().unwrap(), today), want, "{due} {today}");
        };
        check("2024-02-27T17:00:00Z", (2024, 2, 29), Some(1));
        check("2024-02-28T16:59:59Z", (2024, 3, 1), Some(2));
        check("2024-02-28T17:00:00Z", (2024, 2, 29), None);
        check("2023-02-27T17:00:00Z", (2023, 3, 1), Some(1));
        check("2024-02-28T17:00:00Z", (2025, 2, 28), Some(365));
        // The year ends in Bangkok at 17:00 UTC.
        check("2025-12-31T16:59:59Z", (2026, 1, 1), Some(1));
        check("2025-12-31T17:00:00Z", (2026, 1, 1), None);
        check("2025-12-31T17:00:00Z", (2026, 1, 2), Some(1));
        check("2026-11-24T00:00:00Z", (2026, 1, 1), None);
    }

    #[test]
    fn what_is_owed_is_computed_where_it_is_not_told() {
        let check = |json: &str, want: Option<&str>| {
            assert_eq!(read(json, false).balance.map(|money| money.to_string()).as_deref(), want, "{json}");
        };
        check(r#"{"grand_total":500.50,"total_paid":100}"#, Some("400.50"));
        check(r#"{"grand_total":500,"total_paid":100,"balance":0}"#, Some("0"));
        check(r#"{"grand_total":500}"#, None);
    }

    #[test]
    fn the_row_has_no_say_in_its_own_state() {
        let credit = read(r#"{"status":"paid","overdue":true,"buyer_detail":{"firstname":"Somchai"}}"#, false);
        assert_eq!((credit.status, credit.overdue), (Some(CreditStatus::Pending), false));
        assert_eq!(credit.customer.and_then(|customer| customer.name).as_deref(), Some("Somchai"));
        assert_eq!(read("{}", true).customer, None);
    }
}
