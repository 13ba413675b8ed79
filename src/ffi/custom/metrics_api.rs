//! `steer_api.counter_new`, `gauge_new`, `histogram_new`: make series of custom metrics.
//!
//! Must not depend on: how values are written and shown.

use std::mem::offset_of;
use std::sync::Arc;

use steer_abi::{
    steer_channel, steer_counter, steer_custom_metric, steer_gauge, steer_histogram, steer_str,
};

use super::channel::channel;
use super::custom_metrics;
use super::register::plugin_in_entry;
use crate::ffi::last_error::{fail_with, text_of, worded_guard};
use crate::ffi::steer_status;
use crate::ffi::steer_status::*;
use crate::ffi::text::ReadText;
use crate::ffi::versioned::{Versioned, plain_array, read};
use crate::stats::{CustomMetric, MetricError, MetricKind, Series, custom_metrics_of_plugin};

// SAFETY: repr(C), begins with its size, and zeros are NULLs and numbers.
unsafe impl Versioned for steer_custom_metric {
    const FIRST_SIZE: usize = offset_of!(steer_custom_metric, reserved) + size_of::<u32>();
}

type Failure = (steer_status, String);

// Unguarded: it calls `answer`, which guards.
pub(super) unsafe extern "C" fn counter_new(
    channel: *const steer_channel,
    metric: *const steer_custom_metric,
    values: *const steer_str,
    counter: *mut *mut steer_counter,
) -> i32 {
    let made = || {
        // SAFETY: as `make` requires (rule of `steer_api`).
        unsafe { make(MetricKind::Counter, channel, metric, values) }
    };
    // SAFETY: `counter` is NULL or can be written to (rule of `steer_api`).
    unsafe { answer(counter, || made().map(custom_metrics::counter)) }
}

// Unguarded: it calls `answer`, which guards.
pub(super) unsafe extern "C" fn gauge_new(
    channel: *const steer_channel,
    metric: *const steer_custom_metric,
    values: *const steer_str,
    gauge: *mut *mut steer_gauge,
) -> i32 {
    let made = || {
        // SAFETY: as `make` requires (rule of `steer_api`).
        unsafe { make(MetricKind::Gauge, channel, metric, values) }
    };
    // SAFETY: `gauge` is NULL or can be written to (rule of `steer_api`).
    unsafe { answer(gauge, || made().map(custom_metrics::gauge)) }
}

// Unguarded: it calls `answer`, which guards.
pub(super) unsafe extern "C" fn histogram_new(
    channel: *const steer_channel,
    metric: *const steer_custom_metric,
    values: *const steer_str,
    histogram: *mut *mut steer_histogram,
) -> i32 {
    let made = || {
        // SAFETY: as `make` requires (rule of `steer_api`).
        unsafe { make(MetricKind::Histogram, channel, metric, values) }
    };
    // SAFETY: `histogram` is NULL or can be written to (rule of `steer_api`).
    unsafe { answer(histogram, || made().map(custom_metrics::histogram)) }
}

/// Writes the handle that `make` makes.
///
/// # Safety
/// `to` is NULL or can be written to.
unsafe fn answer<C>(to: *mut *mut C, make: impl FnOnce() -> Result<*mut C, Failure>) -> i32 {
    let status = worded_guard("a custom metric", || {
        if to.is_null() {
            return fail_with(STEER_NULL_ARGUMENT, text_of("the handle", STEER_NULL_ARGUMENT));
        }
        match make() {
            Ok(handle) => {
                // SAFETY: not NULL, so `to` can be written to (caller's contract).
                unsafe { to.write(handle) };
                STEER_OK
            }
            Err((status, text)) => fail_with(status, text),
        }
    });
    status as i32
}

/// # Safety
/// `pointer` is NULL or came from the engine, and the caller holds it. `metric` is NULL or
/// readable, and so are its arrays and `values`, which has a text for each label.
unsafe fn make(
    kind: MetricKind,
    pointer: *const steer_channel,
    metric: *const steer_custom_metric,
    values: *const steer_str,
) -> Result<Arc<Series>, Failure> {
    // SAFETY: `metric` is NULL or readable (caller's contract).
    let metric = unsafe { read(metric) }
        .map_err(|status| (status, text_of("steer_custom_metric", status)))?;
    // SAFETY: `values` has `label_count` readable texts (caller's contract).
    let values = unsafe { texts(values, metric.label_count, "label_values") }?;
    // SAFETY: the metric's arrays are readable (caller's contract).
    let metric = unsafe { to_metric(kind, &metric) }?;
    // SAFETY: NULL, or the caller holds the channel (caller's contract).
    let made = match unsafe { channel(pointer) } {
        Some(channel) => channel.custom_metrics.series(metric, values, false),
        None => {
            let Some(plugin) = plugin_in_entry() else {
                let text = format!(
                    "{} {:?}: without a channel, a metric belongs to a plugin: make it in the \
                     plugin's entry",
                    kind.name(),
                    metric.name
                );
                return Err((STEER_INVALID_ARGUMENT, text));
            };
            // A new release may give a metric another type.
            custom_metrics_of_plugin(&plugin).series(metric, values, true)
        }
    };
    made.map_err(|error| match error {
        MetricError::Invalid(text) => (STEER_INVALID_ARGUMENT, text),
        MetricError::TooMany(text) => (STEER_TOO_MANY, text),
    })
}

/// # Safety
/// The metric's texts and arrays are readable.
unsafe fn to_metric(
    kind: MetricKind,
    metric: &steer_custom_metric,
) -> Result<CustomMetric, Failure> {
    // SAFETY: the bounds are readable (caller's contract).
    let bounds = unsafe { plain_array(metric.bounds, metric.bound_count) };
    let bounds =
        bounds.map_err(|status| (status, text_of("steer_custom_metric.bounds", status)))?;
    // SAFETY: the name is readable (caller's contract).
    let name = unsafe { metric.name.to_text() }.unwrap_or_default();
    // SAFETY: the help is readable (caller's contract).
    let help = unsafe { metric.help.to_text() }.unwrap_or_default();
    // SAFETY: the labels are readable (caller's contract).
    let labels = unsafe { texts(metric.labels, metric.label_count, "steer_custom_metric.labels") }?;
    let most_series = metric.most_series;
    Ok(CustomMetric { name, kind, help, labels, bounds: bounds.to_vec(), most_series })
}

/// # Safety
/// `first` points to `count` readable texts. It may be NULL when `count` is 0.
unsafe fn texts(
    first: *const steer_str,
    count: usize,
    argument: &str,
) -> Result<Vec<String>, Failure> {
    // SAFETY: `first` has `count` elements (caller's contract).
    let all = unsafe { plain_array(first, count) };
    let all = all.map_err(|status| (status, text_of(argument, status)))?;
    // SAFETY: the texts are readable (caller's contract).
    Ok(all.iter().map(|text| unsafe { text.to_text() }.unwrap_or_default()).collect())
}
