//! `steer_plugin`: libraries with policies, linked or loaded. What a library says of itself is
//! checked before its entry is called. Loading a library runs its constructors first.
//!
//! Must not know: what it registers.

use std::env;
#[cfg(unix)]
use std::ffi::CStr;
#[cfg(unix)]
use std::mem::MaybeUninit;
use std::mem::offset_of;
#[cfg(unix)]
use std::sync::atomic::{AtomicU32, Ordering};

use libloading::Library;
use steer_abi::{
    STEER_ABI_VERSION, STEER_PLUGIN_MAGIC, steer_api, steer_picker_type, steer_plugin,
    steer_policy_type, steer_str,
};

use super::api::API;
use super::choice::{fault_said, listen};
use super::engine;
use super::kind::utf8;
use super::register::staged;
use crate::ffi::environment::variable_that_loads_code;
use crate::ffi::last_error::{fail_with, last_error, text_of};
use crate::ffi::steer_status::*;
use crate::ffi::text::ReadText;
use crate::ffi::versioned::{Versioned, read};
use crate::ffi::{guard, steer_status};
use crate::stats::Plugin;
use crate::sync::Mutex;

// SAFETY: repr(C), its size is at a place that `checked` looks at first, and zeros are NULLs and
// numbers.
unsafe impl Versioned for PluginBody {
    const FIRST_SIZE: usize = size_of::<PluginBody>();
}

/// A `steer_plugin` without its magic: from its size on.
#[repr(C)]
#[derive(Clone, Copy)]
struct PluginBody {
    struct_size: usize,
    abi_version: u32,
    pointer_size: u32,
    api_size: usize,
    picker_type_size: usize,
    policy_type_size: usize,
    name: steer_str,
    version: steer_str,
    build: steer_str,
    entry: Option<unsafe extern "C" fn(*const steer_api) -> i32>,
}

const BODY: usize = offset_of!(steer_plugin, struct_size);
const _: () = assert!(size_of::<steer_plugin>() - BODY == size_of::<PluginBody>());

/// `[any thread]`
/// Registers a plugin that is linked with the program: checks it and calls its entry. Works before
/// `main`, too. Unless it returns STEER_OK, `steer_last_error` has the reason. Except with
/// STEER_TOO_LATE, nothing of the plugin was then registered.
///
/// # Safety
/// `plugin` is NULL (STEER_NULL_ARGUMENT) or a plugin as `steer_plugin` documents, and is never freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn steer_register_plugin(plugin: *const steer_plugin) -> steer_status {
    guard(STEER_PANIC, || {
        // SAFETY: by this function's contract.
        if let Some(status) = unsafe { engine::leader_registers_plugin(plugin) } {
            return status;
        }
        // SAFETY: by this function's contract.
        unsafe { register_here(plugin) }
    })
}

/// Registers a plugin with this engine.
///
/// # Safety
/// As for [`steer_register_plugin`].
pub(super) unsafe fn register_here(plugin: *const steer_plugin) -> steer_status {
    // SAFETY: by this function's contract.
    match unsafe { start(plugin, "the plugin", None) } {
        Ok(()) => engine::registered(engine::Registered::Plugin(plugin)),
        Err((status, text)) => fail_with(status, text),
    }
}

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
    guard(STEER_PANIC, || {
        // SAFETY: by this function's contract.
        if let Some(status) = unsafe { engine::leader_loads_plugin(path) } {
            return status;
        }
        // SAFETY: by this function's contract.
        unsafe { load_here(path) }
    })
}

/// Loads a plugin into this engine.
///
/// # Safety
/// As for [`steer_load_plugin`].
pub(super) unsafe fn load_here(path: steer_str) -> steer_status {
    // SAFETY: readable by this function's contract.
    let path = unsafe { path.to_text() }.filter(|path| !path.is_empty());
    let Some(path) = path else {
        let text = "steer_load_plugin: the path is empty".to_owned();
        return fail_with(STEER_INVALID_ARGUMENT, text);
    };
    // SAFETY: by this function's contract.
    match unsafe { load(&path) } {
        Ok(()) => STEER_OK,
        Err((status, text)) => fail_with(status, text),
    }
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
    guard(STEER_PANIC, || {
        // SAFETY: by this function's contract.
        if let Some(status) = unsafe { engine::leader_loads_plugins() } {
            return status;
        }
        // SAFETY: by this function's contract.
        unsafe { load_all_here() }.unwrap_or(STEER_OK)
    })
}

/// What came of STEER_PLUGINS: none before the first call; OK while it is under way, as it is for a plugin
/// that asks from its entry.
static LOADED: Mutex<Option<(steer_status, String)>> = Mutex::new(None);

/// What came of STEER_PLUGINS, for a copy that follows: loads them first if nobody has.
///
/// # Safety
/// As for [`steer_load_plugins`].
pub(super) unsafe fn loaded_here() -> steer_status {
    // SAFETY: by this function's contract.
    if let Some(status) = unsafe { load_all_here() } {
        return status;
    }
    let (status, text) = LOADED.lock().clone().unwrap_or((STEER_OK, String::new()));
    fail_with(status, text)
}

/// Loads the plugins of STEER_PLUGINS into this engine. None: it was done before.
///
/// # Safety
/// As for [`steer_load_plugins`].
unsafe fn load_all_here() -> Option<steer_status> {
    {
        let mut loaded = LOADED.lock();
        if loaded.is_some() {
            return None;
        }
        *loaded = Some((STEER_OK, String::new()));
    }
    let paths = variable_that_loads_code("STEER_PLUGINS").unwrap_or_default();
    let mut failed: Vec<(steer_status, String)> = Vec::new();
    for path in env::split_paths(&paths).filter(|path| !path.as_os_str().is_empty()) {
        // SAFETY: by this function's contract.
        if let Err((status, text)) = unsafe { load(&path.to_string_lossy()) } {
            failed.push((status, format!("STEER_PLUGINS: {text}")));
        }
    }
    let Some((status, _)) = failed.first() else {
        return Some(STEER_OK);
    };
    let texts: Vec<_> = failed.iter().map(|(_, text)| text.as_str()).collect();
    let text = texts.join("; ");
    *LOADED.lock() = Some((*status, text.clone()));
    Some(fail_with(*status, text))
}

/// # Safety
/// Loading a library runs its code.
unsafe fn load(path: &str) -> Result<(), (steer_status, String)> {
    // SAFETY: by this function's contract.
    let library = unsafe { open(path) }.map_err(|error| {
        // The reason of the dynamic linker's is in what it was caused by, on some systems.
        (STEER_BAD_PLUGIN, format!("{path} cannot be loaded: {error}"))
    })?;
    // SAFETY: what is there is looked at before it is believed.
    let symbol = unsafe { library.get::<*const steer_plugin>(b"steer_plugin_block\0") };
    let plugin = *symbol.map_err(|_| {
        let text = format!(
            "{path} is no plugin of Steer's: it exports no steer_plugin_block (in Rust steer_plugin! makes it, \
             in C and C++ STEER_PLUGIN)"
        );
        (STEER_BAD_PLUGIN, text)
    })?;
    // For good: its pickers may live anywhere by now, and threads of its own may run.
    std::mem::forget(library);
    // SAFETY: a plugin's block, which stays.
    unsafe { start(plugin, path, Some(path.to_owned())) }?;
    match engine::registered(engine::Registered::Plugin(plugin)) {
        STEER_OK => Ok(()),
        status => Err((status, last_error())),
    }
}

/// Opens the library whose file has this path now.
///
/// A dynamic linker that has loaded a library by this very name takes that one, without a look at
/// the file, which may be a new one. By a name that it has not heard yet, it goes by the file: the
/// same file is the same library, and a new file a new one. So a name that is taken is spelled in
/// another way, with which debuggers still find the file.
///
/// # Safety
/// Loading a library runs its code.
#[cfg(unix)]
unsafe fn open(path: &str) -> Result<Library, libloading::Error> {
    use libloading::os::unix;
    static SPELLINGS: AtomicU32 = AtomicU32::new(1);
    // SAFETY: the library's author and whoever names it answer for its code.
    let open = |name: &str, flags| unsafe { unix::Library::open(Some(name), flags) };
    let usual = unix::RTLD_LAZY | unix::RTLD_LOCAL;
    let Ok(taken) = open(path, unix::RTLD_LAZY | libc::RTLD_NOLOAD) else {
        return open(path, usual).map(Library::from);
    };
    // A name without a folder is searched for: the file is where it was found before.
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
    // SAFETY: the library's author and whoever names it answer for its code.
    unsafe { Library::new(path) }
}

/// Where a plugin was loaded from.
#[cfg(unix)]
fn path_of(library: &libloading::os::unix::Library) -> Option<String> {
    // SAFETY: only its address is used.
    let block = unsafe { library.get::<*const steer_plugin>(b"steer_plugin_block\0") }.ok()?;
    let mut facts = MaybeUninit::<libc::Dl_info>::zeroed();
    // SAFETY: any address can be asked for, and `facts` has room for the answer.
    if unsafe { libc::dladdr((*block).cast(), facts.as_mut_ptr()) } == 0 {
        return None;
    }
    // SAFETY: zeroed and then filled in: pointers, for which NULL is fine.
    let facts = unsafe { facts.assume_init() };
    if facts.dli_fname.is_null() {
        return None;
    }
    // SAFETY: a NUL-terminated text of the dynamic linker's, as long as the library is loaded.
    let path = unsafe { CStr::from_ptr(facts.dli_fname) };
    path.to_str().ok().filter(|path| path.contains('/')).map(str::to_owned)
}

/// A spelling of the path of this number's own: "/" and "./" before the file's name, which lead
/// nowhere else, stand for the number's bits.
#[cfg(unix)]
fn spelled(path: &str, number: u32) -> String {
    let (folder, file) = path.split_at(path.rfind('/').map_or(0, |slash| slash + 1));
    let bits = (0..u32::BITS - number.leading_zeros()).rev();
    let bits = bits.map(|bit| if number >> bit & 1 == 1 { "./" } else { "/" });
    format!("{folder}{}{file}", bits.collect::<String>())
}

/// Checks a plugin and runs its entry.
///
/// # Safety
/// `plugin` is NULL or keeps what `steer_plugin` says, as far as its magic and its sizes promise.
unsafe fn start(
    plugin: *const steer_plugin,
    place: &str,
    path: Option<String>,
) -> Result<(), (steer_status, String)> {
    // SAFETY: by this function's contract.
    let body = unsafe { checked(plugin, place) }?;
    // SAFETY: readable, as `steer_plugin` says.
    let name = unsafe { body.name.to_text() }.unwrap_or_default();
    let Some(entry) = body.entry else {
        let text =
            format!("{place}: steer_plugin.entry of {name:?} is NULL: it cannot register anything");
        return Err((STEER_MISSING_CALLBACK, text));
    };
    // A library that closes itself, or is closed by whoever has opened it, leaves its code here.
    engine::keep(plugin.cast());
    // SAFETY: the same.
    let version = unsafe { body.version.to_text() }.unwrap_or_default();
    let plugin = Plugin { name: name.clone(), version, path };
    staged(plugin, place, || {
        fail_with(STEER_OK, String::new());
        // SAFETY: the entry of a plugin that fits; it answers for its code.
        let failed = listen(|| unsafe { entry(&API) });
        if failed == 0 {
            return Ok(());
        }
        let refused = last_error();
        let otherwise =
            if refused.is_empty() { "it did not say why (steer_api.fault)" } else { &refused };
        let why = fault_said().unwrap_or_else(|| otherwise.to_owned());
        Err((STEER_PLUGIN_FAILED, format!("{place}: the entry of plugin {name:?} failed: {why}")))
    })
}

/// # Safety
/// As for [`start`].
unsafe fn checked(
    plugin: *const steer_plugin,
    place: &str,
) -> Result<PluginBody, (steer_status, String)> {
    let bad = |text: String| (STEER_BAD_PLUGIN, format!("{place} {text}"));
    if plugin.is_null() {
        return Err((STEER_NULL_ARGUMENT, text_of("steer_plugin", STEER_NULL_ARGUMENT)));
    }
    // SAFETY: there are eight bytes at the very least, by this function's contract.
    let magic = unsafe { plugin.cast::<u64>().read_unaligned() };
    if magic != STEER_PLUGIN_MAGIC {
        return Err(bad(format!(
            "is no plugin of Steer's: its block begins with {magic:#018x}, and those of plugins with \
             {STEER_PLUGIN_MAGIC:#018x}"
        )));
    }
    // SAFETY: with the magic come the sizes, as `steer_plugin` says.
    let body = unsafe { plugin.byte_add(BODY) }.cast::<PluginBody>();
    // SAFETY: the same.
    let struct_size = unsafe { body.cast::<usize>().read_unaligned() };
    if struct_size < size_of::<steer_plugin>() {
        return Err(bad(format!(
            "does not fit this engine: its steer_plugin has {struct_size} bytes, and that of ABI version \
             2 has {}: compile it with this engine's headers",
            size_of::<steer_plugin>()
        )));
    }
    // SAFETY: readable by this function's contract, and large enough.
    let body = unsafe { read(body) }.map_err(|status| bad(text_of("steer_plugin", status)))?;
    // SAFETY: readable, as `steer_plugin` says.
    let text = |text: steer_str| unsafe { text.to_text() }.unwrap_or_default();
    let theirs = format!(
        "plugin {:?} {} built by {}: ABI {}, pointers of {} bytes, steer_api {} bytes, \
         steer_picker_type {} bytes, steer_policy_type {} bytes",
        text(body.name),
        text(body.version),
        text(body.build),
        body.abi_version,
        body.pointer_size,
        body.api_size,
        body.picker_type_size,
        body.policy_type_size
    );
    let ours = format!(
        "engine {}: ABI {STEER_ABI_VERSION}, pointers of {} bytes, steer_api {} bytes, \
         steer_picker_type {} bytes, steer_policy_type {} bytes",
        env!("CARGO_PKG_VERSION"),
        size_of::<usize>(),
        size_of::<steer_api>(),
        size_of::<steer_picker_type>(),
        size_of::<steer_policy_type>()
    );
    let misfit = |what: &str| bad(format!("does not fit this engine: {what} ({theirs}; {ours})"));
    if body.abi_version > STEER_ABI_VERSION {
        return Err(misfit(
            "it was compiled for a later version of the ABI: use that Steer or a later one, or \
             compile it with this engine's headers",
        ));
    }
    if body.pointer_size as usize != size_of::<usize>() {
        return Err(misfit("its pointers have another size: compile it for this machine"));
    }
    if body.api_size > size_of::<steer_api>()
        || body.picker_type_size > size_of::<steer_picker_type>()
        || body.policy_type_size > size_of::<steer_policy_type>()
    {
        return Err(misfit(
            "its tables are larger than those of its ABI version: compile it with unchanged headers",
        ));
    }
    // SAFETY: readable, as `steer_plugin` says.
    if unsafe { utf8(body.name) }.is_none_or(|name| name.is_empty()) {
        return Err(misfit(
            "steer_plugin.name is empty or not UTF-8: give it one that people can read",
        ));
    }
    Ok(body)
}

#[cfg(all(test, unix))]
mod tests {
    use super::spelled;

    #[test]
    fn each_number_has_a_spelling_of_its_own() {
        assert_eq!(spelled("/a/b.so", 1), "/a/./b.so");
        assert_eq!(spelled("/a/b.so", 2), "/a/.//b.so");
        assert_eq!(spelled("b.so", 3), "././b.so");
        let spellings: std::collections::HashSet<_> =
            (0..1000).map(|number| spelled("/a/b.so", number)).collect();
        assert_eq!(spellings.len(), 1000);
    }
}
