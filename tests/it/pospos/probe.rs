//! A probe takes one page of each list, and says what came and what the server's clock was.

use mockito::{Matcher, Server};
use posbell::domain::model::Resource;
use posbell::edge::pospos::quota::Urgency;
use posbell::edge::pospos::{Malformed, Presence, ProbedPage, Question, ReadError};

use super::{products, shop};

fn credit(period: &str) -> Question {
    Question::Credit { period: period.to_owned(), status: "pending".to_owned() }
}

#[tokio::test]
async fn two_lists_are_looked_at_as_one_with_one_call_each() {
    let mut server = Server::new_async().await;
    let mut mocks = Vec::new();
    for (period, body) in [
        ("IN_OF_PERIOD", r#"{"success":1,"data":[{"_id":"a","grand_total":5}],"total":9,"total_page":5}"#),
        ("OUT_OF_PERIOD", r#"{"success":1,"data":[{"_id":"b","due_date":"","note":1},{"_id":"c","x":2},7]}"#),
    ] {
        let query = ["page=1", "limit=2", "status=pending", &format!("period={period}")].map(str::to_owned);
        let query = Matcher::AllOf(query.into_iter().map(Matcher::Regex).collect());
        let mock = server.mock("GET", "/credit").match_query(query).with_body(body);
        mocks.push(mock.with_header("date", "Tue, 24 Nov 2026 03:00:05 GMT").expect(1).create_async().await);
    }
    let shop = shop(&server.url());
    let lists = [credit("IN_OF_PERIOD"), credit("OUT_OF_PERIOD")];
    let probe = shop.pospos.probe(Resource::Credit, &lists, Urgency::Person).await.unwrap();
    for mock in mocks {
        mock.assert_async().await;
    }
    let presence = |name| probe.survey.fields.iter().find(|field| field.name == name).map(|field| field.presence);
    assert_eq!(presence("amount"), Some(Presence::Seen));
    assert_eq!(presence("due_at"), Some(Presence::Empty));
    assert_eq!(presence("paid"), Some(Presence::Missing));
    assert_eq!(probe.survey.unread.iter().collect::<Vec<_>>(), ["note", "x"]);
    assert_eq!((probe.survey.rows, probe.survey.readable), (4, 3));
    let page = |rows, total, total_page| ProbedPage { asked: 2, rows, total, total_page };
    assert_eq!(probe.pages, [page(1, Some(9), Some(5)), page(3, None, None)]);
    assert_eq!(probe.server_time.map(|time| time.to_string()).as_deref(), Some("2026-11-24 03:00:05"));
}

#[tokio::test]
async fn rows_of_another_list_are_counted_and_not_understood() {
    let mut server = Server::new_async().await;
    let _mock = server
        .mock("GET", "/vendor")
        .match_query(Matcher::Any)
        .with_body(r#"{"success":1,"data":[{"_id":"a","price_level":"0"}]}"#)
        .create_async()
        .await;
    let shop = shop(&server.url());
    let question = [Question::Vendors { term: String::new() }];
    let probe = shop.pospos.probe(Resource::Vendors, &question, Urgency::Person).await.unwrap();
    assert_eq!((probe.survey.rows, probe.survey.readable), (1, 0));
}

#[tokio::test]
async fn what_is_no_answer_is_an_error_as_in_a_reading() {
    let mut server = Server::new_async().await;
    let cut = products("ab", "").replace("]}", "");
    let _mock = server.mock("GET", "/stock/pagination").match_query(Matcher::Any).with_body(cut).create_async().await;
    let shop = shop(&server.url());
    let question = [Question::StockPages { term: String::new() }];
    let error = shop.pospos.probe(Resource::Stock, &question, Urgency::Person).await.unwrap_err();
    let is_cut = matches!(error, ReadError::Malformed { problem: Malformed::CutOff, page: 1, .. });
    assert!(is_cut, "{error}");
}
