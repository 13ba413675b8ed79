//! Faults of policies and pickers: panics that the engine catches, and errors that user code
//! reports.
//!
//! Both travel the same way. Code that cannot go on calls [`raise`], which unwinds like a panic but
//! prints nothing. The engine catches both, and describes them with `describe`.
//!
//! Must not depend on: policies, calls, the C ABI.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// The payload of a caught panic.
pub type Panic = Box<dyn Any + Send>;

/// The payload that [`raise`] unwinds with.
struct Raised {
    place: &'static str,
    text: String,
}

/// Drops the payload of a panic. A payload whose destructor panics is leaked.
pub fn discard(panic: Panic) {
    if let Err(second) = catch_unwind(AssertUnwindSafe(|| drop(panic))) {
        std::mem::forget(second);
    }
}

/// Reports a fault of the calling policy, by unwinding. `place` names the hook that failed, as its
/// author knows it. `text` says how it failed.
pub fn raise(place: &'static str, text: impl Into<String>) -> ! {
    // Not `panic!`: that runs the process's panic hook, which prints.
    std::panic::resume_unwind(raised(place, text))
}

/// The payload of [`raise`], without unwinding.
pub(crate) fn raised(place: &'static str, text: impl Into<String>) -> Panic {
    Box::new(Raised { place, text: text.into() })
}

/// Describes what failed and how. `place` is the engine's name for the hook. A raised fault has its
/// own.
pub(crate) fn describe(place: &str, panic: &Panic) -> String {
    if let Some(Raised { place, text }) = panic.downcast_ref() {
        return format!("{place} failed: {text}");
    }
    let text = panic
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    format!("{place} panicked: {}", text.unwrap_or("(no text)"))
}
