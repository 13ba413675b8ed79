//! See `steer_fuzz::hash`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| steer_fuzz::hash(data));
