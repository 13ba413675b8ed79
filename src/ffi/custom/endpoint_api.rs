//! `steer_api.endpoint_…`: the endpoints of a custom policy.

use steer_abi::steer_channel;

use super::channel::active;
use crate::ffi::guard;

pub(super) unsafe extern "C" fn endpoint_new(channel: *const steer_channel, index: usize) -> u64 {
    guard(0, || {
        // SAFETY: the caller holds the channel (rule of `steer_api`).
        let Some(channel) = (unsafe { active(channel, "endpoint_new") }) else { return 0 };
        let Some(descriptor) = channel.endpoints.descriptor(index) else { return 0 };
        let table = channel.policy_type.as_ref().map(|registered| registered.policy_type());
        if table.is_none_or(|table| table.endpoint_report.is_none()) {
            channel
                .log_misuse("endpoint_new", "did nothing: the policy has no hook endpoint_report");
            return 0;
        }
        let Ok(endpoint) = channel.helper.create_endpoint(&descriptor) else { return 0 };
        let id = endpoint.id().0;
        channel.endpoints.add(id, endpoint, channel.calls.of(&descriptor));
        id
    })
}

pub(super) unsafe extern "C" fn endpoint_matches(
    channel: *const steer_channel,
    endpoint: u64,
    index: usize,
) -> i32 {
    guard(0, || {
        // SAFETY: the caller holds the channel (rule of `steer_api`).
        let Some(channel) = (unsafe { active(channel, "endpoint_matches") }) else { return 0 };
        match (channel.endpoints.get(endpoint), channel.endpoints.descriptor(index)) {
            (Some(endpoint), Some(descriptor)) => i32::from(endpoint.matches(&descriptor)),
            _ => 0,
        }
    })
}

pub(super) unsafe extern "C" fn endpoint_connect(channel: *const steer_channel, endpoint: u64) {
    guard((), || {
        // SAFETY: the caller holds the channel (rule of `steer_api`).
        let Some(channel) = (unsafe { active(channel, "endpoint_connect") }) else { return };
        channel.endpoints.connect(endpoint);
    });
}

pub(super) unsafe extern "C" fn endpoint_reset_backoff(
    channel: *const steer_channel,
    endpoint: u64,
) {
    guard((), || {
        // SAFETY: the caller holds the channel (rule of `steer_api`).
        let Some(channel) = (unsafe { active(channel, "endpoint_reset_backoff") }) else { return };
        if let Some(endpoint) = channel.endpoints.get(endpoint) {
            endpoint.reset_backoff();
        }
    });
}

pub(super) unsafe extern "C" fn endpoint_free(channel: *const steer_channel, endpoint: u64) {
    guard((), || {
        // SAFETY: the caller holds the channel (rule of `steer_api`).
        if let Some(channel) = unsafe { active(channel, "endpoint_free") } {
            channel.endpoints.remove(endpoint);
        }
    });
}
