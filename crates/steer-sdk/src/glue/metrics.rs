//! `steer_counter`, `steer_gauge`, `steer_histogram`: handles of series of custom metrics.
//!
//! A handle carries its functions, so it always reaches the engine that made it.

use std::fmt;
use std::ptr::{self, NonNull};
use std::sync::Arc;

use super::engine::{self, ALL_THERE, ChannelRef, NewSeries};
use super::text;
use crate::abi::{
    steer_api, steer_channel, steer_counter, steer_custom_metric, steer_gauge, steer_histogram,
    steer_str,
};
use crate::metrics::{Metric, MetricError};

/// A kind of series.
trait Kind {
    /// The engine's function that makes one.
    fn new(api: &steer_api) -> Option<NewSeries<Self>>
    where
        Self: Sized;

    /// # Safety
    /// The handle is not given back, and nobody uses it any more.
    unsafe fn release(series: NonNull<Self>);
}

/// The only owner of a handle.
struct Owned<C: Kind>(NonNull<C>);

// SAFETY: all functions of a handle may be called on any thread.
unsafe impl<C: Kind> Send for Owned<C> {}
// SAFETY: as for Send.
unsafe impl<C: Kind> Sync for Owned<C> {}

impl<C: Kind> Owned<C> {
    /// # Safety
    /// `channel` is NULL or alive.
    unsafe fn new(
        channel: *const steer_channel,
        metric: &Metric,
        values: &[&str],
    ) -> Result<Arc<Owned<C>>, MetricError> {
        if metric.labels.len() != values.len() {
            return Err(MetricError::new(
                format!(
                    "{:?} has {} labels, and got {} values",
                    metric.name,
                    metric.labels.len(),
                    values.len()
                ),
                false,
            ));
        }
        let labels: Vec<steer_str> =
            metric.labels.iter().map(|label| text::borrow(label.as_bytes())).collect();
        let values: Vec<steer_str> =
            values.iter().map(|value| text::borrow(value.as_bytes())).collect();
        let raw = steer_custom_metric {
            struct_size: size_of::<steer_custom_metric>(),
            name: text::borrow(metric.name.as_bytes()),
            help: text::borrow(metric.help.as_bytes()),
            labels: labels.as_ptr(),
            label_count: labels.len(),
            bounds: metric.bounds.as_ptr(),
            bound_count: metric.bounds.len(),
            most_series: metric.most_series,
            reserved: 0,
        };
        let make = C::new(engine::api()).expect(ALL_THERE);
        let mut series = ptr::null_mut();
        // SAFETY: the metric and the values live during the call, and there is a value for each
        // label; the caller's contract.
        let status = unsafe { make(channel, &raw, values.as_ptr(), &mut series) };
        match NonNull::new(series) {
            Some(series) if status == 0 => Ok(Arc::new(Owned(series))),
            _ => Err(MetricError::new(engine::last_error(), status == engine::TOO_MANY)),
        }
    }

    fn get(&self) -> &C {
        // SAFETY: it is given back only when this is dropped.
        unsafe { self.0.as_ref() }
    }
}

impl<C: Kind> Drop for Owned<C> {
    fn drop(&mut self) {
        // SAFETY: this is the only owner.
        unsafe { C::release(self.0) }
    }
}

/// Defines a handle of a kind of series.
macro_rules! handle {
    ($(#[$doc:meta])* $name:ident, $c:ident, $new:ident) => {
        impl Kind for $c {
            fn new(api: &steer_api) -> Option<NewSeries<Self>> {
                api.$new
            }

            unsafe fn release(series: NonNull<Self>) {
                // SAFETY: the handle is not given back (caller's contract).
                let release = unsafe { series.as_ref() }.release.expect(ALL_THERE);
                // SAFETY: nobody uses it any more (caller's contract).
                unsafe { release(series.as_ptr()) }
            }
        }

        $(#[$doc])*
        #[derive(Clone)]
        pub struct $name(Arc<Owned<$c>>);

        impl $name {
            pub(super) fn of_channel(
                channel: ChannelRef,
                metric: &Metric,
                values: &[&str],
            ) -> Result<$name, MetricError> {
                // SAFETY: the channel is alive.
                unsafe { Owned::new(channel.raw(), metric, values) }.map($name)
            }

            pub(crate) fn of_plugin(
                metric: &Metric,
                values: &[&str],
            ) -> Result<$name, MetricError> {
                // SAFETY: there is no channel.
                unsafe { Owned::new(ptr::null(), metric, values) }.map($name)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_struct(stringify!($name)).finish_non_exhaustive()
            }
        }
    };
}

handle! {
    /// A series of a counter: see [`Metric`]. Clones share it.
    Counter, steer_counter, counter_new
}

impl Counter {
    /// Adds a number. Takes no lock and allocates nothing.
    #[inline]
    pub fn add(&self, number: u64) {
        let counter = self.0.get();
        // SAFETY: the handle's own function, with the handle.
        unsafe { counter.add.expect(ALL_THERE)(counter, number) }
    }
}

handle! {
    /// A series of a gauge: see [`Metric`]. Clones share it.
    Gauge, steer_gauge, gauge_new
}

impl Gauge {
    /// Sets the number. Takes no lock and allocates nothing.
    #[inline]
    pub fn set(&self, number: f64) {
        let gauge = self.0.get();
        // SAFETY: the handle's own function, with the handle.
        unsafe { gauge.set.expect(ALL_THERE)(gauge, number) }
    }

    /// Adds to the number, which begins at 0. Takes no lock and allocates nothing.
    #[inline]
    pub fn add(&self, number: f64) {
        let gauge = self.0.get();
        // SAFETY: the handle's own function, with the handle.
        unsafe { gauge.add.expect(ALL_THERE)(gauge, number) }
    }
}

handle! {
    /// A series of a histogram: see [`Metric`]. Clones share it.
    Histogram, steer_histogram, histogram_new
}

impl Histogram {
    /// Counts a value. Ignores infinite values and NaN. Takes no lock and allocates nothing.
    #[inline]
    pub fn record(&self, value: f64) {
        let histogram = self.0.get();
        // SAFETY: the handle's own function, with the handle.
        unsafe { histogram.record.expect(ALL_THERE)(histogram, value) }
    }
}
