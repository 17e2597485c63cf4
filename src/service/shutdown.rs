//! The end: asked for once, seen by every loop.

use std::future::Future;

use tokio::sync::watch;

/// What a loop watches to know when to end.
#[derive(Debug, Clone)]
pub struct Shutdown {
    asked: watch::Receiver<bool>,
}

/// What asks every loop to end; also when it is dropped.
#[derive(Debug)]
pub struct Ending {
    asked: watch::Sender<bool>,
}

/// A shutdown that has not been asked for, and what asks for it.
pub fn shutdown() -> (Ending, Shutdown) {
    let (sender, receiver) = watch::channel(false);
    (Ending { asked: sender }, Shutdown { asked: receiver })
}

impl Ending {
    /// Asks every loop to end.
    pub fn ask(&self) {
        self.asked.send_replace(true);
    }
}

impl Shutdown {
    /// Whether the end was asked for.
    pub fn is_asked(&self) -> bool {
        *self.asked.borrow() || self.asked.has_changed().is_err()
    }

    /// Returns when the end is asked for.
    pub async fn asked(&self) {
        let mut asked = self.asked.clone();
        // An error means that nobody is left who could ask: that is the end too.
        drop(asked.wait_for(|asked| *asked).await);
    }

    /// The outcome of `work`, or `None` when the end is asked for first.
    pub async fn unless_asked<T>(&self, work: impl Future<Output = T>) -> Option<T> {
        tokio::select! {
            biased;
            () = self.asked() => None,
            done = work => Some(done),
        }
    }
}
