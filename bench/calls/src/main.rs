//! Makes calls of one policy, for callgrind to count their instructions: `bench/calls/count.py`.
//!
//!     calls-bench POLICY CONFIG BACKENDS CALLS
//!
//! A call is a pick, a start, a finish and the end of the tracker. Callgrind counts within
//! [`one_call`] only, so the number does not depend on what is before and after.

mod channel;

use std::hint::black_box;
use std::time::Duration;

use steer::Status;
use steer::calls::Call;
use steer::policy::{GuardedPicker, Pick};

/// Calls that are made before the others: they allocate what later calls use again.
const FIRST_CALLS: u64 = 100;

/// One call from its pick to its end, as a host makes it. Callgrind counts in it.
#[inline(never)]
fn one_call(picker: &GuardedPicker, request: &Call<'_>) {
    call(picker, request);
}

/// A call.
#[inline(always)]
fn call(picker: &GuardedPicker, request: &Call<'_>) {
    if let Some(handle) = picker.next_in_rotation() {
        black_box(handle);
        return;
    }
    match picker.pick(request) {
        Pick::Complete(connection) => {
            black_box(connection.handle());
        }
        Pick::Tracked(mut slot) => {
            black_box(slot.call().connection().handle());
            slot.call_mut().start();
            slot.call_mut().finish(&Status::OK, None);
        }
        _ => panic!("a call goes to no backend"),
    }
}

/// Waits for the thread that measures the cycle counter: until then, the clock is a slower one.
fn wait_for_clock() {
    let _ = steer::sync::Clock::global().now();
    let threads = || std::fs::read_dir("/proc/self/task").map_or(1, Iterator::count);
    while threads() > 1 {
        std::thread::sleep(Duration::from_millis(10));
    }
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [policy, config, backends, calls] = &arguments[..] else {
        panic!("usage: calls-bench POLICY CONFIG BACKENDS CALLS");
    };
    let config = serde_json::from_str(config).expect("CONFIG is JSON");
    let number = |text: &str| text.parse::<usize>().expect("BACKENDS and CALLS are numbers");
    wait_for_clock();
    let channel = channel::Channel::new(policy, &config, number(backends));
    let picker = channel.picker();
    // For the policies that hash: some number, another one for each call.
    let request = |number: u64| {
        let request_hash = Some(number.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        Call { request_hash, ..*Call::UNKNOWN }
    };
    (0..FIRST_CALLS).for_each(|number| call(&picker, &request(number)));
    (0..number(calls) as u64).for_each(|number| one_call(&picker, &request(number)));
}
