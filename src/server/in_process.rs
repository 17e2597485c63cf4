//! The same router for a command that answers itself, because no service runs.

use std::pin::Pin;
use std::sync::Arc;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::http::{Method, Request, StatusCode, header};
use futures_util::{Stream, StreamExt};
use hyper::service::Service;
use hyper_util::service::TowerToHyperService;

use super::fetch::fetch_router;
use super::routes::router;
use crate::service::app::App;
use crate::service::callers::Callers;

/// What answers in this process.
pub struct InProcess(Router);

/// The body of an answer, as it is made. An error cuts it off.
pub type AnswerBody = Pin<Box<dyn Stream<Item = Result<Vec<u8>, String>>>>;

impl InProcess {
    /// Everything, from the open store.
    pub fn of_app(app: App) -> InProcess {
        InProcess(router(Arc::new(app)))
    }

    /// Calls of the API alone.
    pub fn of_callers(callers: Callers) -> InProcess {
        InProcess(fetch_router(callers))
    }

    /// The answer to one request, as it would come over the socket.
    pub async fn ask(&self, method: Method, url: &str, body: String) -> (StatusCode, AnswerBody) {
        let request = Request::builder().method(method).uri(url).header(header::CONTENT_TYPE, "application/json");
        let Ok(request) = request.body(Body::from(body)) else {
            return (StatusCode::BAD_REQUEST, Box::pin(futures_util::stream::empty()));
        };
        let Ok(answer) = TowerToHyperService::new(self.0.clone()).call(request).await;
        let part = |part: Result<Bytes, axum::Error>| part.map(Vec::from).map_err(|error| error.to_string());
        (answer.status(), Box::pin(answer.into_body().into_data_stream().map(part)))
    }
}
