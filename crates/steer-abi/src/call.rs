//! `steer_call`: what a picker may know of a call, and `steer_call_end`: what became of it.

use std::ffi::c_void;

use super::steer_str;

/// What a picker wants to know of each call: bits, to be or'ed. The path.
pub const STEER_WANTS_PATH: u32 = 1;
/// The call's headers: those that were declared, to be read, and any others to be added.
pub const STEER_WANTS_HEADERS: u32 = 2;
/// Backend metrics (ORCA) in `steer_call_end`.
pub const STEER_WANTS_METRICS: u32 = 4;
/// The hash that an xDS route gives the call.
pub const STEER_WANTS_REQUEST_HASH: u32 = 8;

/// What a picker may know of a call. All that it points at is read during the pick only.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct steer_call {
    /// `sizeof(steer_call)`.
    pub struct_size: usize,
    /// "/service/method"; empty when the picker does not want it.
    pub path: steer_str,
    /// For whoever made this; passed to the functions.
    pub ctx: *mut c_void,
    /// Finds a header of the call by its lower-case name: 1, and its value in `*value`, valid until
    /// the pick is over; values of several headers of one name are joined by ",". 0 when there is none, and
    /// when the picker has not declared that it reads it. NULL: there are no headers to be had.
    pub header: Option<
        unsafe extern "C" fn(ctx: *mut c_void, name: steer_str, value: *mut steer_str) -> i32,
    >,
    /// Adds a header to the call, if this pick completes. Both texts are copied. A name is
    /// lower-case letters, digits, '-', '_' and '.'; one that ends in "-bin" may have any bytes as its
    /// value. 1 when it was taken. NULL: no headers can be added.
    pub add_header:
        Option<unsafe extern "C" fn(ctx: *mut c_void, name: steer_str, value: steer_str) -> i32>,
    /// The hash that an xDS route gives the call (gRFC A42), when `has_request_hash` is not 0.
    pub request_hash: u64,
    /// 0: there is none, or the picker does not want it.
    pub has_request_hash: i32,
}

/// How a tracked call ended.
#[repr(i32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum steer_call_outcome {
    /// It ran, and ended with `code`.
    STEER_CALL_FINISHED = 0,
    /// It never started, or the channel gave up on it: there is no code.
    STEER_CALL_ABANDONED = 1,
}

/// A named number of a backend's report.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct steer_metric {
    /// `sizeof(steer_metric)`; the same in all elements of an array.
    pub struct_size: usize,
    /// The name.
    pub name: steer_str,
    /// The value.
    pub value: f64,
}

/// What a backend reported with a call (ORCA, gRFC A51). What it did not report is 0.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct steer_metrics {
    /// `sizeof(steer_metrics)`.
    pub struct_size: usize,
    /// Used share of the processors; may be above 1.
    pub cpu_utilization: f64,
    /// Used share of the memory, 0 to 1.
    pub mem_utilization: f64,
    /// The application's own measure of its load; may be above 1.
    pub application_utilization: f64,
    /// Calls per second that the backend serves.
    pub qps: f64,
    /// Errors per second that it answers with.
    pub eps: f64,
    /// What this call cost, by name.
    pub request_cost: *const steer_metric,
    /// How many.
    pub request_cost_count: usize,
    /// Used shares of resources, by name, 0 to 1.
    pub utilization: *const steer_metric,
    /// How many.
    pub utilization_count: usize,
    /// The application's own, by name.
    pub named: *const steer_metric,
    /// How many.
    pub named_count: usize,
}

/// What became of a tracked call. All that it points at is read during the hook only.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct steer_call_end {
    /// `sizeof(steer_call_end)`, as the engine knows it.
    pub struct_size: usize,
    /// A `steer_call_outcome`.
    pub outcome: i32,
    /// A gRPC status code, when it finished.
    pub code: i32,
    /// The status's text, when it finished.
    pub message: steer_str,
    /// Nanoseconds from its start to its end, when it finished.
    pub latency_ns: u64,
    /// What the backend reported with it; NULL when nothing, or when the picker does not want it.
    pub metrics: *const steer_metrics,
}
