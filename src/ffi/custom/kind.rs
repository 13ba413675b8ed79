//! A registered table, and what was made of it: each is freed by the hook that belongs to it, once,
//! after all that was made of it.
//!
//! Must not know: how a policy is run.

use std::ffi::c_void;
use std::mem::offset_of;
use std::ptr;
use std::sync::Arc;

use serde_json::Value;
use steer_abi::{
    steer_faults, steer_json, steer_on_fault, steer_picker_type, steer_policy_type, steer_str,
};

use super::channel::Channel;
use super::choice::{fault_said, listen, raise_failed};
use super::hook::{freeing, serialised};
use super::json::{Faults, Reading};
use super::picker::CustomPickers;
use super::policy::CustomPolicy;
use crate::ffi::steer_status;
use crate::ffi::steer_status::*;
use crate::ffi::text::ReadText;
use crate::ffi::versioned::Versioned;
use crate::policy::{
    Config, ConfigError, FallbackMode, Helper, LeafPolicy, OnFault, Policy, PolicyFactory,
    fields_of,
};
use crate::stats::Plugin;
use crate::sync::Handle;

// SAFETY: repr(C), begins with its size, and zeros are NULLs.
unsafe impl Versioned for steer_picker_type {
    const FIRST_SIZE: usize = offset_of!(steer_picker_type, timer) + size_of::<usize>();
}
// SAFETY: as above.
unsafe impl Versioned for steer_policy_type {
    const FIRST_SIZE: usize = offset_of!(steer_policy_type, call_finished) + size_of::<usize>();
}

/// `config_new`, in either kind of table.
pub(super) type ConfigNew = unsafe extern "C" fn(
    *mut c_void,
    *const steer_json,
    *mut steer_faults,
    *mut *mut c_void,
) -> i32;

/// What registers by which table.
pub(super) enum Table {
    Picker(steer_picker_type),
    Policy(steer_policy_type),
}

/// A registered table. Dropped when nothing made of it is left.
pub(super) struct Kind {
    name: String,
    pub(super) table: Table,
    plugin: Option<Plugin>,
}

// SAFETY: the tables are functions and a `ctx`, and each hook says on which threads its author must
// expect it.
unsafe impl Send for Kind {}
// SAFETY: as for Send.
unsafe impl Sync for Kind {}

/// What both kinds of tables have.
struct Common {
    ctx: *mut c_void,
    ctx_free: Option<unsafe extern "C" fn(*mut c_void)>,
    config_new: Option<ConfigNew>,
    config_free: Option<unsafe extern "C" fn(*mut c_void)>,
    on_fault: i32,
    faults_per_minute: u32,
}

impl Kind {
    /// Checks a table, of this plugin's if of any, and takes it over: `ctx` is freed in any case.
    ///
    /// # Safety
    /// The table's name is readable, and its hooks keep what the table's type says.
    pub(super) unsafe fn new(
        table: Table,
        plugin: Option<Plugin>,
    ) -> Result<Arc<Kind>, (steer_status, String)> {
        let (what, name, missing) = match &table {
            Table::Picker(table) => {
                let missing =
                    [("picker_new", table.picker_new.is_none()), ("pick", table.pick.is_none())];
                ("steer_picker_type", table.name, missing.to_vec())
            }
            Table::Policy(table) => {
                let missing = [
                    ("policy_new", table.policy_new.is_none()),
                    ("update", table.update.is_none()),
                    ("endpoint_report", table.endpoint_report.is_none()),
                    ("pick", table.pick.is_none()),
                ];
                ("steer_policy_type", table.name, missing.to_vec())
            }
        };
        let mut kind = Kind { name: String::new(), table, plugin };
        // SAFETY: readable by this function's contract.
        let Some(name) = (unsafe { utf8(name) }) else {
            let text = format!("{what}.name is not UTF-8: use lower-case letters, digits and '_'");
            return Err((STEER_BAD_NAME, text));
        };
        kind.name = name;
        let missing: Vec<_> =
            missing.into_iter().filter(|(_, missing)| *missing).map(|(hook, _)| hook).collect();
        if !missing.is_empty() {
            let text = format!(
                "{}: {what} has no {}: set what it requires before it is registered",
                kind.name,
                missing.join(", ")
            );
            return Err((STEER_MISSING_CALLBACK, text));
        }
        let on_fault = kind.common().on_fault;
        if FallbackMode::from_number(on_fault).is_none() {
            let name = kind.name();
            let text = format!("{name}: {what}.on_fault is {on_fault}: use STEER_ON_FAULT_…");
            return Err((STEER_INVALID_ARGUMENT, text));
        }
        Ok(Arc::new(kind))
    }

    /// The table of a picker type.
    ///
    /// # Panics
    /// [`raise`](crate::fault::raise)s when it is a policy's.
    pub(super) fn picker_type(&self) -> &steer_picker_type {
        match &self.table {
            Table::Picker(table) => table,
            Table::Policy(_) => crate::fault::raise("the next release", "it is no picker type"),
        }
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// Where its code is.
    pub(super) fn code(&self) -> *const c_void {
        match &self.table {
            Table::Picker(table) => table.pick.map_or(ptr::null(), |hook| hook as *const c_void),
            Table::Policy(table) => table.pick.map_or(ptr::null(), |hook| hook as *const c_void),
        }
    }

    fn common(&self) -> Common {
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

impl FallbackMode {
    /// What a `steer_on_fault` brings.
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

impl Drop for Kind {
    fn drop(&mut self) {
        let common = self.common();
        if let Some(ctx_free) = common.ctx_free {
            // SAFETY: once, when nothing made of the table is left; its author upholds the rest.
            freeing(|| unsafe { ctx_free(common.ctx) });
        }
    }
}

/// The text, unless it is not UTF-8.
///
/// # Safety
/// It is readable.
pub(super) unsafe fn utf8(text: steer_str) -> Option<String> {
    // SAFETY: by this function's contract.
    let read = unsafe { text.to_cow() }?;
    // What is not UTF-8 was replaced, and is longer or owned then.
    matches!(read, std::borrow::Cow::Borrowed(_)).then(|| read.into_owned())
}

/// A config that a table's hook made.
pub(super) struct CustomConfig {
    pub(super) kind: Arc<Kind>,
    pointer: Handle,
}

impl CustomConfig {
    pub(super) fn pointer(&self) -> *mut c_void {
        self.pointer.pointer()
    }
}

impl Drop for CustomConfig {
    fn drop(&mut self) {
        let common = self.kind.common();
        if let (Some(config_free), false) = (common.config_free, self.pointer.is_null()) {
            // SAFETY: made by `config_new` and freed once; the table's author upholds the rest.
            freeing(|| unsafe { config_free(self.pointer()) });
        }
    }
}

/// The policy factory of a registered table.
pub(super) struct CustomFactory(pub(super) Arc<Kind>);

impl CustomFactory {
    fn config(&self, pointer: *mut c_void) -> CustomConfig {
        CustomConfig { kind: Arc::clone(&self.0), pointer: Handle::new(pointer) }
    }
}

impl PolicyFactory for CustomFactory {
    fn name(&self) -> &str {
        self.0.name()
    }

    fn parse_config(&self, json: &Value) -> Result<Config, ConfigError> {
        let name = self.name();
        let json = fields_of(name, json)?;
        let common = self.0.common();
        let mut pointer = ptr::null_mut();
        if let Some(config_new) = common.config_new {
            let mut faults = Faults::default();
            let reading = Reading::new();
            let (json, out) = (reading.pointer(&json), faults.pointer());
            // SAFETY: the hook of a registered table, with what it asks for, valid during the call.
            let failed = listen(|| unsafe { config_new(common.ctx, json, out, &mut pointer) }) != 0;
            // Freed again when it is of no use.
            let made = (!failed).then(|| self.config(pointer));
            let faults = faults.into_error(name);
            return match made {
                Some(made) if faults.faults.is_empty() => Ok(Arc::new(made)),
                None if faults.faults.is_empty() => {
                    let text = fault_said();
                    let text =
                        text.unwrap_or_else(|| "config_new failed, and did not say why".into());
                    Err(ConfigError::for_field(name, name, text))
                }
                _ => Err(faults),
            };
        }
        Ok(Arc::new(self.config(pointer)))
    }

    fn new_policy(&self, helper: Arc<dyn Helper>) -> Box<dyn Policy> {
        match &self.0.table {
            Table::Picker(_) => {
                let pickers = CustomPickers::new(&self.0, &helper);
                Box::new(LeafPolicy::new(helper, pickers))
            }
            Table::Policy(_) => Box::new(CustomPolicy::new(&self.0, helper)),
        }
    }

    fn on_fault(&self) -> OnFault {
        let common = self.0.common();
        let fallback_mode = FallbackMode::from_number(common.on_fault).unwrap_or_default();
        let per_minute = match (fallback_mode, common.faults_per_minute) {
            (FallbackMode::Failing, 0) => u32::MAX,
            (_, limit) => limit,
        };
        OnFault { fallback: fallback_mode, per_minute }
    }

    fn plugin(&self) -> Option<Plugin> {
        self.0.plugin.clone()
    }
}

/// What `instance_new` made: one channel's part of a picker type.
pub(super) struct Instance {
    pub(super) kind: Arc<Kind>,
    pub(super) channel: Arc<Channel>,
    pointer: Handle,
    made: bool,
}

impl Instance {
    /// # Panics
    /// [`raise`](crate::fault::raise)s when the hook fails.
    pub(super) fn new(kind: &Arc<Kind>, helper: &Arc<dyn Helper>) -> Arc<Instance> {
        let table = kind.picker_type();
        let channel = Channel::new(helper);
        let mut pointer = table.ctx;
        if let Some(instance_new) = table.instance_new {
            // SAFETY: the hook of a registered table; the channel lives as long as the instance.
            let made = serialised(&channel, || unsafe {
                instance_new(table.ctx, channel.pointer(), &mut pointer)
            });
            if made != 0 {
                raise_failed("instance_new");
            }
        }
        let made = table.instance_new.is_some();
        let (kind, pointer) = (Arc::clone(kind), Handle::new(pointer));
        Arc::new(Instance { kind, channel, pointer, made })
    }

    pub(super) fn pointer(&self) -> *mut c_void {
        self.pointer.pointer()
    }
}

impl Drop for Instance {
    fn drop(&mut self) {
        let Table::Picker(table) = &self.kind.table else { return };
        let made = self.made && !self.pointer.is_null();
        if let (true, Some(instance_free)) = (made, table.instance_free) {
            // SAFETY: made by `instance_new` and freed once, after its pickers, which hold it; the
            // table's author upholds the rest.
            freeing(|| unsafe { instance_free(self.pointer()) });
        }
    }
}
