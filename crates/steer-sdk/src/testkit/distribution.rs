//! Where many calls went.
//!
//! Must not know: how they were picked.

use std::collections::BTreeMap;

use statrs::distribution::{ChiSquared, ContinuousCDF};

use super::Picked;

/// Where many calls went, and what became of those that went nowhere.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Distribution {
    backends: BTreeMap<String, u64>,
    queued: u64,
    failed: u64,
    dropped: u64,
}

impl Distribution {
    /// Counts one more.
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

    /// How many calls went to each backend that got any, by its first address.
    pub fn counts(&self) -> &BTreeMap<String, u64> {
        &self.backends
    }

    /// How many calls went to this backend.
    pub fn count(&self, backend: &str) -> u64 {
        self.backends.get(backend).copied().unwrap_or_default()
    }

    /// How many calls went to any backend.
    pub fn completed(&self) -> u64 {
        self.backends.values().sum()
    }

    /// The share of this backend, 0 to 1, among the calls that went to any.
    pub fn share(&self, backend: &str) -> f64 {
        match self.completed() {
            0 => 0.0,
            completed => self.count(backend) as f64 / completed as f64,
        }
    }

    /// How many calls wait.
    pub fn queued(&self) -> u64 {
        self.queued
    }

    /// How many calls failed.
    pub fn failed(&self) -> u64 {
        self.failed
    }

    /// How many calls were dropped.
    pub fn dropped(&self) -> u64 {
        self.dropped
    }

    /// Pearson's chi-square test: how probable it is to be as far from these weights as this is, or
    /// farther, for a picker that chooses by them, independently for each call. A test of a picker asks
    /// for more than 0.001, say. 0 when a call went to a backend without a weight.
    ///
    /// # Panics
    /// When there are less than two backends, or a weight is not above 0.
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
    fn chi_square_has_the_values_of_the_tables() {
        // Half of all fair dice and coins are farther off; 0.05 is at 3.841 for one degree of freedom.
        let fair = distribution(&[("a", 500), ("b", 500)]);
        assert_eq!(fair.chi_square(&[("a", 1.0), ("b", 1.0)]), 1.0);
        let off = distribution(&[("a", 531), ("b", 469)]);
        let probability = off.chi_square(&[("a", 1.0), ("b", 1.0)]);
        assert!((probability - 0.05).abs() < 0.001, "{probability}");
        assert!(off.chi_square(&[("a", 3.0), ("b", 1.0)]) < 1e-9);
        assert_eq!(off.chi_square(&[("a", 1.0), ("c", 1.0)]), 0.0);
    }
}
