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

/// What a picker may know of a call, as long as the pick lasts.
#[derive(Clone, Copy)]
pub struct Call<'a>(&'a steer_call);

impl<'a> Call<'a> {
    /// # Safety
    /// The call keeps what `steer_call` says, and is valid for `'a`.
    #[inline(always)]
    pub(super) unsafe fn new(call: &'a steer_call) -> Call<'a> {
        Call(call)
    }

    /// `/service/method`, for pickers that want it ([`Wants::path`](crate::Wants::path)); for others it
    /// is empty.
    pub fn path(&self) -> &'a str {
        // SAFETY: valid during the pick.
        let path = unsafe { text::bytes(self.0.path) };
        std::str::from_utf8(path).unwrap_or_default()
    }

    /// The hash that an xDS route gives the call (gRFC A42), for pickers that want it
    /// ([`Wants::request_hash`](crate::Wants::request_hash)). None when the route gives none, or the channel
    /// is not xDS's.
    pub fn request_hash(&self) -> Option<u64> {
        (self.0.has_request_hash != 0).then_some(self.0.request_hash)
    }

    /// A header's text, by its lower-case name; values of several headers of one name are joined by
    /// `,`. None when there is none, when it is not UTF-8, and for pickers that did not declare that
    /// they read it ([`Wants::header`](crate::Wants::header)).
    pub fn header(&self, name: &str) -> Option<&'a str> {
        self.header_bytes(name).and_then(|value| std::str::from_utf8(value).ok())
    }

    /// As [`Call::header`], for headers that may be anything (`…-bin`).
    pub fn header_bytes(&self, name: &str) -> Option<&'a [u8]> {
        let header = self.0.header?;
        let mut value = steer_str::empty();
        // SAFETY: `ctx` belongs to `header`; the name lives during the call, and the value is writable.
        let found = unsafe { header(self.0.ctx, text::borrow(name.as_bytes()), &mut value) };
        // SAFETY: when it was found, the value is valid during the pick.
        (found != 0).then(|| unsafe { text::bytes(value) })
    }

    /// Adds a header to the call, if this pick completes; for pickers that want that
    /// ([`Wants::add_headers`](crate::Wants::add_headers)). `false`: it was not taken. A name is lower-case
    /// letters, digits, `-`, `_` and `.`; one that ends in `-bin` may have any bytes as its value.
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

/// What became of a call.
#[derive(Clone, Copy)]
pub struct CallEnd<'a>(&'a steer_call_end);

impl<'a> CallEnd<'a> {
    /// # Safety
    /// The end keeps what `steer_call_end` says, and is valid for `'a`.
    pub(super) unsafe fn new(end: &'a steer_call_end) -> CallEnd<'a> {
        CallEnd(end)
    }

    /// It never started, or the channel gave up on it: there is no code, no latency, no metrics.
    pub fn is_abandoned(&self) -> bool {
        self.0.outcome != steer_call_outcome::STEER_CALL_FINISHED as i32
    }

    /// It ended with the status OK.
    pub fn is_ok(&self) -> bool {
        self.code() == Some(Code::Ok)
    }

    /// The code that it ended with.
    pub fn code(&self) -> Option<Code> {
        (!self.is_abandoned()).then(|| Code::from_number(self.0.code))
    }

    /// The text that it ended with. May be empty.
    pub fn message(&self) -> Cow<'a, str> {
        // SAFETY: valid during the hook.
        unsafe { text::lossy(self.0.message) }
    }

    /// How long it took, from its start to its end.
    pub fn latency(&self) -> Option<Duration> {
        (!self.is_abandoned()).then(|| Duration::from_nanos(self.0.latency_ns))
    }

    /// What the backend reported with it, for pickers that want that
    /// ([`Wants::metrics`](crate::Wants::metrics)).
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

/// What a backend reported with a call (ORCA, gRFC A51). What it did not report is 0.
#[derive(Clone, Copy)]
pub struct Metrics<'a>(&'a steer_metrics);

impl<'a> Metrics<'a> {
    /// Used share of the processors; may be above 1.
    pub fn cpu_utilization(&self) -> f64 {
        self.0.cpu_utilization
    }

    /// Used share of the memory, 0 to 1.
    pub fn mem_utilization(&self) -> f64 {
        self.0.mem_utilization
    }

    /// The application's own measure of its load; may be above 1.
    pub fn application_utilization(&self) -> f64 {
        self.0.application_utilization
    }

    /// Calls per second that the backend serves.
    pub fn qps(&self) -> f64 {
        self.0.qps
    }

    /// Errors per second that it answers with.
    pub fn eps(&self) -> f64 {
        self.0.eps
    }

    /// What this call cost, by name.
    pub fn request_cost(&self) -> impl Iterator<Item = (Cow<'a, str>, f64)> + use<'a> {
        // SAFETY: valid during the hook.
        unsafe { named_numbers(self.0.request_cost, self.0.request_cost_count) }
    }

    /// Used shares of resources, by name, 0 to 1.
    pub fn utilization(&self) -> impl Iterator<Item = (Cow<'a, str>, f64)> + use<'a> {
        // SAFETY: valid during the hook.
        unsafe { named_numbers(self.0.utilization, self.0.utilization_count) }
    }

    /// The application's own numbers, by name.
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
/// `first` leads to `count` metrics that are valid for `'a`, unless that is 0. Their `struct_size`,
/// the same in all of them, is the distance from each to the next.
unsafe fn named_numbers<'a>(
    first: *const steer_metric,
    count: usize,
) -> impl Iterator<Item = (Cow<'a, str>, f64)> + use<'a> {
    let mut next = if count == 0 { ptr::null() } else { first };
    (0..count).map_while(move |_| {
        // SAFETY: the caller's promise.
        let metric = unsafe { next.as_ref() }?;
        next = next.wrapping_byte_add(metric.struct_size);
        // SAFETY: the caller's promise.
        Some((unsafe { text::lossy(metric.name) }, metric.value))
    })
}
