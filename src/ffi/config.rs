//! `steer_config`: a policy's config, parsed and checked.

use std::sync::Arc;

use super::last_error::{fail_with, text_of};
use super::steer_status::*;
use super::text::{ReadText, steer_str, steer_string};
use super::{guard, steer_status};
use crate::policy::{Config, PolicyFactory};

/// A policy's config, parsed and checked. Immutable; any number of policies may use it.
pub struct steer_config {
    pub(super) policy: Arc<dyn PolicyFactory>,
    pub(super) config: Config,
    /// The text that it was parsed from.
    pub(super) json: Box<str>,
}

/// `[any thread]`
/// Parses and checks a policy's config.
///
/// `json` is the value beside the policy's name in `loadBalancingConfig`, as JSON text. An empty
/// text, `null` and `{}` mean the defaults. Unknown fields are ignored.
///
/// On success the caller owns `*config`. STEER_UNKNOWN_POLICY: there is no policy of this name.
/// STEER_INVALID_CONFIG: the text is not JSON, or a field is wrong. With these two statuses,
/// `steer_last_error` lists each fault with its field path, and `*error` is a copy of that text,
/// which the caller frees. `error` may be NULL.
///
/// # Safety
/// `policy_name` and `json` are readable; `config` is NULL (STEER_NULL_ARGUMENT) or can be written
/// to; `error` is NULL or can be written to.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn steer_config_parse(
    policy_name: steer_str,
    json: steer_str,
    config: *mut *mut steer_config,
    error: *mut *mut steer_string,
) -> steer_status {
    guard(STEER_PANIC, || {
        if config.is_null() {
            return fail_with(STEER_NULL_ARGUMENT, text_of("config", STEER_NULL_ARGUMENT));
        }
        // SAFETY: `policy_name` is readable (caller's contract).
        let policy_name = unsafe { policy_name.to_text() };
        // SAFETY: `json` is readable (caller's contract).
        let json = unsafe { json.to_text() };
        let (Some(policy_name), Some(json)) = (policy_name, json) else {
            let text = text_of("policy_name or json", STEER_INVALID_ARGUMENT);
            return fail_with(STEER_INVALID_ARGUMENT, text);
        };
        match parse(&policy_name, &json) {
            Ok(parsed) => {
                let parsed = Box::into_raw(Box::new(parsed));
                // SAFETY: not NULL, so `config` can be written to (caller's contract).
                unsafe { config.write(parsed) };
                STEER_OK
            }
            Err((status, text)) => {
                if !error.is_null() {
                    let text = steer_string::into_raw(text.clone());
                    // SAFETY: not NULL, so `error` can be written to (caller's contract).
                    unsafe { error.write(text) };
                }
                fail_with(status, text)
            }
        }
    })
}

fn parse(policy_name: &str, json: &str) -> Result<steer_config, (steer_status, String)> {
    let Some(policy) = crate::policies::registry().find(policy_name) else {
        let names = crate::policies::registry().names().join(", ");
        let text = format!("no policy is named {policy_name:?}; there are: {names}");
        return Err((STEER_UNKNOWN_POLICY, text));
    };
    let json = if json.is_empty() { "null" } else { json };
    let value = serde_json::from_str(json).map_err(|error| {
        (STEER_INVALID_CONFIG, format!("the config of {policy_name} is not JSON: {error}"))
    })?;
    // A custom policy's parser runs here. Its panic must not look like a bug of the engine.
    let parsed = guard(None, || Some(policy.parse_config(&value)));
    match parsed {
        Some(Ok(config)) => Ok(steer_config { policy, config, json: Box::from(json) }),
        Some(Err(error)) => Err((STEER_INVALID_CONFIG, error.to_string())),
        None => {
            let text = format!("{policy_name}: the policy panicked while it parsed its config");
            Err((STEER_INVALID_CONFIG, text))
        }
    }
}

/// `[any thread]`
/// Frees a config. Does nothing for NULL. Policies that use the config keep what they need.
///
/// # Safety
/// `config` is NULL or came from `steer_config_parse` and is not freed; nobody uses it during or
/// after this call.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn steer_config_free(config: *mut steer_config) {
    if config.is_null() {
        return;
    }
    guard((), || {
        // SAFETY: `config` came from `steer_config_parse` and is not freed (caller's contract).
        drop(unsafe { Box::from_raw(config) });
    });
}
