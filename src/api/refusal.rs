//! Why a request gets no answer, and answers that are made as they are taken.

use std::pin::Pin;

use futures_util::Stream;
use serde::{Deserialize, Serialize};

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
    /// What is stored is damaged.
    #[error("{0}")]
    Damaged(String),
}

impl Refusal {
    /// The service cannot say because of this.
    pub fn failed(error: impl std::fmt::Display) -> Refusal {
        Refusal::Failed(error.to_string())
    }
}

/// What a refused request is answered, as JSON.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refused {
    /// Why, for a person.
    pub error: String,
    /// What is stored is damaged: a person must say what is to become of it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub damaged: bool,
}

/// A JSON object as it is made. An error in it cuts the answer off.
pub type Pieces = Pin<Box<dyn Stream<Item = Result<String, Refusal>> + Send>>;
