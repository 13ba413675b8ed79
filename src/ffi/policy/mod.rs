//! `steer_policy`: one policy of one channel, run for a host.

mod update;

use std::sync::Arc;

use update::UpdateReader;
pub use update::steer_update;

use super::config::steer_config;
use super::endpoint::{steer_endpoint_report, steer_state};
use super::host::{CHost, steer_host};
use super::last_error::status_guard;
use super::metrics::{metrics_from_c, steer_metrics};
use super::steer_status::*;
use super::text::{ReadText, steer_str, steer_string};
use super::versioned::read;
use super::{guard, steer_status};
use crate::endpoints::{EndpointId, Report};
use crate::policy::{Runner, TimerId};
use crate::{Code, Status};

/// One policy of one channel. The host serialises the calls of its functions (gRPC: by the
/// channel's work serializer). They may be called within the host's callbacks, and then take effect
/// when the current call ends. Except `steer_policy_update`: its comment lists the callbacks in
/// which it is refused.
pub struct steer_policy(Arc<Running>);

/// The state that a policy's functions use. Shared, because a callback may free the policy while
/// one of its functions still runs.
struct Running {
    runner: Runner,
    host: CHost,
    updates: UpdateReader,
}

impl Running {
    /// # Safety
    /// `policy` is NULL or came from `steer_policy_new` and is not freed.
    unsafe fn of(policy: *mut steer_policy) -> Option<Arc<Running>> {
        // SAFETY: `policy` is NULL or not freed (caller's contract).
        unsafe { policy.as_ref() }.map(|policy| Arc::clone(&policy.0))
    }
}

/// `[any thread]`
/// Makes a policy.
///
/// On success the caller owns `*policy`, and `host->ctx` belongs to the policy until `ctx_free`.
/// STEER_UNKNOWN_POLICY, STEER_MISSING_CALLBACK: nothing was made, and the caller still owns `ctx`.
/// No callback comes before the first update.
///
/// # Safety
/// `name` is readable; `host` is NULL (STEER_NULL_ARGUMENT) or a table whose callbacks do what
/// `steer_host` documents; `policy` is NULL (STEER_NULL_ARGUMENT) or can be written to.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn steer_policy_new(
    name: steer_str,
    host: *const steer_host,
    policy: *mut *mut steer_policy,
) -> steer_status {
    status_guard("steer_policy_new", || {
        if policy.is_null() {
            return Err(STEER_NULL_ARGUMENT);
        }
        // SAFETY: `host` is NULL or readable (caller's contract).
        let host = unsafe { read(host) }?;
        // SAFETY: `name` is readable (caller's contract).
        let Some(name) = (unsafe { name.to_text() }) else {
            return Err(STEER_INVALID_ARGUMENT);
        };
        let Some(factory) = crate::policies::registry().find(&name) else {
            return Err(STEER_UNKNOWN_POLICY);
        };
        let host = CHost::new(host)?;
        let runner =
            Runner::new(Arc::clone(&factory), crate::policies::fallback(), Box::new(host.share()));
        let running = Running { runner, host, updates: UpdateReader::new(factory) };
        let made = Box::into_raw(Box::new(steer_policy(Arc::new(running))));
        // SAFETY: not NULL, so `policy` can be written to (caller's contract).
        unsafe { policy.write(made) };
        Ok(())
    })
}

/// `[serialised]`
/// Gives a resolver's answer to the policy.
///
/// With STEER_OK, `*code` is 0 when the policy accepted the update, and `*message` is NULL.
/// Otherwise `*code` is the gRPC status code for the resolver, and `*message` its text, which the
/// caller frees. `code` and `message` may be NULL. With STEER_WRONG_CONFIG and the statuses about
/// arguments, the policy ignores the update. STEER_INVALID_ARGUMENT also within `endpoint_new` and
/// `endpoint_matches`, because these refer to the list of the current update.
///
/// # Safety
/// `policy` is NULL (STEER_NULL_ARGUMENT) or came from `steer_policy_new` and is not freed;
/// `update` is NULL (STEER_NULL_ARGUMENT) or readable, and so is the memory that it points to;
/// `code` and `message` are NULL or can be written to.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn steer_policy_update(
    policy: *mut steer_policy,
    update: *const steer_update,
    code: *mut i32,
    message: *mut *mut steer_string,
) -> steer_status {
    // SAFETY: `policy` is NULL or not freed (caller's contract).
    let policy = unsafe { Running::of(policy) };
    run("steer_policy_update", policy, |policy| {
        // SAFETY: `update` is NULL or readable (caller's contract).
        let update = unsafe { read(update) }?;
        if policy.host.is_in_list() {
            return Err(STEER_INVALID_ARGUMENT);
        }
        let made_with = update.made_with;
        // SAFETY: the config is NULL or not freed (caller's contract).
        let taken_name = unsafe { taken_name_of(update.config) };
        // SAFETY: the memory that `update` points to is readable (caller's contract).
        let update = unsafe { policy.updates.read(&update) }?;
        if update.endpoints.is_ok() {
            policy.host.makes_with(made_with);
        }
        policy.runner.set_taken_name(taken_name);
        let accepted = policy.runner.update(update).err().unwrap_or(Status::OK);
        if !code.is_null() {
            // SAFETY: not NULL, so `code` can be written to (caller's contract).
            unsafe { code.write(accepted.code as i32) };
        }
        if !message.is_null() {
            let text = if accepted.is_ok() {
                std::ptr::null_mut()
            } else {
                steer_string::into_raw(accepted.message)
            };
            // SAFETY: not NULL, so `message` can be written to (caller's contract).
            unsafe { message.write(text) };
        }
        Ok(())
    })
}

/// `[serialised]`
/// Reports an endpoint's state. The first report has the endpoint's state, and later ones report
/// each change.
///
/// STEER_UNKNOWN_ENDPOINT: the endpoint was dropped, and nothing was done. STEER_INVALID_ARGUMENT:
/// there is no such state, or STEER_READY comes without a connection. The engine gives the report's
/// connection back also with these two statuses. With STEER_NULL_ARGUMENT and STEER_BAD_STRUCT_SIZE
/// the caller keeps the connection.
///
/// # Safety
/// `policy` is NULL (STEER_NULL_ARGUMENT) or came from `steer_policy_new` and is not freed;
/// `report` is NULL (STEER_NULL_ARGUMENT) or readable; its connection is a reference that belongs
/// to the engine from now on.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn steer_policy_endpoint_report(
    policy: *mut steer_policy,
    endpoint: u64,
    report: *const steer_endpoint_report,
) -> steer_status {
    // SAFETY: `policy` is NULL or not freed (caller's contract).
    let policy = unsafe { Running::of(policy) };
    run("steer_policy_endpoint_report", policy, |policy| {
        // SAFETY: `report` is NULL or readable (caller's contract).
        let report = unsafe { read(report) }?;
        // First, so that the reference is given back in each case below.
        let connection =
            (!report.connection.is_null()).then(|| policy.host.connection(report.connection));
        let report = match report.state {
            state if state == steer_state::STEER_IDLE as i32 => Report::Idle,
            state if state == steer_state::STEER_CONNECTING as i32 => Report::Connecting,
            state if state == steer_state::STEER_READY as i32 => {
                Report::Ready(connection.ok_or(STEER_INVALID_ARGUMENT)?)
            }
            state if state == steer_state::STEER_TRANSIENT_FAILURE as i32 => {
                // SAFETY: the report's message is readable (caller's contract).
                let message = unsafe { report.message.to_text() }.ok_or(STEER_INVALID_ARGUMENT)?;
                Report::TransientFailure(Status::new(Code::from_number(report.code), message))
            }
            _ => return Err(STEER_INVALID_ARGUMENT),
        };
        if policy.runner.endpoint_report(EndpointId(endpoint), report) {
            Ok(())
        } else {
            Err(STEER_UNKNOWN_ENDPOINT)
        }
    })
}

/// `[serialised]`
/// Reports an endpoint's load that came out of band (ORCA), as `load_reports` has asked.
///
/// STEER_UNKNOWN_ENDPOINT: the endpoint was dropped, or its policy takes no reports.
///
/// # Safety
/// `policy` is NULL (STEER_NULL_ARGUMENT) or came from `steer_policy_new` and is not freed;
/// `metrics` is NULL (STEER_NULL_ARGUMENT) or readable, and so is the memory that it points to.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn steer_policy_endpoint_load(
    policy: *mut steer_policy,
    endpoint: u64,
    metrics: *const steer_metrics,
) -> steer_status {
    // SAFETY: `policy` is NULL or not freed (caller's contract).
    let policy = unsafe { Running::of(policy) };
    run("steer_policy_endpoint_load", policy, |policy| {
        // SAFETY: `metrics` is NULL or readable (caller's contract).
        let metrics = unsafe { read(metrics) }?;
        // SAFETY: the memory that `metrics` points to is readable (caller's contract).
        let metrics = unsafe { metrics_from_c(&metrics) }?;
        if policy.runner.load_report(EndpointId(endpoint), metrics) {
            Ok(())
        } else {
            Err(STEER_UNKNOWN_ENDPOINT)
        }
    })
}

/// `[serialised]`
/// Leaves IDLE, for policies that connect lazily.
///
/// # Safety
/// `policy` is NULL (STEER_NULL_ARGUMENT) or came from `steer_policy_new` and is not freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn steer_policy_exit_idle(policy: *mut steer_policy) -> steer_status {
    // SAFETY: `policy` is NULL or not freed (caller's contract).
    let policy = unsafe { Running::of(policy) };
    run("steer_policy_exit_idle", policy, |policy| {
        policy.runner.exit_idle();
        Ok(())
    })
}

/// `[serialised]`
/// Ends the backoff of each endpoint.
///
/// # Safety
/// `policy` is NULL (STEER_NULL_ARGUMENT) or came from `steer_policy_new` and is not freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn steer_policy_reset_backoff(policy: *mut steer_policy) -> steer_status {
    // SAFETY: `policy` is NULL or not freed (caller's contract).
    let policy = unsafe { Running::of(policy) };
    run("steer_policy_reset_backoff", policy, |policy| {
        policy.runner.reset_backoff();
        Ok(())
    })
}

/// `[serialised]`
/// Reports that a timer of `timer_start` has expired. Ignores the numbers of unknown and cancelled
/// timers.
///
/// # Safety
/// `policy` is NULL (STEER_NULL_ARGUMENT) or came from `steer_policy_new` and is not freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn steer_policy_timer(policy: *mut steer_policy, timer: u64) -> steer_status {
    // SAFETY: `policy` is NULL or not freed (caller's contract).
    let policy = unsafe { Running::of(policy) };
    run("steer_policy_timer", policy, |policy| {
        policy.runner.timer(TimerId(timer));
        Ok(())
    })
}

/// `[serialised]`
/// Does the work for which `run_later` asked.
///
/// # Safety
/// `policy` is NULL (STEER_NULL_ARGUMENT) or came from `steer_policy_new` and is not freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn steer_policy_run(policy: *mut steer_policy) -> steer_status {
    // SAFETY: `policy` is NULL or not freed (caller's contract).
    let policy = unsafe { Running::of(policy) };
    run("steer_policy_run", policy, |policy| {
        policy.runner.run();
        Ok(())
    })
}

/// `[serialised]`
/// Writes the number of faults of the policy and its pickers to `*faults`.
///
/// # Safety
/// `policy` is NULL (STEER_NULL_ARGUMENT) or came from `steer_policy_new` and is not freed;
/// `faults` is NULL (STEER_NULL_ARGUMENT) or can be written to.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn steer_policy_faults(
    policy: *mut steer_policy,
    faults: *mut u64,
) -> steer_status {
    // SAFETY: `policy` is NULL or not freed (caller's contract).
    let policy = unsafe { Running::of(policy) };
    run("steer_policy_faults", policy, |policy| {
        if faults.is_null() {
            return Err(STEER_NULL_ARGUMENT);
        }
        // SAFETY: not NULL, so `faults` can be written to (caller's contract).
        unsafe { faults.write(policy.runner.faults()) };
        Ok(())
    })
}

/// `[serialised]`
/// Writes to `*why` why a fallback replaces the policy. The caller frees the text. NULL: no
/// fallback replaces it. Since version 4.
///
/// # Safety
/// `policy` is NULL (STEER_NULL_ARGUMENT) or came from `steer_policy_new` and is not freed;
/// `why` is NULL (STEER_NULL_ARGUMENT) or can be written to.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn steer_policy_fallback(
    policy: *mut steer_policy,
    why: *mut *mut steer_string,
) -> steer_status {
    // SAFETY: `policy` is NULL or not freed (caller's contract).
    let policy = unsafe { Running::of(policy) };
    run("steer_policy_fallback", policy, |policy| {
        if why.is_null() {
            return Err(STEER_NULL_ARGUMENT);
        }
        let text = policy.runner.fallback().map(|fallback| fallback.reason);
        let text = text.map_or(std::ptr::null_mut(), steer_string::into_raw);
        // SAFETY: not NULL, so `why` can be written to (caller's contract).
        unsafe { why.write(text) };
        Ok(())
    })
}

/// `[serialised]`
/// Shuts a policy down and frees it. May be called within one of its callbacks. Does nothing for
/// NULL. Drops the policy's endpoints at once. Its pickers stay valid, with their connections.
///
/// # Safety
/// `policy` is NULL or came from `steer_policy_new` and is not freed; nobody uses it after this
/// call.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn steer_policy_free(policy: *mut steer_policy) {
    if policy.is_null() {
        return;
    }
    guard((), || {
        // SAFETY: `policy` came from `steer_policy_new` and is not freed (caller's contract). A
        // function of the same policy that still runs holds the `Running`.
        let policy = unsafe { Box::from_raw(policy) };
        policy.0.host.close();
        policy.0.runner.close();
    });
}

/// The name of gRPC's that an update's config was given to, if its policy took that over.
///
/// # Safety
/// `config` is NULL or not freed.
unsafe fn taken_name_of<'a>(config: *const steer_config) -> Option<&'a str> {
    // SAFETY: `config` is NULL or not freed (caller's contract).
    unsafe { config.as_ref() }?.taken_name.as_deref()
}

/// Runs the body of a policy's function.
fn run(
    function: &str,
    policy: Option<Arc<Running>>,
    body: impl FnOnce(&Running) -> Result<(), steer_status>,
) -> steer_status {
    status_guard(function, || body(&*policy.ok_or(STEER_NULL_ARGUMENT)?))
}
