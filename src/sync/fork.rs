//! Makes the engine usable in the child of a `fork`: the child has one thread, and no lock that
//! another thread held.
//!
//! The general flow is: a thread is *inside* while it holds one of the engine's locks, or makes a
//! lazy value. Before a fork, the forking thread closes the gate and waits until no thread is
//! inside. After the fork, parent and child open the gate. So the child's copy of the locked data
//! is whole, and every lock in it is free. The child also starts other random numbers and
//! rotations. Otherwise, all children of one parent would repeat the parent's picks.
//!
//! `fork/gate.rs` has the gate, `fork/handlers.rs` what happens before and after a fork.
//!
//! User code never runs inside. So threads leave after a few microseconds, and a hook may fork.
//!
//! Both sides stop waiting after `PATIENCE`. gRPC's fork handlers join gRPC's threads. If those
//! handlers were registered first, they run when the gate is closed already, and such a thread may
//! be waiting at it. This is rare, because the engine registers its handlers when the library is
//! loaded.
//!
//! Cost: two atomic additions for each lock that is taken. Picks take none.
//!
//! Must not depend on: the data that the locks protect.

mod gate;
#[cfg(all(target_os = "linux", not(miri)))]
mod handlers;
#[cfg(all(test, target_os = "linux", not(miri), not(loom)))]
mod tests;

use std::sync::OnceLock;
// Not `crate::sync`: loom's atomics cannot be static, and a fork has no model.
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use gate::{DEPTH, FORK, FORKS, GATE, IN_CHILD, INSIDE, NEW, PATIENCE};
#[cfg(all(target_os = "linux", not(miri)))]
use handlers::register;

/// While this lives, its thread is inside, and no fork happens.
#[derive(Debug)]
pub(super) struct Inside(());

/// Goes inside. Waits for a fork in progress.
#[inline]
pub(super) fn enter() -> Inside {
    // Acquire: pairs with the release of the thread that opens the gate.
    let before = GATE.fetch_add(INSIDE, Ordering::AcqRel);
    if before >= FORK {
        enter_slowly(before);
    }
    DEPTH.set(DEPTH.get() + 1);
    Inside(())
}

impl Drop for Inside {
    #[inline]
    fn drop(&mut self) {
        DEPTH.set(DEPTH.get() - 1);
        // Release: pairs with `handlers::prepare`, which sees all writes made inside.
        GATE.fetch_sub(INSIDE, Ordering::Release);
    }
}

#[cold]
fn enter_slowly(before: u64) {
    if before & NEW != 0 && GATE.fetch_and(!NEW, Ordering::AcqRel) & NEW != 0 {
        register();
    }
    // A thread that is inside already must be able to leave: the fork waits for it.
    if !is_forking(before) || FORKS.get() || DEPTH.get() > 0 {
        return;
    }
    GATE.fetch_sub(INSIDE, Ordering::Release);
    let began = Instant::now();
    loop {
        std::thread::sleep(Duration::from_micros(50));
        let before = GATE.fetch_add(INSIDE, Ordering::AcqRel);
        if !is_forking(before) || began.elapsed() > PATIENCE {
            return;
        }
        GATE.fetch_sub(INSIDE, Ordering::Release);
    }
}

fn is_forking(gate: u64) -> bool {
    gate & !NEW >= FORK
}

/// The value of a cell, which is made if there is none. As [`OnceLock::get_or_init`], except that
/// no fork happens meanwhile: the child would wait forever for a thread that it does not have.
/// `make` must not run user code.
#[inline]
pub fn get_or_init<T>(cell: &OnceLock<T>, make: impl FnOnce() -> T) -> &T {
    match cell.get() {
        Some(value) => value,
        None => init(cell, make),
    }
}

#[cold]
fn init<T>(cell: &OnceLock<T>, make: impl FnOnce() -> T) -> &T {
    let _inside = enter();
    cell.get_or_init(make)
}

/// Sets the function that the child of a fork calls with a random number. Only the first one
/// counts.
pub(super) fn in_child(restart: fn(u32)) {
    if IN_CHILD.get().is_none() {
        without_fork(|| {
            let _ = IN_CHILD.set(restart);
        });
    }
}

/// Runs `body`, and lets no fork happen meanwhile. `body` must not run user code.
pub fn without_fork<T>(body: impl FnOnce() -> T) -> T {
    let _inside = enter();
    body()
}

/// There are no handlers on other systems: there, a child has to begin with `exec`.
#[cfg(not(all(target_os = "linux", not(miri))))]
fn register() {}
