//! See `steer_fuzz::metrics`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| steer_fuzz::metrics(data));
