//! Whole runs of the program between a simulated shop and real receivers.

mod channels;
mod commands;
mod crash;
mod fetch;
mod held;
mod journal;
mod refusals;
