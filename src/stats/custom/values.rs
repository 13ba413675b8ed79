//! The values of custom metrics, which threads write without a lock.
//!
//! Must not depend on: names, labels.

use super::snapshot::CustomValue;
use crate::sync::Sharded;
use crate::sync::atomic::{AtomicU64, Ordering};

// Relaxed everywhere: the numbers are independent, and publish no other memory.

/// Adds to a floating-point number that is stored as its bits.
fn add_to(bits: &AtomicU64, number: f64) {
    let mut former = bits.load(Ordering::Relaxed);
    loop {
        let sum = (f64::from_bits(former) + number).to_bits();
        match bits.compare_exchange_weak(former, sum, Ordering::Relaxed, Ordering::Relaxed) {
            Ok(_) => return,
            Err(now) => former = now,
        }
    }
}

/// A number that only grows. Any thread, many at the same time.
#[derive(Debug)]
pub struct Counter(Sharded<AtomicU64>);

impl Counter {
    pub(super) fn new() -> Counter {
        Counter(Sharded::new(|| AtomicU64::new(0)))
    }

    /// Adds a number.
    #[inline]
    pub fn add(&self, number: u64) {
        self.0.mine().fetch_add(number, Ordering::Relaxed);
    }

    pub(super) fn value(&self) -> CustomValue {
        // It wraps around, as each shard does.
        let shards = self.0.iter().map(|shard| shard.load(Ordering::Relaxed));
        CustomValue::Count { value: shards.fold(0, u64::wrapping_add) }
    }
}

/// A number that goes up and down. Any thread, many at the same time.
#[derive(Debug)]
pub struct Gauge(AtomicU64);

impl Gauge {
    pub(super) fn new() -> Gauge {
        Gauge(AtomicU64::new(0.0_f64.to_bits()))
    }

    /// Sets the number.
    #[inline]
    pub fn set(&self, number: f64) {
        self.0.store(number.to_bits(), Ordering::Relaxed);
    }

    /// Adds to the number.
    #[inline]
    pub fn add(&self, number: f64) {
        add_to(&self.0, number);
    }

    pub(super) fn value(&self) -> CustomValue {
        CustomValue::Number { value: f64::from_bits(self.0.load(Ordering::Relaxed)) }
    }
}

/// Values by their size. Any thread, many at the same time.
#[derive(Debug)]
pub struct Histogram {
    bounds: Box<[f64]>,
    shards: Sharded<Buckets>,
}

#[derive(Debug)]
struct Buckets {
    /// One more than there are bounds.
    counts: Box<[AtomicU64]>,
    sum: AtomicU64,
}

impl Histogram {
    pub(super) fn new(bounds: &[f64]) -> Histogram {
        let buckets = || Buckets {
            counts: (0..=bounds.len()).map(|_| AtomicU64::new(0)).collect(),
            sum: AtomicU64::new(0.0_f64.to_bits()),
        };
        Histogram { bounds: bounds.into(), shards: Sharded::new(buckets) }
    }

    /// Counts a value. Ignores infinite values and NaN.
    #[inline]
    pub fn record(&self, value: f64) {
        if value.is_finite() {
            let bucket = self.bounds.partition_point(|bound| *bound < value);
            let mine = self.shards.mine();
            mine.counts[bucket].fetch_add(1, Ordering::Relaxed);
            add_to(&mine.sum, value);
        }
    }

    pub(super) fn value(&self) -> CustomValue {
        let mut counts = vec![0; self.bounds.len() + 1];
        let mut sum = 0.0;
        for shard in self.shards.iter() {
            for (all, one) in counts.iter_mut().zip(&shard.counts) {
                *all += one.load(Ordering::Relaxed);
            }
            sum += f64::from_bits(shard.sum.load(Ordering::Relaxed));
        }
        let mut count = 0;
        let mut cumulative = Vec::with_capacity(self.bounds.len());
        for (bound, one) in self.bounds.iter().zip(&counts) {
            count += one;
            cumulative.push((*bound, count));
        }
        count += counts[self.bounds.len()];
        CustomValue::Histogram { count, sum, cumulative }
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn a_bound_belongs_to_its_bucket() {
        let histogram = Histogram::new(&[1.0, 2.0]);
        for value in [-1.0, 1.0, 1.5, 2.0, 2.5, f64::NAN, f64::INFINITY] {
            histogram.record(value);
        }
        let cumulative = vec![(1.0, 2), (2.0, 4)];
        assert_eq!(histogram.value(), CustomValue::Histogram { count: 5, sum: 6.0, cumulative });
    }

    #[test]
    fn no_update_is_lost() {
        let (counter, gauge, histogram) = (Counter::new(), Gauge::new(), Histogram::new(&[1.0]));
        let times: u32 = if cfg!(miri) { 20 } else { 10_000 };
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for _ in 0..times {
                        counter.add(2);
                        gauge.add(0.5);
                        histogram.record(0.25);
                    }
                });
            }
        });
        let all = u64::from(4 * times);
        assert_eq!(counter.value(), CustomValue::Count { value: 2 * all });
        assert_eq!(gauge.value(), CustomValue::Number { value: 0.5 * all as f64 });
        let (sum, cumulative) = (0.25 * all as f64, vec![(1.0, all)]);
        assert_eq!(histogram.value(), CustomValue::Histogram { count: all, sum, cumulative });
        gauge.set(-1.5);
        assert_eq!(gauge.value(), CustomValue::Number { value: -1.5 });
    }
}
