//! Which hook this thread is in. Functions that `steer_api` marks *Serialised* work within the
//! serialised hooks of their channel's policy, and are refused everywhere else.
//!
//! - Serialised hooks (`policy_new`, `update`, `instance_new`, `picker_new`, `timer`, …) come in
//!   serialised calls only, and run in [`serialised`].
//! - Hooks that free something (`policy_free`, `picker_free`, `ctx_free`, …) come wherever the last
//!   owner is, also within a serialised hook. They run in [`freeing`].
//! - `pick`, `call_started`, `call_finished` and `config_new` come on any thread, also within a
//!   serialised call: a host may pick as soon as it has a picker.
//!
//! So it is not enough to know that the thread is in a serialised call. While a function of
//! `steer_api` is with the host, its thread is in no hook ([`Left`]): what the host does then, such
//! as a pick or the end of a picker, is not the hook's.
//!
//! Must not know: what hooks do.

use std::cell::Cell;
use std::ptr;

use super::channel::Channel;
use super::choice::{Aside, listen};
use crate::ffi::guard;

thread_local! {
    /// The channel in whose serialised hook this thread is. Compared, and never dereferenced.
    static CURRENT: Cell<*const Channel> = const { Cell::new(ptr::null()) };
}

/// Puts the former one back.
struct Restore(*const Channel);

impl Drop for Restore {
    fn drop(&mut self) {
        // At a thread's end there is no hook any more.
        let _ = CURRENT.try_with(|current| current.set(self.0));
    }
}

fn set(channel: *const Channel) -> Restore {
    Restore(CURRENT.try_with(|current| current.replace(channel)).unwrap_or(ptr::null()))
}

/// Calls a serialised hook of the channel's policy.
pub(super) fn serialised<T>(channel: &Channel, hook: impl FnOnce() -> T) -> T {
    let _restore = set(channel);
    listen(hook)
}

/// Calls a hook that frees something. It may ask for nothing that is serialised, and what it says
/// is not taken for another hook's.
pub(super) fn freeing(hook: impl FnOnce()) {
    let _left = Left::new();
    guard((), hook);
}

/// Whether this thread is in a serialised hook of this channel's policy.
pub(super) fn is_in(channel: &Channel) -> bool {
    CURRENT.try_with(|current| ptr::eq(current.get(), channel)).unwrap_or(false)
}

/// While this lives, the thread is in no hook, and what is said is not taken for that of the hook
/// that it has left.
pub(super) struct Left {
    _restore: Restore,
    _said: Aside,
}

impl Left {
    pub(super) fn new() -> Left {
        Left { _restore: set(ptr::null()), _said: Aside::new() }
    }
}
