//! A server that answers as the API does, until it is told to answer wrongly.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex, MutexGuard};

use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, Uri};
use posbell::domain::model::Resource;
use tokio::task::AbortHandle;

use super::row::Row;

/// What is asked of the server.
#[derive(Debug, Clone)]
pub struct Asked {
    pub page: usize,
    pub limit: usize,
    /// Of credits: `within`, `out` or `paid`.
    pub list: Option<&'static str>,
}

/// An answer before it is written: of the rows, each as it is written.
#[derive(Debug, Clone)]
pub struct Answer {
    pub rows: Vec<Arc<str>>,
    /// How `total` and `total_page` are written.
    pub total: String,
    pub total_page: String,
}

/// What a bad pass does to the answers.
#[derive(Clone, Copy)]
pub enum Spoil {
    /// The list is another one, page for page and with a total that agrees.
    List(fn(&mut Vec<Row>)),
    /// Its rows are others. A part of them does for a long list.
    Rows(fn(&mut Vec<Row>)),
    /// Each answer is another one than that of the list, which is handed over.
    Page(fn(&Asked, &[Arc<str>], &mut Answer)),
    /// The text of each answer is another one, with this status.
    Text(u16, fn(String) -> String),
}

/// The list of one resource, and how it is spoilt.
struct List {
    resource: Resource,
    /// The right ones.
    rows: Vec<Written>,
    /// Those that are answered, list by list.
    answered: BTreeMap<&'static str, Vec<Arc<str>>>,
    spoil: Option<Spoil>,
}

/// A row as it is written, with the list in which it stands.
type Written = (&'static str, Arc<str>);

/// A running server of one list. Its rows are changed by whoever holds it.
pub struct Server {
    list: Arc<Mutex<List>>,
    pub base_url: String,
    task: AbortHandle,
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Server {
    pub fn start(resource: Resource) -> Server {
        let list = List { resource, rows: Vec::new(), answered: BTreeMap::new(), spoil: None };
        let list = Arc::new(Mutex::new(list));
        let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("there is a free port");
        listener.set_nonblocking(true).expect("can be");
        let base_url = format!("http://{}/developer/api", listener.local_addr().expect("has one"));
        let listener = tokio::net::TcpListener::from_std(listener).expect("is a listener");
        let app = Router::new().fallback(answer).with_state(Arc::clone(&list));
        #[expect(clippy::disallowed_methods, reason = "the fake runs beside its reader")]
        let task = tokio::spawn(async move { drop(axum::serve(listener, app).await) }).abort_handle();
        Server { list, base_url, task }
    }

    /// The list from now on, answered rightly.
    pub fn show(&self, rows: &[Row]) {
        let mut list = lock(&self.list);
        list.rows = written(rows);
        (list.answered, list.spoil) = (by_list(&list.rows), None);
    }

    /// The same list, answered wrongly from now on; where its rows are spoilt, the first `most`.
    pub fn spoil(&self, rows: &[Row], most: usize, spoil: Spoil) {
        let mut list = lock(&self.list);
        let spoilt = match spoil {
            Spoil::List(change) => Some((change, rows.len())),
            Spoil::Rows(change) => Some((change, most)),
            Spoil::Page(_) | Spoil::Text(..) => None,
        };
        if let Some((change, most)) = spoilt {
            let mut rows = rows[..most].to_vec();
            change(&mut rows);
            let mut all = written(&rows);
            all.extend_from_slice(&list.rows[most..]);
            list.answered = by_list(&all);
        }
        list.spoil = Some(spoil);
    }
}

fn by_list(rows: &[Written]) -> BTreeMap<&'static str, Vec<Arc<str>>> {
    let mut lists: BTreeMap<_, Vec<_>> = BTreeMap::new();
    rows.iter().for_each(|(list, row)| lists.entry(*list).or_default().push(Arc::clone(row)));
    lists
}

fn written(rows: &[Row]) -> Vec<Written> {
    let list = |row: &Row| match row.get("#list") {
        "within" => "within",
        "out" => "out",
        "paid" => "paid",
        _ => "",
    };
    rows.iter().map(|row| (list(row), Arc::from(row.written()))).collect()
}

async fn answer(State(list): State<Arc<Mutex<List>>>, uri: Uri) -> (StatusCode, String) {
    let list = lock(&list);
    let value = |name: &str| {
        let mut pairs = uri.query().unwrap_or_default().split('&').filter_map(|pair| pair.split_once('='));
        pairs.find(|(known, _)| *known == name).map(|(_, value)| value)
    };
    let number = |name: &str, none| value(name).and_then(|value| value.parse().ok()).unwrap_or(none);
    let credits = match (value("status"), value("period")) {
        (Some("paid"), _) => Some("paid"),
        (_, Some("OUT_OF_PERIOD")) => Some("out"),
        (_, Some(_)) => Some("within"),
        _ => None,
    };
    let asked = Asked { page: number("page", 1), limit: number("limit", usize::MAX), list: credits };
    let of = asked.list.filter(|_| list.resource == Resource::Credit).unwrap_or_default();
    let all = list.answered.get(of).map_or(&[][..], Vec::as_slice);
    let first = (asked.page - 1).saturating_mul(asked.limit);
    let mut answer = Answer {
        rows: all.iter().skip(first).take(asked.limit).cloned().collect(),
        total: all.len().to_string(),
        total_page: all.len().div_ceil(asked.limit).to_string(),
    };
    match list.spoil {
        Some(Spoil::Page(change)) => {
            change(&asked, all, &mut answer);
            (StatusCode::OK, text(&answer))
        }
        Some(Spoil::Text(status, change)) => {
            (StatusCode::from_u16(status).expect("is a status"), change(text(&answer)))
        }
        Some(Spoil::List(_) | Spoil::Rows(_)) | None => (StatusCode::OK, text(&answer)),
    }
}

fn text(answer: &Answer) -> String {
    let Answer { rows, total, total_page } = answer;
    let rows = rows.join(",");
    format!(r#"{{"success":1,"data":[{rows}],"total":{total},"total_page":{total_page}}}"#)
}

fn lock(list: &Mutex<List>) -> MutexGuard<'_, List> {
    list.lock().expect("nobody panics with it")
}
