//! `bench_rust`: the benchmark's picker in Rust. Each thread uses the backends in turn. Reads
//! nothing of the call. `turns.c` does the same in C.

use std::cell::Cell;

use steer_sdk::{Backends, Channel, Pick, Picker, PickerFactory, picker};

thread_local! {
    static TURN: Cell<usize> = const { Cell::new(0) };
}

#[derive(serde::Deserialize)]
struct Config {}

struct ConnectionRotation;

impl PickerFactory for ConnectionRotation {
    const NAME: &'static str = "bench_rust";
    type Config = Config;

    fn build(&self, _config: &Config, backends: Backends, _channel: &Channel) -> impl Picker {
        picker(move |_call| {
            let next = TURN.get() + 1;
            let turn = if next < backends.len() { next } else { 0 };
            TURN.set(turn);
            Pick::complete(&backends[turn])
        })
    }
}

steer_sdk::steer_plugin! { name: "turns", pickers: [ConnectionRotation] }
