//! The engine that this one follows, and the registrations that it passes on.
//!
//! The copies of Steer in a process find each other through the gRPC that they register with. The
//! first one *leads*: its engine serves. The engines of the others *follow* it. They pass on
//! existing and later registrations, and questions about statistics. Each engine frees its own
//! memory. The leader may be of another release of Steer, so everything passes through its
//! `steer_engine`.
//!
//! Must not depend on: gRPC, how this engine registers and loads.

use std::sync::{Arc, OnceLock};
use std::{mem, ptr};

use parking_lot::Mutex;
use steer_abi::{steer_api, steer_picker_type, steer_plugin, steer_policy_type, steer_str};

use super::engine_type::steer_engine;
use super::table::{Registered, Table};
use crate::ffi::last_error::fail_with;
use crate::ffi::steer_status::*;
use crate::ffi::text::ReadText;
use crate::ffi::{steer_status, steer_string};
use crate::stats;

/// Returns whether a host knows a policy of this name or can still learn of it. Any thread.
pub(super) type Knows = unsafe extern "C" fn(name: steer_str) -> i32;

/// A registration with this engine, to be passed on.
pub(super) enum Registration {
    /// A plugin's block, which is never freed.
    Plugin(*const steer_plugin),
    /// A table that the program registered.
    Table(Arc<Registered>),
    /// Settings of `steer_take_over`.
    TakeOver(Box<str>),
}

// SAFETY: a plugin's block is static and only read.
unsafe impl Send for Registration {}

struct Shared {
    /// This engine serves a gRPC, and so it cannot follow another engine.
    leads: bool,
    hosts: Vec<Knows>,
    registrations: Vec<Registration>,
}

static SHARED: Mutex<Shared> =
    Mutex::new(Shared { leads: false, hosts: Vec::new(), registrations: Vec::new() });

/// The engine that this one follows. Set while `SHARED` is locked, so that a registration is either
/// in `Shared::registrations` by then, or sees the leader.
static LEADER: OnceLock<Leader> = OnceLock::new();

struct Leader {
    table: *const steer_engine,
    engine: steer_engine,
}

// SAFETY: `table` is compared only.
unsafe impl Send for Leader {}
// SAFETY: as for Send.
unsafe impl Sync for Leader {}

const CHECKED: &str = "checked before the leader was followed";

/// Notes that this engine leads, for a host with this function. Returns false if it follows.
pub(super) fn lead(knows: Option<Knows>) -> bool {
    let mut shared = SHARED.lock();
    if LEADER.get().is_some() {
        return false;
    }
    shared.leads = true;
    if let Some(knows) = knows {
        if !shared.hosts.iter().any(|other| ptr::fn_addr_eq(*other, knows)) {
            shared.hosts.push(knows);
        }
    }
    true
}

/// Follows an engine with all functions, and passes the registrations on. `table` is its address.
pub(super) fn follow(table: *const steer_engine, engine: steer_engine) -> steer_status {
    let registrations = {
        let mut shared = SHARED.lock();
        if shared.leads {
            let text = "this engine serves another gRPC in this process, and cannot follow an \
                        engine: give each gRPC its own copy of Steer";
            return fail_with(STEER_CANNOT_FOLLOW, text.to_owned());
        }
        let followed = LEADER.get_or_init(|| Leader { table, engine });
        if !ptr::eq(followed.table, table) {
            let text = "this engine follows another engine in this process already";
            return fail_with(STEER_CANNOT_FOLLOW, text.to_owned());
        }
        mem::take(&mut shared.registrations)
    };
    if stats::tracks_calls() {
        track_calls_of(&engine, 1);
    }
    let mut failed: Vec<(steer_status, String)> = Vec::new();
    for registration in registrations {
        let status = pass_on(&engine, &registration);
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
}

/// The leader's `steer_api`. None: there is no leader.
#[inline]
pub(super) fn leaders_api() -> Option<&'static steer_api> {
    let leader = LEADER.get()?;
    // SAFETY: the table is static, and `steer_engine_follow` has checked its size.
    Some(unsafe { &*leader.engine.api })
}

/// Passes one registration on to the leader.
fn pass_on(leader: &steer_engine, registration: &Registration) -> steer_status {
    let status = match registration {
        Registration::Plugin(plugin) => {
            let register = leader.register_plugin.expect(CHECKED);
            // SAFETY: the block is never freed (rule of `steer_register_plugin`).
            unsafe { register(*plugin) }
        }
        Registration::TakeOver(settings) => {
            let take_over = leader.take_over.expect(CHECKED);
            // SAFETY: the text is readable during the call.
            unsafe { take_over(steer_str::borrow(settings)) }
        }
        Registration::Table(registered) => {
            // This engine's registry keeps the table for ever, so that `ctx` is never freed. The
            // leader must not free it either.
            let name = steer_str::borrow(registered.name());
            match &registered.table {
                Table::Picker(table) => {
                    let table = steer_picker_type { name, ctx_free: None, ..*table };
                    let register = leader.register_picker.expect(CHECKED);
                    // SAFETY: the table was registered here, so its hooks do what its type
                    // documents.
                    unsafe { register(&table) }
                }
                Table::Policy(table) => {
                    let table = steer_policy_type { name, ctx_free: None, ..*table };
                    let register = leader.register_policy.expect(CHECKED);
                    // SAFETY: the table was registered here, so its hooks do what its type
                    // documents.
                    unsafe { register(&table) }
                }
            }
        }
    };
    steer_status::from_number(status)
}

/// The text of the leader's last error on this thread.
fn last_error_of(leader: &steer_engine) -> String {
    let last_error = leader.last_error.expect(CHECKED);
    // SAFETY: `steer_last_error` may be called at any time.
    let text = unsafe { last_error() };
    // SAFETY: the text is valid until the next such function on this thread.
    unsafe { text.to_text() }.unwrap_or_default()
}

fn track_calls_of(leader: &steer_engine, on: i32) {
    let track_calls = leader.stats_track_calls.expect(CHECKED);
    // SAFETY: `steer_stats_track_calls` may be called at any time.
    unsafe { track_calls(on) }
}

/// Calls the leader instead of this engine, and keeps the leader's error text. None: there is no
/// leader.
fn ask(question: impl FnOnce(&steer_engine) -> i32) -> Option<steer_status> {
    let leader = &LEADER.get()?.engine;
    let status = steer_status::from_number(question(leader));
    if status != STEER_OK {
        fail_with(status, last_error_of(leader));
    }
    Some(status)
}

/// Registers a plugin with the leader. None: there is no leader.
///
/// # Safety
/// As for `steer_register_plugin`.
pub(super) unsafe fn leader_registers_plugin(plugin: *const steer_plugin) -> Option<steer_status> {
    // SAFETY: `plugin` is as `steer_register_plugin` requires (caller's contract).
    ask(|leader| unsafe { leader.register_plugin.expect(CHECKED)(plugin) })
}

/// Registers a picker type with the leader. None: there is no leader.
///
/// # Safety
/// As for `steer_register_picker`.
pub(super) unsafe fn leader_registers_picker(
    kind: *const steer_picker_type,
) -> Option<steer_status> {
    // SAFETY: `kind` is as `steer_register_picker` requires (caller's contract).
    ask(|leader| unsafe { leader.register_picker.expect(CHECKED)(kind) })
}

/// Registers a policy type with the leader. None: there is no leader.
///
/// # Safety
/// As for `steer_register_policy`.
pub(super) unsafe fn leader_registers_policy(
    kind: *const steer_policy_type,
) -> Option<steer_status> {
    // SAFETY: `kind` is as `steer_register_policy` requires (caller's contract).
    ask(|leader| unsafe { leader.register_policy.expect(CHECKED)(kind) })
}

/// Loads a plugin into the leader. None: there is no leader.
///
/// # Safety
/// As for `steer_load_plugin`.
pub(super) unsafe fn leader_loads_plugin(path: steer_str) -> Option<steer_status> {
    // SAFETY: `path` is readable, and the library may run its code (caller's contract).
    ask(|leader| unsafe { leader.load_plugin.expect(CHECKED)(path) })
}

/// Loads the plugins of STEER_PLUGINS into the leader. None: there is no leader.
///
/// # Safety
/// As for `steer_load_plugins`.
pub(super) unsafe fn leader_loads_plugins() -> Option<steer_status> {
    // SAFETY: the libraries may run their code (caller's contract).
    ask(|leader| unsafe { leader.load_plugins.expect(CHECKED)() })
}

/// Has the leader take names over. None: there is no leader.
///
/// # Safety
/// As for `steer_take_over`.
pub(super) unsafe fn leader_takes_over(settings: steer_str) -> Option<steer_status> {
    // SAFETY: `settings` is readable (caller's contract).
    ask(|leader| unsafe { leader.take_over.expect(CHECKED)(settings) })
}

/// Has the leader take over what the environment says. None: there is no leader.
pub(super) fn leader_takes_environment_over() -> Option<steer_status> {
    // SAFETY: `steer_take_over_environment` may be called at any time.
    ask(|leader| unsafe { leader.take_over_environment.expect(CHECKED)() })
}

/// The leader's statistics. None: there is no leader. Some(None): the leader has failed.
pub(in crate::ffi) fn leaders_stats(prometheus: bool) -> Option<Option<String>> {
    let leader = &LEADER.get()?.engine;
    let make = if prometheus { leader.stats_prometheus } else { leader.stats_json };
    let mut string = ptr::null_mut();
    // SAFETY: `string` can be written to.
    if unsafe { make.expect(CHECKED)(&mut string) } != 0 {
        return Some(None);
    }
    // SAFETY: the string came from the leader and is not freed.
    Some(unsafe { take_text(leader, string) })
}

/// A name that the leader has taken over, and the policy. None: there is no leader. Some(None): it
/// has not that many.
pub(super) fn leaders_taken_name(index: usize) -> Option<Option<(String, String)>> {
    let leader = &LEADER.get()?.engine;
    let (mut name, mut policy) = (ptr::null_mut(), ptr::null_mut());
    // SAFETY: `name` and `policy` can be written to.
    if unsafe { leader.taken_name.expect(CHECKED)(index, &mut name, &mut policy) } != 0 {
        return Some(None);
    }
    // SAFETY: the string came from the leader and is not freed.
    let name = unsafe { take_text(leader, name) };
    // SAFETY: the string came from the leader and is not freed.
    let policy = unsafe { take_text(leader, policy) };
    Some(name.zip(policy))
}

/// Copies a string of the leader, and frees it.
///
/// # Safety
/// `string` came from the leader and is not freed.
unsafe fn take_text(leader: &steer_engine, string: *mut steer_string) -> Option<String> {
    // SAFETY: the string came from the leader and is not freed (caller's contract).
    let text = unsafe { leader.string_text.expect(CHECKED)(string) };
    // SAFETY: the text is valid until the string is freed.
    let copy = unsafe { text.to_text() };
    // SAFETY: the string came from the leader, and nobody uses it any more.
    unsafe { leader.string_free.expect(CHECKED)(string) };
    copy
}

/// Passes `steer_stats_track_calls` to the leader. Returns whether there is one.
pub(in crate::ffi) fn leader_tracks_calls(on: i32) -> bool {
    LEADER.get().map(|leader| track_calls_of(&leader.engine, on)).is_some()
}

/// Passes a registration on to the leader. Without a leader, keeps it for one that may come.
pub(super) fn registered(registration: Registration) -> steer_status {
    let leader = {
        let mut shared = SHARED.lock();
        match LEADER.get() {
            Some(leader) => &leader.engine,
            None => {
                if let Registration::Plugin(plugin) = registration {
                    shared.registrations.retain(|other| match other {
                        Registration::Plugin(other) => !ptr::eq(*other, plugin),
                        Registration::Table(_) | Registration::TakeOver(_) => true,
                    });
                }
                shared.registrations.push(registration);
                return STEER_OK;
            }
        }
    };
    let status = pass_on(leader, &registration);
    if status != STEER_OK {
        fail_with(status, last_error_of(leader));
    }
    status
}

/// Those of these names that a host does not know and cannot learn any more.
pub(super) fn unknown_to_hosts<'a>(names: &[&'a str]) -> Vec<&'a str> {
    let hosts = SHARED.lock().hosts.clone();
    let unknown = |name: &&str| {
        // SAFETY: `steer_engine_lead` requires that it can be called at any time, and the name is
        // valid during the call.
        hosts.iter().any(|knows| unsafe { knows(steer_str::borrow(name)) } == 0)
    };
    names.iter().copied().filter(unknown).collect()
}

/// Asks the hosts whether they know these policies or can still learn of them. If not, the text
/// says why, and what to do.
pub(super) fn too_late_for(names: &[&str]) -> Option<String> {
    let unknown = unknown_to_hosts(names);
    (!unknown.is_empty()).then(|| {
        format!(
            "too late for {}: gRPC accepts no policies once a channel or a server exists. Load \
             plugins and register policies at the beginning of main(), or name them in \
             STEER_PLUGINS",
            unknown.join(", ")
        )
    })
}
