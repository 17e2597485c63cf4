//! How the body of an answer is held in memory: small ones as they come, of large ones one at a time.
//!
//! Several calls are under way at once, of several shops, and an answer may have sixty-four mebibytes. So whoever reads
//! more than [`SMALL`] waits until no other large body is held, by whichever shop, and has the room until the body is
//! dropped. The wait is no time of the call: its server has answered, and is read on when it is its turn.
//!
//! Nobody who has the room waits for another: a page is compared and dropped before the next is asked for.

use std::ops::Deref;
use std::time::Duration;

use reqwest::Response;
use tokio::sync::{Semaphore, SemaphorePermit};

use super::error::TransportError;
use super::transport::transport;

/// The longest body that needs no room of its own, and for which memory is taken at once.
const SMALL: usize = 1024 * 1024;

/// The room for one large body in this process.
static ROOM: Semaphore = Semaphore::const_new(1);

/// The body of an answer.
#[derive(Debug, Default)]
pub(super) struct Body {
    bytes: Vec<u8>,
    /// Held, not read.
    room: Option<SemaphorePermit<'static>>,
}

impl Deref for Body {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.bytes
    }
}

impl Body {
    /// The whole body, unless it is longer than `limit`. Over all of it may take `timeout`, so that one that drips ends
    /// too; what is large has the same again, once there is room for it.
    pub async fn read(mut response: Response, limit: usize, timeout: Duration) -> Result<Body, TransportError> {
        let length = response.content_length().and_then(|length| usize::try_from(length).ok()).unwrap_or(0);
        let mut body = Body { bytes: Vec::with_capacity(length.min(SMALL)), room: None };
        if in_time(timeout, body.read_on(&mut response, limit, SMALL)).await? {
            return Ok(body);
        }
        body.room = ROOM.acquire().await.ok();
        body.bytes.reserve_exact(length.min(limit).saturating_sub(body.bytes.len()));
        in_time(timeout, body.read_on(&mut response, limit, usize::MAX)).await?;
        Ok(body)
    }

    /// Reads until there are more than so many bytes; whether that was all.
    async fn read_on(&mut self, response: &mut Response, limit: usize, until: usize) -> Result<bool, TransportError> {
        while self.bytes.len() <= until {
            // Counted after unpacking, so that a small answer cannot grow without limit.
            let Some(chunk) = response.chunk().await.map_err(|error| transport(&error))? else { return Ok(true) };
            if self.bytes.len() + chunk.len() > limit {
                return Err(TransportError::TooLarge);
            }
            self.bytes.extend_from_slice(&chunk);
        }
        Ok(false)
    }
}

async fn in_time(
    timeout: Duration,
    reading: impl Future<Output = Result<bool, TransportError>>,
) -> Result<bool, TransportError> {
    tokio::time::timeout(timeout, reading).await.unwrap_or(Err(TransportError::Unfinished))
}
