//! `steer_config`: a policy's config, parsed and checked.

use std::sync::Arc;

use serde_json::Value;

use super::last_error::{fail_with, text_of, worded_guard};
use super::steer_status::*;
use super::text::{ReadText, steer_str, steer_string};
use super::{guard, steer_status};
use crate::policy::{ParsedConfig, PolicyFactory};

/// A policy's config, parsed and checked. Immutable; any number of policies may use it.
pub struct steer_config {
    pub(super) policy: Arc<dyn PolicyFactory>,
    pub(super) config: ParsedConfig,
    /// The text that it was parsed from.
    pub(super) json: Box<str>,
    /// The name of gRPC's that the policy took over, if the config was parsed by that name.
    pub(super) taken_name: Option<Box<str>>,
}

/// `[any thread]`
/// Parses and checks a policy's config.
///
/// `json` is the value beside the policy's name in `loadBalancingConfig`, as JSON text. An empty
/// text, `null` and `{}` mean the defaults. Unknown fields are ignored. The first policy that gets
/// the config names them in the log.
///
/// With a name that is taken over (`steer_taken_name`), the result is a config of the policy that
/// took it.
///
/// On success the caller owns `*config`. STEER_UNKNOWN_POLICY: there is no policy of this name.
/// STEER_INVALID_CONFIG: the text is not JSON, or a field is wrong. `steer_last_error` then lists
/// each fault with its field path. `error` is for callers that were compiled before version 9, and
/// may be NULL: with these two statuses `*error` is a copy of the same text, which the caller
/// frees.
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
    worded_guard("steer_config_parse", || {
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
    let registry = crate::policies::registry();
    let taken = crate::policies::take_overs().find(policy_name);
    let found = registry.find(taken.as_ref().map_or(policy_name, |setting| &setting.policy));
    let Some(policy) = found else {
        let names = registry.names().join(", ");
        let text = format!("no policy is named {policy_name:?}; there are: {names}");
        return Err((STEER_UNKNOWN_POLICY, text));
    };
    let json = if json.is_empty() { "null" } else { json };
    let mut value: Value = serde_json::from_str(json).map_err(|error| {
        (STEER_INVALID_CONFIG, format!("the config of {policy_name} is not JSON: {error}"))
    })?;
    let mut json = Box::from(json);
    if let Some(setting) = &taken {
        value = setting.config_for(&value);
        json = value.to_string().into();
    }
    // A custom policy's parser runs here. Its panic must not look like a bug of the engine.
    let parsed = guard(None, || Some(ParsedConfig::parse(&*policy, &value, registry)));
    let taken_name = taken.map(|setting| setting.name.into());
    match parsed {
        Some(Ok(config)) => Ok(steer_config { policy, config, json, taken_name }),
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
