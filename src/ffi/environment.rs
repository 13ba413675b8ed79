//! Environment variables that lead to code being loaded.
//!
//! Must not know: what is loaded.

use std::env;
use std::ffi::OsString;

/// The value of a variable that leads to code; none in a process that has more rights than the one
/// that started it (setuid, setgid, file capabilities). Whoever starts such a process chooses its
/// environment, and must not choose its code. The C library treats LD_PRELOAD in the same way.
///
/// This is what `secure_getenv` does. That function is an extension of the C library, while the
/// kernel's flag behind it is at hand in each.
pub(super) fn variable_that_loads_code(name: &str) -> Option<OsString> {
    if has_more_rights() { None } else { env::var_os(name) }
}

#[cfg(all(target_os = "linux", not(miri)))]
fn has_more_rights() -> bool {
    // SAFETY: reads a word that the kernel gave the process when it was started.
    unsafe { libc::getauxval(libc::AT_SECURE) != 0 }
}

/// Elsewhere, this is not known: see `docs/custom-pickers.md`.
#[cfg(not(all(target_os = "linux", not(miri))))]
fn has_more_rights() -> bool {
    false
}
