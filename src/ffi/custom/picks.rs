//! The part of a custom picker that its calls share: the author's picker and its hooks.

use std::ffi::c_void;
use std::ptr;
use std::sync::Arc;

use steer_abi::{
    steer_call, steer_call_end, steer_call_outcome, steer_choice, steer_picker_type,
    steer_policy_type, steer_str,
};

use super::backends::Backends;
use super::channel::Channel;
use super::choice::{listen, raise_if_reported};
use super::config::CustomConfig;
use super::hook::freeing;
use super::instance::Instance;
use super::table::Registered;
use crate::calls::{CallEnd, CallListener, LoadReport};
use crate::ffi::metrics::with_metrics;
use crate::sync::Handle;

pub(super) const CHECKED: &str = "checked when the table was registered";

pub(super) type PickHook = unsafe extern "C" fn(*const c_void, *const steer_call) -> steer_choice;

/// The hooks for picks, which both tables have.
#[derive(Clone, Copy)]
pub(super) struct Hooks {
    pub(super) pick: PickHook,
    picker_free: Option<unsafe extern "C" fn(*mut c_void)>,
    call_started: Option<unsafe extern "C" fn(*const c_void, u64, *mut c_void)>,
    pub(super) call_finished:
        Option<unsafe extern "C" fn(*const c_void, u64, *mut c_void, *const steer_call_end)>,
}

impl Hooks {
    pub(super) fn of_picker_type(table: &steer_picker_type) -> Hooks {
        Hooks {
            pick: table.pick.expect(CHECKED),
            picker_free: table.picker_free,
            call_started: table.call_started,
            call_finished: table.call_finished,
        }
    }

    /// `None`: the table cannot pick.
    pub(super) fn of_policy_type(table: &steer_policy_type) -> Option<Hooks> {
        Some(Hooks {
            pick: table.pick?,
            picker_free: table.picker_free,
            call_started: table.call_started,
            call_finished: table.call_finished,
        })
    }
}

/// The objects that must outlive a picker.
#[expect(dead_code, reason = "only held")]
pub(super) enum Keeps {
    Picker(Arc<Instance>, Arc<CustomConfig>, Arc<Backends>),
    Policy(Arc<Registered>, Arc<Channel>),
}

/// The author's picker. Made with the engine's picker, and shared with its tracked calls. The last
/// of them frees it by `picker_free`, on any thread. Has no connections, so that a long call does
/// not hold those of other backends.
pub(super) struct Picks {
    pub(super) picker: Handle,
    pub(super) hooks: Hooks,
    _keeps: Keeps,
}

impl Picks {
    pub(super) fn new(picker: *mut c_void, hooks: Hooks, keeps: Keeps) -> Arc<Picks> {
        Arc::new(Picks { picker: Handle::new(picker), hooks, _keeps: keeps })
    }
}

impl Drop for Picks {
    fn drop(&mut self) {
        if let (Some(picker_free), false) = (self.hooks.picker_free, self.picker.is_null()) {
            // SAFETY: the picker is freed once, when no pick and no call uses it.
            freeing(|| unsafe { picker_free(self.picker.pointer()) });
        }
    }
}

impl CallListener for Picks {
    fn wants_start(&self) -> bool {
        self.hooks.call_started.is_some()
    }

    fn started(&self, backend: usize, state: Handle) {
        if let Some(hook) = self.hooks.call_started {
            // SAFETY: the hook allows any thread, and the picker is not freed.
            listen(|| unsafe { hook(self.picker.pointer(), backend as u64, state.pointer()) });
            raise_if_reported("call_started");
        }
    }

    fn finished(&self, backend: usize, state: Handle, end: &CallEnd<'_>) {
        let Some(hook) = self.hooks.call_finished else { return };
        let report = |end: steer_call_end| {
            // SAFETY: the hook allows any thread, the picker is not freed, and the memory that
            // `end` points to is valid during the call.
            listen(|| unsafe {
                hook(self.picker.pointer(), backend as u64, state.pointer(), &end)
            });
            raise_if_reported("call_finished");
        };
        let mut to_report = steer_call_end {
            struct_size: size_of::<steer_call_end>(),
            outcome: steer_call_outcome::STEER_CALL_ABANDONED as i32,
            code: 0,
            message: steer_str::empty(),
            latency_ns: 0,
            metrics: ptr::null(),
        };
        match end {
            CallEnd::Abandoned => report(to_report),
            CallEnd::Finished { status, latency, metrics, .. } => {
                to_report.outcome = steer_call_outcome::STEER_CALL_FINISHED as i32;
                to_report.code = status.code as i32;
                to_report.message = steer_str::borrow(&status.message);
                to_report.latency_ns = latency.get();
                match metrics.and_then(LoadReport::decode) {
                    None => report(to_report),
                    Some(metrics) => with_metrics(&metrics, |metrics| {
                        to_report.metrics = metrics;
                        report(to_report);
                    }),
                }
            }
        }
    }
}
