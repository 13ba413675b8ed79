//! See `steer_fuzz::config`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| steer_fuzz::config(data));
