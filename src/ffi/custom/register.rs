//! Registers tables: `steer_register_picker` and `steer_register_policy`.
//!
//! Must not depend on: what the tables do.

use std::cell::RefCell;
use std::sync::Arc;

use steer_abi::{steer_picker_type, steer_policy_type};

use super::code_file::keep;
use super::factory::CustomFactory;
use super::leader;
use super::table::{Registered, Table};
use crate::ffi::last_error::{fail_with, text_of, worded_guard};
use crate::ffi::steer_status;
use crate::ffi::steer_status::*;
use crate::ffi::versioned::read;
use crate::policy::{Origin, PolicyFactory};
use crate::stats::Plugin;

thread_local! {
    /// The registrations so far of the plugin whose entry runs on this thread.
    static STAGED: RefCell<Option<Staged>> = const { RefCell::new(None) };
}

/// The registrations of a plugin. The engine takes all of them, or none.
struct Staged {
    origin: Origin,
    plugin: Plugin,
    factories: Vec<Arc<dyn PolicyFactory>>,
}

/// `[any thread]`
/// Registers a picker type, as `steer_api.register_picker` does.
///
/// # Safety
/// `kind` is NULL (STEER_NULL_ARGUMENT) or a table whose hooks do what `steer_picker_type`
/// documents.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn steer_register_picker(kind: *const steer_picker_type) -> steer_status {
    worded_guard("steer_register_picker", || {
        // SAFETY: `kind` is as this function requires (caller's contract).
        if let Some(status) = unsafe { leader::leader_registers_picker(kind) } {
            return status;
        }
        // SAFETY: `kind` is as this function requires (caller's contract).
        unsafe { picker_here(kind) }
    })
}

/// Registers a picker type with this engine.
///
/// # Safety
/// As for [`steer_register_picker`].
pub(super) unsafe fn picker_here(kind: *const steer_picker_type) -> steer_status {
    // SAFETY: `kind` is NULL or readable (caller's contract).
    match unsafe { read(kind) } {
        // SAFETY: the table's hooks do what its type documents (caller's contract).
        Ok(table) => unsafe { register(Table::Picker(table)) },
        Err(status) => fail_with(status, text_of("steer_picker_type", status)),
    }
}

/// `[any thread]`
/// Registers a policy type, as `steer_api.register_policy` does.
///
/// # Safety
/// `kind` is NULL (STEER_NULL_ARGUMENT) or a table whose hooks do what `steer_policy_type`
/// documents.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn steer_register_policy(kind: *const steer_policy_type) -> steer_status {
    worded_guard("steer_register_policy", || {
        // SAFETY: `kind` is as this function requires (caller's contract).
        if let Some(status) = unsafe { leader::leader_registers_policy(kind) } {
            return status;
        }
        // SAFETY: `kind` is as this function requires (caller's contract).
        unsafe { policy_here(kind) }
    })
}

/// Registers a policy type with this engine.
///
/// # Safety
/// As for [`steer_register_policy`].
pub(super) unsafe fn policy_here(kind: *const steer_policy_type) -> steer_status {
    // SAFETY: `kind` is NULL or readable (caller's contract).
    match unsafe { read(kind) } {
        // SAFETY: the table's hooks do what its type documents (caller's contract).
        Ok(table) => unsafe { register(Table::Policy(table)) },
        Err(status) => fail_with(status, text_of("steer_policy_type", status)),
    }
}

/// The name of the plugin whose entry runs on this thread.
pub(super) fn plugin_in_entry() -> Option<String> {
    STAGED.with_borrow(|staged| staged.as_ref().map(|staged| staged.plugin.name.clone()))
}

/// # Safety
/// As for [`Registered::new`].
unsafe fn register(table: Table) -> steer_status {
    let plugin = STAGED.with_borrow(|staged| Some(staged.as_ref()?.plugin.clone()));
    // SAFETY: the table's name is readable, and its hooks do what its type documents (caller's
    // contract).
    let registered = match unsafe { Registered::new(table, plugin) } {
        Ok(registered) => registered,
        Err((status, text)) => return fail_with(status, text),
    };
    let factory: Arc<dyn PolicyFactory> = Arc::new(CustomFactory(Arc::clone(&registered)));
    let registry = crate::policies::registry();
    let done = STAGED.with_borrow_mut(|staged| match staged {
        // Checked now, so that the plugin sees the status. Registered after its entry succeeds.
        Some(staged) => {
            registry.check(&staged.origin, factory.name(), &staged.factories)?;
            staged.factories.push(Arc::clone(&factory));
            Ok(false)
        }
        None => registry.register(Arc::clone(&factory)).map(|()| true),
    });
    match done {
        Ok(false) => STEER_OK,
        Ok(true) => {
            keep(registered.code());
            match leader::too_late_for(&[factory.name()]) {
                Some(text) => fail_with(STEER_TOO_LATE, text),
                None => leader::registered(leader::Registration::Table(registered)),
            }
        }
        Err(error) => fail_with(STEER_BAD_NAME, error.to_string()),
    }
}

/// Runs a plugin's entry, then registers all that it registered. Registers nothing if the entry
/// fails.
pub(super) fn staged(
    plugin: Plugin,
    place: &str,
    entry: impl FnOnce() -> Result<(), (steer_status, String)>,
) -> Result<(), (steer_status, String)> {
    let origin = Origin::Plugin(plugin.name.clone());
    let new = Staged { origin: origin.clone(), plugin, factories: Vec::new() };
    // A plugin may load another one.
    let outer = STAGED.replace(Some(new));
    let done = entry();
    let staged = STAGED.replace(outer).expect("it was stored above");
    done?;
    if staged.factories.is_empty() {
        let text = format!(
            "{place}: the entry of plugin {:?} has registered nothing: call \
             steer_api.register_picker or register_policy in it",
            staged.plugin.name
        );
        return Err((STEER_PLUGIN_FAILED, text));
    }
    let factories = staged.factories.clone();
    crate::policies::registry()
        .register_all(&origin, staged.factories)
        .map_err(|error| (STEER_BAD_NAME, error.to_string()))?;
    let names: Vec<&str> = factories.iter().map(|factory| factory.name()).collect();
    match leader::too_late_for(&names) {
        Some(text) => Err((STEER_TOO_LATE, format!("{place}: {text}"))),
        None => Ok(()),
    }
}
