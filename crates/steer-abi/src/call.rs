//! `steer_call`: a call, as a picker sees it. `steer_call_end`: how a tracked call ended.

use std::ffi::c_void;

use super::steer_str;

/// A bit of `steer_wants.bits`: the picker reads `steer_call.path`.
pub const STEER_WANTS_PATH: u32 = 1;
/// A bit of `steer_wants.bits`: the picker reads the headers that it declares in
/// `steer_wants.headers`, and may add any header.
pub const STEER_WANTS_HEADERS: u32 = 2;
/// A bit of `steer_wants.bits`: the picker reads backend metrics (ORCA) in `steer_call_end`.
pub const STEER_WANTS_METRICS: u32 = 4;
/// A bit of `steer_wants.bits`: the picker reads the hash that an xDS route computed for the call.
pub const STEER_WANTS_REQUEST_HASH: u32 = 8;

/// A call, as a picker sees it. Valid during the pick, as is everything that it points at.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct steer_call {
    /// `sizeof(steer_call)`.
    pub struct_size: usize,
    /// "/service/method"; empty without STEER_WANTS_PATH.
    pub path: steer_str,
    /// The first argument of the functions below.
    pub ctx: *mut c_void,
    /// Looks up a header by its lower-case name. If there is one, returns 1 and stores its value in
    /// `*value`, valid until the pick ends; the values of several headers of one name are joined by
    /// ",". Returns 0 if there is none, or if the picker has not declared that it reads it. The
    /// function is NULL if headers are not available.
    pub header: Option<
        unsafe extern "C" fn(ctx: *mut c_void, name: steer_str, value: *mut steer_str) -> i32,
    >,
    /// Adds a header to the call, if this pick completes. Both texts are copied. A name consists of
    /// lower-case letters, digits, '-', '_' and '.'; if it ends in "-bin", the value may be any
    /// bytes. Returns 1 if the header was accepted. The function is NULL if no headers can be
    /// added.
    pub add_header:
        Option<unsafe extern "C" fn(ctx: *mut c_void, name: steer_str, value: steer_str) -> i32>,
    /// The hash that an xDS route computed for the call (gRFC A42), if `has_request_hash` is not 0.
    pub request_hash: u64,
    /// 0 if there is no hash, or without STEER_WANTS_REQUEST_HASH.
    pub has_request_hash: i32,
    /// 0, so that the struct does not end in padding. Never read: callers that were compiled before
    /// this field had a name may leave any value in it.
    pub reserved: u32,
}

/// How a tracked call ended.
#[repr(i32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum steer_call_outcome {
    /// The call ran and ended with `code`.
    STEER_CALL_FINISHED = 0,
    /// The call never started, or the channel gave up on it. There is no code.
    STEER_CALL_ABANDONED = 1,
}

/// A named number in a load report.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct steer_metric {
    /// `sizeof(steer_metric)`. It is the same in all elements of an array, and is the distance from
    /// one element to the next.
    pub struct_size: usize,
    /// The name.
    pub name: steer_str,
    /// The value.
    pub value: f64,
}

/// A load report that a backend sent with a call (ORCA, gRFC A51). Fields that it did not report
/// are 0.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct steer_metrics {
    /// `sizeof(steer_metrics)`.
    pub struct_size: usize,
    /// CPU utilization; may be above 1.
    pub cpu_utilization: f64,
    /// Memory utilization, 0 to 1.
    pub mem_utilization: f64,
    /// The application's own measure of its load; may be above 1.
    pub application_utilization: f64,
    /// Calls per second that the backend serves.
    pub qps: f64,
    /// Calls per second that the backend answers with an error.
    pub eps: f64,
    /// The costs of this call, by name.
    pub request_cost: *const steer_metric,
    /// The number of `request_cost` elements.
    pub request_cost_count: usize,
    /// Utilization of other resources by name, 0 to 1.
    pub utilization: *const steer_metric,
    /// The number of `utilization` elements.
    pub utilization_count: usize,
    /// Metrics that the application defines, by name.
    pub named: *const steer_metric,
    /// The number of `named` elements.
    pub named_count: usize,
}

/// How a tracked call ended. Valid during the hook, as is everything that it points at.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct steer_call_end {
    /// `sizeof(steer_call_end)`, as the engine knows it.
    pub struct_size: usize,
    /// A `steer_call_outcome`.
    pub outcome: i32,
    /// The gRPC status code, if the outcome is STEER_CALL_FINISHED.
    pub code: i32,
    /// The status message, if the outcome is STEER_CALL_FINISHED.
    pub message: steer_str,
    /// Nanoseconds from the call's start to its end, if the outcome is STEER_CALL_FINISHED.
    pub latency_ns: u64,
    /// The load report that came with the call; NULL if there was none, or without
    /// STEER_WANTS_METRICS.
    pub metrics: *const steer_metrics,
}
