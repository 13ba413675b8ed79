//! `steer_take_over` and `steer_taken_name`: names of gRPC's policies that other policies take
//! over.
//!
//! Must not depend on: which names can be taken, how a host makes factories for them.

use steer_abi::steer_str;

use super::leader::{self, Registration};
use super::load;
use crate::ffi::environment::variable_that_chooses_code;
use crate::ffi::last_error::{fail_with, status_guard, status_of, text_of, worded_guard};
use crate::ffi::steer_status::*;
use crate::ffi::text::ReadText;
use crate::ffi::{steer_status, steer_string};
use crate::policies::{SetBy, parse_list, registry, take_overs};
use crate::sync::Mutex;

/// The environment variable with settings of the program's operator.
const VARIABLE: &str = "STEER_TAKE_OVER";

/// `[any thread]`
/// Lets policies take over names of gRPC's own policies: where a service config, a channel or
/// another policy names `round_robin`, the policy runs that took the name. `docs/take-over.md` says
/// which names can be taken over, and which configs are understood.
///
/// `settings` is a list such as `round_robin=steer_peak_ewma{"decayTime":"5s"},ring_hash=mine`.
/// Call it before the first channel or server. It takes effect if `steer::Register()` was called,
/// before or after, or if libsteer-grpc-autoregister.so is loaded. STEER_CANNOT_TAKE_OVER: a
/// setting is refused. STEER_TOO_LATE: gRPC does not accept this any more, or is older than 1.50.
/// With both, none of the names was taken over, and `steer_last_error` says what to do.
///
/// The environment variable STEER_TAKE_OVER, which is read first, has the same form. A name that is
/// set there stays as it is, and `round_robin=round_robin` there leaves that name to gRPC.
///
/// # Safety
/// `settings` is readable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn steer_take_over(settings: steer_str) -> steer_status {
    worded_guard("steer_take_over", || {
        // SAFETY: `settings` is readable (caller's contract).
        if let Some(status) = unsafe { leader::leader_takes_over(settings) } {
            return status;
        }
        // SAFETY: `settings` is readable (caller's contract).
        match unsafe { for_the_program(settings) } {
            Ok(text) => leader::registered(Registration::TakeOver(text.into())),
            Err((status, why)) => fail_with(status, why),
        }
    })
}

/// `[any thread]`
/// Takes over the names that the environment variable STEER_TAKE_OVER sets. Loads the plugins of
/// STEER_PLUGINS first, because their policies may take names over. Later calls return the result
/// of the first one. The statuses are those of `steer_take_over`.
///
/// Ignores the variable in a process that has more rights than the process that started it, as
/// `steer_load_plugins` ignores its own.
#[unsafe(no_mangle)]
pub extern "C" fn steer_take_over_environment() -> steer_status {
    worded_guard("steer_take_over_environment", || {
        leader::leader_takes_environment_over().unwrap_or_else(environment_here)
    })
}

/// `[any thread]`
/// Writes a name that is taken over to `*name`, and the policy that took it to `*policy`. The
/// caller frees both. `index` counts from 0, in alphabetical order. STEER_UNKNOWN_POLICY: there are
/// not that many. A host makes a factory for each name, parses its configs by
/// `steer_config_parse` with that name, and makes its policies by `steer_policy_new` with the
/// policy's.
///
/// # Safety
/// `name` and `policy` are NULL (STEER_NULL_ARGUMENT) or can be written to.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn steer_taken_name(
    index: usize,
    name: *mut *mut steer_string,
    policy: *mut *mut steer_string,
) -> steer_status {
    status_guard("steer_taken_name", || {
        if name.is_null() || policy.is_null() {
            return Err(STEER_NULL_ARGUMENT);
        }
        let found = leader::leaders_taken_name(index).unwrap_or_else(|| {
            let setting = take_overs().taken().into_iter().nth(index);
            setting.map(|setting| (setting.name, setting.policy))
        });
        let Some((taken, by)) = found else {
            return Err(STEER_UNKNOWN_POLICY);
        };
        // SAFETY: not NULL, so `name` can be written to (caller's contract).
        unsafe { name.write(steer_string::into_raw(taken)) };
        // SAFETY: not NULL, so `policy` can be written to (caller's contract).
        unsafe { policy.write(steer_string::into_raw(by)) };
        Ok(())
    })
}

/// [`steer_take_over`] with this engine, for copies that follow.
///
/// # Safety
/// `settings` is readable.
pub(super) unsafe fn take_over_here(settings: steer_str) -> steer_status {
    // SAFETY: `settings` is readable (caller's contract).
    status_of(unsafe { for_the_program(settings) }.map(drop))
}

/// Takes names over as the program says, which it returns as a text.
///
/// # Safety
/// `settings` is readable.
unsafe fn for_the_program(settings: steer_str) -> Result<String, (steer_status, String)> {
    // SAFETY: `settings` is readable (caller's contract).
    let text = unsafe { settings.to_text() };
    let text =
        text.ok_or_else(|| (STEER_INVALID_ARGUMENT, text_of("settings", STEER_INVALID_ARGUMENT)))?;
    // What the operator of the program set comes first. `steer_take_over_environment` has its
    // result.
    environment_here();
    take_over(SetBy::Program, &text)?;
    Ok(text)
}

/// The result of reading the variable. `None` before that.
static ENVIRONMENT: Mutex<Option<Result<(), (steer_status, String)>>> = Mutex::new(None);

/// [`steer_take_over_environment`] with this engine.
pub(super) fn environment_here() -> steer_status {
    if let Some(result) = ENVIRONMENT.lock().clone() {
        return status_of(result);
    }
    let text = variable_that_chooses_code(VARIABLE).unwrap_or_default();
    let text = text.to_string_lossy();
    if !text.is_empty() {
        // SAFETY: the operator named the libraries, and trusts their code.
        unsafe { load::loaded_here() };
    }
    let result = take_over(SetBy::Environment, &text)
        .map_err(|(status, why)| (status, format!("{VARIABLE}: {why}")));
    *ENVIRONMENT.lock() = Some(result.clone());
    status_of(result)
}

/// Takes over all of these names, or none.
fn take_over(by: SetBy, text: &str) -> Result<(), (steer_status, String)> {
    let refused = |why| (STEER_CANNOT_TAKE_OVER, why);
    let settings = parse_list(text).map_err(refused)?;
    let names = take_overs().add(by, settings, registry()).map_err(refused)?;
    let late = leader::unknown_to_hosts(&names.iter().map(String::as_str).collect::<Vec<_>>());
    if late.is_empty() {
        return Ok(());
    }
    take_overs().remove(&names);
    let text = format!(
        "gRPC does not let Steer take over {} now: it accepts this before the first channel or \
         server, and from version 1.50 on. Set STEER_TAKE_OVER, or take names over at the \
         beginning of main()",
        late.join(", ")
    );
    Err((STEER_TOO_LATE, text))
}
