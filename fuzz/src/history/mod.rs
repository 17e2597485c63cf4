//! A shop's history of a few passes: first one state of it, then another, each read again until nothing is news.

mod credits;
mod listed;
mod products;
mod rows;
mod sales;

use crate::domain::model::Resource;
use crate::edge::pospos::{members, purchases, vendors};
use crate::input::Input;

/// In how many passes the same answer is read. What is left out or missing is believed in the second, thresholds may
/// ask for two more, and of what is lost it may be told in the fourth: in the last one all must be quiet.
const PASSES: usize = 5;

/// Plays the history that these answers are.
pub fn play(input: &Input<'_>) {
    match input.resource {
        Resource::Transactions => sales::play(input),
        Resource::Stock => products::play(input),
        Resource::Credit => credits::play(input),
        Resource::Members => listed::play(input, members),
        Resource::Vendors => listed::play(input, vendors),
        Resource::BuyDocuments => listed::play(input, purchases),
    }
}
