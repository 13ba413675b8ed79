//! The test kit's calls to the ABI of the engine, which is linked into the same program.

use super::Library;
use steer::ffi::{steer_last_error, steer_register_plugin, steer_status};

use super::text;

/// Registers a library with the engine, as programs do before `main`.
pub(crate) fn register(library: &'static Library) -> Result<(), String> {
    // SAFETY: a `Library` is `'static` and follows the contract of `steer_plugin`, as only
    // `Library::of` makes one.
    if unsafe { steer_register_plugin(library.block()) } == steer_status::STEER_OK {
        return Ok(());
    }
    // SAFETY: the text is valid until this thread's next such call, and is copied before.
    Err(unsafe { text::lossy(steer_last_error()) }.into_owned())
}
