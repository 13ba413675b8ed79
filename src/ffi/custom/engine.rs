//! `steer_engine`: the engine of one copy of Steer, as the other copies in its process see it.
//!
//! Copies find each other through the gRPC that they register with. The first one *leads*: its engine
//! serves. The engines of the others *follow* it: they pass on what was registered with them, what
//! is registered from then on, and questions about statistics. Each side frees its own memory.
//!
//! What follows may belong to another release of Steer: only C crosses, by a table that grows.
//!
//! Must not know: gRPC.

use std::ffi::{CStr, c_int, c_void};
use std::sync::{Arc, OnceLock};
use std::{env, mem, ptr};

use parking_lot::Mutex;
use steer_abi::{
    STEER_ABI_VERSION, steer_api, steer_picker_type, steer_plugin, steer_policy_type, steer_str,
};

use super::api::API;
use super::kind::{Kind, Table};
use super::{plugin, register};
use crate::ffi::last_error::{fail_with, steer_last_error, text_of};
use crate::ffi::steer_status::*;
use crate::ffi::text::ReadText;
use crate::ffi::versioned::{Versioned, read};
use crate::ffi::{guard, library, stats as stats_here, steer_status, steer_string, text};
use crate::stats;

/// One engine, for the other copies of Steer in its process. Static. No function pointer in it is
/// NULL. Each function concerns this engine alone, and does what the function of its name does.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct steer_engine {
    /// `sizeof(steer_engine)`, as this engine knows it.
    pub struct_size: usize,
    /// The number that `steer_abi_version` returns.
    pub abi_version: u32,
    /// 0.
    pub reserved: u32,
    /// The text that `steer_version` returns.
    pub version: steer_str,
    /// The path of the library or program that contains the engine.
    pub place: steer_str,
    /// The table that `steer_api_get` returns.
    pub api: *const steer_api,
    /// `[any thread]`
    /// As `steer_register_plugin`.
    pub register_plugin: Option<unsafe extern "C" fn(plugin: *const steer_plugin) -> i32>,
    /// `[any thread]`
    /// As `steer_register_picker`.
    pub register_picker: Option<unsafe extern "C" fn(kind: *const steer_picker_type) -> i32>,
    /// `[any thread]`
    /// As `steer_register_policy`.
    pub register_policy: Option<unsafe extern "C" fn(kind: *const steer_policy_type) -> i32>,
    /// `[any thread]`
    /// As `steer_load_plugin`.
    pub load_plugin: Option<unsafe extern "C" fn(path: steer_str) -> i32>,
    /// `[any thread]`
    /// As `steer_load_plugins`. Each call returns the result of the first one.
    pub load_plugins: Option<unsafe extern "C" fn() -> i32>,
    /// `[any thread]`
    /// As `steer_last_error`.
    pub last_error: Option<unsafe extern "C" fn() -> steer_str>,
    /// `[any thread]`
    /// As `steer_policy_name`.
    pub policy_name:
        Option<unsafe extern "C" fn(index: usize, name: *mut *mut steer_string) -> i32>,
    /// `[any thread]`
    /// As `steer_stats_json`.
    pub stats_json: Option<unsafe extern "C" fn(text: *mut *mut steer_string) -> i32>,
    /// `[any thread]`
    /// As `steer_stats_prometheus`.
    pub stats_prometheus: Option<unsafe extern "C" fn(text: *mut *mut steer_string) -> i32>,
    /// `[any thread]`
    /// As `steer_stats_track_calls`.
    pub stats_track_calls: Option<unsafe extern "C" fn(on: i32)>,
    /// `[any thread]`
    /// As `steer_string_text`.
    pub string_text: Option<unsafe extern "C" fn(string: *const steer_string) -> steer_str>,
    /// `[any thread]`
    /// As `steer_string_free`.
    pub string_free: Option<unsafe extern "C" fn(string: *mut steer_string)>,
}

// SAFETY: static texts, a static table and functions of any thread.
unsafe impl Send for steer_engine {}
// SAFETY: as for Send.
unsafe impl Sync for steer_engine {}

// SAFETY: repr(C), begins with its size, and zeros are NULLs and numbers.
unsafe impl Versioned for steer_engine {
    const FIRST_SIZE: usize = mem::offset_of!(steer_engine, string_free) + size_of::<usize>();
}

/// Whether a host knows a policy of this name, or still learns of it. Any thread.
type Knows = unsafe extern "C" fn(name: steer_str) -> i32;

/// What was registered with this engine, to be passed on.
pub(super) enum Registered {
    /// A plugin's block, which stays for ever.
    Plugin(*const steer_plugin),
    /// A table of the program's.
    Table(Arc<Kind>),
}

// SAFETY: a block is static and only read.
unsafe impl Send for Registered {}

struct Shared {
    /// This engine serves a gRPC, and so can follow none.
    leads: bool,
    hosts: Vec<Knows>,
    registered: Vec<Registered>,
}

static SHARED: Mutex<Shared> =
    Mutex::new(Shared { leads: false, hosts: Vec::new(), registered: Vec::new() });

/// The engine that this one follows. Set under the lock of `SHARED`, so that a registration is
/// either in `Shared::registered` then, or sees this.
static LEADER: OnceLock<Leader> = OnceLock::new();

struct Leader {
    table: *const steer_engine,
    engine: steer_engine,
}

// SAFETY: `table` is compared only.
unsafe impl Send for Leader {}
// SAFETY: as for Send.
unsafe impl Sync for Leader {}

const ALL_THERE: &str = "checked when it was followed";

/// The functions for policies of the engine that this one follows.
#[inline]
pub(super) fn leaders_api() -> Option<&'static steer_api> {
    let leader = LEADER.get()?;
    // SAFETY: static and large enough, as `steer_engine_follow` has checked.
    Some(unsafe { &*leader.engine.api })
}

/// `[any thread]`
/// Makes this engine serve a host's gRPC, and returns the table for other copies of Steer. NULL: this
/// engine follows another one. May be called any number of times.
///
/// After each registration, the engine calls `knows`, which returns whether the host knows a policy
/// of this name or can still learn of it. 0: it is too late for that. `knows` is called on any
/// thread, with no lock held. It may be NULL.
///
/// # Safety
/// `knows` is NULL or can be called at any time.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn steer_engine_lead(
    knows: Option<unsafe extern "C" fn(name: steer_str) -> i32>,
) -> *const steer_engine {
    guard(ptr::null(), || {
        let mut shared = SHARED.lock();
        if LEADER.get().is_some() {
            return ptr::null();
        }
        shared.leads = true;
        if let Some(knows) = knows
            && !shared.hosts.iter().any(|other| ptr::fn_addr_eq(*other, knows))
        {
            shared.hosts.push(knows);
        }
        ptr::from_ref(table())
    })
}

/// `[any thread]`
/// Makes this engine follow another copy's engine. Passes on the existing registrations, and from
/// then on each call of `steer_register_…`, `steer_load_…` and `steer_stats_…`. Does nothing when
/// it follows that engine already, and for this engine itself.
///
/// STEER_CANNOT_FOLLOW: nothing has changed. Other statuses: a registration could not be passed on,
/// and this is the first such status. The others were passed on. `steer_last_error` has the reasons.
///
/// # Safety
/// `leader` is NULL (STEER_NULL_ARGUMENT) or came from `steer_engine_lead` of an engine that is never
/// unloaded.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn steer_engine_follow(leader: *const steer_engine) -> steer_status {
    guard(STEER_PANIC, || {
        if ptr::eq(leader, table()) {
            return STEER_OK;
        }
        // SAFETY: NULL or readable by this function's contract.
        let engine = match unsafe { read(leader) } {
            Ok(engine) => engine,
            Err(status) => {
                return fail_with(status, text_of("steer_engine", status));
            }
        };
        if let Some(why) = why_not(&engine) {
            return fail_with(STEER_CANNOT_FOLLOW, why);
        }
        let registered = {
            let mut shared = SHARED.lock();
            if shared.leads {
                let text = "this engine serves another gRPC in this process, and cannot follow an engine: \
                            give each gRPC its own copy of Steer";
                return fail_with(STEER_CANNOT_FOLLOW, text.to_owned());
            }
            let followed = LEADER.get_or_init(|| Leader { table: leader, engine });
            if !ptr::eq(followed.table, leader) {
                let text = "this engine follows another engine in this process already";
                return fail_with(STEER_CANNOT_FOLLOW, text.to_owned());
            }
            mem::take(&mut shared.registered)
        };
        if stats::tracks_calls() {
            steer_stats_track_calls_of(&engine, 1);
        }
        let mut failed: Vec<(steer_status, String)> = Vec::new();
        for one in registered {
            let status = pass_on(&engine, &one);
            if status != STEER_OK {
                failed.push((status, last_error_of(&engine)));
            }
        }
        match failed.first() {
            None => STEER_OK,
            Some((status, _)) => {
                let texts: Vec<_> = failed.iter().map(|(_, text)| text.as_str()).collect();
                fail_with(*status, texts.join("; "))
            }
        }
    })
}

/// Why this engine cannot follow that one.
fn why_not(engine: &steer_engine) -> Option<String> {
    // SAFETY: readable, as `steer_engine` says.
    let version = unsafe { engine.version.to_text() }.unwrap_or_default();
    if engine.abi_version < STEER_ABI_VERSION {
        return Some(format!(
            "its engine {version} has version {} of the ABI, and this copy's plugins may need version \
             {STEER_ABI_VERSION}: register the newer copy first, or bring both to one release",
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
        || engine.string_free.is_none();
    // SAFETY: NULL or a table that begins with its size, as `steer_engine` says.
    let api_size = unsafe { engine.api.cast::<usize>().as_ref() }.copied().unwrap_or(0);
    (missing || api_size < size_of::<steer_api>())
        .then(|| format!("its engine {version} lacks functions of its ABI version"))
}

/// Passes one registration on to the leader.
fn pass_on(leader: &steer_engine, what: &Registered) -> steer_status {
    let status = match what {
        Registered::Plugin(plugin) => {
            let register = leader.register_plugin.expect(ALL_THERE);
            // SAFETY: the block stays for ever, as `steer_register_plugin` asks.
            unsafe { register(*plugin) }
        }
        Registered::Table(kind) => {
            // This engine's registry keeps the table for ever, so that its `ctx` is never freed:
            // the leader must not free it either.
            let name = steer_str::borrow(kind.name());
            match &kind.table {
                Table::Picker(table) => {
                    let table = steer_picker_type { name, ctx_free: None, ..*table };
                    let register = leader.register_picker.expect(ALL_THERE);
                    // SAFETY: a table that keeps what its type says, as it was registered here.
                    unsafe { register(&table) }
                }
                Table::Policy(table) => {
                    let table = steer_policy_type { name, ctx_free: None, ..*table };
                    let register = leader.register_policy.expect(ALL_THERE);
                    // SAFETY: as above.
                    unsafe { register(&table) }
                }
            }
        }
    };
    steer_status::from_number(status)
}

/// Why the leader's last function on this thread failed.
fn last_error_of(leader: &steer_engine) -> String {
    let last_error = leader.last_error.expect(ALL_THERE);
    // SAFETY: it may be called at any time.
    let text = unsafe { last_error() };
    // SAFETY: valid until the next function on this thread, and copied before that.
    unsafe { text.to_text() }.unwrap_or_default()
}

fn steer_stats_track_calls_of(leader: &steer_engine, on: i32) {
    let track_calls = leader.stats_track_calls.expect(ALL_THERE);
    // SAFETY: it may be called at any time.
    unsafe { track_calls(on) }
}

/// Asks the leader in this engine's place, if there is one; its reason becomes this engine's.
fn ask(question: impl FnOnce(&steer_engine) -> i32) -> Option<steer_status> {
    let leader = &LEADER.get()?.engine;
    let status = steer_status::from_number(question(leader));
    if status != STEER_OK {
        fail_with(status, last_error_of(leader));
    }
    Some(status)
}

/// `steer_register_plugin`, by the leader.
///
/// # Safety
/// As for `steer_register_plugin`.
pub(super) unsafe fn leader_registers_plugin(plugin: *const steer_plugin) -> Option<steer_status> {
    // SAFETY: by this function's contract.
    ask(|leader| unsafe { leader.register_plugin.expect(ALL_THERE)(plugin) })
}

/// `steer_register_picker`, by the leader.
///
/// # Safety
/// As for `steer_register_picker`.
pub(super) unsafe fn leader_registers_picker(
    kind: *const steer_picker_type,
) -> Option<steer_status> {
    // SAFETY: by this function's contract.
    ask(|leader| unsafe { leader.register_picker.expect(ALL_THERE)(kind) })
}

/// `steer_register_policy`, by the leader.
///
/// # Safety
/// As for `steer_register_policy`.
pub(super) unsafe fn leader_registers_policy(
    kind: *const steer_policy_type,
) -> Option<steer_status> {
    // SAFETY: by this function's contract.
    ask(|leader| unsafe { leader.register_policy.expect(ALL_THERE)(kind) })
}

/// `steer_load_plugin`, by the leader.
///
/// # Safety
/// As for `steer_load_plugin`.
pub(super) unsafe fn leader_loads_plugin(path: steer_str) -> Option<steer_status> {
    // SAFETY: by this function's contract.
    ask(|leader| unsafe { leader.load_plugin.expect(ALL_THERE)(path) })
}

/// `steer_load_plugins`, by the leader.
///
/// # Safety
/// As for `steer_load_plugins`.
pub(super) unsafe fn leader_loads_plugins() -> Option<steer_status> {
    // SAFETY: by this function's contract.
    ask(|leader| unsafe { leader.load_plugins.expect(ALL_THERE)() })
}

/// The leader's statistics, as this engine's text.
pub(in crate::ffi) fn leaders_stats(prometheus: bool) -> Option<Option<String>> {
    let leader = &LEADER.get()?.engine;
    let make = if prometheus { leader.stats_prometheus } else { leader.stats_json };
    let mut string = ptr::null_mut();
    // SAFETY: the text can be written to.
    if unsafe { make.expect(ALL_THERE)(&mut string) } != 0 {
        return Some(None);
    }
    // SAFETY: the leader's own string, which is not freed yet.
    let text = unsafe { leader.string_text.expect(ALL_THERE)(string) };
    // SAFETY: valid until it is freed.
    let copy = unsafe { text.to_text() };
    // SAFETY: the leader's own string, which nobody uses any more.
    unsafe { leader.string_free.expect(ALL_THERE)(string) };
    Some(copy)
}

/// `steer_stats_track_calls`, by the leader. Whether there is one.
pub(in crate::ffi) fn leader_tracks_calls(on: i32) -> bool {
    LEADER.get().map(|leader| steer_stats_track_calls_of(&leader.engine, on)).is_some()
}

/// Keeps what was registered here for a leader that may come; passes it on if there is one.
pub(super) fn registered(what: Registered) -> steer_status {
    let leader = {
        let mut shared = SHARED.lock();
        match LEADER.get() {
            Some(leader) => &leader.engine,
            None => {
                if let Registered::Plugin(plugin) = what {
                    shared.registered.retain(
                        |other| !matches!(other, Registered::Plugin(other) if ptr::eq(*other, plugin)),
                    );
                }
                shared.registered.push(what);
                return STEER_OK;
            }
        }
    };
    let status = pass_on(leader, &what);
    if status != STEER_OK {
        fail_with(status, last_error_of(leader));
    }
    status
}

/// Asks the hosts whether they know these policies. If not: why, and what to do.
pub(super) fn too_late_for(names: &[&str]) -> Option<String> {
    let hosts = SHARED.lock().hosts.clone();
    let unknown: Vec<&str> = names
        .iter()
        .copied()
        .filter(|name| {
            // SAFETY: as `steer_engine_lead` asks; the name lives during the call.
            hosts.iter().any(|knows| unsafe { knows(steer_str::borrow(name)) } == 0)
        })
        .collect();
    (!unknown.is_empty()).then(|| {
        format!(
            "too late for {}: gRPC takes no policies once a channel or a server exists. Load plugins and \
             register policies at the beginning of main(), or name them in STEER_PLUGINS",
            unknown.join(", ")
        )
    })
}

// --- This engine's own table ---

unsafe extern "C" fn register_plugin(block: *const steer_plugin) -> i32 {
    // SAFETY: as `steer_engine` says.
    guard(STEER_PANIC, || unsafe { plugin::register_here(block) }) as i32
}

unsafe extern "C" fn register_picker(kind: *const steer_picker_type) -> i32 {
    // SAFETY: as `steer_engine` says.
    guard(STEER_PANIC, || unsafe { register::picker_here(kind) }) as i32
}

unsafe extern "C" fn register_policy(kind: *const steer_policy_type) -> i32 {
    // SAFETY: as `steer_engine` says.
    guard(STEER_PANIC, || unsafe { register::policy_here(kind) }) as i32
}

unsafe extern "C" fn load_plugin(path: steer_str) -> i32 {
    // SAFETY: as `steer_engine` says.
    guard(STEER_PANIC, || unsafe { plugin::load_here(path) }) as i32
}

unsafe extern "C" fn load_plugins() -> i32 {
    // SAFETY: as `steer_engine` says.
    guard(STEER_PANIC, || unsafe { plugin::loaded_here() }) as i32
}

// Unguarded: calls a function that guards itself, or that cannot panic.
unsafe extern "C" fn last_error() -> steer_str {
    steer_last_error()
}

// Unguarded: calls a function that guards itself, or that cannot panic.
unsafe extern "C" fn policy_name(index: usize, name: *mut *mut steer_string) -> i32 {
    // SAFETY: as `steer_engine` says.
    unsafe { library::steer_policy_name(index, name) as i32 }
}

// Unguarded: calls a function that guards itself, or that cannot panic.
unsafe extern "C" fn stats_json(text: *mut *mut steer_string) -> i32 {
    // SAFETY: as `steer_engine` says.
    unsafe { stats_here::json_here(text) as i32 }
}

// Unguarded: calls a function that guards itself, or that cannot panic.
unsafe extern "C" fn stats_prometheus(text: *mut *mut steer_string) -> i32 {
    // SAFETY: as `steer_engine` says.
    unsafe { stats_here::prometheus_here(text) as i32 }
}

unsafe extern "C" fn stats_track_calls(on: i32) {
    guard((), || stats::track_calls(on != 0));
}

// Unguarded: calls a function that guards itself, or that cannot panic.
unsafe extern "C" fn string_text(string: *const steer_string) -> steer_str {
    // SAFETY: as `steer_engine` says.
    unsafe { text::steer_string_text(string) }
}

// Unguarded: calls a function that guards itself, or that cannot panic.
unsafe extern "C" fn string_free(string: *mut steer_string) {
    // SAFETY: as `steer_engine` says.
    unsafe { text::steer_string_free(string) }
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
    })
}

// --- Where code is ---

/// The file that this engine is in.
fn place() -> String {
    if cfg!(miri) {
        return String::new();
    }
    let program = || env::current_exe().map(|path| path.display().to_string()).unwrap_or_default();
    let file = file_of(ptr::from_ref(&API).cast()).unwrap_or_default();
    // The dynamic linker knows the program by what it was started as.
    if file.starts_with('/') { file } else { program() }
}

/// The file that is mapped at this address, if the dynamic linker knows.
#[cfg(all(unix, not(miri)))]
fn file_of(address: *const c_void) -> Option<String> {
    // SAFETY: zeros are NULLs.
    let mut info: libc::Dl_info = unsafe { mem::zeroed() };
    // SAFETY: any address will do, and `info` can be written to.
    let found: c_int = unsafe { libc::dladdr(address, &mut info) };
    if found == 0 || info.dli_fname.is_null() {
        return None;
    }
    // SAFETY: the dynamic linker's own text, which ends in NUL.
    let name = unsafe { CStr::from_ptr(info.dli_fname) };
    Some(name.to_string_lossy().into_owned())
}

#[cfg(any(not(unix), miri))]
fn file_of(_: *const c_void) -> Option<String> {
    None
}

/// Keeps the library that this address is in for good, whoever closes it.
#[cfg(all(unix, not(miri)))]
pub(super) fn keep(address: *const c_void) {
    // SAFETY: zeros are NULLs.
    let mut info: libc::Dl_info = unsafe { mem::zeroed() };
    // SAFETY: any address will do, and `info` can be written to.
    let found = unsafe { libc::dladdr(address, &mut info) };
    if found == 0 || info.dli_fname.is_null() {
        return;
    }
    let flags = libc::RTLD_LAZY | libc::RTLD_NOLOAD | libc::RTLD_NODELETE;
    // SAFETY: the dynamic linker's own text; no code is loaded that is not there yet. For the program
    // itself it finds nothing, and that is never unloaded.
    unsafe { libc::dlopen(info.dli_fname, flags) };
}

#[cfg(any(not(unix), miri))]
pub(super) fn keep(_: *const c_void) {}
