//! Random values of a simulation, the same for a seed on every machine.
//!
//! The functions of the system's mathematics library differ in the last bit from machine to
//! machine, so this uses the crate `libm` and not `f64`'s own `ln`, `exp` and `powf`.
//!
//! Must not depend on: what the values are used for.

use std::time::Duration;

use super::events::Time;
use crate::scenario::{Distribution, Keys};

/// One stream of random values. Each part of a simulation has its own, so that a change of one part
/// does not change the values of the others.
pub(super) struct Stream(fastrand::Rng);

impl Stream {
    /// The stream with this name and number, for this seed.
    pub(super) fn new(seed: u64, name: &str, number: u64) -> Stream {
        // FNV-1a, over all three.
        let mut hash = 0xcbf2_9ce4_8422_2325_u64;
        let bytes = seed.to_le_bytes().into_iter().chain(number.to_le_bytes()).chain(name.bytes());
        for byte in bytes {
            hash = (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
        }
        Stream(fastrand::Rng::with_seed(hash))
    }

    /// A number of 64 random bits.
    pub(super) fn bits(&mut self) -> u64 {
        self.0.u64(..)
    }

    /// A number from 0 to 1, 1 excluded.
    pub(super) fn share(&mut self) -> f64 {
        self.0.f64()
    }

    /// A number below `limit`, which is not 0.
    pub(super) fn below(&mut self, limit: usize) -> usize {
        self.0.usize(..limit)
    }

    /// Whether an event of this probability happens.
    pub(super) fn happens(&mut self, probability: f64) -> bool {
        probability > 0.0 && self.share() < probability
    }

    /// Puts the values into a random order.
    pub(super) fn shuffle<T>(&mut self, values: &mut [T]) {
        self.0.shuffle(values);
    }

    /// An exponential value of this mean.
    pub(super) fn exponential(&mut self, mean: f64) -> f64 {
        // 1 - share is above 0.
        -libm::log(1.0 - self.share()) * mean
    }

    /// A normal value of mean 0 and deviation 1 (Box and Muller).
    fn normal(&mut self) -> f64 {
        let radius = libm::sqrt(-2.0 * libm::log(1.0 - self.share()));
        radius * libm::cos(2.0 * std::f64::consts::PI * self.share())
    }

    /// A time of this distribution, times a factor.
    pub(super) fn time(&mut self, distribution: &Distribution, factor: f64) -> Time {
        let ns = match distribution {
            Distribution::Constant(time) if factor == 1.0 => return in_ns(*time),
            Distribution::Constant(time) => as_ns(*time),
            Distribution::Exponential { mean } => self.exponential(as_ns(*mean)),
            Distribution::LogNormal { median, sigma } => {
                as_ns(*median) * libm::exp(sigma * self.normal())
            }
            Distribution::Bimodal { fast, slow, share_of_slow } => {
                as_ns(if self.happens(*share_of_slow) { *slow } else { *fast })
            }
            Distribution::Uniform { least, most } => {
                let (least, most) = (as_ns(*least), as_ns(*most));
                least + (most - least) * self.share()
            }
            Distribution::Samples(samples) => as_ns(samples[self.below(samples.len())]),
        };
        (ns * factor) as Time
    }
}

/// As nanoseconds. Longer times than a simulation can have become the longest.
pub(super) fn in_ns(time: Duration) -> Time {
    Time::try_from(time.as_nanos()).unwrap_or(Time::MAX)
}

fn as_ns(time: Duration) -> f64 {
    // From 64 bits: the conversion of 128 bits is a slow function.
    in_ns(time) as f64
}

/// Draws keys by Zipf's law.
pub(super) struct KeyChooser {
    /// For each key, the probability of it and all before it.
    cumulated: Vec<f64>,
}

impl KeyChooser {
    pub(super) fn new(keys: &Keys) -> KeyChooser {
        let mut sum = 0.0;
        let mut cumulated = Vec::with_capacity(keys.count as usize);
        for rank in 1..=keys.count {
            sum += libm::pow(f64::from(rank), -keys.zipf);
            cumulated.push(sum);
        }
        cumulated.iter_mut().for_each(|upto| *upto /= sum);
        KeyChooser { cumulated }
    }

    pub(super) fn draw(&self, stream: &mut Stream) -> u32 {
        let share = stream.share();
        let key = self.cumulated.partition_point(|upto| *upto <= share);
        key.min(self.cumulated.len() - 1) as u32
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mean_of(distribution: &Distribution) -> f64 {
        let mut stream = Stream::new(1, "test", 0);
        let count = 200_000;
        let sum: f64 = (0..count).map(|_| stream.time(distribution, 2.0) as f64).sum();
        sum / f64::from(count) / 2.0
    }

    #[test]
    fn times_have_the_mean_of_their_distribution() {
        let ms = Duration::from_millis;
        for distribution in [
            Distribution::Constant(ms(10)),
            Distribution::Exponential { mean: ms(10) },
            Distribution::LogNormal { median: ms(10), sigma: 0.5 },
            Distribution::Bimodal { fast: ms(1), slow: ms(100), share_of_slow: 0.1 },
            Distribution::Uniform { least: ms(5), most: ms(25) },
            Distribution::Samples([ms(1), ms(2), ms(30)].into()),
        ] {
            let expected = distribution.mean().as_nanos() as f64;
            let ratio = mean_of(&distribution) / expected;
            assert!((0.99..1.01).contains(&ratio), "{distribution:?}: {ratio}");
        }
    }

    #[test]
    fn streams_of_other_names_numbers_and_seeds_differ() {
        let mut first = [
            Stream::new(1, "a", 0).bits(),
            Stream::new(2, "a", 0).bits(),
            Stream::new(1, "a", 1).bits(),
            Stream::new(1, "b", 0).bits(),
        ];
        first.sort_unstable();
        assert!(first.windows(2).all(|pair| pair[0] != pair[1]));
    }

    #[test]
    fn frequent_keys_are_as_frequent_as_zipf_says() {
        let chooser = KeyChooser::new(&Keys { header: "key".to_owned(), count: 3, zipf: 1.0 });
        let mut stream = Stream::new(1, "test", 0);
        let mut counts = [0.0; 3];
        (0..110_000).for_each(|_| counts[chooser.draw(&mut stream) as usize] += 1.0);
        // 1 : 1/2 : 1/3
        for (count, expected) in counts.into_iter().zip([60_000.0, 30_000.0, 20_000.0]) {
            assert!((count / expected - 1.0_f64).abs() < 0.03, "{counts:?}");
        }
    }
}
