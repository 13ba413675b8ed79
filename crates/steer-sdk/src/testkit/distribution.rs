//! Counts where many calls went.
//!
//! Must not depend on: how they were picked.

use std::collections::BTreeMap;

use statrs::distribution::{ChiSquared, ContinuousCDF};

use super::Picked;

/// Counts of where many calls went, and of those that did not go to a backend.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Distribution {
    backends: BTreeMap<String, u64>,
    queued: u64,
    failed: u64,
    dropped: u64,
}

impl Distribution {
    /// Counts one more pick.
    pub fn add(&mut self, picked: &Picked) {
        match picked {
            Picked::Complete { backend, .. } | Picked::Tracked { backend, .. } => {
                *self.backends.entry(backend.clone()).or_default() += 1;
            }
            Picked::Queue => self.queued += 1,
            Picked::Fail(_) => self.failed += 1,
            Picked::Drop(_) => self.dropped += 1,
        }
    }

    /// Returns the number of calls of each backend that got any, by its first address.
    pub fn counts(&self) -> &BTreeMap<String, u64> {
        &self.backends
    }

    /// Returns the number of calls that went to this backend.
    pub fn count(&self, backend: &str) -> u64 {
        self.backends.get(backend).copied().unwrap_or_default()
    }

    /// Returns the number of calls that went to a backend.
    pub fn completed(&self) -> u64 {
        self.backends.values().sum()
    }

    /// Returns the share of this backend, 0 to 1, of the calls that went to a backend.
    pub fn share(&self, backend: &str) -> f64 {
        match self.completed() {
            0 => 0.0,
            completed => self.count(backend) as f64 / completed as f64,
        }
    }

    /// Returns the number of calls that wait.
    pub fn queued(&self) -> u64 {
        self.queued
    }

    /// Returns the number of calls that failed.
    pub fn failed(&self) -> u64 {
        self.failed
    }

    /// Returns the number of calls that were dropped.
    pub fn dropped(&self) -> u64 {
        self.dropped
    }

    /// Pearson's chi-square test against these weights.
    ///
    /// Returns the probability that a picker which chooses by these weights, independently for each
    /// call, deviates from them at least as much as these counts do. A test of a picker may require
    /// more than 0.001, for example. Returns 0 if a call went to a backend without a weight.
    ///
    /// # Panics
    /// If there are fewer than two backends, or if a weight is not above 0.
    pub fn chi_square(&self, weights: &[(&str, f64)]) -> f64 {
        assert!(weights.len() > 1, "one backend gets all calls");
        assert!(weights.iter().all(|(_, weight)| *weight > 0.0), "a weight is above 0");
        let total_weight: f64 = weights.iter().map(|(_, weight)| weight).sum();
        let total = self.completed() as f64;
        let known: u64 = weights.iter().map(|(backend, _)| self.count(backend)).sum();
        if known != self.completed() {
            return 0.0;
        }
        let statistic: f64 = weights
            .iter()
            .map(|(backend, weight)| {
                let expected = total * weight / total_weight;
                (self.count(backend) as f64 - expected).powi(2) / expected
            })
            .sum();
        let freedom = (weights.len() - 1) as f64;
        ChiSquared::new(freedom).map_or(0.0, |chi_squared| chi_squared.sf(statistic))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn distribution(counts: &[(&str, u64)]) -> Distribution {
        let backends = counts.iter().map(|(name, count)| ((*name).to_owned(), *count)).collect();
        Distribution { backends, ..Distribution::default() }
    }

    #[test]
    fn chi_square_matches_published_tables() {
        // With one degree of freedom, the probability 0.05 belongs to the statistic 3.841.
        let fair = distribution(&[("a", 500), ("b", 500)]);
        assert_eq!(fair.chi_square(&[("a", 1.0), ("b", 1.0)]), 1.0);
        let off = distribution(&[("a", 531), ("b", 469)]);
        let probability = off.chi_square(&[("a", 1.0), ("b", 1.0)]);
        assert!((probability - 0.05).abs() < 0.001, "{probability}");
        assert!(off.chi_square(&[("a", 3.0), ("b", 1.0)]) < 1e-9);
        assert_eq!(off.chi_square(&[("a", 1.0), ("c", 1.0)]), 0.0);
    }
}
