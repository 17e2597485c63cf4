//! What can be asked of a shop's account: each of the API's eleven calls.
//!
//! A method that gives a [`Whole`] reads to the end and either vouches for the list or says why not. One that gives a
//! [`Reading`] is pulled page by page by whoever wants to stop early, or to hold less than the whole.

use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDate;

use super::client::{Asked, Pospos};
use super::error::ReadError;
use super::pull::{AnswerForm, Question};
use super::quota::Urgency;
use super::reading::{Fresh, Reader, Reading};
use super::wire::{CreditForm, Malformed};
use crate::domain::diff::credit::PaidCredits;
use crate::domain::model::{
    Credit, CreditStatus, EntityId, Fingerprint, Member, Purchase, Resource, Sale, StockRow, Vendor, Whole,
};
use crate::domain::rhythm::stock_way::StockWay;

/// Which credits are asked for, by their day of payment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Period {
    /// All of them.
    All,
    /// Those whose day has passed.
    OutOfPeriod,
    /// Those whose day has not passed.
    InOfPeriod,
}

impl Period {
    /// The API's word for it.
    fn word(self) -> &'static str {
        match self {
            Period::All => "ALL",
            Period::OutOfPeriod => "OUT_OF_PERIOD",
            Period::InOfPeriod => "IN_OF_PERIOD",
        }
    }
}

/// No row is known.
fn none(_: &EntityId, _: Fingerprint) -> bool {
    false
}

impl Pospos {
    /// The sales of the days `from` to `to` in Bangkok, both included.
    pub async fn sales(&self, from: NaiveDate, to: NaiveDate, urgency: Urgency) -> Result<Whole<Sale>, ReadError> {
        self.sales_of(from, to, none, urgency).whole().await
    }

    /// The same, to be read to its end by whoever knows some of them.
    pub fn sales_of<'a>(
        &'a self,
        from: NaiveDate,
        to: NaiveDate,
        skip: impl Fn(&EntityId, Fingerprint) -> bool + Send + Sync + 'a,
        urgency: Urgency,
    ) -> Reading<'a, Sale> {
        let (from, to) = (from.to_string(), to.to_string());
        let query = [("start", from.as_str()), ("end", to.as_str())];
        let question = self.all_pages(&["transactions"], asked(Resource::Transactions, urgency, &query));
        Reading::new(question, Box::new(&self.fields.transactions), Box::new(skip))
    }

    /// The same, newest first and a page at a time, for whoever wants to stop early.
    pub fn sales_head<'a>(
        &'a self,
        from: NaiveDate,
        to: NaiveDate,
        skip: impl Fn(&EntityId, Fingerprint) -> bool + Send + Sync + 'a,
        urgency: Urgency,
    ) -> Reading<'a, Sale> {
        let (from, to) = (from.to_string(), to.to_string());
        let query = [("start", from.as_str()), ("end", to.as_str())];
        let question = self.pages(&["transactions"], asked(Resource::Transactions, urgency, &query), 1);
        Reading::new(question, Box::new(&self.fields.transactions), Box::new(skip))
    }

    /// All products.
    pub fn stock<'a>(
        &'a self,
        way: StockWay,
        skip: impl Fn(&EntityId, Fingerprint) -> bool + Send + Sync + 'a,
        urgency: Urgency,
    ) -> Reading<'a, StockRow> {
        let all = asked(Resource::Stock, urgency, &[]);
        let question = match way {
            StockWay::Whole => self.question(&["stock"], all, AnswerForm::List),
            StockWay::Pages => self.all_pages(&["stock", "pagination"], all),
        };
        Reading::new(question, Box::new(&self.fields.stock), Box::new(skip))
    }

    /// All products, each decoded.
    pub async fn stock_whole(&self, urgency: Urgency) -> Result<Whole<StockRow>, ReadError> {
        self.stock(StockWay::Pages, none, urgency).whole().await
    }

    /// The products in whose code or name the API finds `term`; of many, the first page.
    pub async fn products_by_term(&self, term: &str, urgency: Urgency) -> Result<Vec<Fresh<StockRow>>, ReadError> {
        let query = [("term", term)];
        let question = self.pages(&["stock", "pagination"], asked(Resource::Stock, urgency, &query), 1);
        let mut reading = Reading::new(question, Box::new(&self.fields.stock), Box::new(none));
        Ok(reading.next().await?.unwrap_or_default())
    }

    /// One product. `None` where the API knows none of that id, which is not yet a removal.
    pub async fn product(&self, id: &EntityId, urgency: Urgency) -> Result<Option<Fresh<StockRow>>, ReadError> {
        let question = self.question(&["stock", id.as_str()], asked(Resource::Stock, urgency, &[]), AnswerForm::One);
        one(question, Box::new(&self.fields.stock), Some(id)).await.map(|found| found.into_iter().next())
    }

    /// All members.
    pub fn members<'a>(
        &'a self,
        skip: impl Fn(&EntityId, Fingerprint) -> bool + Send + Sync + 'a,
        urgency: Urgency,
    ) -> Reading<'a, Member> {
        let question = self.all_pages(&["member"], asked(Resource::Members, urgency, &[]));
        Reading::new(question, Box::new(&self.fields.members), Box::new(skip))
    }

    /// The members with this telephone number, as the shop typed it; several may share one.
    pub async fn member_by_phone(&self, phone: &str, urgency: Urgency) -> Result<Vec<Fresh<Member>>, ReadError> {
        self.member(&["member", "find", "phonenumber", phone], None, urgency).await
    }

    /// The members with this number on the card.
    pub async fn member_by_code(&self, code: &str, urgency: Urgency) -> Result<Vec<Fresh<Member>>, ReadError> {
        self.member(&["member", "code", code], None, urgency).await
    }

    /// One member. `None` where the API knows none of that id, which is not yet a removal.
    pub async fn member_by_id(&self, id: &EntityId, urgency: Urgency) -> Result<Option<Fresh<Member>>, ReadError> {
        let found = self.member(&["member", "id", id.as_str()], Some(id), urgency).await;
        found.map(|found| found.into_iter().next())
    }

    async fn member(
        &self,
        path: &[&str],
        id: Option<&EntityId>,
        urgency: Urgency,
    ) -> Result<Vec<Fresh<Member>>, ReadError> {
        let question = self.question(path, asked(Resource::Members, urgency, &[]), AnswerForm::One);
        one(question, Box::new(&self.fields.members), id).await
    }

    /// The credits of that period and status; `today` is the day in Bangkok.
    pub async fn credit(
        &self,
        period: Period,
        status: CreditStatus,
        today: NaiveDate,
        urgency: Urgency,
    ) -> Result<Whole<Credit>, ReadError> {
        self.credit_list(period, status, today, urgency).whole().await
    }

    /// Looks for `wanted` among the paid credits, and reads no further than it must.
    ///
    /// What is not in the answer is in no page of the list. A list that may have lost a row while a wanted credit was
    /// missing from it is an error, because nothing follows from that.
    pub async fn credit_find(
        &self,
        wanted: &BTreeSet<EntityId>,
        today: NaiveDate,
        urgency: Urgency,
    ) -> Result<PaidCredits, ReadError> {
        if wanted.is_empty() {
            return Ok(PaidCredits::default());
        }
        let mut found = BTreeMap::new();
        let mut list = self.credit_list(Period::All, CreditStatus::Paid, today, urgency);
        while let Some(page) = list.next().await? {
            let wanted_rows = page.into_iter().filter(|row| wanted.contains(&row.id));
            found.extend(wanted_rows.map(|row| (row.id, row.item)));
            // Not by whether it has come: a long page is understood piece by piece.
            if wanted.iter().all(|id| found.contains_key(id) || list.is_unreadable(id.as_str())) {
                break;
            }
        }
        let unreadable: BTreeSet<EntityId> =
            wanted.iter().filter(|id| list.is_unreadable(id.as_str())).cloned().collect();
        // One that came readable first and garbled later.
        found.retain(|id, _| !unreadable.contains(id));
        Ok(PaidCredits { found, unreadable, nameless: list.nameless() })
    }

    fn credit_list(
        &self,
        period: Period,
        status: CreditStatus,
        today: NaiveDate,
        urgency: Urgency,
    ) -> Reading<'_, Credit> {
        let word = match status {
            CreditStatus::Pending => "pending",
            CreditStatus::Paid => "paid",
        };
        let query = [("period", period.word()), ("status", word)];
        let overdue = period == Period::OutOfPeriod && status == CreditStatus::Pending;
        let form = CreditForm { fields: &self.fields.credit, status, overdue, today };
        // One page at a time: a search may end at any of them.
        let question = self.pages(&["credit"], asked(Resource::Credit, urgency, &query), 1);
        Reading::new(question, Box::new(form), Box::new(none))
    }

    /// All whom the shop buys from.
    pub fn vendors<'a>(
        &'a self,
        skip: impl Fn(&EntityId, Fingerprint) -> bool + Send + Sync + 'a,
        urgency: Urgency,
    ) -> Reading<'a, Vendor> {
        let question = self.all_pages(&["vendor"], asked(Resource::Vendors, urgency, &[]));
        Reading::new(question, Box::new(&self.fields.vendors), Box::new(skip))
    }

    /// Those in whose code, telephone number or company name the API finds `term`.
    pub async fn vendors_by_term(&self, term: &str, urgency: Urgency) -> Result<Vec<Fresh<Vendor>>, ReadError> {
        let query = [("term", term)];
        let question = self.all_pages(&["vendor"], asked(Resource::Vendors, urgency, &query));
        Reading::new(question, Box::new(&self.fields.vendors), Box::new(none)).rest().await
    }

    /// All purchase documents.
    pub fn purchases<'a>(
        &'a self,
        skip: impl Fn(&EntityId, Fingerprint) -> bool + Send + Sync + 'a,
        urgency: Urgency,
    ) -> Reading<'a, Purchase> {
        let question = self.all_pages(&["buy-document"], asked(Resource::BuyDocuments, urgency, &[]));
        Reading::new(question, Box::new(&self.fields.buy_documents), Box::new(skip))
    }

    /// The purchase documents in whose code the API finds `term`, of the days `start` to `end`; what is empty or none is
    /// not asked for.
    pub async fn purchases_of(
        &self,
        term: &str,
        start: Option<NaiveDate>,
        end: Option<NaiveDate>,
        urgency: Urgency,
    ) -> Result<Vec<Fresh<Purchase>>, ReadError> {
        let [start, end] = [start, end].map(|day| day.map(|day| day.to_string()).unwrap_or_default());
        let query = [("term", term), ("start_date", start.as_str()), ("end_date", end.as_str())];
        let question = self.all_pages(&["buy-document"], asked(Resource::BuyDocuments, urgency, &query));
        Reading::new(question, Box::new(&self.fields.buy_documents), Box::new(none)).rest().await
    }
}

fn asked<'q>(resource: Resource, urgency: Urgency, query: &'q [(&'q str, &'q str)]) -> Asked<'q> {
    Asked { resource, urgency, query }
}

/// Reads what there is about one thing; nothing, where the API says that there is no such thing.
async fn one<T>(
    question: Question<'_>,
    form: Reader<'_, T>,
    id: Option<&EntityId>,
) -> Result<Vec<Fresh<T>>, ReadError> {
    let resource = question.resource;
    let found = Reading::new(question, form, Box::new(none)).rest().await;
    let found = match found {
        Err(ReadError::Status(404)) => return Ok(Vec::new()),
        found => found?,
    };
    // An address that means something else at the server than here answers with another thing.
    if found.iter().any(|row| id.is_some_and(|id| row.id != *id)) {
        return Err(ReadError::Malformed { resource, page: 1, problem: Malformed::WrongShape });
    }
    Ok(found)
}
