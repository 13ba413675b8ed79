//! Turns a panic of a hook into a fault, which the engine handles. No panic leaves a hook.

use std::any::Any;
use std::cell::RefCell;
use std::panic::{self, AssertUnwindSafe, catch_unwind};
use std::sync::Once;

use super::engine;
use crate::abi::steer_choice;

type Panic = Box<dyn Any + Send>;

thread_local! {
    /// The file and line of this thread's last panic, until `fault` reports it.
    static PLACE: RefCell<String> = const { RefCell::new(String::new()) };
}

/// Installs a panic hook that records file and line, and then calls the former hook.
pub(super) fn note_places() {
    static NOTED: Once = Once::new();
    NOTED.call_once(|| {
        let former = panic::take_hook();
        panic::set_hook(Box::new(move |panic| {
            if let Some(place) = panic.location() {
                let place = format!("{}:{}", place.file(), place.line());
                let _ = PLACE.try_with(|kept| kept.replace(place));
            }
            former(panic);
        }));
    });
}

/// Runs a hook without a result.
pub(super) fn guard(body: impl FnOnce()) {
    // AssertUnwindSafe: after a fault of a serialised hook the engine only frees the policy's
    // objects.
    if let Err(panic) = catch_unwind(AssertUnwindSafe(body)) {
        fault(panic);
    }
}

/// Runs a hook that returns 0, or another number if it failed.
pub(super) fn guard_status(body: impl FnOnce() -> i32) -> i32 {
    // AssertUnwindSafe: as in `guard`.
    catch_unwind(AssertUnwindSafe(body)).unwrap_or_else(|panic| {
        fault(panic);
        FAILED
    })
}

/// Runs a pick. Costs nothing as long as the pick does not panic.
#[inline(always)]
pub(super) fn guard_choice(body: impl FnOnce() -> steer_choice) -> steer_choice {
    // AssertUnwindSafe: as in `guard`. A picker is `Sync`, so picks share it only by types that
    // stay consistent.
    match catch_unwind(AssertUnwindSafe(body)) {
        Ok(choice) => choice,
        Err(panic) => fault(panic),
    }
}

/// The result of a hook that failed.
pub(super) const FAILED: i32 = 1;

#[cold]
fn fault(panic: Panic) -> steer_choice {
    let text = panic
        .downcast_ref::<String>()
        .map(String::as_str)
        .or_else(|| panic.downcast_ref::<&str>().copied())
        .unwrap_or("a panic without a text");
    let place = PLACE.try_with(RefCell::take).unwrap_or_default();
    let choice = if place.is_empty() {
        engine::fault(text)
    } else {
        engine::fault(&format!("{text}, at {place}"))
    };
    // Dropping the payload of a panic may itself panic.
    if let Err(second) = catch_unwind(AssertUnwindSafe(|| drop(panic))) {
        std::mem::forget(second);
    }
    choice
}
