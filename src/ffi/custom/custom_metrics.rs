//! `steer_counter`, `steer_gauge`, `steer_histogram`: handles of series of custom metrics.
//!
//! A handle carries its functions. So it always reaches the engine that made it, also where several
//! engines are in one process and one of them began to follow another one.
//!
//! Must not depend on: channels, names of metrics.

use std::sync::Arc;

use steer_abi::{steer_counter, steer_gauge, steer_histogram};

use crate::ffi::guard;
use crate::stats::Series;

/// A handle: the part that C sees, and the series.
#[repr(C)]
struct Handle<C> {
    c: C,
    series: Arc<Series>,
}

impl<C> Handle<C> {
    fn into_raw(c: C, series: Arc<Series>) -> *mut C {
        Box::into_raw(Box::new(Handle { c, series })).cast()
    }
}

/// The series of a handle. None: the handle is NULL.
///
/// # Safety
/// `handle` is NULL or came from [`Handle::into_raw`], and is not given back during `'a`.
#[inline]
unsafe fn series<'a, C: 'a>(handle: *const C) -> Option<&'a Series> {
    // SAFETY: NULL or a handle that is not given back (caller's contract).
    unsafe { handle.cast::<Handle<C>>().as_ref() }.map(|handle| &*handle.series)
}

/// # Safety
/// `handle` is NULL or came from [`Handle::into_raw`], and nobody uses it any more.
unsafe extern "C" fn release<C>(handle: *mut C) {
    guard((), || {
        if !handle.is_null() {
            // SAFETY: it came from a box, and nobody uses it any more (caller's contract).
            drop(unsafe { Box::from_raw(handle.cast::<Handle<C>>()) });
        }
    });
}

// Unguarded: it writes to an atomic.
unsafe extern "C" fn counter_add(counter: *const steer_counter, number: u64) {
    // SAFETY: NULL or a handle that is not given back (rule of `steer_counter`).
    if let Some(Series::Counter(counter)) = unsafe { series(counter) } {
        counter.add(number);
    }
}

// Unguarded: it writes to atomics.
unsafe extern "C" fn gauge_set(gauge: *const steer_gauge, number: f64) {
    // SAFETY: NULL or a handle that is not given back (rule of `steer_gauge`).
    if let Some(Series::Gauge(gauge)) = unsafe { series(gauge) } {
        gauge.set(number);
    }
}

// Unguarded: it writes to atomics.
unsafe extern "C" fn gauge_add(gauge: *const steer_gauge, number: f64) {
    // SAFETY: NULL or a handle that is not given back (rule of `steer_gauge`).
    if let Some(Series::Gauge(gauge)) = unsafe { series(gauge) } {
        gauge.add(number);
    }
}

// Unguarded: it writes to atomics.
unsafe extern "C" fn histogram_record(histogram: *const steer_histogram, value: f64) {
    // SAFETY: NULL or a handle that is not given back (rule of `steer_histogram`).
    if let Some(Series::Histogram(histogram)) = unsafe { series(histogram) } {
        histogram.record(value);
    }
}

/// A new handle of the series of a counter.
pub(super) fn counter(series: Arc<Series>) -> *mut steer_counter {
    let c = steer_counter {
        struct_size: size_of::<steer_counter>(),
        add: Some(counter_add),
        release: Some(release::<steer_counter>),
    };
    Handle::into_raw(c, series)
}

/// A new handle of the series of a gauge.
pub(super) fn gauge(series: Arc<Series>) -> *mut steer_gauge {
    let c = steer_gauge {
        struct_size: size_of::<steer_gauge>(),
        set: Some(gauge_set),
        add: Some(gauge_add),
        release: Some(release::<steer_gauge>),
    };
    Handle::into_raw(c, series)
}

/// A new handle of the series of a histogram.
pub(super) fn histogram(series: Arc<Series>) -> *mut steer_histogram {
    let c = steer_histogram {
        struct_size: size_of::<steer_histogram>(),
        record: Some(histogram_record),
        release: Some(release::<steer_histogram>),
    };
    Handle::into_raw(c, series)
}
