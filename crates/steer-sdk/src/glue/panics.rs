//! No panic leaves a hook: it becomes a fault, of which the engine knows what to do.

use std::any::Any;
use std::cell::RefCell;
use std::panic::{self, AssertUnwindSafe, catch_unwind};
use std::sync::Once;

use super::engine;
use crate::abi::steer_choice;

type Panic = Box<dyn Any + Send>;

thread_local! {
    /// Where this thread panicked last, until it is told.
    static PLACE: RefCell<String> = const { RefCell::new(String::new()) };
}

/// From now on it is known where panics come from. The hook that is there stays in force.
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

/// Runs a hook that has nothing to say.
pub(super) fn guard(body: impl FnOnce()) {
    // AssertUnwindSafe: after a fault the engine calls nothing of the policy but what frees it.
    if let Err(panic) = catch_unwind(AssertUnwindSafe(body)) {
        fault(panic);
    }
}

/// Runs a hook that says whether it failed: 0 when not.
pub(super) fn guard_status(body: impl FnOnce() -> i32) -> i32 {
    // AssertUnwindSafe: as in `guard`.
    catch_unwind(AssertUnwindSafe(body)).unwrap_or_else(|panic| {
        fault(panic);
        FAILED
    })
}

/// Runs a pick. Costs nothing as long as it does not panic.
#[inline(always)]
pub(super) fn guard_choice(body: impl FnOnce() -> steer_choice) -> steer_choice {
    // AssertUnwindSafe: as in `guard`; and pickers are shared, which takes care of what one pick
    // leaves to others.
    match catch_unwind(AssertUnwindSafe(body)) {
        Ok(choice) => choice,
        Err(panic) => fault(panic),
    }
}

/// What a hook returns when it failed.
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
    // What a panic carries may itself panic when it is dropped.
    if let Err(second) = catch_unwind(AssertUnwindSafe(|| drop(panic))) {
        std::mem::forget(second);
    }
    choice
}
