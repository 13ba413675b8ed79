//! `steer_metrics`: a backend's report, with a call or out of band.

use std::collections::BTreeMap;
use std::mem::offset_of;

pub use steer_abi::{steer_metric, steer_metrics};

use super::steer_status;
use super::steer_status::*;
use super::text::{ReadText, steer_str};
use super::versioned::{Versioned, read_array};
use crate::calls::Metrics;

// SAFETY: repr(C), begins with its size, and zeros are NULLs and numbers.
unsafe impl Versioned for steer_metric {
    const FIRST_SIZE: usize = offset_of!(steer_metric, value) + size_of::<f64>();
}
// SAFETY: as for `steer_metric`.
unsafe impl Versioned for steer_metrics {
    const FIRST_SIZE: usize = offset_of!(steer_metrics, named_count) + size_of::<usize>();
}

/// Converts a report to C for the duration of `body`.
pub(super) fn with_metrics<R>(metrics: &Metrics, body: impl FnOnce(&steer_metrics) -> R) -> R {
    let named = |values: &BTreeMap<String, f64>| -> Vec<steer_metric> {
        let metric = |(name, value): (&String, &f64)| steer_metric {
            struct_size: size_of::<steer_metric>(),
            name: steer_str::borrow(name),
            value: *value,
        };
        values.iter().map(metric).collect()
    };
    let request_cost = named(&metrics.request_cost);
    let utilization = named(&metrics.utilization);
    let own = named(&metrics.named_metrics);
    body(&steer_metrics {
        struct_size: size_of::<steer_metrics>(),
        cpu_utilization: metrics.cpu_utilization,
        mem_utilization: metrics.mem_utilization,
        application_utilization: metrics.application_utilization,
        qps: metrics.qps(),
        eps: metrics.eps,
        request_cost: request_cost.as_ptr(),
        request_cost_count: request_cost.len(),
        utilization: utilization.as_ptr(),
        utilization_count: utilization.len(),
        named: own.as_ptr(),
        named_count: own.len(),
    })
}

/// Converts a report from C.
///
/// # Safety
/// The memory that `metrics` points to is readable.
pub(super) unsafe fn metrics_from_c(metrics: &steer_metrics) -> Result<Metrics, steer_status> {
    let named = |from: *const steer_metric, count: usize| {
        // SAFETY: each array of the report has as many readable elements as its count says
        // (caller's contract).
        let values = unsafe { read_array(from, count) }?;
        let pair = |metric: Result<steer_metric, steer_status>| {
            let metric = metric?;
            // SAFETY: the names of the report are readable (caller's contract).
            let name = unsafe { metric.name.to_text() }.ok_or(STEER_INVALID_ARGUMENT)?;
            Ok((name, metric.value))
        };
        values.map(pair).collect::<Result<BTreeMap<_, _>, steer_status>>()
    };
    Ok(Metrics {
        cpu_utilization: metrics.cpu_utilization,
        mem_utilization: metrics.mem_utilization,
        rps_fractional: metrics.qps,
        eps: metrics.eps,
        application_utilization: metrics.application_utilization,
        request_cost: named(metrics.request_cost, metrics.request_cost_count)?,
        utilization: named(metrics.utilization, metrics.utilization_count)?,
        named_metrics: named(metrics.named, metrics.named_count)?,
        ..Metrics::default()
    })
}
