//! Why a request gets no answer, and answers that are made as they are taken.

use std::pin::Pin;

use futures_util::Stream;

/// Why a request gets no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// There is no such thing.
    #[error("{0}")]
    NotFound(String),
    /// The request makes no sense.
    #[error("{0}")]
    Wrong(String),
    /// The service cannot say.
    #[error("{0}")]
    Failed(String),
}

/// A JSON object as it is made. An error in it cuts the answer off.
pub type Pieces = Pin<Box<dyn Stream<Item = Result<String, Refusal>> + Send>>;
