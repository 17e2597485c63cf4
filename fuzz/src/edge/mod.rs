//! Of the edges only the one that answers come in at.

pub mod pospos;
