//! How long something takes, at random.
//!
//! Must not depend on: how a value is drawn.

use std::sync::Arc;
use std::time::Duration;

/// A distribution of times.
#[derive(Clone, Debug, PartialEq)]
pub enum Distribution {
    /// Always this time.
    Constant(Duration),
    /// Exponential, with this mean.
    Exponential {
        /// The mean.
        mean: Duration,
    },
    /// Log-normal, with this median, and this standard deviation of the logarithm.
    LogNormal {
        /// The median.
        median: Duration,
        /// The standard deviation of the natural logarithm.
        sigma: f64,
    },
    /// Either of two times.
    Bimodal {
        /// The time of most calls.
        fast: Duration,
        /// The time of the others.
        slow: Duration,
        /// The share of calls that take `slow`, from 0 to 1.
        share_of_slow: f64,
    },
    /// Equally likely between these two.
    Uniform {
        /// The least.
        least: Duration,
        /// The greatest.
        most: Duration,
    },
    /// One of these, each as likely. Not empty.
    Samples(Arc<[Duration]>),
}

impl Distribution {
    /// The mean.
    pub fn mean(&self) -> Duration {
        match self {
            Distribution::Constant(time) => *time,
            Distribution::Exponential { mean } => *mean,
            Distribution::LogNormal { median, sigma } => {
                median.mul_f64(libm::exp(sigma * sigma / 2.0))
            }
            Distribution::Bimodal { fast, slow, share_of_slow } => {
                fast.mul_f64(1.0 - share_of_slow) + slow.mul_f64(*share_of_slow)
            }
            Distribution::Uniform { least, most } => (*least + *most) / 2,
            Distribution::Samples(samples) => {
                samples.iter().sum::<Duration>() / samples.len().max(1) as u32
            }
        }
    }
}
