//! The engine of the test kit, which is in the same program.

use super::Library;
use steer::ffi::{steer_last_error, steer_register_plugin, steer_status};

use super::text;

/// Registers a library with the engine, as programs do before `main`.
pub(crate) fn register(library: &'static Library) -> Result<(), String> {
    // SAFETY: a `Library` keeps what `steer_plugin` says, for ever: only `Library::of` makes one.
    if unsafe { steer_register_plugin(library.block()) } == steer_status::STEER_OK {
        return Ok(());
    }
    // SAFETY: valid until this thread's next function of this kind; it is copied before.
    Err(unsafe { text::lossy(steer_last_error()) }.into_owned())
}
