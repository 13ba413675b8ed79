//! `steer_policy`: one policy of one channel, run for a host.

use std::mem::offset_of;
use std::sync::Arc;

use super::config::steer_config;
use super::endpoint::{endpoints_from_c, steer_endpoint, steer_endpoint_report, steer_state};
use super::host::{CHost, steer_host};
use super::metrics::{metrics_from_c, steer_metrics};
use super::steer_status::*;
use super::text::{ReadText, steer_str, steer_string};
use super::versioned::{Versioned, plain_array, read};
use super::{guard, steer_status};
use crate::endpoints::{EndpointDescriptor, EndpointId, Report};
use crate::policy::{Config, PolicyFactory, Runner, TimerId, Update};
use crate::sync::Mutex;
use crate::{Code, Status};

/// One policy of one channel. All its functions are to be serialised by the host (gRPC: the
/// channel's work serializer); they may be called from within the host's callbacks, and then take
/// effect once the call under way is done. (But for `steer_policy_update`, which says from which of
/// them it is refused.)
pub struct steer_policy(Arc<Running>);

/// What a policy's entry points use. Shared, so that the policy may be freed from within a callback while the body
/// of one still runs.
struct Running {
    runner: Runner,
    factory: Arc<dyn PolicyFactory>,
    host: CHost,
    latest: Mutex<Latest>,
}

/// What came last, to be found again in what comes next. All in serialised calls: the lock is never waited for.
#[derive(Default)]
struct Latest {
    endpoints: Arc<[Arc<EndpointDescriptor>]>,
    config: Option<LatestConfig>,
}

#[derive(Clone)]
struct LatestConfig {
    of: Arc<dyn PolicyFactory>,
    json: Arc<str>,
    config: Config,
}

impl LatestConfig {
    fn new(of: &Arc<dyn PolicyFactory>, json: &str, config: &Config) -> LatestConfig {
        LatestConfig { of: Arc::clone(of), json: Arc::from(json), config: Arc::clone(config) }
    }
}

/// A resolver's answer. All that it points at is read during the call only.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct steer_update {
    /// `sizeof(steer_update)`.
    pub struct_size: usize,
    /// The policy's config; NULL: the defaults. It may be freed after the call.
    pub config: *const steer_config,
    /// The endpoints, in the resolver's order; NULL when there are none. Their places in the list
    /// (which is this array, unless `former` says more) are what `endpoint_new` and
    /// `endpoint_matches` name, until the next update with `code` 0.
    pub endpoints: *const steer_endpoint,
    /// How many.
    pub endpoint_count: usize,
    /// A gRPC status code. Not 0 (OK): the resolver failed, and there are no endpoints to look at.
    pub code: i32,
    /// The resolver's words for that.
    pub message: steer_str,
    /// Context for people, to be part of the status when there are no endpoints.
    pub resolution_note: steer_str,
    /// What the channel was made for, such as "dns:///greeter:50051": for people. May be empty.
    pub target: steer_str,
    /// Says which endpoints are those of the former list, so that they need not be described again: not NULL when
    /// `former_count` is not 0. The `i`th endpoint of this list is then in every respect what the `former[i]`th one
    /// was in the latest update with `code` 0 that was taken (STEER_OK), or, where `former[i]` is UINT32_MAX, the
    /// next one of `endpoints`. Whether it is still made just the same is asked all the same: see
    /// `endpoint_matches`. STEER_INVALID_ARGUMENT: the former list has no such endpoint, or there are not as many
    /// UINT32_MAX as `endpoints`.
    pub former: *const u32,
    /// How many endpoints the list has in all; 0: as many as `endpoints`, which then are the list.
    pub former_count: usize,
    /// A number of the host's for all that `endpoint_new` makes endpoints with beside what it knows of each, such as
    /// channel args: another number for other args. `endpoint_matches` is then not asked of an endpoint of which
    /// `former` says that it is what it was, and that was made, or matched, under this very number. 0: it is asked of
    /// all.
    pub made_with: u64,
}

/// In `steer_update.former`: an endpoint that is new.
const NEW: u32 = u32::MAX;

// SAFETY: repr(C), begins with its size, and zeros are NULLs and numbers.
unsafe impl Versioned for steer_update {
    const FIRST_SIZE: usize = offset_of!(steer_update, resolution_note) + size_of::<steer_str>();
}

/// Makes a policy. Any thread.
///
/// On success `*policy` is the caller's to free, and `host->ctx` belongs to it until `ctx_free`.
/// STEER_UNKNOWN_POLICY, STEER_MISSING_CALLBACK: nothing was made, and `ctx` is still the caller's.
/// Nothing is called back before the first update.
///
/// # Safety
/// `name` is readable; `host` is NULL (STEER_NULL_ARGUMENT) or a table that keeps what
/// `steer_host` says; `policy` is NULL (STEER_NULL_ARGUMENT) or can be written to.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn steer_policy_new(
    name: steer_str,
    host: *const steer_host,
    policy: *mut *mut steer_policy,
) -> steer_status {
    guard(STEER_PANIC, || {
        if policy.is_null() {
            return STEER_NULL_ARGUMENT;
        }
        // SAFETY: NULL or readable by this function's contract.
        let host = match unsafe { read(host) } {
            Ok(host) => host,
            Err(status) => return status,
        };
        // SAFETY: readable by this function's contract.
        let Some(name) = (unsafe { name.to_text() }) else {
            return STEER_INVALID_ARGUMENT;
        };
        let Some(factory) = crate::policies::registry().find(&name) else {
            return STEER_UNKNOWN_POLICY;
        };
        let host = match CHost::new(host) {
            Ok(host) => host,
            Err(status) => return status,
        };
        let runner =
            Runner::new(Arc::clone(&factory), crate::policies::fallback(), Box::new(host.share()));
        let running = Running { runner, factory, host, latest: Mutex::default() };
        let made = Box::into_raw(Box::new(steer_policy(Arc::new(running))));
        // SAFETY: not NULL, and writable by this function's contract.
        unsafe { policy.write(made) };
        STEER_OK
    })
}

/// Hands in a resolver's answer. Serialised.
///
/// With STEER_OK, `*code` is 0 when the policy accepted the update, else the gRPC status code of
/// what the resolver is to be told, and `*message` its text, which the caller frees; it is NULL
/// when accepted. Both outputs may be NULL. STEER_WRONG_CONFIG and the statuses about arguments:
/// the policy goes on as if there had been no update. STEER_INVALID_ARGUMENT also from within
/// `endpoint_new` and `endpoint_matches`, which are asked about the list that is under way.
///
/// # Safety
/// `policy` is NULL (STEER_NULL_ARGUMENT) or alive; `update` is NULL (STEER_NULL_ARGUMENT) or
/// readable with all that it points at; `code` and `message` are NULL or can be written to.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn steer_policy_update(
    policy: *mut steer_policy,
    update: *const steer_update,
    code: *mut i32,
    message: *mut *mut steer_string,
) -> steer_status {
    // SAFETY: NULL or alive by this function's contract.
    let policy = unsafe { Running::of(policy) };
    run(policy, |policy| {
        // SAFETY: NULL or readable by this function's contract.
        let update = unsafe { read(update) }?;
        if policy.host.is_in_list() {
            return Err(STEER_INVALID_ARGUMENT);
        }
        // SAFETY: readable by this function's contract.
        let update = unsafe { policy.update_from_c(&update) }?;
        let accepted = policy.runner.update(update).err().unwrap_or(Status::OK);
        if !code.is_null() {
            // SAFETY: not NULL, and writable by this function's contract.
            unsafe { code.write(accepted.code as i32) };
        }
        if !message.is_null() {
            let text = if accepted.is_ok() {
                std::ptr::null_mut()
            } else {
                steer_string::into_raw(accepted.message)
            };
            // SAFETY: not NULL, and writable by this function's contract.
            unsafe { message.write(text) };
        }
        Ok(())
    })
}

impl Running {
    /// # Safety
    /// `policy` is NULL or alive.
    unsafe fn of(policy: *mut steer_policy) -> Option<Arc<Running>> {
        // SAFETY: NULL or alive by this function's contract.
        unsafe { policy.as_ref() }.map(|policy| Arc::clone(&policy.0))
    }

    /// # Safety
    /// What `update` points at is readable.
    unsafe fn update_from_c(&self, update: &steer_update) -> Result<Update, steer_status> {
        // SAFETY: NULL or alive by this function's contract.
        let (factory, json, config) = match unsafe { update.config.as_ref() } {
            Some(config) if config.policy.name() == self.factory.name() => {
                (&config.policy, &*config.json, Some(&config.config))
            }
            Some(_) => return Err(STEER_WRONG_CONFIG),
            None => (&self.factory, "null", None),
        };
        // SAFETY: readable by this function's contract.
        let resolution_note = unsafe { update.resolution_note.to_text() };
        let resolution_note = resolution_note.ok_or(STEER_INVALID_ARGUMENT)?;
        // SAFETY: readable by this function's contract.
        let target = unsafe { update.target.to_text() }.ok_or(STEER_INVALID_ARGUMENT)?;
        // The very same config where it says the same, so that policies see that it does.
        let same =
            |latest: &LatestConfig| Arc::ptr_eq(&latest.of, factory) && *latest.json == *json;
        let known = self.latest.lock().config.clone().filter(same);
        let config = match (known, config) {
            (Some(known), _) => known,
            (None, Some(config)) => LatestConfig::new(factory, json, config),
            (None, None) => {
                let defaults = factory.parse_config(&serde_json::Value::Null);
                LatestConfig::new(factory, json, &defaults.map_err(|_| STEER_INVALID_CONFIG)?)
            }
        };
        let endpoints = if update.code == Code::Ok as i32 {
            // SAFETY: readable by this function's contract.
            Ok(unsafe { list_from_c(update, &self.latest.lock().endpoints) }?)
        } else {
            // SAFETY: readable by this function's contract.
            let message = unsafe { update.message.to_text() }.ok_or(STEER_INVALID_ARGUMENT)?;
            Err(Status::new(Code::from_number(update.code), message))
        };
        let mut latest = self.latest.lock();
        if let Ok(endpoints) = &endpoints {
            self.host.makes_with(update.made_with);
            latest.endpoints = Arc::clone(endpoints);
        }
        let former = latest.config.replace(config.clone());
        drop(latest);
        // Not within the lock: it may be an author's.
        drop(former);
        let (factory, config) = (config.of, config.config);
        Ok(Update { endpoints, factory, config, resolution_note, target })
    }
}

/// The list of an update after one with this list.
///
/// # Safety
/// What `update` points at is readable.
unsafe fn list_from_c(
    update: &steer_update,
    former: &Arc<[Arc<EndpointDescriptor>]>,
) -> Result<Arc<[Arc<EndpointDescriptor>]>, steer_status> {
    // SAFETY: readable by this function's contract.
    let new = unsafe { endpoints_from_c(update.endpoints, update.endpoint_count) }?;
    let mut new = new.into_iter();
    // But for those that the new list has, which are given their places below.
    let leave = || former.iter().for_each(|left| left.index.leave());
    if update.former_count == 0 {
        leave();
        return Ok(new.collect());
    }
    // SAFETY: readable by this function's contract.
    let places = unsafe { plain_array(update.former, update.former_count) }?;
    let known = |place: &u32| *place == NEW || (*place as usize) < former.len();
    let wanted = places.iter().filter(|place| **place == NEW).count();
    if wanted != new.len() || places.len() >= NEW as usize || !places.iter().all(known) {
        return Err(STEER_INVALID_ARGUMENT);
    }
    if places.len() == former.len() && places.iter().zip(0..).all(|(was, is)| *was == is) {
        return Ok(Arc::clone(former));
    }
    leave();
    let mut taken = vec![false; former.len()];
    let list = places.iter().zip(0..).map(|(&was, is)| {
        let descriptor = if was == NEW {
            new.next().expect("there are as many as was counted")
        } else if std::mem::replace(&mut taken[was as usize], true) {
            // It cannot be in two places.
            Arc::new(EndpointDescriptor::clone(&former[was as usize]))
        } else {
            Arc::clone(&former[was as usize])
        };
        descriptor.index.set(is);
        descriptor
    });
    Ok(list.collect())
}

/// Reports an endpoint's state. Serialised. The first report says in which state it is; after
/// that every change is reported.
///
/// STEER_UNKNOWN_ENDPOINT: the endpoint was dropped, and nothing was done. STEER_INVALID_ARGUMENT:
/// no such state, or STEER_READY without a connection. With these two, too, the engine gives the
/// report's connection back; with STEER_NULL_ARGUMENT and STEER_BAD_STRUCT_SIZE it did not get it.
///
/// # Safety
/// `policy` is NULL (STEER_NULL_ARGUMENT) or alive; `report` is NULL (STEER_NULL_ARGUMENT) or
/// readable, and its connection is a reference that is the engine's from now on.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn steer_policy_endpoint_report(
    policy: *mut steer_policy,
    endpoint: u64,
    report: *const steer_endpoint_report,
) -> steer_status {
    // SAFETY: NULL or alive by this function's contract.
    let policy = unsafe { Running::of(policy) };
    run(policy, |policy| {
        // SAFETY: NULL or readable by this function's contract.
        let report = unsafe { read(report) }?;
        // First of all, so that the reference is given back whatever comes.
        let connection =
            (!report.connection.is_null()).then(|| policy.host.connection(report.connection));
        let report = match report.state {
            state if state == steer_state::STEER_IDLE as i32 => Report::Idle,
            state if state == steer_state::STEER_CONNECTING as i32 => Report::Connecting,
            state if state == steer_state::STEER_READY as i32 => {
                Report::Ready(connection.ok_or(STEER_INVALID_ARGUMENT)?)
            }
            state if state == steer_state::STEER_TRANSIENT_FAILURE as i32 => {
                // SAFETY: readable by this function's contract.
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

/// Reports an endpoint's load that came out of band (ORCA), as `load_reports` has asked. Serialised.
///
/// STEER_UNKNOWN_ENDPOINT: the endpoint was dropped, or its policy takes no reports.
///
/// # Safety
/// `policy` is NULL (STEER_NULL_ARGUMENT) or alive; `metrics` is NULL (STEER_NULL_ARGUMENT) or readable with
/// all that it points at.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn steer_policy_endpoint_load(
    policy: *mut steer_policy,
    endpoint: u64,
    metrics: *const steer_metrics,
) -> steer_status {
    // SAFETY: NULL or alive by this function's contract.
    let policy = unsafe { Running::of(policy) };
    run(policy, |policy| {
        // SAFETY: NULL or readable by this function's contract.
        let metrics = unsafe { read(metrics) }?;
        // SAFETY: readable by this function's contract.
        let metrics = unsafe { metrics_from_c(&metrics) }?;
        if policy.runner.load_report(EndpointId(endpoint), metrics) {
            Ok(())
        } else {
            Err(STEER_UNKNOWN_ENDPOINT)
        }
    })
}

/// Leaves IDLE, for policies that connect lazily. Serialised.
///
/// # Safety
/// `policy` is NULL (STEER_NULL_ARGUMENT) or alive.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn steer_policy_exit_idle(policy: *mut steer_policy) -> steer_status {
    // SAFETY: NULL or alive by this function's contract.
    let policy = unsafe { Running::of(policy) };
    run(policy, |policy| {
        policy.runner.exit_idle();
        Ok(())
    })
}

/// Ends the backoff of every endpoint. Serialised.
///
/// # Safety
/// `policy` is NULL (STEER_NULL_ARGUMENT) or alive.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn steer_policy_reset_backoff(policy: *mut steer_policy) -> steer_status {
    // SAFETY: NULL or alive by this function's contract.
    let policy = unsafe { Running::of(policy) };
    run(policy, |policy| {
        policy.runner.reset_backoff();
        Ok(())
    })
}

/// A timer that `timer_start` asked for has run out. Serialised. A number that is not known, or
/// was cancelled, is ignored.
///
/// # Safety
/// `policy` is NULL (STEER_NULL_ARGUMENT) or alive.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn steer_policy_timer(policy: *mut steer_policy, timer: u64) -> steer_status {
    // SAFETY: NULL or alive by this function's contract.
    let policy = unsafe { Running::of(policy) };
    run(policy, |policy| {
        policy.runner.timer(TimerId(timer));
        Ok(())
    })
}

/// What `run_later` asked for. Serialised.
///
/// # Safety
/// `policy` is NULL (STEER_NULL_ARGUMENT) or alive.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn steer_policy_run(policy: *mut steer_policy) -> steer_status {
    // SAFETY: NULL or alive by this function's contract.
    let policy = unsafe { Running::of(policy) };
    run(policy, |policy| {
        policy.runner.run();
        Ok(())
    })
}

/// How many panics of the policy and its pickers were caught, in `*faults`. Serialised.
///
/// # Safety
/// `policy` is NULL (STEER_NULL_ARGUMENT) or alive; `faults` is NULL (STEER_NULL_ARGUMENT) or can
/// be written to.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn steer_policy_faults(
    policy: *mut steer_policy,
    faults: *mut u64,
) -> steer_status {
    // SAFETY: NULL or alive by this function's contract.
    let policy = unsafe { Running::of(policy) };
    run(policy, |policy| {
        if faults.is_null() {
            return Err(STEER_NULL_ARGUMENT);
        }
        // SAFETY: not NULL, and writable by this function's contract.
        unsafe { faults.write(policy.runner.faults()) };
        Ok(())
    })
}

/// What is in the policy's place, when it broke. Serialised. `*why` says what broke and how, and is
/// the caller's to free; NULL: the policy is in its place. Since version 4.
///
/// # Safety
/// `policy` is NULL (STEER_NULL_ARGUMENT) or alive; `why` is NULL (STEER_NULL_ARGUMENT) or can be
/// written to.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn steer_policy_fallback(
    policy: *mut steer_policy,
    why: *mut *mut steer_string,
) -> steer_status {
    // SAFETY: NULL or alive by this function's contract.
    let policy = unsafe { Running::of(policy) };
    run(policy, |policy| {
        if why.is_null() {
            return Err(STEER_NULL_ARGUMENT);
        }
        let text = policy.runner.fallback().map(|fallback| fallback.reason);
        let text = text.map_or(std::ptr::null_mut(), steer_string::into_raw);
        // SAFETY: not NULL, and writable by this function's contract.
        unsafe { why.write(text) };
        Ok(())
    })
}

/// Shuts a policy down and frees it. Serialised; also from within one of its callbacks. NULL is
/// fine. Its endpoints are dropped at once; its pickers live on, with their connections.
///
/// # Safety
/// `policy` is NULL or came from `steer_policy_new` and is not freed yet; nobody uses it after
/// this call.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn steer_policy_free(policy: *mut steer_policy) {
    if policy.is_null() {
        return;
    }
    guard((), || {
        // SAFETY: made by `steer_policy_new` and not freed yet, by this function's contract; a
        // call under way for the same policy holds what it needs (`Running`).
        let policy = unsafe { Box::from_raw(policy) };
        policy.0.host.close();
        policy.0.runner.close();
    });
}

/// Runs an entry point's body.
fn run(
    policy: Option<Arc<Running>>,
    body: impl FnOnce(&Running) -> Result<(), steer_status>,
) -> steer_status {
    guard(STEER_PANIC, || {
        let Some(policy) = policy else {
            return STEER_NULL_ARGUMENT;
        };
        match body(&policy) {
            Ok(()) => STEER_OK,
            Err(status) => status,
        }
    })
}
