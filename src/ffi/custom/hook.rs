//! Tracks which hook this thread is in. Functions of `steer_api` with the tag `[serialised]` work
//! within the serialised hooks of their channel's policy, and are refused everywhere else.
//!
//! - Serialised hooks (`policy_new`, `update`, `instance_new`, `picker_new`, `timer`, …) come in
//!   serialised calls only, and run in [`serialised`].
//! - Hooks that free something (`policy_free`, `picker_free`, `ctx_free`, …) come wherever the last
//!   owner is dropped, also within a serialised hook. They run in [`freeing`].
//! - `pick`, `call_started`, `call_finished` and `config_new` come on any thread, also within a
//!   serialised call: a host may pick as soon as it has a picker.
//!
//! So it is not enough to know that the thread is in a serialised call. While a function of
//! `steer_api` calls the host, its thread counts as being in no hook ([`Outside`]). A pick or the
//! end of a picker within the host is then not part of the hook.
//!
//! Must not depend on: what hooks do, what a channel is.

use std::cell::Cell;
use std::ptr;

use super::choice::{Aside, listen};
use crate::ffi::guard;

thread_local! {
    /// The address of the channel in whose serialised hook this thread is. Compared only.
    static CURRENT: Cell<*const ()> = const { Cell::new(ptr::null()) };
}

/// Restores the channel before, when it is dropped.
struct Restore(*const ());

impl Drop for Restore {
    fn drop(&mut self) {
        // A thread that is ending is in no hook.
        let _ = CURRENT.try_with(|current| current.set(self.0));
    }
}

fn set(channel: *const ()) -> Restore {
    Restore(CURRENT.try_with(|current| current.replace(channel)).unwrap_or(ptr::null()))
}

/// Calls a serialised hook of the channel's policy.
pub(super) fn serialised<C, T>(channel: &C, hook: impl FnOnce() -> T) -> T {
    let _restore = set(ptr::from_ref(channel).cast());
    listen(hook)
}

/// Calls a hook that frees something. Serialised functions are refused in it, and its faults are
/// not taken for those of another hook.
pub(super) fn freeing(hook: impl FnOnce()) {
    let _outside = Outside::new();
    guard((), hook);
}

/// Whether this thread is in a serialised hook of this channel's policy.
pub(super) fn is_in<C>(channel: &C) -> bool {
    let channel = ptr::from_ref(channel).cast();
    CURRENT.try_with(|current| ptr::eq(current.get(), channel)).unwrap_or(false)
}

/// While it exists, the thread is in no hook, and values that are given are not taken for those of
/// the hook that it was in.
pub(super) struct Outside {
    _restore: Restore,
    _aside: Aside,
}

impl Outside {
    pub(super) fn new() -> Outside {
        Outside { _restore: set(ptr::null()), _aside: Aside::new() }
    }
}
