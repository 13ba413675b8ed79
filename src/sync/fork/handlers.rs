//! The handlers that the C library calls before and after a `fork`.
//!
//! Must not depend on: the data that the locks protect.

use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use super::gate::{DEPTH, FORK, FORKS, GATE, IN_CHILD, PATIENCE};
use crate::sync::random::{random, restart_in_child};

/// Registers the handlers with the C library.
pub(super) fn register() {
    // SAFETY: the C library calls the three functions as long as they are registered. They take no
    // arguments, and they exist that long: the C library removes the handlers of a library that is
    // unloaded.
    unsafe { libc::pthread_atfork(Some(prepare), Some(parent), Some(child)) };
}

/// Registers the handlers when the library is loaded. That is before the first `grpc_init`
/// registers gRPC's handlers, so gRPC's `prepare` runs before this one.
#[cfg(not(loom))]
#[used]
// SAFETY: the section holds pointers to functions that the loader calls once, before `main`. This
// is such a pointer, and `at_load` needs nothing that is set up later.
#[unsafe(link_section = ".init_array")]
static AT_LOAD: extern "C" fn() = {
    use super::gate::NEW;
    extern "C" fn at_load() {
        if GATE.fetch_and(!NEW, Ordering::AcqRel) & NEW != 0 {
            register();
        }
    }
    at_load
};

/// Before the fork, in the forking thread: closes the gate, and waits until no other thread is
/// inside.
unsafe extern "C" fn prepare() {
    FORKS.set(true);
    let began = Instant::now();
    // Acquire, here and below: pairs with the release of a thread that leaves.
    let mut gate = GATE.fetch_add(FORK, Ordering::AcqRel);
    while gate & (FORK - 1) > DEPTH.get() && began.elapsed() < PATIENCE {
        std::thread::sleep(Duration::from_micros(20));
        gate = GATE.load(Ordering::Acquire);
    }
}

/// After the fork, in the parent: opens the gate.
unsafe extern "C" fn parent() {
    GATE.fetch_sub(FORK, Ordering::Release);
    FORKS.set(false);
}

/// After the fork, in the child, whose only thread is this one: opens the gate, and starts other
/// random numbers and what [`in_child`](super::in_child) was given.
unsafe extern "C" fn child() {
    GATE.store(DEPTH.get(), Ordering::Release);
    FORKS.set(false);
    restart_in_child();
    if let Some(restart) = IN_CHILD.get() {
        restart(random() as u32);
    }
}
