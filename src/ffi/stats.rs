//! What can be seen of the process: texts for people and their tools.

use super::custom::{leader_tracks_calls, leaders_stats};
use super::steer_status::*;
use super::text::steer_string;
use super::{guard, steer_status};
use crate::stats;

/// Every policy of this process, its backends and what is known of their calls, as JSON in `*text`, which
/// the caller frees. Any thread; costs time that grows with the number of backends, and picks nothing.
///
/// `docs/statistics.md` has the fields. Later versions add some; those that there are keep their meaning.
///
/// # Safety
/// `text` is NULL (STEER_NULL_ARGUMENT) or can be written to.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn steer_stats_json(text: *mut *mut steer_string) -> steer_status {
    match leaders_stats(false) {
        // SAFETY: by this function's contract.
        Some(leaders) => unsafe { answer(text, || leaders.unwrap_or_default()) },
        // SAFETY: by this function's contract.
        None => unsafe { json_here(text) },
    }
}

/// This engine's own statistics.
///
/// # Safety
/// As for [`steer_stats_json`].
pub(super) unsafe fn json_here(text: *mut *mut steer_string) -> steer_status {
    // SAFETY: by this function's contract.
    unsafe { answer(text, || stats::to_json(&stats::snapshot())) }
}

/// The same in the OpenMetrics text format, which Prometheus scrapes with the content type
/// "application/openmetrics-text; version=1.0.0; charset=utf-8", in `*text`, which the caller frees. Any thread.
///
/// # Safety
/// `text` is NULL (STEER_NULL_ARGUMENT) or can be written to.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn steer_stats_prometheus(text: *mut *mut steer_string) -> steer_status {
    match leaders_stats(true) {
        // SAFETY: by this function's contract.
        Some(leaders) => unsafe { answer(text, || leaders.unwrap_or_default()) },
        // SAFETY: by this function's contract.
        None => unsafe { prometheus_here(text) },
    }
}

/// As [`json_here`].
///
/// # Safety
/// As for [`steer_stats_prometheus`].
pub(super) unsafe fn prometheus_here(text: *mut *mut steer_string) -> steer_status {
    // SAFETY: by this function's contract.
    unsafe { answer(text, || stats::to_prometheus(stats::snapshot())) }
}

/// Whether pickers that are made from now on track calls for these statistics, where their policy does not
/// track them anyway. Any thread. At first 0, or 1 with STEER_STATS=calls in the environment.
///
/// A tracked call costs what `docs/statistics.md` says; with 0, nothing is added to a pick.
#[unsafe(no_mangle)]
pub extern "C" fn steer_stats_track_calls(on: i32) {
    guard((), || {
        if !leader_tracks_calls(on) {
            stats::track_calls(on != 0);
        }
    });
}

/// # Safety
/// `text` is NULL or can be written to.
unsafe fn answer(text: *mut *mut steer_string, make: impl FnOnce() -> String) -> steer_status {
    guard(STEER_PANIC, || {
        if text.is_null() {
            return STEER_NULL_ARGUMENT;
        }
        let made = steer_string::into_raw(make());
        // SAFETY: not NULL, and writable by this function's contract.
        unsafe { text.write(made) };
        STEER_OK
    })
}
