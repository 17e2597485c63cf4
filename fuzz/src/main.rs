//! What can an answer of the API do to posbell? A fuzz target for libFuzzer.
//!
//! The bytes are a few answers ([`input`]). Each is read by the program's own files ([`edge::pospos`]), and what was read
//! is compared pass by pass as the service does it ([`history`]). Nothing may panic, hang or take memory out of
//! proportion ([`memory`]); the same bytes must be read alike twice; a reading that says nothing new must tell nothing;
//! and what is told must be true ([`told`]).
//!
//! The rooms under test are compiled from `src/` as they stand, and without the rest: no switch in the product serves the
//! fuzzer, and neither runtime nor TLS nor database need be built once more with the fuzzer's flags. `fuzz/run` builds
//! and runs it.

#![no_main]

#[expect(dead_code, unused_imports, reason = "the program uses more of it than the fuzzer")]
#[path = "../../src/domain/mod.rs"]
mod domain;
mod edge;
mod history;
mod input;
mod memory;
mod mutate;
mod told;

use input::Input;

#[global_allocator]
static MEMORY: memory::Counting = memory::Counting;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    if let Some(input) = Input::of(bytes) {
        memory::in_proportion(bytes.len(), || history::play(&input));
    }
});

libfuzzer_sys::fuzz_mutator!(|bytes: &mut [u8], size: usize, most: usize, seed: u32| {
    match mutate::next(&bytes[..size], most, seed) {
        Some(next) => {
            bytes[..next.len()].copy_from_slice(&next);
            next.len()
        }
        None => libfuzzer_sys::fuzzer_mutate(bytes, size, most),
    }
});
