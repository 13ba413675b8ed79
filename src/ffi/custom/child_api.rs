//! `steer_api.config_child`, `child_…`: the children of a custom policy.

use std::mem::offset_of;
use std::ptr;

use serde_json::Value;
use steer_abi::{steer_channel, steer_child_config, steer_child_update, steer_faults, steer_str};

use super::channel::active;
use super::children::Part;
use super::choice::give_failure;
use super::json::Faults;
use crate::ffi::guard;
use crate::ffi::last_error::{fail_with, text_of, worded_guard};
use crate::ffi::steer_status::*;
use crate::ffi::text::ReadText;
use crate::ffi::versioned::{Versioned, plain_array, read};
use crate::policies::fallback;
use crate::policy::{ChildConfig, Fault};
use crate::{Code, Status};

// SAFETY: repr(C), begins with its size, and zeros are NULLs and numbers.
unsafe impl Versioned for steer_child_update {
    const FIRST_SIZE: usize = offset_of!(steer_child_update, weights) + size_of::<usize>();
}

pub(super) unsafe extern "C" fn config_child(
    faults: *mut steer_faults,
    field: steer_str,
    json: steer_str,
) -> *const steer_child_config {
    guard(ptr::null(), || {
        // SAFETY: NULL or the Faults of the current `config_new` (rule of `steer_api`).
        let Some(policies) = (unsafe { faults.cast::<Faults<'_>>().as_ref() }) else {
            return ptr::null();
        };
        let policies = policies.policies;
        // SAFETY: `field` is readable (rule of `steer_api`).
        let field = unsafe { field.to_text() }.unwrap_or_default();
        // SAFETY: `json` is readable (rule of `steer_api`).
        let json = unsafe { json.to_text() }.unwrap_or_default();
        let value = if json.is_empty() { Ok(Value::Null) } else { serde_json::from_str(&json) };
        let parsed = value
            .map_err(|error| vec![Fault { field: field.clone(), error: error.to_string() }])
            .and_then(|value| ChildConfig::read(&value, &field, policies, &fallback()));
        // Only now, because the child's `config_new` has run in between.
        // SAFETY: as above, and nothing else uses them now.
        let Some(faults) = (unsafe { faults.cast::<Faults<'_>>().as_mut() }) else {
            return ptr::null();
        };
        faults.add_child(parsed)
    })
}

pub(super) unsafe extern "C" fn child_new(channel: *const steer_channel, name: steer_str) -> u64 {
    guard(0, || {
        // SAFETY: `name` is readable (rule of `steer_api`).
        let name = unsafe { name.to_text() }.unwrap_or_default();
        // SAFETY: the caller holds the channel (rule of `steer_api`).
        let Some(channel) = (unsafe { active(channel, "child_new") }) else { return 0 };
        if channel.policy_type.is_some() { channel.children.add(&name) } else { 0 }
    })
}

/// # Safety
/// As for `steer_api.child_update`.
unsafe fn try_update(
    channel: *const steer_channel,
    child: u64,
    update: *const steer_child_update,
) -> Result<(), Status> {
    let internal = |text: String| Status::internal(format!("child_update: {text}"));
    // SAFETY: `update` is NULL or readable (rule of `steer_api`).
    let update = unsafe { read(update) }
        .map_err(|status| internal(text_of("steer_child_update", status)))?;
    // SAFETY: NULL or a config of `config_child` that is not freed (rule of `steer_api`).
    let config = unsafe { update.config.cast::<ChildConfig>().as_ref() };
    let config = config.ok_or_else(|| internal("the config is NULL".to_owned()))?;
    // SAFETY: NULL or readable (rule of `steer_api`).
    let places = unsafe { plain_array(update.endpoints, update.endpoint_count) };
    let places = places.map_err(|status| internal(text_of("endpoints", status)))?;
    let part = (!update.endpoints.is_null() || update.endpoint_count > 0).then_some(places);
    let part: Option<Part> = if update.weights.is_null() {
        part.map(|places| places.iter().map(|place| (*place, None)).collect())
    } else {
        // SAFETY: as many as endpoints, and readable (rule of `steer_api`).
        let weights = unsafe { plain_array(update.weights, update.endpoint_count) };
        let weights = weights.map_err(|status| internal(text_of("weights", status)))?;
        let weighted = |(place, weight): (&usize, &u32)| (*place, Some(*weight));
        part.map(|places| places.iter().zip(weights).map(weighted).collect())
    };
    // SAFETY: the caller holds the channel (rule of `steer_api`).
    let channel = unsafe { active(channel, "child_update") };
    let channel =
        channel.ok_or_else(|| internal("call it from within a serialised hook".to_owned()))?;
    let done = channel.children.update(child, config, part);
    done.unwrap_or_else(|| Err(internal(format!("there is no child {child}, or no update yet"))))
}

pub(super) unsafe extern "C" fn child_update(
    channel: *const steer_channel,
    child: u64,
    update: *const steer_child_update,
) -> i32 {
    guard(Code::Internal as i32, || {
        // SAFETY: as for this function.
        match unsafe { try_update(channel, child, update) } {
            Ok(()) => Code::Ok as i32,
            Err(status) => {
                let code = status.code as i32;
                fail_with(STEER_INVALID_ARGUMENT, status.message.clone());
                // So that the policy's own `update` can return the code.
                give_failure(status);
                code
            }
        }
    })
}

pub(super) unsafe extern "C" fn child_state(channel: *const steer_channel, child: u64) -> i32 {
    const NONE: i32 = -1;
    guard(NONE, || {
        // SAFETY: the caller holds the channel (rule of `steer_api`).
        let Some(channel) = (unsafe { active(channel, "child_state") }) else { return NONE };
        channel.children.published(child).map_or(NONE, |published| published.state as i32)
    })
}

pub(super) unsafe extern "C" fn child_publish(channel: *const steer_channel, child: u64) -> i32 {
    let status = worded_guard("steer_api.child_publish", || {
        // SAFETY: the caller holds the channel (rule of `steer_api`).
        let Some(channel) = (unsafe { active(channel, "child_publish") }) else {
            let text = "child_publish: call it from within one of the policy's serialised hooks";
            return fail_with(STEER_INVALID_ARGUMENT, text.to_owned());
        };
        match channel.children.published(child) {
            Some(published) => {
                channel.children.family.publish_as_is(published);
                STEER_OK
            }
            None => {
                let text = format!("child_publish: child {child} has published nothing");
                fail_with(STEER_INVALID_ARGUMENT, text)
            }
        }
    });
    status as i32
}

pub(super) unsafe extern "C" fn child_free(channel: *const steer_channel, child: u64) {
    guard((), || {
        // SAFETY: the caller holds the channel (rule of `steer_api`).
        if let Some(channel) = unsafe { active(channel, "child_free") } {
            channel.children.remove(child);
        }
    });
}
