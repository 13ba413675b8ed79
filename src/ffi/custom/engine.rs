//! This engine's `steer_engine` table, `steer_engine_lead` and `steer_engine_follow`. `leader.rs`
//! has the general flow.
//!
//! Must not depend on: gRPC.

use std::sync::OnceLock;
use std::{env, ptr};

use steer_abi::{
    STEER_ABI_VERSION, steer_api, steer_picker_type, steer_plugin, steer_policy_type, steer_str,
};

use super::api::API;
use super::code_file::file_of;
use super::engine_type::steer_engine;
use super::{leader, load, plugin, register, take_over};
use crate::ffi::last_error::{fail_with, steer_last_error, text_of, worded_guard};
use crate::ffi::steer_status::*;
use crate::ffi::text::ReadText;
use crate::ffi::versioned::read;
use crate::ffi::{guard, library, stats as stats_here, steer_status, steer_string, text};
use crate::stats;

/// `[any thread]`
/// Makes this engine serve a host's gRPC, and returns the table for other copies of Steer. NULL:
/// this engine follows another one. May be called any number of times.
///
/// After each registration, the engine calls `knows`, which returns whether the host knows a policy
/// of this name or can still learn of it. 0: it is too late for that. For a name that was taken
/// over, it returns whether the policy that took it runs under that name, or still can. `knows` is
/// called on any thread, with no lock held. It may be NULL.
///
/// # Safety
/// `knows` is NULL or can be called at any time.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn steer_engine_lead(
    knows: Option<unsafe extern "C" fn(name: steer_str) -> i32>,
) -> *const steer_engine {
    guard(ptr::null(), || if leader::lead(knows) { ptr::from_ref(table()) } else { ptr::null() })
}

/// `[any thread]`
/// Makes this engine follow another copy's engine. Passes on the existing registrations, and from
/// then on each call of `steer_register_…`, `steer_load_…` and `steer_stats_…`. Does nothing when
/// it follows that engine already, and for this engine itself.
///
/// STEER_CANNOT_FOLLOW: nothing has changed. Other statuses: a registration could not be passed on,
/// and this is the first such status. The others were passed on. `steer_last_error` has the
/// reasons.
///
/// # Safety
/// `leader` is NULL (STEER_NULL_ARGUMENT) or came from `steer_engine_lead` of an engine that is
/// never unloaded.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn steer_engine_follow(leader: *const steer_engine) -> steer_status {
    worded_guard("steer_engine_follow", || {
        if ptr::eq(leader, table()) {
            return STEER_OK;
        }
        // SAFETY: `leader` is NULL or readable (caller's contract).
        let engine = match unsafe { read(leader) } {
            Ok(engine) => engine,
            Err(status) => return fail_with(status, text_of("steer_engine", status)),
        };
        match why_not(&engine) {
            Some(why) => fail_with(STEER_CANNOT_FOLLOW, why),
            None => leader::follow(leader, engine),
        }
    })
}

/// Why this engine cannot follow that one, if it cannot.
fn why_not(engine: &steer_engine) -> Option<String> {
    // SAFETY: the texts of a `steer_engine` are readable.
    let version = unsafe { engine.version.to_text() }.unwrap_or_default();
    if engine.abi_version < STEER_ABI_VERSION {
        return Some(format!(
            "its engine {version} has version {} of the ABI, and this copy's plugins may need \
             version {STEER_ABI_VERSION}: register the newer copy first, or bring both to one \
             release",
            engine.abi_version
        ));
    }
    let missing = engine.register_plugin.is_none()
        || engine.register_picker.is_none()
        || engine.register_policy.is_none()
        || engine.load_plugin.is_none()
        || engine.load_plugins.is_none()
        || engine.last_error.is_none()
        || engine.policy_name.is_none()
        || engine.stats_json.is_none()
        || engine.stats_prometheus.is_none()
        || engine.stats_track_calls.is_none()
        || engine.string_text.is_none()
        || engine.string_free.is_none()
        || engine.take_over.is_none()
        || engine.take_over_environment.is_none()
        || engine.taken_name.is_none();
    // SAFETY: the API is NULL or a table that begins with its size (rule of `steer_engine`).
    let api_size = unsafe { engine.api.cast::<usize>().as_ref() }.copied().unwrap_or(0);
    (missing || api_size < size_of::<steer_api>())
        .then(|| format!("its engine {version} lacks functions of its ABI version"))
}

// --- This engine's table ---

unsafe extern "C" fn register_plugin(block: *const steer_plugin) -> i32 {
    // SAFETY: `block` is as `steer_register_plugin` requires (rule of `steer_engine`).
    worded_guard("steer_engine.register_plugin", || unsafe { plugin::register_here(block) }) as i32
}

unsafe extern "C" fn register_picker(kind: *const steer_picker_type) -> i32 {
    // SAFETY: `kind` is as `steer_register_picker` requires (rule of `steer_engine`).
    worded_guard("steer_engine.register_picker", || unsafe { register::picker_here(kind) }) as i32
}

unsafe extern "C" fn register_policy(kind: *const steer_policy_type) -> i32 {
    // SAFETY: `kind` is as `steer_register_policy` requires (rule of `steer_engine`).
    worded_guard("steer_engine.register_policy", || unsafe { register::policy_here(kind) }) as i32
}

unsafe extern "C" fn load_plugin(path: steer_str) -> i32 {
    // SAFETY: `path` is readable, and the library may run its code (rule of `steer_engine`).
    worded_guard("steer_engine.load_plugin", || unsafe { load::load_here(path) }) as i32
}

unsafe extern "C" fn load_plugins() -> i32 {
    // SAFETY: the libraries may run their code (rule of `steer_engine`).
    worded_guard("steer_engine.load_plugins", || unsafe { load::loaded_here() }) as i32
}

// Unguarded: calls a function that guards itself, or that cannot panic.
unsafe extern "C" fn last_error() -> steer_str {
    steer_last_error()
}

// Unguarded: calls a function that guards itself, or that cannot panic.
unsafe extern "C" fn policy_name(index: usize, name: *mut *mut steer_string) -> i32 {
    // SAFETY: `name` is NULL or can be written to (rule of `steer_engine`).
    unsafe { library::steer_policy_name(index, name) as i32 }
}

// Unguarded: calls a function that guards itself, or that cannot panic.
unsafe extern "C" fn stats_json(text: *mut *mut steer_string) -> i32 {
    // SAFETY: `text` is NULL or can be written to (rule of `steer_engine`).
    unsafe { stats_here::json_here(text) as i32 }
}

// Unguarded: calls a function that guards itself, or that cannot panic.
unsafe extern "C" fn stats_prometheus(text: *mut *mut steer_string) -> i32 {
    // SAFETY: `text` is NULL or can be written to (rule of `steer_engine`).
    unsafe { stats_here::prometheus_here(text) as i32 }
}

unsafe extern "C" fn stats_track_calls(on: i32) {
    guard((), || stats::track_calls(on != 0));
}

// Unguarded: calls a function that guards itself, or that cannot panic.
unsafe extern "C" fn string_text(string: *const steer_string) -> steer_str {
    // SAFETY: `string` is NULL or came from this engine and is not freed (rule of `steer_engine`).
    unsafe { text::steer_string_text(string) }
}

// Unguarded: calls a function that guards itself, or that cannot panic.
unsafe extern "C" fn string_free(string: *mut steer_string) {
    // SAFETY: `string` is NULL or came from this engine and is not freed (rule of `steer_engine`).
    unsafe { text::steer_string_free(string) }
}

unsafe extern "C" fn take_over(settings: steer_str) -> i32 {
    // SAFETY: `settings` is readable (rule of `steer_engine`).
    worded_guard("steer_engine.take_over", || unsafe { take_over::take_over_here(settings) }) as i32
}

unsafe extern "C" fn take_over_environment() -> i32 {
    worded_guard("steer_engine.take_over_environment", take_over::environment_here) as i32
}

// Unguarded: calls a function that guards itself, or that cannot panic.
unsafe extern "C" fn taken_name(
    index: usize,
    name: *mut *mut steer_string,
    policy: *mut *mut steer_string,
) -> i32 {
    // SAFETY: both are NULL or can be written to (rule of `steer_engine`).
    unsafe { take_over::steer_taken_name(index, name, policy) as i32 }
}

fn table() -> &'static steer_engine {
    static TABLE: OnceLock<steer_engine> = OnceLock::new();
    static PLACE: OnceLock<String> = OnceLock::new();
    TABLE.get_or_init(|| steer_engine {
        struct_size: size_of::<steer_engine>(),
        abi_version: STEER_ABI_VERSION,
        reserved: 0,
        version: library::steer_version(),
        place: steer_str::borrow(PLACE.get_or_init(place)),
        api: &API,
        register_plugin: Some(register_plugin),
        register_picker: Some(register_picker),
        register_policy: Some(register_policy),
        load_plugin: Some(load_plugin),
        load_plugins: Some(load_plugins),
        last_error: Some(last_error),
        policy_name: Some(policy_name),
        stats_json: Some(stats_json),
        stats_prometheus: Some(stats_prometheus),
        stats_track_calls: Some(stats_track_calls),
        string_text: Some(string_text),
        string_free: Some(string_free),
        take_over: Some(take_over),
        take_over_environment: Some(take_over_environment),
        taken_name: Some(taken_name),
    })
}

/// The file that contains this engine.
fn place() -> String {
    if cfg!(miri) {
        return String::new();
    }
    let program = || env::current_exe().map(|path| path.display().to_string()).unwrap_or_default();
    let file = file_of(ptr::from_ref(&API).cast()).unwrap_or_default();
    // The dynamic linker has the program under the name that it was started with.
    if file.starts_with('/') { file } else { program() }
}
