//! Random samples, for policies that compare a few backends.
//!
//! Cost: 64 random bits and a multiplication for each sample.
//!
//! Must not depend on: what is compared.

/// The largest number of samples of one pick that compares costs. More cost more than they improve
/// the choice (gRFC A48).
pub(crate) const MAX_SAMPLES: usize = 10;

/// The largest number of samples of any pick: the size of Prequal's pool.
pub(crate) const MAX_POOL: usize = 16;

/// Makes a number below `end` of 64 random bits. All numbers are equally likely, to within `end` /
/// 2⁶⁴.
///
/// Source: Lemire, "Fast Random Integer Generation in an Interval" (2019), without its rejection.
#[inline]
pub(crate) fn below(random: u64, end: usize) -> usize {
    ((u128::from(random) * end as u128) >> 64) as usize
}

/// Two distinct numbers below `end`, which is at least 2: what [`distinct`] visits for a `count` of
/// 2 if there are more numbers.
#[inline]
pub(crate) fn two(random: impl Fn() -> u64, end: usize) -> [usize; 2] {
    let first = below(random(), end);
    let second = below(random(), end - 1);
    [first, second + usize::from(second >= first)]
}

/// Visits `count` distinct numbers below `end`, in random order. Every set of them is equally
/// likely. If `count` is not below `end`, visits all numbers, beginning with a random one.
///
/// The samples are distinct, unlike those of gRFC A48. Of four backends, two samples with
/// replacement are the same one in a quarter of the picks, so that the slowest gets a sixteenth of
/// the calls however slow it is.
///
/// # Panics
/// If `count` is above [`MAX_POOL`] and below `end`.
#[inline]
pub(crate) fn distinct(
    random: impl Fn() -> u64,
    end: usize,
    count: usize,
    mut visit: impl FnMut(usize),
) {
    if end <= count {
        let first = if end > 1 { below(random(), end) } else { 0 };
        (first..end).chain(0..first).for_each(visit);
        return;
    }
    if count == 2 {
        // As below, without an array.
        two(random, end).into_iter().for_each(visit);
        return;
    }
    let mut taken = [0; MAX_POOL];
    for so_far in 0..count {
        // A number among those that are left. Each number taken before shifts those from it on by
        // one.
        let mut number = below(random(), end - so_far);
        let mut place = 0;
        while place < so_far && number >= taken[place] {
            number += 1;
            place += 1;
        }
        taken.copy_within(place..so_far, place + 1);
        taken[place] = number;
        visit(number);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Weak};
    use std::time::Duration;

    use super::*;
    use crate::endpoints::{Connectivity, Endpoint, EndpointDescriptor};
    use crate::policy::{Helper, Picker, TimerId};
    use crate::stats::{Clock, Registration};
    use crate::{Severity, Status};

    /// A helper that only has random numbers.
    struct RandomHelper(std::sync::Mutex<fastrand::Rng>);

    impl Helper for RandomHelper {
        fn create_endpoint(
            &self,
            _: &Arc<EndpointDescriptor>,
        ) -> Result<Box<dyn Endpoint>, Status> {
            unreachable!()
        }
        fn update_state(&self, _: Connectivity, _: &Status, _: Box<dyn Picker>) {}
        fn request_reresolution(&self) {}
        fn start_timer(&self, _: Duration) -> TimerId {
            TimerId::NONE
        }
        fn cancel_timer(&self, _: TimerId) {}
        fn register_child(&self, _: &str, _: &str, _: Weak<dyn Clock>) -> Registration {
            unreachable!()
        }
        fn request_load_reports(&self, _: Option<Duration>) {}
        fn load_reports_have_qps(&self) -> bool {
            true
        }
        fn wake(&self) -> bool {
            false
        }
        fn now(&self) -> Duration {
            Duration::ZERO
        }
        fn random(&self) -> u64 {
            self.0.lock().unwrap().u64(..)
        }
        fn log(&self, _: Severity, _: &str) {}
    }

    fn samples(helper: &RandomHelper, end: usize, count: usize) -> Vec<usize> {
        let mut samples = Vec::new();
        distinct(|| helper.random(), end, count, |sample| samples.push(sample));
        samples
    }

    #[test]
    fn samples_are_distinct_and_equally_likely() {
        let helper = RandomHelper(fastrand::Rng::with_seed(1).into());
        let (end, count, rounds) = (5, 3, if cfg!(miri) { 60 } else { 60_000 });
        let mut orders = std::collections::BTreeMap::new();
        for _ in 0..rounds {
            let samples = samples(&helper, end, count);
            assert_eq!(samples.len(), count);
            *orders.entry(samples).or_insert(0_u32) += 1;
        }
        for (order, times) in &orders {
            assert!(order.iter().all(|number| *number < end));
            assert!(order[0] != order[1] && order[1] != order[2] && order[0] != order[2]);
            // 1,000 of 60,000 each, ± 6 σ.
            assert!(cfg!(miri) || times.abs_diff(1000) < 190, "{order:?}: {times}");
        }
        assert!(cfg!(miri) || orders.len() == 60);
    }

    #[test]
    fn all_of_a_few_are_visited() {
        let helper = RandomHelper(fastrand::Rng::with_seed(1).into());
        for end in 1..=4 {
            let mut all = samples(&helper, end, 4);
            all.sort_unstable();
            assert_eq!(all, (0..end).collect::<Vec<_>>());
        }
        let firsts: std::collections::BTreeSet<_> =
            (0..100).map(|_| samples(&helper, 4, 10)[0]).collect();
        assert_eq!(firsts.len(), 4);
    }
}
