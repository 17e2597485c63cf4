//! A copy of the store on its way to whoever writes it down: piece by piece, as fast as they are taken.

use std::time::Duration;

use tokio::sync::mpsc::{self, Receiver, Sender};
use tracing::{info, warn};

use crate::domain::model::Timestamp;
use crate::edge::store::{Store, StoreCopy, StoreError, broken_off};

/// How many pieces are ready before they are taken: about half a megabyte.
const PIECES_AHEAD: usize = 4;

/// How long a piece waits for someone who is there and takes nothing. Meanwhile what is changed must be kept.
const IGNORED: Duration = Duration::from_secs(60);

/// Begins a copy of the store as it is now, and returns the bytes of its file as they come. The last of them say that it
/// is whole, or why it is not. Dropped, the copy is given up.
pub async fn start(store: &Store, now: Timestamp) -> Result<Receiver<Vec<u8>>, StoreError> {
    let copy = store.copy(now).await?;
    let (pieces, received) = mpsc::channel(PIECES_AHEAD);
    #[expect(clippy::disallowed_methods, reason = "it ends with its receiver, or soon after its patience")]
    tokio::spawn(send(copy, pieces));
    Ok(received)
}

async fn send(mut copy: StoreCopy, pieces: Sender<Vec<u8>>) {
    loop {
        let (piece, is_last) = match copy.next().await {
            Ok(Some(piece)) => (piece, false),
            Ok(None) => break,
            Err(error) => {
                warn!("a backup was given up after {} records: {error}", copy.records());
                (broken_off(&error), true)
            }
        };
        if pieces.send_timeout(piece, IGNORED).await.is_err() || is_last {
            return;
        }
    }
    info!("handed out a backup of {} records", copy.records());
}
