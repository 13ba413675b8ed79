//! How long calls took: a histogram that many threads write to.
//!
//! The crate's buckets grow with the latency: there are 16 for each power of two. So a quantile is
//! off by at most 1 part in 16, and all buckets together take 3.2 KB.
//!
//! Cost at the end of a call: one atomic addition for its bucket, another one for the sum, and a
//! load for the longest.
//!
//! Must not depend on: whose calls they are.

use histogram::{AtomicHistogram, Histogram};
use serde::Serialize;

use crate::sync::Nanos;
use crate::sync::atomic::{AtomicU64, Ordering};

/// The number of buckets for each power of two, as a power of two: 16. See the error and the size
/// above.
const GROUPING_POWER: u8 = 4;

/// Latencies up to 2 to this power, in microseconds, have buckets: 4.5 minutes, which few calls
/// exceed.
const LONGEST_POWER: u8 = 28;

/// A latency in the last bucket, which also counts all longer ones.
const LAST_MICROS: u64 = (1 << LONGEST_POWER) - 1;

/// The bounds of [`LatencyStats::cumulative`], as powers of two, in microseconds: 128 µs to 67 s.
/// The histogram has buckets with these bounds, so the counts are exact.
const BOUNDS: std::ops::RangeInclusive<u32> = 7..=26;

/// The latencies of the calls to one backend. Any thread, many at the same time.
#[derive(Debug)]
pub struct Latency {
    /// In microseconds.
    buckets: AtomicHistogram,
    sum_nanos: AtomicU64,
    longest_nanos: AtomicU64,
}

impl Default for Latency {
    fn default() -> Self {
        let buckets = AtomicHistogram::new(GROUPING_POWER, LONGEST_POWER);
        Latency {
            buckets: buckets.expect("the powers are in range"),
            sum_nanos: AtomicU64::new(0),
            longest_nanos: AtomicU64::new(0),
        }
    }
}

impl Latency {
    /// Records the latency of a call.
    #[inline]
    pub fn record(&self, latency: Nanos) {
        let nanos = latency.get();
        // The only possible error is a value out of range, and this one is in range.
        let _ = self.buckets.increment((nanos / 1000).min(LAST_MICROS));
        // Relaxed: the numbers are independent.
        self.sum_nanos.fetch_add(nanos, Ordering::Relaxed);
        // Checked first: a new longest latency is rare, and a write to a shared line is expensive.
        if nanos > self.longest_nanos.load(Ordering::Relaxed) {
            self.longest_nanos.fetch_max(nanos, Ordering::Relaxed);
        }
    }

    /// The statistics of all recorded latencies. `None` if there are none.
    pub fn stats(&self) -> Option<LatencyStats> {
        let buckets = self.buckets.load();
        let count: u64 = buckets.as_slice().iter().sum();
        if count == 0 {
            return None;
        }
        // Relaxed: as above.
        let max = seconds(self.longest_nanos.load(Ordering::Relaxed));
        let quantile = |quantile: f64| {
            let bucket = buckets.quantile_bucket(quantile).ok().flatten();
            // The last bucket has no upper end.
            let bucket = bucket.filter(|bucket| bucket.end() < LAST_MICROS);
            // The upper end, so that a quantile is never too short. The end is inclusive, and a
            // bucket is at least 1 µs wide.
            bucket.map_or(max, |bucket| ((bucket.end() + 1) as f64 / 1e6).min(max))
        };
        Some(LatencyStats {
            count,
            sum: seconds(self.sum_nanos.load(Ordering::Relaxed)),
            p50: quantile(0.5),
            p90: quantile(0.9),
            p99: quantile(0.99),
            p999: quantile(0.999),
            max,
            cumulative: cumulative(&buckets),
        })
    }
}

fn seconds(nanos: u64) -> f64 {
    nanos as f64 / 1e9
}

/// How many calls took less than each bound.
fn cumulative(buckets: &Histogram) -> Vec<(f64, u64)> {
    let mut bounds = BOUNDS.map(|power| 1_u64 << power).peekable();
    let mut cumulative = Vec::with_capacity(BOUNDS.count());
    let mut below = 0;
    for bucket in buckets.iter() {
        while let Some(bound) = bounds.next_if(|bound| bucket.start() >= *bound) {
            cumulative.push((bound as f64 / 1e6, below));
        }
        below += bucket.count();
    }
    cumulative
}

/// How long calls took, in seconds.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct LatencyStats {
    /// The number of calls.
    pub count: u64,
    /// The sum of their latencies.
    pub sum: f64,
    /// Half of them took at most this long.
    pub p50: f64,
    /// 9 of 10 did.
    pub p90: f64,
    /// 99 of 100 did.
    pub p99: f64,
    /// 999 of 1,000 did.
    pub p999: f64,
    /// The longest.
    pub max: f64,
    /// The number of calls that took less than a number of seconds, for several bounds.
    #[serde(skip)]
    pub cumulative: Vec<(f64, u64)>,
}

#[cfg(all(test, not(miri)))]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn quantiles_are_at_most_a_sixteenth_too_long() {
        let latency = Latency::default();
        assert_eq!(latency.stats(), None);
        for millis in 1..=1000 {
            latency.record(Duration::from_millis(millis).into());
        }
        let stats = latency.stats().unwrap();
        assert_eq!((stats.count, stats.sum, stats.max), (1000, 500.5, 1.0));
        for (reported, exact) in
            [(stats.p50, 0.5), (stats.p90, 0.9), (stats.p99, 0.99), (stats.p999, 0.999)]
        {
            let limit = exact * (1.0 + 1.0 / 16.0);
            assert!(reported >= exact && reported <= limit, "{reported} for {exact}");
        }
    }

    #[test]
    fn quantiles_beyond_the_buckets_are_the_longest_latency() {
        let latency = Latency::default();
        latency.record(Duration::from_secs(1).into());
        // In the last bucket, which begins at 260 s, and beyond it.
        for seconds in [265, 300, 3600] {
            latency.record(Duration::from_secs(seconds).into());
        }
        let stats = latency.stats().unwrap();
        assert_eq!((stats.p50, stats.p90, stats.p99, stats.max), (3600.0, 3600.0, 3600.0, 3600.0));
        assert_eq!(stats.count, 4);
    }

    #[test]
    fn bounds_are_exact() {
        let latency = Latency::default();
        for micros in [0, 127, 128, 255, 256, 1_000_000, 1 << 26, u64::MAX] {
            latency.record(Duration::from_micros(micros).into());
        }
        let bounds = latency.stats().unwrap().cumulative;
        assert_eq!(bounds.len(), 20);
        assert_eq!(bounds[..3], [(0.000_128, 2), (0.000_256, 4), (0.000_512, 5)]);
        assert_eq!(bounds[12..14], [(0.524_288, 5), (1.048_576, 6)]);
        assert_eq!(bounds[19], (67.108_864, 6));
    }

    #[test]
    fn a_histogram_is_small() {
        let buckets = AtomicHistogram::new(GROUPING_POWER, LONGEST_POWER).unwrap().load();
        assert!(buckets.as_slice().len() * 8 + size_of::<Latency>() <= 4096);
    }
}

#[cfg(all(test, loom))]
mod model {
    use std::time::Duration;

    use loom::sync::Arc;

    use super::*;

    /// Two calls that end at the same time both count, and the longer one is the longest. The
    /// buckets belong to the crate, and are not modelled.
    #[test]
    fn no_call_is_lost() {
        loom::model(|| {
            let latency = Arc::new(Latency::default());
            let other = {
                let latency = latency.clone();
                loom::thread::spawn(move || latency.record(Duration::from_millis(2).into()))
            };
            latency.record(Duration::from_millis(1).into());
            other.join().unwrap();
            let stats = latency.stats().unwrap();
            assert_eq!((stats.count, stats.sum, stats.max), (2, 0.003, 0.002));
        });
    }
}
