//! A registered `steer_picker_type` or `steer_policy_type`.
//!
//! Must not depend on: the objects that are made from a table.

use std::ffi::c_void;
use std::mem::offset_of;
use std::ptr;
use std::sync::Arc;

use steer_abi::{
    steer_faults, steer_json, steer_on_fault, steer_picker_type, steer_policy_type, steer_str,
};

use super::hook::freeing;
use crate::ffi::steer_status;
use crate::ffi::steer_status::*;
use crate::ffi::text::ReadText;
use crate::ffi::versioned::Versioned;
use crate::policy::{FallbackMode, OnFault};
use crate::stats::Plugin;

// SAFETY: repr(C), begins with its size, and zeros are NULLs.
unsafe impl Versioned for steer_picker_type {
    const FIRST_SIZE: usize = offset_of!(steer_picker_type, timer) + size_of::<usize>();
}
// SAFETY: as for `steer_picker_type`.
unsafe impl Versioned for steer_policy_type {
    const FIRST_SIZE: usize = offset_of!(steer_policy_type, call_finished) + size_of::<usize>();
}

/// `config_new`, in either table.
pub(super) type ConfigNew = unsafe extern "C" fn(
    *mut c_void,
    *const steer_json,
    *mut steer_faults,
    *mut *mut c_void,
) -> i32;

/// A copy of the author's table.
pub(super) enum Table {
    Picker(steer_picker_type),
    Policy(steer_policy_type),
}

/// A registered table. Made by [`Registered::new`] when it is registered. Shared by the objects
/// that are made from it, on any thread. Dropped after the last of them, which frees `ctx`.
pub(super) struct Registered {
    name: String,
    pub(super) table: Table,
    plugin: Option<Plugin>,
}

// SAFETY: a table consists of functions and a `ctx`, and documents on which threads each hook
// comes.
unsafe impl Send for Registered {}
// SAFETY: as for Send.
unsafe impl Sync for Registered {}

/// The fields that both tables have.
pub(super) struct Common {
    pub(super) ctx: *mut c_void,
    ctx_free: Option<unsafe extern "C" fn(*mut c_void)>,
    pub(super) config_new: Option<ConfigNew>,
    pub(super) config_free: Option<unsafe extern "C" fn(*mut c_void)>,
    on_fault: i32,
    faults_per_minute: u32,
}

impl Registered {
    /// Checks a table and takes it over: `ctx` is freed also when this fails. `plugin` is the
    /// plugin that registers it, if any.
    ///
    /// # Safety
    /// The table's name is readable, and its hooks do what the table's type documents.
    pub(super) unsafe fn new(
        table: Table,
        plugin: Option<Plugin>,
    ) -> Result<Arc<Registered>, (steer_status, String)> {
        let (type_name, name, missing) = match &table {
            Table::Picker(table) => {
                let missing =
                    [("picker_new", table.picker_new.is_none()), ("pick", table.pick.is_none())];
                ("steer_picker_type", table.name, missing.to_vec())
            }
            Table::Policy(table) => {
                let missing = [
                    ("policy_new", table.policy_new.is_none()),
                    ("update", table.update.is_none()),
                ];
                ("steer_policy_type", table.name, missing.to_vec())
            }
        };
        // From here on, dropping it frees `ctx`.
        let mut registered = Registered { name: String::new(), table, plugin };
        // SAFETY: the table's name is readable (caller's contract).
        let Some(name) = (unsafe { utf8(name) }) else {
            let text =
                format!("{type_name}.name is not UTF-8: use lower-case letters, digits and '_'");
            return Err((STEER_BAD_NAME, text));
        };
        registered.name = name;
        let name = &registered.name;
        let missing: Vec<_> =
            missing.into_iter().filter(|(_, missing)| *missing).map(|(hook, _)| hook).collect();
        if !missing.is_empty() {
            let missing = missing.join(", ");
            let text = format!("{name}: {type_name} has no {missing}: set each required hook");
            return Err((STEER_MISSING_CALLBACK, text));
        }
        let on_fault = registered.common().on_fault;
        if FallbackMode::from_number(on_fault).is_none() {
            let text = format!("{name}: {type_name}.on_fault is {on_fault}: use STEER_ON_FAULT_…");
            return Err((STEER_INVALID_ARGUMENT, text));
        }
        Ok(Arc::new(registered))
    }

    /// The table of a picker type.
    ///
    /// # Panics
    /// [`raise`](crate::fault::raise)s when it is a policy type.
    pub(super) fn picker_type(&self) -> &steer_picker_type {
        match &self.table {
            Table::Picker(table) => table,
            Table::Policy(_) => crate::fault::raise("the next release", "it is no picker type"),
        }
    }

    /// The table of a policy type.
    ///
    /// # Panics
    /// [`raise`](crate::fault::raise)s when it is a picker type.
    pub(super) fn policy_type(&self) -> &steer_policy_type {
        match &self.table {
            Table::Policy(table) => table,
            Table::Picker(_) => crate::fault::raise("the next release", "it is no policy type"),
        }
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    pub(super) fn plugin(&self) -> Option<Plugin> {
        self.plugin.clone()
    }

    /// The address of a hook that each table has.
    pub(super) fn code(&self) -> *const c_void {
        match &self.table {
            Table::Picker(table) => table.pick.map_or(ptr::null(), |hook| hook as *const c_void),
            // A policy may have no `pick`.
            Table::Policy(table) => table.update.map_or(ptr::null(), |hook| hook as *const c_void),
        }
    }

    pub(super) fn on_fault(&self) -> OnFault {
        let common = self.common();
        let fallback = FallbackMode::from_number(common.on_fault).unwrap_or_default();
        let per_minute = match (fallback, common.faults_per_minute) {
            (FallbackMode::Failing, 0) => u32::MAX,
            (_, limit) => limit,
        };
        OnFault { fallback, per_minute }
    }

    pub(super) fn common(&self) -> Common {
        match &self.table {
            Table::Picker(table) => Common {
                ctx: table.ctx,
                ctx_free: table.ctx_free,
                config_new: table.config_new,
                config_free: table.config_free,
                on_fault: table.on_fault,
                faults_per_minute: table.faults_per_minute,
            },
            Table::Policy(table) => Common {
                ctx: table.ctx,
                ctx_free: table.ctx_free,
                config_new: table.config_new,
                config_free: table.config_free,
                on_fault: table.on_fault,
                faults_per_minute: table.faults_per_minute,
            },
        }
    }
}

impl Drop for Registered {
    fn drop(&mut self) {
        let common = self.common();
        if let Some(ctx_free) = common.ctx_free {
            // SAFETY: called once and last: all objects that were made from the table are gone.
            freeing(|| unsafe { ctx_free(common.ctx) });
        }
    }
}

impl FallbackMode {
    /// Converts a `steer_on_fault`.
    fn from_number(number: i32) -> Option<FallbackMode> {
        match number {
            n if n == steer_on_fault::STEER_ON_FAULT_FALL_BACK as i32 => {
                Some(FallbackMode::RoundRobin)
            }
            n if n == steer_on_fault::STEER_ON_FAULT_FAIL as i32 => Some(FallbackMode::Failing),
            _ => None,
        }
    }
}

/// The text, unless it is not UTF-8.
///
/// # Safety
/// The text is readable.
pub(super) unsafe fn utf8(text: steer_str) -> Option<String> {
    // SAFETY: the text is readable (caller's contract).
    let read = unsafe { text.to_cow() }?;
    // `to_cow` copies the text only to replace bytes that are not UTF-8.
    matches!(read, std::borrow::Cow::Borrowed(_)).then(|| read.into_owned())
}
