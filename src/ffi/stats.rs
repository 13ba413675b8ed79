//! `steer_stats_…`: the statistics as texts for people and their tools.

use super::custom::{leader_tracks_calls, leaders_stats};
use super::last_error::status_guard;
use super::steer_status::*;
use super::text::steer_string;
use super::{guard, steer_status};
use crate::policies::{Setting, take_overs};
use crate::stats::{self, TakenName};

/// `[any thread]`
/// Writes the statistics of this process to `*text`, as JSON: its policies, their backends and
/// calls. The caller frees the text. Takes time that grows with the number of backends, and does
/// not delay picks.
///
/// `docs/statistics.md` lists the fields. Later versions may add fields. Existing fields keep their
/// meaning.
///
/// # Safety
/// `text` is NULL (STEER_NULL_ARGUMENT) or can be written to.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn steer_stats_json(text: *mut *mut steer_string) -> steer_status {
    match leaders_stats(false) {
        // SAFETY: `text` is NULL or can be written to (caller's contract).
        Some(leaders) => unsafe { answer(text, || leaders.unwrap_or_default()) },
        // SAFETY: `text` is NULL or can be written to (caller's contract).
        None => unsafe { json_here(text) },
    }
}

/// This engine's own statistics, as JSON.
///
/// # Safety
/// `text` is NULL or can be written to.
pub(super) unsafe fn json_here(text: *mut *mut steer_string) -> steer_status {
    // SAFETY: `text` is NULL or can be written to (caller's contract).
    unsafe {
        answer(text, || stats::to_json(&stats::snapshot(), &taken_over(), &stats::plugin_metrics()))
    }
}

/// `[any thread]`
/// As `steer_stats_json`, in the OpenMetrics text format. Prometheus scrapes it with the content
/// type "application/openmetrics-text; version=1.0.0; charset=utf-8".
///
/// # Safety
/// `text` is NULL (STEER_NULL_ARGUMENT) or can be written to.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn steer_stats_prometheus(text: *mut *mut steer_string) -> steer_status {
    match leaders_stats(true) {
        // SAFETY: `text` is NULL or can be written to (caller's contract).
        Some(leaders) => unsafe { answer(text, || leaders.unwrap_or_default()) },
        // SAFETY: `text` is NULL or can be written to (caller's contract).
        None => unsafe { prometheus_here(text) },
    }
}

/// This engine's own statistics, in the OpenMetrics text format.
///
/// # Safety
/// `text` is NULL or can be written to.
pub(super) unsafe fn prometheus_here(text: *mut *mut steer_string) -> steer_status {
    // SAFETY: `text` is NULL or can be written to (caller's contract).
    unsafe {
        answer(text, || {
            stats::to_prometheus(stats::snapshot(), taken_over(), &stats::plugin_metrics())
        })
    }
}

/// `[any thread]`
/// With another number than 0, pickers that are made from now on track calls for the statistics.
/// Some policies track calls in any case. The default is 0, or 1 with STEER_STATS=calls in the
/// environment.
///
/// `docs/statistics.md` has the cost of a tracked call. With 0, picks cost nothing more.
#[unsafe(no_mangle)]
pub extern "C" fn steer_stats_track_calls(on: i32) {
    guard((), || {
        if !leader_tracks_calls(on) {
            stats::track_calls(on != 0);
        }
    });
}

/// The names that policies have taken over.
fn taken_over() -> Vec<TakenName> {
    let taken = take_overs().taken().into_iter();
    taken.map(|Setting { name, policy, .. }| TakenName { name, policy }).collect()
}

/// Writes a text that `make` makes.
///
/// # Safety
/// `text` is NULL or can be written to.
unsafe fn answer(text: *mut *mut steer_string, make: impl FnOnce() -> String) -> steer_status {
    status_guard("text", || {
        if text.is_null() {
            return Err(STEER_NULL_ARGUMENT);
        }
        let made = steer_string::into_raw(make());
        // SAFETY: not NULL, so `text` can be written to (caller's contract).
        unsafe { text.write(made) };
        Ok(())
    })
}
