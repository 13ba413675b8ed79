//! `steer_custom_metric`: counters, gauges and histograms that a custom picker or policy shows in
//! the statistics.

use super::steer_str;

/// A counter, a gauge or a histogram of a custom picker or policy, which the statistics show. It
/// has a *series* for each combination of its labels' values: see `steer_api.counter_new`. The
/// engine copies the part that it keeps.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct steer_custom_metric {
    /// `sizeof(steer_custom_metric)`.
    pub struct_size: usize,
    /// The name: lower-case letters, digits and '_', at most 64, beginning with a letter. Name the
    /// unit ("wait_seconds"). Not ending in "_total", "_count", "_sum", "_bucket", "_created" or
    /// "_info", which the text for Prometheus adds.
    pub name: steer_str,
    /// What it measures, in one line for people. At most 200 bytes.
    pub help: steer_str,
    /// The names of its labels, as `name`. Not "channel", "policy", "child", "plugin" and "le".
    pub labels: *const steer_str,
    /// The number of labels: at most 8.
    pub label_count: usize,
    /// Of a histogram: the greatest value of each bucket, rising. NULL: from 0.005 to 10 in 11
    /// steps, for seconds.
    pub bounds: *const f64,
    /// The number of bounds: at most 64. There is one bucket more, for values above all of them.
    pub bound_count: usize,
    /// The most series at one time: at most 10,000. 0: 100.
    pub most_series: u32,
    /// 0.
    pub reserved: u32,
}

/// A series of a counter, made by `steer_api.counter_new`. It never goes back.
///
/// Valid until `release`, which its owner calls once, maybe after the channel has ended. Another
/// handle of the same series shares the value, which is forgotten with the last handle.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct steer_counter {
    /// `sizeof(steer_counter)`, as the engine knows it.
    pub struct_size: usize,
    /// `[any thread]`
    /// Adds a number. Takes no lock and allocates nothing, except when it is the thread's first
    /// such function: threads add on cache lines of their own.
    pub add: Option<unsafe extern "C" fn(counter: *const steer_counter, number: u64)>,
    /// `[any thread]`
    /// Gives the handle back.
    pub release: Option<unsafe extern "C" fn(counter: *mut steer_counter)>,
}

/// A series of a gauge, made by `steer_api.gauge_new`: a number that goes up and down. It lives as
/// a `steer_counter` does.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct steer_gauge {
    /// `sizeof(steer_gauge)`, as the engine knows it.
    pub struct_size: usize,
    /// `[any thread]`
    /// Sets the number. Takes no lock and allocates nothing.
    pub set: Option<unsafe extern "C" fn(gauge: *const steer_gauge, number: f64)>,
    /// `[any thread]`
    /// Adds to the number, which begins at 0. Takes no lock and allocates nothing.
    pub add: Option<unsafe extern "C" fn(gauge: *const steer_gauge, number: f64)>,
    /// `[any thread]`
    /// Gives the handle back.
    pub release: Option<unsafe extern "C" fn(gauge: *mut steer_gauge)>,
}

/// A series of a histogram, made by `steer_api.histogram_new`: how many values were in each bucket,
/// and their sum. It lives as a `steer_counter` does.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct steer_histogram {
    /// `sizeof(steer_histogram)`, as the engine knows it.
    pub struct_size: usize,
    /// `[any thread]`
    /// Counts a value. Ignores infinite values and NaN. Costs as `steer_counter.add`, and O(log
    /// bounds).
    pub record: Option<unsafe extern "C" fn(histogram: *const steer_histogram, value: f64)>,
    /// `[any thread]`
    /// Gives the handle back.
    pub release: Option<unsafe extern "C" fn(histogram: *mut steer_histogram)>,
}
