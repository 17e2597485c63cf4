//! posbell: the bell on the till.

pub mod cli;
pub mod config;
pub mod demo;
pub mod domain;
pub mod edge;
pub mod service;
