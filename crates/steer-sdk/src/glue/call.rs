//! `steer_call`, `steer_call_end`: a call as pickers see it.

use std::borrow::Cow;
use std::fmt;
use std::ptr;
use std::time::Duration;

use super::text;
use crate::Code;
use crate::abi::{
    steer_call, steer_call_end, steer_call_outcome, steer_metric, steer_metrics, steer_str,
};

/// A call, as a picker sees it. Valid during the pick.
#[derive(Clone, Copy)]
pub struct Call<'a>(&'a steer_call);

impl<'a> Call<'a> {
    /// # Safety
    /// The call follows the contract of `steer_call`, and is valid for `'a`.
    #[inline(always)]
    pub(super) unsafe fn new(call: &'a steer_call) -> Call<'a> {
        Call(call)
    }

    /// Returns the path, `/service/method`. Empty unless the picker declared
    /// [`Wants::path`](crate::Wants::path).
    pub fn path(&self) -> &'a str {
        // SAFETY: valid during the pick.
        let path = unsafe { text::bytes(self.0.path) };
        std::str::from_utf8(path).unwrap_or_default()
    }

    /// Returns the hash that an xDS route computed for the call (gRFC A42). `None` if there is no
    /// such hash, or unless the picker declared
    /// [`Wants::request_hash`](crate::Wants::request_hash).
    pub fn request_hash(&self) -> Option<u64> {
        (self.0.has_request_hash != 0).then_some(self.0.request_hash)
    }

    /// Returns the value of a header, by its lower-case name. The values of several headers of one
    /// name are joined by `,`. `None` if there is no such header, if its value is not UTF-8, or
    /// unless the picker declared it by [`Wants::header`](crate::Wants::header).
    pub fn header(&self, name: &str) -> Option<&'a str> {
        self.header_bytes(name).and_then(|value| std::str::from_utf8(value).ok())
    }

    /// Returns the value of a header as bytes, for binary headers (`…-bin`). Otherwise as
    /// [`Call::header`].
    pub fn header_bytes(&self, name: &str) -> Option<&'a [u8]> {
        let header = self.0.header?;
        let mut value = steer_str::empty();
        // SAFETY: `ctx` belongs to `header`; the name lives during the call, and the value is
        // writable.
        let found = unsafe { header(self.0.ctx, text::borrow(name.as_bytes()), &mut value) };
        // SAFETY: when it was found, the value is valid during the pick.
        (found != 0).then(|| unsafe { text::bytes(value) })
    }

    /// Adds a header to the call, if this pick completes. Returns `false` if the header was not
    /// accepted, or unless the picker declared [`Wants::add_headers`](crate::Wants::add_headers).
    ///
    /// A name consists of lower-case letters, digits, `-`, `_` and `.`. If it ends in `-bin`, the
    /// value may be any bytes.
    pub fn add_header(&self, name: &str, value: impl AsRef<[u8]>) -> bool {
        let Some(add_header) = self.0.add_header else { return false };
        let (name, value) = (text::borrow(name.as_bytes()), text::borrow(value.as_ref()));
        // SAFETY: `ctx` belongs to `add_header`; the texts live during the call, which copies them.
        unsafe { add_header(self.0.ctx, name, value) != 0 }
    }
}

impl fmt::Debug for Call<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Call").field("path", &self.path()).finish_non_exhaustive()
    }
}

/// How a call ended.
#[derive(Clone, Copy)]
pub struct CallEnd<'a>(&'a steer_call_end);

impl<'a> CallEnd<'a> {
    /// # Safety
    /// The end follows the contract of `steer_call_end`, and is valid for `'a`.
    pub(super) unsafe fn new(end: &'a steer_call_end) -> CallEnd<'a> {
        CallEnd(end)
    }

    /// Returns whether the call was abandoned: it never started, or the channel gave up on it. Then
    /// it has no code, no latency and no metrics.
    pub fn is_abandoned(&self) -> bool {
        self.0.outcome != steer_call_outcome::STEER_CALL_FINISHED as i32
    }

    /// Returns whether the call ended with the status OK.
    pub fn is_ok(&self) -> bool {
        self.code() == Some(Code::Ok)
    }

    /// Returns the status code that the call ended with.
    pub fn code(&self) -> Option<Code> {
        (!self.is_abandoned()).then(|| Code::from_number(self.0.code))
    }

    /// The text that it ended with. May be empty.
    pub fn message(&self) -> Cow<'a, str> {
        // SAFETY: valid during the hook.
        unsafe { text::lossy(self.0.message) }
    }

    /// Returns the time from the call's start to its end.
    pub fn latency(&self) -> Option<Duration> {
        (!self.is_abandoned()).then(|| Duration::from_nanos(self.0.latency_ns))
    }

    /// Returns the backend's load report that came with the call. `None` if there was none, or
    /// unless the picker declared [`Wants::metrics`](crate::Wants::metrics).
    pub fn metrics(&self) -> Option<Metrics<'a>> {
        // SAFETY: NULL, or valid during the hook.
        unsafe { self.0.metrics.as_ref() }.map(Metrics)
    }
}

impl fmt::Debug for CallEnd<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CallEnd")
            .field("code", &self.code())
            .field("message", &self.message())
            .field("latency", &self.latency())
            .finish_non_exhaustive()
    }
}

/// A load report that a backend sent with a call (ORCA, gRFC A51). Values that it did not report
/// are 0.
#[derive(Clone, Copy)]
pub struct Metrics<'a>(&'a steer_metrics);

impl<'a> Metrics<'a> {
    /// # Safety
    /// The report follows the contract of `steer_metrics`, and is valid for `'a`.
    pub(super) unsafe fn new(report: &'a steer_metrics) -> Metrics<'a> {
        Metrics(report)
    }

    /// Returns the application's own metric of this name, if it is in the report.
    pub fn find_named(&self, name: &str) -> Option<f64> {
        self.named().find(|(own, _)| own == name).map(|(_, value)| value)
    }

    /// Returns the utilization of the resource of this name, 0 to 1, if it is in the report.
    pub fn find_utilization(&self, name: &str) -> Option<f64> {
        self.utilization().find(|(own, _)| own == name).map(|(_, value)| value)
    }

    /// Returns the cost of this name, if it is in the report.
    pub fn find_request_cost(&self, name: &str) -> Option<f64> {
        self.request_cost().find(|(own, _)| own == name).map(|(_, value)| value)
    }

    /// Returns the CPU utilization; may be above 1.
    pub fn cpu_utilization(&self) -> f64 {
        self.0.cpu_utilization
    }

    /// Returns the memory utilization, 0 to 1.
    pub fn mem_utilization(&self) -> f64 {
        self.0.mem_utilization
    }

    /// Returns the application's own measure of its load; may be above 1.
    pub fn application_utilization(&self) -> f64 {
        self.0.application_utilization
    }

    /// Returns the calls per second that the backend serves.
    pub fn qps(&self) -> f64 {
        self.0.qps
    }

    /// Returns the calls per second that the backend answers with an error.
    pub fn eps(&self) -> f64 {
        self.0.eps
    }

    /// Returns the costs of this call, by name.
    pub fn request_cost(&self) -> impl Iterator<Item = (Cow<'a, str>, f64)> + use<'a> {
        // SAFETY: valid during the hook.
        unsafe { named_numbers(self.0.request_cost, self.0.request_cost_count) }
    }

    /// Returns the utilization of other resources by name, 0 to 1.
    pub fn utilization(&self) -> impl Iterator<Item = (Cow<'a, str>, f64)> + use<'a> {
        // SAFETY: valid during the hook.
        unsafe { named_numbers(self.0.utilization, self.0.utilization_count) }
    }

    /// Returns the metrics that the application defines, by name.
    pub fn named(&self) -> impl Iterator<Item = (Cow<'a, str>, f64)> + use<'a> {
        // SAFETY: valid during the hook.
        unsafe { named_numbers(self.0.named, self.0.named_count) }
    }
}

impl fmt::Debug for Metrics<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Metrics")
            .field("cpu_utilization", &self.cpu_utilization())
            .field("mem_utilization", &self.mem_utilization())
            .field("application_utilization", &self.application_utilization())
            .field("qps", &self.qps())
            .field("eps", &self.eps())
            .finish_non_exhaustive()
    }
}

/// # Safety
/// If `count` is not 0, `first` points to `count` metrics that are valid for `'a`. All have the
/// same `struct_size`, which is the distance from one to the next.
unsafe fn named_numbers<'a>(
    first: *const steer_metric,
    count: usize,
) -> impl Iterator<Item = (Cow<'a, str>, f64)> + use<'a> {
    let mut next = if count == 0 { ptr::null() } else { first };
    (0..count).map_while(move |_| {
        // SAFETY: the caller's contract.
        let metric = unsafe { next.as_ref() }?;
        next = next.wrapping_byte_add(metric.struct_size);
        // SAFETY: the caller's contract.
        Some((unsafe { text::lossy(metric.name) }, metric.value))
    })
}
