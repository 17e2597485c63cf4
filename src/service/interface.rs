//! What requests are answered with, from the start of the process to its end.
//!
//! The process goes through several states, each with its own answers: it starts, its store is open, the store is
//! closed and opened again, it ends. The listeners follow; they know nothing of why.

use std::sync::Arc;

use tokio::sync::watch;

use super::app::App;
use super::clock::Clock;
use super::doors::Doors;
use crate::api::{Problem, Problems};

/// What requests are answered with now.
#[derive(Clone)]
pub enum Answering {
    /// Everything, from the open store.
    Open(Arc<App>),
    /// That the store is closed.
    Closed(Closed),
}

/// What is answered while the store is closed.
#[derive(Debug, Clone)]
pub struct Closed {
    /// Why, for a person.
    pub why: String,
    /// It passes by itself in a moment: a command waits for it.
    pub passes: bool,
    /// What a person should mend.
    pub problems: Problems,
}

/// One listener's view of it; `None` at the end, when nothing more is accepted.
pub type Following = watch::Receiver<Option<Answering>>;

/// What is answered at the listeners.
#[derive(Clone)]
pub struct Interface(Arc<Inner>);

struct Inner {
    answering: watch::Sender<Option<Answering>>,
    doors: Doors,
}

impl Interface {
    /// Of a process that starts.
    pub fn new(clock: &Clock) -> Interface {
        let starting = Closed { why: "posbell is starting".to_owned(), passes: true, problems: Problems::default() };
        let answering = watch::Sender::new(Some(Answering::Closed(starting)));
        Interface(Arc::new(Inner { answering, doors: Doors::new(clock) }))
    }

    /// Answers from the open store. Connections from before end when what they were asked is answered, or soon after.
    pub fn open(&self, app: Arc<App>) {
        self.0.answering.send_replace(Some(Answering::Open(app)));
    }

    /// Answers that the store is closed, why, and with these problems. What `passes` by itself in a moment is waited for
    /// by commands.
    pub fn close(&self, why: &str, passes: bool, problems: Vec<Problem>) {
        let problems = Problems { data: problems.into_iter().chain(self.doors().problems()).collect() };
        self.0.answering.send_replace(Some(Answering::Closed(Closed { why: why.to_owned(), passes, problems })));
    }

    /// Ends it all: nothing more is accepted.
    pub fn end(&self) {
        self.0.answering.send_replace(None);
    }

    /// What a listener follows.
    pub fn follow(&self) -> Following {
        self.0.answering.subscribe()
    }

    /// What keeps requests from coming in.
    pub fn doors(&self) -> &Doors {
        &self.0.doors
    }
}
