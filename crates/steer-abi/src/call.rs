//! `steer_call`: a call as pickers see it, and `steer_call_end`: how a tracked call ended.

use std::ffi::c_void;

use super::steer_str;

/// The picker reads the call's path. `steer_wants.bits` combines STEER_WANTS_… bits.
pub const STEER_WANTS_PATH: u32 = 1;
/// The picker reads the headers that it declares, and may add others.
pub const STEER_WANTS_HEADERS: u32 = 2;
/// The picker reads backend metrics (ORCA) in `steer_call_end`.
pub const STEER_WANTS_METRICS: u32 = 4;
/// The picker reads the hash that an xDS route gives the call.
pub const STEER_WANTS_REQUEST_HASH: u32 = 8;

/// A call, as a picker sees it. Everything that it points to is read during the pick only.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct steer_call {
    /// `sizeof(steer_call)`.
    pub struct_size: usize,
    /// "/service/method". Empty when the picker does not want it.
    pub path: steer_str,
    /// Passed to the functions below.
    pub ctx: *mut c_void,
    /// `[any thread]`
    /// Finds a header of the call by its lower-case name. Returns 1 and writes the value to
    /// `*value`, valid until the pick ends. Values of several headers with one name are joined by
    /// ",". Returns 0 when there is none, and when the picker has not declared that it reads it.
    /// May be called only within the pick. NULL: headers are not available.
    pub header: Option<
        unsafe extern "C" fn(ctx: *mut c_void, name: steer_str, value: *mut steer_str) -> i32,
    >,
    /// `[any thread]`
    /// Adds a header to the call, if this pick completes. Copies both texts. A name has lower-case
    /// letters, digits, '-', '_' and '.'. If it ends in "-bin", the value may have any bytes.
    /// Returns 1 when the header was taken. May be called only within the pick. NULL: headers
    /// cannot be added.
    pub add_header:
        Option<unsafe extern "C" fn(ctx: *mut c_void, name: steer_str, value: steer_str) -> i32>,
    /// The hash that an xDS route gives the call (gRFC A42), when `has_request_hash` is not 0.
    pub request_hash: u64,
    /// 0: there is no hash, or the picker does not want it.
    pub has_request_hash: i32,
    /// 0, so that the struct does not end in padding. Never read: callers that were compiled before
    /// this field had a name may leave any value in it.
    pub reserved: u32,
}

/// How a tracked call ended.
#[repr(i32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum steer_call_outcome {
    /// It ran, and ended with `code`.
    STEER_CALL_FINISHED = 0,
    /// It never started, or the channel gave up on it. There is no code.
    STEER_CALL_ABANDONED = 1,
}

/// A named number in a backend's report.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct steer_metric {
    /// `sizeof(steer_metric)`. The same in all elements of an array.
    pub struct_size: usize,
    /// The name.
    pub name: steer_str,
    /// The value.
    pub value: f64,
}

/// The metrics that a backend reported with a call or out of band (ORCA, gRFC A51). Metrics that it
/// did not report are 0.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct steer_metrics {
    /// `sizeof(steer_metrics)`.
    pub struct_size: usize,
    /// The used share of the processors. May be above 1.
    pub cpu_utilization: f64,
    /// The used share of the memory, from 0 to 1.
    pub mem_utilization: f64,
    /// The application's own measure of its load. May be above 1.
    pub application_utilization: f64,
    /// The calls per second that the backend serves.
    pub qps: f64,
    /// The errors per second that it answers with.
    pub eps: f64,
    /// The costs of this call, by name.
    pub request_cost: *const steer_metric,
    /// The number of costs.
    pub request_cost_count: usize,
    /// The used shares of resources, by name, from 0 to 1.
    pub utilization: *const steer_metric,
    /// The number of resources.
    pub utilization_count: usize,
    /// The application's own metrics, by name.
    pub named: *const steer_metric,
    /// The number of the application's own metrics.
    pub named_count: usize,
}

/// The end of a tracked call. Everything that it points to is read during the hook only.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct steer_call_end {
    /// `sizeof(steer_call_end)`, as the engine knows it.
    pub struct_size: usize,
    /// A `steer_call_outcome`.
    pub outcome: i32,
    /// A gRPC status code, when the call finished.
    pub code: i32,
    /// The status's text, when the call finished.
    pub message: steer_str,
    /// The nanoseconds from its start to its end, when the call finished.
    pub latency_ns: u64,
    /// The backend's report for the call. NULL: there is none, or the picker does not want it.
    pub metrics: *const steer_metrics,
}
