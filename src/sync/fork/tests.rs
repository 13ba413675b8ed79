use std::sync::atomic::AtomicBool;

use super::*;
use crate::sync::{Lazy, Mutex, assign_thread_slot, random};

/// Forks, and returns the exit code of the child, which only runs `body`. A child that hangs is
/// killed, and fails the test.
fn in_child(body: impl FnOnce() -> u8) -> u8 {
    // SAFETY: the child has one thread. It runs `body`, which takes only locks that the fork
    // handlers left free, and then ends with `_exit`, without destructors (upheld below).
    let child = unsafe { libc::fork() };
    assert!(child >= 0);
    if child == 0 {
        // SAFETY: `alarm` has no preconditions. It ends the child if it hangs.
        unsafe { libc::alarm(20) };
        let body = std::panic::AssertUnwindSafe(body);
        let code = std::panic::catch_unwind(body).unwrap_or(u8::MAX);
        // SAFETY: `_exit` has no preconditions.
        unsafe { libc::_exit(code.into()) };
    }
    let mut status = 0;
    // SAFETY: `status` is a valid `int` during the call.
    assert_eq!(unsafe { libc::waitpid(child, &mut status, 0) }, child);
    assert!(libc::WIFEXITED(status), "a child has hung: status {status:#x}");
    libc::WEXITSTATUS(status) as u8
}

#[test]
fn a_child_finds_locks_free_and_their_data_whole() {
    static PAIR: Mutex<[u64; 2]> = Mutex::new([0, 0]);
    static STOP: AtomicBool = AtomicBool::new(false);
    let write = || {
        while !STOP.load(Ordering::Relaxed) {
            let mut pair = PAIR.lock();
            pair[0] += 1;
            // The pair is not whole for most of the time.
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
fn a_child_can_make_a_lazy_that_another_thread_was_making() {
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

/// The results of `draw` in 8 children of one parent.
fn drawn(draw: fn() -> u8) -> Vec<u8> {
    (0..8).map(|_| in_child(draw)).collect()
}

#[test]
fn children_draw_different_random_numbers() {
    // The children inherit the state of this thread.
    random();
    let mut drawn = drawn(|| random() as u8);
    drawn.sort_unstable();
    drawn.dedup();
    // Of 8 random bytes, 4 or fewer are different once in 10⁵ times.
    assert!(drawn.len() > 4, "{drawn:?}");
}

#[test]
fn threads_of_children_draw_different_random_numbers() {
    let mut drawn = drawn(|| std::thread::spawn(|| random() as u8).join().unwrap());
    drawn.sort_unstable();
    drawn.dedup();
    assert!(drawn.len() > 4, "{drawn:?}");
}

#[test]
fn children_rotate_from_different_slots() {
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
