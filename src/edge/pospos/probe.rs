//! What does the API really give? One page of a list, looked at and not believed.
//!
//! The vendor's page names no fields, no largest page and no totals, and nobody has seen them for most resources. So a
//! person can let the key itself tell, with one call for each list. Nothing is compared or kept, and no value of a row
//! leaves this file.

use chrono::NaiveDateTime;
use serde_json::value::RawValue;

use super::call::Received;
use super::client::Pospos;
use super::error::ReadError;
use super::question::Question;
use super::quota::Urgency;
use super::wire::{CreditForm, Envelope, FieldMap, Form, Survey, decode, id_of};
use crate::domain::model::{CreditStatus, Resource};

/// What the first pages of the lists of one resource have shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Probe {
    /// What their rows have.
    pub survey: Survey,
    /// How each page came.
    pub pages: Vec<ProbedPage>,
    /// What the server's clock said with the last of them, in UTC.
    pub server_time: Option<NaiveDateTime>,
}

/// How the first page of a list came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ProbedPage {
    /// How many rows were asked for.
    pub asked: u32,
    /// How many came.
    pub rows: u64,
    /// How many rows the list has, where the answer says so.
    pub total: Option<u64>,
    /// How many pages it has, where the answer says so.
    pub total_page: Option<u64>,
}

impl Pospos {
    /// Reads the first page of each of these lists of `resource`, one call each, and looks at all of them as one.
    pub async fn probe(&self, resource: Resource, lists: &[Question], urgency: Urgency) -> Result<Probe, ReadError> {
        let mut probe = Probe { survey: Survey::new(&self.fields, resource), pages: Vec::new(), server_time: None };
        for list in lists {
            let asked = self.laid(list, urgency);
            let limit = self.page_size();
            let mut url = asked.url;
            url.query_pairs_mut().append_pair("limit", &limit.to_string()).append_pair("page", "1");
            let Received { body, server_time, .. } = asked.caller.get(url, urgency).await?;
            let opened = Envelope::open(&body);
            let envelope = opened.map_err(|problem| ReadError::Malformed { resource, page: 1, problem })?;
            for raw in &envelope.rows {
                probe.survey.note(raw, is_readable(&self.fields, resource, raw));
            }
            let Envelope { rows, total, total_page } = envelope;
            probe.pages.push(ProbedPage { asked: limit, rows: rows.len() as u64, total, total_page });
            probe.server_time = server_time;
        }
        Ok(probe)
    }
}

/// Whether a reading would understand this row.
fn is_readable(fields: &FieldMap, resource: Resource, raw: &RawValue) -> bool {
    fn read<T>(raw: &RawValue, form: &dyn Form<Item = T>) -> bool {
        id_of(raw, form.id_pointer()).is_some_and(|id| decode(raw.get(), id, form).is_ok())
    }
    match resource {
        Resource::Transactions => read(raw, &fields.transactions),
        Resource::Stock => read(raw, &fields.stock),
        // Which day it is and what was asked for makes no credit harder to read.
        Resource::Credit => {
            let (fields, status) = (&fields.credit, CreditStatus::Pending);
            read(raw, &CreditForm { fields, status, overdue: false, today: chrono::NaiveDate::default() })
        }
        Resource::Members => read(raw, &fields.members),
        Resource::Vendors => read(raw, &fields.vendors),
        Resource::BuyDocuments => read(raw, &fields.buy_documents),
    }
}
