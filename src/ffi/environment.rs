//! Environment variables that choose the code that runs: plugins, and policies that take names
//! over.
//!
//! Must not depend on: the code that is loaded.

use std::env;
use std::ffi::OsString;

/// The value of a variable that chooses the code that runs. None in a process that has more rights
/// than the process that started it (setuid, setgid, file capabilities): that other process chooses
/// the environment, and must not choose the code. The dynamic linker treats LD_PRELOAD in the same
/// way.
///
/// `secure_getenv` does the same. That function is an extension of some C libraries. The kernel's
/// flag that it reads is available in each of them.
pub(super) fn variable_that_chooses_code(name: &str) -> Option<OsString> {
    if has_more_rights() { None } else { env::var_os(name) }
}

#[cfg(all(target_os = "linux", not(miri)))]
fn has_more_rights() -> bool {
    // SAFETY: `getauxval` reads a word that the kernel gave to the process at its start.
    unsafe { libc::getauxval(libc::AT_SECURE) != 0 }
}

/// Not known on other systems: see `docs/custom-pickers.md`.
#[cfg(not(all(target_os = "linux", not(miri))))]
fn has_more_rights() -> bool {
    false
}
