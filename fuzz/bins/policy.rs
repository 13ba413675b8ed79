//! See `steer_fuzz::policy`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| steer_fuzz::policy(data));
