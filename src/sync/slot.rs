//! A small number for each thread, so that threads can write to different cache lines.
//!
//! A thread takes the lowest free number at its first use and gives it back when it ends. So a
//! program that starts a thread per call keeps using the same few numbers, and counts under these
//! numbers go on instead of starting again.
//!
//! Must not depend on: the data under the numbers.

use std::cell::Cell;
use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::fork::in_child;
use super::lock::{Lazy, Mutex};

/// Free numbers below `next`, lowest first.
struct Pool {
    free: BinaryHeap<Reverse<u32>>,
    next: u32,
}

static POOL: Mutex<Pool> = Mutex::new(Pool { free: BinaryHeap::new(), next: 1 });

/// Gives the thread's number back when the thread ends.
struct Lease(u32);

impl Drop for Lease {
    fn drop(&mut self) {
        // A pick may still run on this thread after its thread-locals are destroyed. It then has no
        // lease, and shares number 1.
        cell::set(1);
        POOL.lock().free.push(Reverse(self.0));
    }
}

thread_local! {
    static LEASE: Cell<Option<Lease>> = const { Cell::new(None) };
}

/// The calling thread's number, from 1: unique among living threads, small, and reused. `None` if
/// it has no number yet.
#[inline(always)]
pub fn thread_slot() -> Option<u32> {
    match cell::get() {
        0 => None,
        slot => Some(slot),
    }
}

/// The calling thread's number. Gives it one if it has none.
pub fn assign_thread_slot() -> u32 {
    thread_slot().unwrap_or_else(assign)
}

/// Runs `body` with the number 1, and then gives the thread its own number back. For simulations:
/// which thread runs one must not change its turns. Threads that do this at the same time must not
/// share rotations.
pub fn with_first_slot<R>(body: impl FnOnce() -> R) -> R {
    struct Restore(u32);
    impl Drop for Restore {
        fn drop(&mut self) {
            cell::set(self.0);
        }
    }
    let _restore = Restore(cell::get());
    cell::set(1);
    body()
}

/// Slots for each core: several times as many threads as can run at once get a cache line each.
const SLOTS_PER_CORE: usize = 4;
/// The most slots of a rotation: 8 KiB of cache lines (128 bytes each).
const MAX_SLOTS: usize = 64;

/// The usual number of slots on this machine.
pub(super) fn usual_slots() -> usize {
    // A rotation is about to be made, which a child may inherit before it is used.
    in_child(restart_in_child);
    // Asked once: the standard library reads files of the system to find out.
    static CORES: Lazy<usize> =
        Lazy::new(|| std::thread::available_parallelism().map_or(1, |cores| cores.get()));
    (*CORES * SLOTS_PER_CORE).min(MAX_SLOTS)
}

/// In the child of a fork: gives out numbers from a random one on. The calling thread will get a
/// new number, so that its rotations do not repeat the parent's turns.
fn restart_in_child(random: u32) {
    // Not dropped: that would give back a number of the parent.
    let _ = LEASE.try_with(|lease| std::mem::forget(lease.take()));
    cell::set(0);
    *POOL.lock() = Pool { free: BinaryHeap::new(), next: 1 + random % MAX_SLOTS as u32 };
}

#[cold]
fn assign() -> u32 {
    in_child(restart_in_child);
    let slot = {
        let mut pool = POOL.lock();
        match pool.free.pop() {
            Some(Reverse(slot)) => slot,
            None => {
                let slot = pool.next;
                pool.next += 1;
                slot
            }
        }
    };
    cell::set(slot);
    // Made before `try_with`: if the thread is ending, the closure is dropped with the lease, which
    // gives the number back.
    let lease = Lease(slot);
    let _ = LEASE.try_with(|own| own.set(Some(lease)));
    thread_slot().unwrap_or(1)
}

/// The thread's number. 0 if it has none.
///
/// In position-independent code, Rust reads a thread-local by a call into the dynamic linker. That
/// costs as much as the rest of a pick. Even where the linker later removes the call, the compiler
/// has saved all registers around it.
///
/// The call of a TLS descriptor keeps all registers except `rax`. In a program, the linker replaces
/// it by a constant. In a library, it is four instructions, as long as the library's thread-locals
/// fit into the space that the C library reserves. If they do not fit, it is slower and still
/// works.
///
/// The *initial-exec* model would save these four instructions. But two plugins with an engine each
/// exceeded the reserved space, and could not be loaded.
///
/// Source: Oliva and Araujo, "Speeding Up Thread-Local Storage Access in Dynamic Libraries".
#[cfg(all(target_arch = "x86_64", target_os = "linux", not(miri)))]
mod cell {
    use std::arch::{asm, global_asm};

    global_asm!(
        ".pushsection .tbss.steer_thread_slot,\"awT\",@nobits",
        ".hidden steer_thread_slot",
        ".globl steer_thread_slot",
        ".type steer_thread_slot,@object",
        ".size steer_thread_slot,4",
        ".p2align 2",
        "steer_thread_slot:",
        ".zero 4",
        ".popsection",
    );

    #[inline(always)]
    pub(super) fn get() -> u32 {
        let value: u32;
        // SAFETY: the descriptor's call returns in `rax` the offset of `steer_thread_slot` from
        // `fs`, and changes no other register (the TLSDESC convention, upheld by the linker and the
        // C library). So this reads the calling thread's four bytes, defined above. They are
        // hidden, and only `set` below writes them, on the same thread.
        unsafe {
            asm!(
                "lea rax, [rip + steer_thread_slot@TLSDESC]",
                "call qword ptr [rax + steer_thread_slot@TLSCALL]",
                "mov {value:e}, dword ptr fs:[rax]",
                value = lateout(reg) value,
                out("rax") _,
                options(readonly),
            );
        }
        value
    }

    pub(super) fn set(value: u32) {
        // SAFETY: as in `get`, this writes the calling thread's four bytes. No other thread has
        // their address, and no Rust reference to them exists: this module uses them in `get` and
        // `set` only.
        unsafe {
            asm!(
                "lea rax, [rip + steer_thread_slot@TLSDESC]",
                "call qword ptr [rax + steer_thread_slot@TLSCALL]",
                "mov dword ptr fs:[rax], {value:e}",
                value = in(reg) value,
                out("rax") _,
            );
        }
    }
}

/// The same with Rust's thread-locals, for other targets and Miri.
#[cfg(not(all(target_arch = "x86_64", target_os = "linux", not(miri))))]
mod cell {
    use std::cell::Cell;

    thread_local! {
        static SLOT: Cell<u32> = const { Cell::new(0) };
    }

    #[inline(always)]
    pub(super) fn get() -> u32 {
        SLOT.get()
    }

    pub(super) fn set(value: u32) {
        SLOT.set(value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thread_keeps_its_number_and_living_threads_differ() {
        let mine = assign_thread_slot();
        assert_eq!(thread_slot(), Some(mine));
        let other = std::thread::spawn(assign_thread_slot).join().unwrap();
        assert_ne!(other, mine);
    }

    #[test]
    fn numbers_of_ended_threads_are_reused() {
        let threads: u32 = if cfg!(miri) { 20 } else { 100 };
        let highest =
            (0..threads).map(|_| std::thread::spawn(assign_thread_slot).join().unwrap()).max();
        // Tests run at the same time, so their threads hold a few numbers. Ended threads hold none.
        assert!(highest.unwrap() < threads / 2);
    }
}
