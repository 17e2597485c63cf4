//! What of the configured rhythm cannot be had under the quota?
//!
//! Values, not sentences: `posbell check` says them to a person, in whose language and with whose figures is not known
//! here. Only the quota is warned of. That little is read at night is no news to anyone who sleeps.

use std::time::Duration;

use super::Rhythm;
use super::pace::Why;
use super::sales::{self, SalesPlan};
use crate::domain::model::Resource;

/// One wish that the quota does not grant, and what comes instead.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Warning {
    /// A resource is read less often than the file says.
    TooFast {
        /// The resource.
        resource: Resource,
        /// What the file says.
        configured: Duration,
        /// What it will be.
        effective: Duration,
    },
    /// The trailing window of sales is read less often than the file says, or than posbell would by itself. Cancels of
    /// earlier days and late sales are then told so much later.
    TrailingTooFast {
        /// What the file says, or the hour that counts without it.
        configured: Duration,
        /// What it will be.
        effective: Duration,
    },
}

/// Every wish of the file that does not come true, in the order of the resources. `rhythm` is the one by day, and
/// `trailing` what the file says of it.
pub fn warnings(rhythm: &Rhythm, trailing: Option<Duration>) -> Vec<Warning> {
    let stretched = rhythm.paces.iter().filter(|(_, pace)| pace.why == Why::Quota);
    let mut warnings: Vec<Warning> = stretched
        .map(|(&resource, pace)| Warning::TooFast { resource, configured: pace.configured, effective: pace.every })
        .collect();
    if let Some(SalesPlan::Tiers { trailing: effective, .. }) = rhythm.sales {
        let configured = trailing.unwrap_or(sales::TRAILING);
        // Where passes themselves are configured to be rarer, the file asks for no more.
        let asked =
            rhythm.paces.get(&Resource::Transactions).map_or(configured, |pace| pace.configured.max(configured));
        if effective > asked {
            warnings.push(Warning::TrailingTooFast { configured, effective });
        }
    }
    warnings
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::super::pace::Capacity;
    use super::super::{Costs, Rhythm};
    use super::*;

    const HOUR: Duration = Duration::from_secs(3600);

    #[track_caller]
    fn check(poll: &[(Resource, u64)], trailing: Option<u64>, (today, whole): (u32, u32), limit: u32, said: &[&str]) {
        let poll: BTreeMap<_, _> = poll.iter().map(|(of, seconds)| (*of, Duration::from_secs(*seconds))).collect();
        let trailing = trailing.map(Duration::from_secs);
        let costs = Costs { sales: sales::Cost { today, whole }, ..Costs::default() };
        let rhythm = Rhythm::of(&poll, trailing, &costs, Capacity::of(&[(limit, HOUR)]));
        let text = |warning| match warning {
            Warning::TooFast { resource, configured, effective } => {
                format!("{resource} {} > {}", configured.as_secs(), effective.as_secs())
            }
            Warning::TrailingTooFast { configured, effective } => {
                format!("trailing {} > {}", configured.as_secs(), effective.as_secs())
            }
        };
        assert_eq!(warnings(&rhythm, trailing).into_iter().map(text).collect::<Vec<_>>(), said);
    }

    const BOTH: [(Resource, u64); 2] = [(Resource::Transactions, 15), (Resource::Stock, 120)];

    #[test]
    fn what_fits_is_not_warned_of() {
        check(&BOTH, None, (1, 1), 1000, &[]);
        check(&[], None, (1, 1), 1, &[]);
        // The tiers are no warning by themselves.
        check(&BOTH, None, (1, 9), 400, &[]);
    }

    #[test]
    fn what_does_not_fit_is_named_with_what_it_will_be() {
        check(&BOTH, None, (1, 1), 100, &["transactions 15 > 60"]);
        check(&BOTH, None, (1, 1), 20, &["transactions 15 > 300", "stock 120 > 600"]);
    }

    #[test]
    fn a_trailing_window_that_is_read_late_is_named() {
        check(&BOTH[..1], None, (1, 9), 10, &["transactions 15 > 600", "trailing 3600 > 9600"]);
        check(&BOTH[..1], Some(6 * 3600), (1, 9), 10, &["transactions 15 > 469"]);
        // Passes every two hours read the window each time, and were not asked for more.
        check(&[(Resource::Transactions, 7200)], None, (1, 9), 10, &[]);
    }
}
