//! The body of a request: read whole before anything is done, in a bounded time and up to a bounded length.

use std::time::Duration;

use axum::body::{Body, to_bytes};
use axum::extract::Request;
use axum::http::StatusCode;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

/// How long a client may take to send the head of a request, also of the next one on a connection that it keeps.
pub(super) const HEAD: Duration = Duration::from_secs(10);

/// The most bytes of a body: the ids of fifty thousand deliveries.
const MOST: usize = 2 * 1024 * 1024;

pub(super) async fn within_bounds(request: Request, next: Next) -> Response {
    let (head, body) = request.into_parts();
    match tokio::time::timeout(HEAD, to_bytes(body, MOST)).await {
        Ok(Ok(bytes)) => next.run(Request::from_parts(head, Body::from(bytes))).await,
        Ok(Err(_)) => (StatusCode::PAYLOAD_TOO_LARGE, "the body is cut off or has more than 2 MiB\n").into_response(),
        Err(_) => (StatusCode::REQUEST_TIMEOUT, "the body did not come within 10 seconds\n").into_response(),
    }
}
