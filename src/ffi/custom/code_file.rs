//! The file that contains some code, as the dynamic linker knows it.

use std::ffi::c_void;

/// The path of the library or program that contains this address. The dynamic linker may have a
/// program under the name that it was started with. None: the dynamic linker does not know the
/// address.
#[cfg(all(unix, not(miri)))]
pub(super) fn file_of(address: *const c_void) -> Option<String> {
    with_file(address, |name| {
        // SAFETY: the dynamic linker's text ends in NUL, and is valid while the file is loaded.
        let name = unsafe { std::ffi::CStr::from_ptr(name) };
        name.to_string_lossy().into_owned()
    })
}

#[cfg(any(not(unix), miri))]
pub(super) fn file_of(_: *const c_void) -> Option<String> {
    None
}

/// Keeps the library that contains this address in the process, whoever closes it.
#[cfg(all(unix, not(miri)))]
pub(super) fn keep(address: *const c_void) {
    with_file(address, |name| {
        let flags = libc::RTLD_LAZY | libc::RTLD_NOLOAD | libc::RTLD_NODELETE;
        // SAFETY: `name` is the dynamic linker's text, and RTLD_NOLOAD loads no code. For the
        // program itself `dlopen` may find nothing, and the program is never unloaded.
        unsafe { libc::dlopen(name, flags) };
    });
}

#[cfg(any(not(unix), miri))]
pub(super) fn keep(_: *const c_void) {}

/// Calls `body` with the dynamic linker's name of the file.
#[cfg(all(unix, not(miri)))]
fn with_file<R>(
    address: *const c_void,
    body: impl FnOnce(*const std::ffi::c_char) -> R,
) -> Option<R> {
    // SAFETY: zeros are a valid `Dl_info`: NULLs.
    let mut info: libc::Dl_info = unsafe { std::mem::zeroed() };
    // SAFETY: `dladdr` takes any address, and `info` can be written to.
    let found = unsafe { libc::dladdr(address, &mut info) };
    (found != 0 && !info.dli_fname.is_null()).then(|| body(info.dli_fname))
}
