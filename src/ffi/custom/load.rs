//! Loads plugins from shared libraries: `steer_load_plugin` and `steer_load_plugins`. Loading a
//! library runs its constructors first.
//!
//! Must not depend on: what a plugin registers.

use std::env;
#[cfg(unix)]
use std::sync::atomic::{AtomicU32, Ordering};

use libloading::Library;
use steer_abi::{steer_plugin, steer_str};

use super::leader;
use super::plugin::start;
use crate::ffi::environment::variable_that_chooses_code;
use crate::ffi::last_error::{fail_with, last_error, status_of, worded_guard};
use crate::ffi::steer_status;
use crate::ffi::steer_status::*;
use crate::ffi::text::ReadText;
use crate::sync::Mutex;

/// `[any thread]`
/// Loads a plugin from a shared library, which stays in the process. Unless it returns STEER_OK,
/// `steer_last_error` has the reason. Except with STEER_TOO_LATE, nothing of the plugin was then
/// registered.
///
/// A plugin replaces an earlier one of the same name: configs that are parsed from then on use it.
/// Channels and pickers that have the old one keep it. The new file may have another path. It may
/// also have the old file's path: rename a new file to that path. Never write over a loaded file,
/// because that changes the code that runs.
///
/// # Safety
/// `path` is readable. Loading a library runs its code.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn steer_load_plugin(path: steer_str) -> steer_status {
    worded_guard("steer_load_plugin", || {
        // SAFETY: `path` is readable, and the library may run its code (caller's contract).
        if let Some(status) = unsafe { leader::leader_loads_plugin(path) } {
            return status;
        }
        // SAFETY: `path` is readable, and the library may run its code (caller's contract).
        unsafe { load_here(path) }
    })
}

/// [`steer_load_plugin`] for programs in Rust that contain the engine. The library's code runs, and
/// is trusted as the program's own is. The error says what to do.
pub fn load_plugin(path: &str) -> Result<(), String> {
    // SAFETY: `path` is a text of Rust, which is readable. The caller trusts the library.
    match unsafe { load(path) } {
        Ok(()) => Ok(()),
        Err((_, text)) => Err(text),
    }
}

/// Loads a plugin into this engine.
///
/// # Safety
/// As for [`steer_load_plugin`].
pub(super) unsafe fn load_here(path: steer_str) -> steer_status {
    // SAFETY: `path` is readable (caller's contract).
    let path = unsafe { path.to_text() }.filter(|path| !path.is_empty());
    let Some(path) = path else {
        let text = "steer_load_plugin: the path is empty".to_owned();
        return fail_with(STEER_INVALID_ARGUMENT, text);
    };
    // SAFETY: the library may run its code (caller's contract).
    status_of(unsafe { load(&path) })
}

/// `[any thread]`
/// Loads the plugins whose paths are in the environment variable STEER_PLUGINS, separated by ':'
/// (';' on Windows). The second call does nothing. If some cannot be loaded, loads the others,
/// returns the first status, and `steer_last_error` names all that failed.
///
/// Ignores the variable in a process that has more rights than the process that started it (setuid,
/// setgid, file capabilities), as the dynamic linker ignores LD_PRELOAD there.
///
/// # Safety
/// Loading a library runs its code.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn steer_load_plugins() -> steer_status {
    worded_guard("steer_load_plugins", || {
        // SAFETY: the libraries may run their code (caller's contract).
        if let Some(status) = unsafe { leader::leader_loads_plugins() } {
            return status;
        }
        // SAFETY: the libraries may run their code (caller's contract).
        unsafe { load_all_here() }.unwrap_or(STEER_OK)
    })
}

/// The result of loading STEER_PLUGINS. None before the first call. OK during it, also for a plugin
/// that asks in its entry.
static RESULT: Mutex<Option<Result<(), (steer_status, String)>>> = Mutex::new(None);

/// Loads the plugins of STEER_PLUGINS, unless it was done before, and returns the result of the
/// first time. For copies that follow.
///
/// # Safety
/// As for [`steer_load_plugins`].
pub(super) unsafe fn loaded_here() -> steer_status {
    // SAFETY: the libraries may run their code (caller's contract).
    if let Some(status) = unsafe { load_all_here() } {
        return status;
    }
    let result = RESULT.lock().clone();
    status_of(result.unwrap_or(Ok(())))
}

/// Loads the plugins of STEER_PLUGINS into this engine. None: this was done before.
///
/// # Safety
/// As for [`steer_load_plugins`].
unsafe fn load_all_here() -> Option<steer_status> {
    {
        let mut loaded = RESULT.lock();
        if loaded.is_some() {
            return None;
        }
        *loaded = Some(Ok(()));
    }
    let paths = variable_that_chooses_code("STEER_PLUGINS").unwrap_or_default();
    let mut failed: Vec<(steer_status, String)> = Vec::new();
    for path in env::split_paths(&paths).filter(|path| !path.as_os_str().is_empty()) {
        // SAFETY: the library may run its code (caller's contract).
        if let Err((status, text)) = unsafe { load(&path.to_string_lossy()) } {
            failed.push((status, format!("STEER_PLUGINS: {text}")));
        }
    }
    let Some((status, _)) = failed.first() else {
        return Some(STEER_OK);
    };
    let texts: Vec<_> = failed.iter().map(|(_, text)| text.as_str()).collect();
    let result = Err((*status, texts.join("; ")));
    *RESULT.lock() = Some(result.clone());
    Some(status_of(result))
}

/// Opens a library and registers its plugin.
///
/// # Safety
/// Loading a library runs its code.
unsafe fn load(path: &str) -> Result<(), (steer_status, String)> {
    // SAFETY: the library may run its code (caller's contract).
    let library = unsafe { open(path) }
        .map_err(|error| (STEER_BAD_PLUGIN, format!("{path} cannot be loaded: {error}")))?;
    // SAFETY: `start` checks the memory at the symbol before it uses it as a plugin.
    let symbol = unsafe { library.get::<*const steer_plugin>(b"steer_plugin_block\0") };
    let plugin = *symbol.map_err(|_| {
        let text = format!(
            "{path} is not a plugin of Steer: it exports no steer_plugin_block (steer_plugin! \
             makes it in Rust, and STEER_PLUGIN in C and C++)"
        );
        (STEER_BAD_PLUGIN, text)
    })?;
    // Never closed: its pickers may be in use by now, and its threads may run.
    std::mem::forget(library);
    // SAFETY: it is a library's `steer_plugin_block`, which is never unloaded.
    unsafe { start(plugin, path, Some(path.to_owned())) }?;
    match leader::registered(leader::Registration::Plugin(plugin)) {
        STEER_OK => Ok(()),
        status => Err((status, last_error())),
    }
}

/// Opens the library whose file has this path now.
///
/// If the dynamic linker has loaded a library under this name, it returns that library without
/// looking at the file, which may be a new one. For a name that it does not know, it compares the
/// files: the same file is the same library, and a new file is a new library. So this function
/// spells a name that is taken in another way. Debuggers still find the file by it.
///
/// # Safety
/// Loading a library runs its code.
#[cfg(unix)]
unsafe fn open(path: &str) -> Result<Library, libloading::Error> {
    use libloading::os::unix;
    static SPELLINGS: AtomicU32 = AtomicU32::new(1);
    // SAFETY: the library may run its code (caller's contract).
    let open = |name: &str, flags| unsafe { unix::Library::open(Some(name), flags) };
    let usual = unix::RTLD_LAZY | unix::RTLD_LOCAL;
    let Ok(taken) = open(path, unix::RTLD_LAZY | libc::RTLD_NOLOAD) else {
        return open(path, usual).map(Library::from);
    };
    // The dynamic linker searches for a name without a folder. The file is where it found it
    // before.
    let found = if path.contains('/') { Some(path.to_owned()) } else { path_of(&taken) };
    let Some(found) = found else { return Ok(taken.into()) };
    // Relaxed: only uniqueness matters.
    let number = SPELLINGS.fetch_add(1, Ordering::Relaxed);
    open(&spelled(&found, number), usual).map(Library::from)
}

/// # Safety
/// Loading a library runs its code.
#[cfg(not(unix))]
unsafe fn open(path: &str) -> Result<Library, libloading::Error> {
    // SAFETY: the library may run its code (caller's contract).
    unsafe { Library::new(path) }
}

/// The file that a plugin was loaded from.
#[cfg(unix)]
fn path_of(library: &libloading::os::unix::Library) -> Option<String> {
    // SAFETY: only the symbol's address is used.
    let block = unsafe { library.get::<*const steer_plugin>(b"steer_plugin_block\0") }.ok()?;
    super::code_file::file_of((*block).cast()).filter(|path| path.contains('/'))
}

/// Another spelling of the path for each number: each bit of the number becomes "/" or "./" before
/// the file's name. They do not change which file the path names.
#[cfg(unix)]
fn spelled(path: &str, number: u32) -> String {
    let (folder, file) = path.split_at(path.rfind('/').map_or(0, |slash| slash + 1));
    let bits = (0..u32::BITS - number.leading_zeros()).rev();
    let bits = bits.map(|bit| if (number >> bit) & 1 == 1 { "./" } else { "/" });
    format!("{folder}{}{file}", bits.collect::<String>())
}

#[cfg(all(test, unix))]
mod tests {
    use super::spelled;

    #[test]
    fn each_number_has_its_own_spelling() {
        assert_eq!(spelled("/a/b.so", 1), "/a/./b.so");
        assert_eq!(spelled("/a/b.so", 2), "/a/.//b.so");
        assert_eq!(spelled("b.so", 3), "././b.so");
        let numbers = if cfg!(miri) { 20 } else { 1000 };
        let spellings: std::collections::HashSet<_> =
            (0..numbers).map(|number| spelled("/a/b.so", number)).collect();
        assert_eq!(spellings.len(), numbers as usize);
    }
}
