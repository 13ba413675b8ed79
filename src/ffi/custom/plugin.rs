//! `steer_plugin`: checks a plugin, then calls its entry.
//!
//! Must not depend on: what a plugin registers, how it was loaded.

use std::mem::offset_of;

use steer_abi::{
    STEER_ABI_VERSION, STEER_PLUGIN_MAGIC, steer_api, steer_picker_type, steer_plugin,
    steer_policy_type, steer_str,
};

use super::api::API;
use super::choice::{last_fault, listen};
use super::code_file::keep;
use super::leader;
use super::register::staged;
use super::table::utf8;
use crate::ffi::last_error::{fail_with, last_error, text_of, worded_guard};
use crate::ffi::steer_status;
use crate::ffi::steer_status::*;
use crate::ffi::text::ReadText;
use crate::ffi::versioned::{Versioned, read};
use crate::stats::Plugin;

// SAFETY: repr(C), begins with its size, and zeros are NULLs and numbers.
unsafe impl Versioned for PluginBody {
    const FIRST_SIZE: usize = size_of::<PluginBody>();
}

/// A `steer_plugin` without its magic.
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
/// `plugin` is NULL (STEER_NULL_ARGUMENT) or a plugin as `steer_plugin` documents, and is never
/// freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn steer_register_plugin(plugin: *const steer_plugin) -> steer_status {
    worded_guard("steer_register_plugin", || {
        // SAFETY: `plugin` is as this function requires (caller's contract).
        if let Some(status) = unsafe { leader::leader_registers_plugin(plugin) } {
            return status;
        }
        // SAFETY: `plugin` is as this function requires (caller's contract).
        unsafe { register_here(plugin) }
    })
}

/// Registers a plugin with this engine.
///
/// # Safety
/// As for [`steer_register_plugin`].
pub(super) unsafe fn register_here(plugin: *const steer_plugin) -> steer_status {
    // SAFETY: `plugin` is as this function requires (caller's contract).
    match unsafe { start(plugin, "the plugin", None) } {
        Ok(()) => leader::registered(leader::Registration::Plugin(plugin)),
        Err((status, text)) => fail_with(status, text),
    }
}

/// Checks a plugin and runs its entry. `place` describes it for error texts, and `path` is the file
/// that it was loaded from.
///
/// # Safety
/// `plugin` is NULL or eight readable bytes. If they are the magic of plugins, it is a plugin as
/// `steer_plugin` documents.
pub(super) unsafe fn start(
    plugin: *const steer_plugin,
    place: &str,
    path: Option<String>,
) -> Result<(), (steer_status, String)> {
    // SAFETY: `plugin` is as this function requires (caller's contract).
    let body = unsafe { checked(plugin, place) }?;
    // SAFETY: the plugin's name is readable (rule of `steer_plugin`).
    let name = unsafe { body.name.to_text() }.unwrap_or_default();
    let Some(entry) = body.entry else {
        let text =
            format!("{place}: steer_plugin.entry of {name:?} is NULL: it cannot register anything");
        return Err((STEER_MISSING_CALLBACK, text));
    };
    // Keeps the code of a library that the program opened and may close.
    keep(plugin.cast());
    // SAFETY: the plugin's version is readable (rule of `steer_plugin`).
    let version = unsafe { body.version.to_text() }.unwrap_or_default();
    let plugin = Plugin { name: name.clone(), version, path };
    staged(plugin, place, || {
        fail_with(STEER_OK, String::new());
        // SAFETY: the plugin fits this engine, so its entry takes this table.
        let failed = listen(|| unsafe { entry(&API) });
        if failed == 0 {
            return Ok(());
        }
        let refused = last_error();
        let otherwise =
            if refused.is_empty() { "it did not say why (steer_api.fault)" } else { &refused };
        let why = last_fault().unwrap_or_else(|| otherwise.to_owned());
        Err((STEER_PLUGIN_FAILED, format!("{place}: the entry of plugin {name:?} failed: {why}")))
    })
}

/// Checks that a plugin fits this engine, and returns a copy of it.
///
/// # Safety
/// As for [`start`].
unsafe fn checked(
    plugin: *const steer_plugin,
    place: &str,
) -> Result<PluginBody, (steer_status, String)> {
    if plugin.is_null() {
        return Err((STEER_NULL_ARGUMENT, text_of("steer_plugin", STEER_NULL_ARGUMENT)));
    }
    let bad = |text: String| (STEER_BAD_PLUGIN, format!("{place} {text}"));
    // SAFETY: not NULL, and otherwise as this function requires (caller's contract).
    let body = unsafe { read_body(plugin) }.map_err(bad)?;
    // SAFETY: `body` is a copy of a plugin, whose texts are readable (rule of `steer_plugin`).
    unsafe { check_fit(&body) }.map_err(bad)?;
    Ok(body)
}

/// Copies a plugin. Fails if its magic or its size is wrong.
///
/// # Safety
/// As for [`start`], and `plugin` is not NULL.
unsafe fn read_body(plugin: *const steer_plugin) -> Result<PluginBody, String> {
    // SAFETY: not NULL, so eight bytes are readable (caller's contract).
    let magic = unsafe { plugin.cast::<u64>().read_unaligned() };
    if magic != STEER_PLUGIN_MAGIC {
        return Err(format!(
            "is not a plugin of Steer: its block begins with {magic:#018x}, and those of plugins \
             with {STEER_PLUGIN_MAGIC:#018x}"
        ));
    }
    // SAFETY: a block with the magic is a `steer_plugin` (caller's contract).
    let body = unsafe { plugin.byte_add(BODY) }.cast::<PluginBody>();
    // SAFETY: a `steer_plugin` has its size after the magic.
    let struct_size = unsafe { body.cast::<usize>().read_unaligned() };
    if struct_size < size_of::<steer_plugin>() {
        return Err(format!(
            "does not fit this engine: its steer_plugin has {struct_size} bytes, and that of ABI \
             version 2 has {}: compile it with this engine's headers",
            size_of::<steer_plugin>()
        ));
    }
    // SAFETY: it is a `steer_plugin` (caller's contract), and its size is large enough.
    unsafe { read(body) }.map_err(|status| text_of("steer_plugin", status))
}

/// Checks that a plugin's version of the ABI, its sizes and its name fit this engine.
///
/// # Safety
/// The plugin's texts are readable.
unsafe fn check_fit(body: &PluginBody) -> Result<(), String> {
    // SAFETY: the plugin's name is readable (caller's contract).
    let name = unsafe { utf8(body.name) };
    let misfit = if body.abi_version > STEER_ABI_VERSION {
        "it was compiled for a later version of the ABI: use that Steer or a later one, or \
         compile it with this engine's headers"
    } else if body.pointer_size as usize != size_of::<usize>() {
        "its pointers have another size: compile it for this machine"
    } else if body.api_size > size_of::<steer_api>()
        || body.picker_type_size > size_of::<steer_picker_type>()
        || body.policy_type_size > size_of::<steer_policy_type>()
    {
        "its tables are larger than those of its ABI version: compile it with unchanged headers"
    } else if name.is_none_or(|name| name.is_empty()) {
        "steer_plugin.name is empty or not UTF-8: give it one that people can read"
    } else {
        return Ok(());
    };
    // SAFETY: the plugin's texts are readable (caller's contract).
    let theirs = unsafe { describe_plugin(body) };
    Err(format!("does not fit this engine: {misfit} ({theirs}; {})", describe_engine()))
}

/// Describes a plugin's versions and sizes.
///
/// # Safety
/// The plugin's texts are readable.
unsafe fn describe_plugin(body: &PluginBody) -> String {
    // SAFETY: the plugin's texts are readable (caller's contract).
    let text = |text: steer_str| unsafe { text.to_text() }.unwrap_or_default();
    format!(
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
    )
}

/// Describes this engine's versions and sizes.
fn describe_engine() -> String {
    format!(
        "engine {}: ABI {STEER_ABI_VERSION}, pointers of {} bytes, steer_api {} bytes, \
         steer_picker_type {} bytes, steer_policy_type {} bytes",
        env!("CARGO_PKG_VERSION"),
        size_of::<usize>(),
        size_of::<steer_api>(),
        size_of::<steer_picker_type>(),
        size_of::<steer_policy_type>()
    )
}
