//! Whole runs of the program between a simulated shop and real receivers.

mod catch_up;
mod channels;
mod commands;
mod copies;
mod crash;
mod fetch;
mod full_disk;
mod held;
mod journal;
mod lists;
mod mass_change;
mod older;
mod refresh;
mod refusals;
