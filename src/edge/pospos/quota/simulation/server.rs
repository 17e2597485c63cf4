//! The server: brute force that knows nothing of places. It has the list of arrivals and looks at every window.

use crate::edge::pospos::quota::{QuotaLimit, Urgency};

/// A call as the server and its sender saw it; true time in milliseconds.
pub struct Sent {
    pub arrival: u64,
    /// In which order the calls were let go.
    pub number: usize,
    /// Which of [`Server::in_force`] let it go.
    pub limits: usize,
    pub urgency: Urgency,
}

#[derive(Default)]
pub struct Server {
    /// Every list of limits that was in force once.
    in_force: Vec<Vec<QuotaLimit>>,
    sent: Vec<Sent>,
}

impl Server {
    /// The number of this list of limits.
    pub fn limits(&mut self, limits: Vec<QuotaLimit>) -> usize {
        self.in_force.iter().position(|known| *known == limits).unwrap_or_else(|| {
            self.in_force.push(limits);
            self.in_force.len() - 1
        })
    }

    pub fn arrives(&mut self, sent: Sent) {
        self.sent.push(sent);
    }

    /// The classes in the order in which they were let go.
    pub fn gone(&mut self) -> Vec<Urgency> {
        self.sent.sort_by_key(|sent| sent.number);
        self.sent.iter().map(|sent| sent.urgency).collect()
    }

    /// The first window, both ends included, that has more calls than a limit allows that let the last of them go.
    ///
    /// It is enough to look at each run of one call more than is allowed: a window with more has such a run with the
    /// call in it that was let go last.
    pub fn too_full(&mut self) -> Option<String> {
        self.sent.sort_by_key(|sent| sent.arrival);
        for (number, limit) in
            self.in_force.iter().enumerate().flat_map(|(number, all)| all.iter().map(move |one| (number, one)))
        {
            let window = u64::try_from(limit.window.as_millis()).unwrap();
            for run in self.sent.windows(limit.calls as usize + 1) {
                let (first, last) = (run[0].arrival, run[run.len() - 1].arrival);
                if last - first <= window && run.iter().max_by_key(|sent| sent.number)?.limits == number {
                    return Some(format!("{} calls within {limit} from {first} ms on", run.len()));
                }
            }
        }
        None
    }
}
