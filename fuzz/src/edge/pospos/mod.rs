//! How an answer is read, by the program's own files.

mod reading;
#[expect(dead_code, unused_imports, reason = "the program uses more of it than the fuzzer")]
#[path = "../../../../src/edge/pospos/wire/mod.rs"]
mod wire;

pub use reading::{Read, credits, members, products, purchases, sales, vendors};
pub use wire::{FieldMap, is_pointer};
