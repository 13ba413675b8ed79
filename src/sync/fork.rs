//! What a `fork` does with the engine: the child has one thread, and no lock that another one held.
//!
//! The general flow is: a thread is *inside* while it holds one of the engine's locks, or makes
//! what is made once. Before a fork, the forking thread closes the gate and waits until nobody is
//! inside. After it, parent and child open the gate. So the child's copy of what locks protect is
//! whole, and every lock in it is free. The child also begins random numbers and rotations of its
//! own: it would repeat the parent's picks otherwise, and so would all children of one parent.
//!
//! User code never runs inside. So threads leave after a few microseconds, and a hook may fork.
//!
//! Waiting ends after [`PATIENCE`], on both sides. gRPC's own fork handlers join gRPC's threads. If
//! they were registered before these, they run while the gate is closed already, and such a thread
//! may be waiting at it. The handlers are registered when the library is loaded, so that this is
//! rare.
//!
//! Cost: two atomic additions for each lock that is taken. Picks take none.
//!
//! Must not know: what the locks protect.

use std::cell::Cell;
use std::hash::BuildHasher;
use std::sync::OnceLock;
// Loom's atomics cannot be static, and a fork has no model.
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use super::slot;

/// How long a fork and a lock wait for each other. Locks are held for microseconds: the rest is for
/// a thread that a busy machine has stopped meanwhile.
const PATIENCE: Duration = Duration::from_millis(500);

/// One thread that is inside.
const INSIDE: u64 = 1;
/// One fork that is under way.
const FORK: u64 = 1 << 32;
/// The handlers are not registered yet.
const NEW: u64 = 1 << 63;

/// The gate: how many threads are inside, and how many forks are under way.
static GATE: AtomicU64 = AtomicU64::new(NEW);

thread_local! {
    /// How often this thread is inside.
    static DEPTH: Cell<u64> = const { Cell::new(0) };
    /// This thread forks: what it does until then needs no gate.
    static FORKS: Cell<bool> = const { Cell::new(false) };
}

/// While this lives, its thread is inside, and no fork happens.
#[derive(Debug)]
pub(super) struct Inside(());

/// Goes inside. Waits for a fork that is under way.
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
        // Release: pairs with `prepare`, which sees what was done inside.
        GATE.fetch_sub(INSIDE, Ordering::Release);
    }
}

#[cold]
fn enter_slowly(before: u64) {
    if before & NEW != 0 && GATE.fetch_and(!NEW, Ordering::AcqRel) & NEW != 0 {
        register();
    }
    // A thread that is inside already must come out again: the fork waits for it.
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

/// What a cell holds, or is given now. As [`OnceLock::get_or_init`], and no fork happens meanwhile:
/// the child would wait for ever for a thread that it does not have. `make` is no user code.
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

/// What `body` answers; no fork happens meanwhile. It is no user code.
pub fn without_fork<T>(body: impl FnOnce() -> T) -> T {
    let _inside = enter();
    body()
}

#[cfg(all(target_os = "linux", not(miri)))]
fn register() {
    // SAFETY: the three are functions without arguments, and stay: a library that holds them and is
    // unloaded is taken off the list by the C library.
    unsafe { libc::pthread_atfork(Some(prepare), Some(parent), Some(child)) };
}

/// Elsewhere, a child has to begin with `exec`.
#[cfg(not(all(target_os = "linux", not(miri))))]
fn register() {}

/// Registers the handlers when the library is loaded: before gRPC's, which are registered by the
/// first `grpc_init`, and so run before these.
#[cfg(all(target_os = "linux", not(miri), not(loom)))]
#[used]
// SAFETY: the section holds pointers to functions that are called once, before `main`.
#[unsafe(link_section = ".init_array")]
static AT_LOAD: extern "C" fn() = {
    extern "C" fn at_load() {
        if GATE.fetch_and(!NEW, Ordering::AcqRel) & NEW != 0 {
            register();
        }
    }
    at_load
};

/// Before the fork, in its thread: closes the gate.
#[cfg(all(target_os = "linux", not(miri)))]
unsafe extern "C" fn prepare() {
    FORKS.set(true);
    let began = Instant::now();
    let mut gate = GATE.fetch_add(FORK, Ordering::AcqRel);
    while gate & (FORK - 1) > DEPTH.get() && began.elapsed() < PATIENCE {
        std::thread::sleep(Duration::from_micros(20));
        gate = GATE.load(Ordering::Acquire);
    }
}

/// After it, in the parent: opens the gate.
#[cfg(all(target_os = "linux", not(miri)))]
unsafe extern "C" fn parent() {
    GATE.fetch_sub(FORK, Ordering::Release);
    FORKS.set(false);
}

/// After it, in the child, which has this thread alone.
#[cfg(all(target_os = "linux", not(miri)))]
unsafe extern "C" fn child() {
    GATE.store(DEPTH.get(), Ordering::Release);
    FORKS.set(false);
    // The keys of the hasher are the parent's too; the number of the process is not, and neither is
    // the time where numbers of processes come again.
    let keys = std::collections::hash_map::RandomState::new();
    let mut random = fastrand::Rng::with_seed(keys.hash_one((std::process::id(), Instant::now())));
    fastrand::seed(random.u64(..));
    slot::begin_anew(random.u32(..));
}

#[cfg(all(test, target_os = "linux", not(miri), not(loom)))]
mod tests {
    use std::sync::atomic::AtomicBool;

    use super::super::{Lazy, Mutex, assign_thread_slot};
    use super::*;

    /// Forks, and answers the exit code of the child, which does nothing but `body`. One that hangs
    /// is ended, and fails the test.
    fn in_child(body: impl FnOnce() -> u8) -> u8 {
        // SAFETY: the child runs `body` on its only thread, and ends without destructors.
        let child = unsafe { libc::fork() };
        assert!(child >= 0);
        if child == 0 {
            // SAFETY: ends the process if it hangs.
            unsafe { libc::alarm(20) };
            let body = std::panic::AssertUnwindSafe(body);
            let code = std::panic::catch_unwind(body).unwrap_or(u8::MAX);
            // SAFETY: ends the process.
            unsafe { libc::_exit(code.into()) };
        }
        let mut status = 0;
        // SAFETY: a place for the status.
        assert_eq!(unsafe { libc::waitpid(child, &mut status, 0) }, child);
        assert!(libc::WIFEXITED(status), "a child has hung: status {status:#x}");
        libc::WEXITSTATUS(status) as u8
    }

    #[test]
    fn a_child_finds_locks_free_and_what_they_protect_whole() {
        static PAIR: Mutex<[u64; 2]> = Mutex::new([0, 0]);
        static STOP: AtomicBool = AtomicBool::new(false);
        let write = || {
            while !STOP.load(Ordering::Relaxed) {
                let mut pair = PAIR.lock();
                pair[0] += 1;
                // Most of the time, the pair is not whole.
                std::hint::black_box((0..1000).sum::<u64>());
                std::thread::yield_now();
                pair[1] += 1;
            }
        };
        let writers: Vec<_> = (0..2).map(|_| std::thread::spawn(write)).collect();
        for _ in 0..50 {
            let whole = in_child(|| {
                let pair = PAIR.lock();
                u8::from(pair[0] == pair[1])
            });
            assert_eq!(whole, 1);
        }
        STOP.store(true, Ordering::Relaxed);
        writers.into_iter().for_each(|writer| writer.join().unwrap());
    }

    #[test]
    fn a_child_makes_what_another_thread_is_making() {
        fn make() -> u8 {
            std::thread::sleep(Duration::from_millis(20));
            7
        }
        for _ in 0..10 {
            let made: &'static Lazy<u8> = Box::leak(Box::new(Lazy::new(make)));
            let maker = std::thread::spawn(move || **made);
            std::thread::sleep(Duration::from_millis(5));
            assert_eq!(in_child(move || **made), 7);
            assert_eq!(maker.join().unwrap(), 7);
        }
    }

    /// What `draw` says in 8 children of one parent.
    fn drawn(draw: fn() -> u8) -> Vec<u8> {
        (0..8).map(|_| in_child(draw)).collect()
    }

    #[test]
    fn children_draw_random_numbers_of_their_own() {
        fastrand::seed(1);
        let drawn = drawn(|| fastrand::u8(..));
        assert!(drawn.iter().any(|number| *number != drawn[0]), "{drawn:?}");
        // The parent's go on.
        let next = fastrand::u8(..);
        fastrand::seed(1);
        assert_eq!(next, fastrand::u8(..));
    }

    #[test]
    fn children_rotate_from_places_of_their_own() {
        assign_thread_slot();
        let drawn = drawn(|| assign_thread_slot() as u8);
        assert!(drawn.iter().any(|slot| *slot != drawn[0]), "{drawn:?}");
    }

    #[test]
    fn a_thread_that_holds_a_lock_may_fork() {
        static LOCK: Mutex<u8> = Mutex::new(3);
        let began = Instant::now();
        let held = LOCK.lock();
        assert_eq!(in_child(|| *held), 3);
        drop(held);
        assert!(began.elapsed() < Duration::from_secs(15));
    }
}
