//! Whole runs of the program between a simulated shop and real receivers.

mod acts;
mod busy_day;
mod catch_up;
mod channels;
mod clean_stop;
mod clock;
mod commands;
mod copies;
mod crash;
mod empty;
mod fetch;
mod full_disk;
mod held;
pub(crate) mod journal;
mod limits;
mod lists;
mod log;
mod mass_change;
mod nightly;
mod older;
mod overflow;
mod pauses;
mod refresh;
mod refusals;
mod replay;
mod through;
mod told;
