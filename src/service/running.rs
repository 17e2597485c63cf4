//! What only the running service has.

use std::sync::Arc;

use super::doors::Doors;
use super::shop::Shop;
use super::watchdog::Watch;

/// The loops of the running service, as those who ask it see them.
pub struct Running {
    /// The shops.
    pub shops: Vec<Arc<Shop>>,
    /// Looks whether the store answers.
    pub watch: Arc<Watch>,
    /// Where it is asked.
    pub doors: Doors,
}
