//! What a person may ask, and see as the API wrote it.
//!
//! Each of the API's calls with all its parameters, as text: what the API makes of a date, a word or an id is its own
//! business. The rows go through the same page reader as everything else and are not decoded.

use super::client::{Asked, Pospos};
use super::pull::{self, AnswerForm};
use super::quota::Urgency;
use super::reading::RawReading;
use crate::domain::model::Resource;

/// One of the API's calls with its parameters; an empty one is not sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Question {
    /// `/transactions`.
    Transactions {
        /// First day or moment: `YYYY-MM-DD` or ISO 8601.
        start: String,
        /// Last day or moment.
        end: String,
        /// What it does is unknown.
        current_buyer: Option<bool>,
    },
    /// `/stock`: all products in one answer.
    StockWhole,
    /// `/stock/pagination`.
    StockPages {
        /// Looked for in code and name.
        term: String,
    },
    /// `/stock/{id}`.
    Product {
        /// The product's `_id`.
        id: String,
    },
    /// `/member`.
    Members,
    /// `/member/find/phonenumber/{phonenumber}`.
    MemberByPhone {
        /// As the shop typed it.
        phone: String,
    },
    /// `/member/code/{code}`.
    MemberByCode {
        /// The number on the card.
        code: String,
    },
    /// `/member/id/{id}`.
    MemberById {
        /// The member's `_id`.
        id: String,
    },
    /// `/credit`.
    Credit {
        /// `ALL`, `OUT_OF_PERIOD` or `IN_OF_PERIOD`.
        period: String,
        /// `paid` or `pending`.
        status: String,
    },
    /// `/vendor`.
    Vendors {
        /// Looked for in code, telephone number and company name.
        term: String,
    },
    /// `/buy-document`.
    BuyDocuments {
        /// Looked for in the code.
        term: String,
        /// First day.
        start: String,
        /// Last day.
        end: String,
    },
}

impl Question {
    /// Whether it is about one thing by what tells it apart, which may be answered with 404 where there is none such.
    pub fn is_about_one(&self) -> bool {
        use Question::{MemberByCode, MemberById, MemberByPhone, Product};
        matches!(self, Product { .. } | MemberByPhone { .. } | MemberByCode { .. } | MemberById { .. })
    }
}

impl Pospos {
    /// Asks, and hands out the rows as they are written in the answers.
    pub fn raw(&self, question: &Question, urgency: Urgency) -> RawReading<'_> {
        RawReading::new(self.laid(question, urgency))
    }

    /// The question as it goes out, but for the page.
    pub(super) fn laid(&self, question: &Question, urgency: Urgency) -> pull::Question<'_> {
        // One page at a time: whoever asks by hand may stop reading in the middle, and a call that waits for its turn
        // and is not driven on would keep everybody behind it waiting.
        let list =
            |path: &[&str], resource, query: &[(&str, &str)]| self.pages(path, Asked { resource, urgency, query }, 1);
        let single = |path: &[&str], resource, form| self.question(path, Asked { resource, urgency, query: &[] }, form);
        let one = |path: &[&str], resource| single(path, resource, AnswerForm::One);
        match question {
            Question::Transactions { start, end, current_buyer } => {
                let current_buyer = current_buyer.map(|flag| flag.to_string()).unwrap_or_default();
                let query = [("start", &**start), ("end", &**end), ("current_buyer", &*current_buyer)];
                list(&["transactions"], Resource::Transactions, &query)
            }
            Question::StockWhole => single(&["stock"], Resource::Stock, AnswerForm::List),
            Question::StockPages { term } => list(&["stock", "pagination"], Resource::Stock, &[("term", term)]),
            Question::Product { id } => one(&["stock", id], Resource::Stock),
            Question::Members => list(&["member"], Resource::Members, &[]),
            Question::MemberByPhone { phone } => one(&["member", "find", "phonenumber", phone], Resource::Members),
            Question::MemberByCode { code } => one(&["member", "code", code], Resource::Members),
            Question::MemberById { id } => one(&["member", "id", id], Resource::Members),
            Question::Credit { period, status } => {
                list(&["credit"], Resource::Credit, &[("period", period), ("status", status)])
            }
            Question::Vendors { term } => list(&["vendor"], Resource::Vendors, &[("term", term)]),
            Question::BuyDocuments { term, start, end } => {
                let query = [("term", &**term), ("start_date", start), ("end_date", end)];
                list(&["buy-document"], Resource::BuyDocuments, &query)
            }
        }
    }
}
