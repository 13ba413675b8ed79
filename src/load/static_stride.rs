//! The static stride scheduler: which of several backends comes next, by their weights, without a
//! lock.
//!
//! The scheduler has a *place* for each backend. Each pass over the places is a *generation*. A
//! place with the greatest weight is taken in each generation, one with half of that in every other
//! generation, evenly spread. The scheduler never changes: callers keep their position in a
//! [`WeightedRotation`](crate::sync::WeightedRotation). So any number of threads can share one.
//!
//! Source: gRPC's `StaticStrideScheduler`, which gRFC A58 describes. For the same position, the
//! choices are the same, entry by entry. One difference is deliberate: if only one place has a
//! weight, gRPC's scheduler takes all places in turn. Here there is no scheduler then, and the
//! caller takes them in turn.
//!
//! Cost: two bytes for each place. Building: O(places). A choice passes over greatest weight / mean
//! weight places on average, with two multiplications for each. That is at most about 10, unless a
//! few places have most of the weight: the cap is ten times the mean before it caps any.
//!
//! Must not depend on: where weights come from, who keeps the position.

use std::sync::Arc;

/// The greatest weight after scaling: a weight takes two bytes, as in gRPC.
const MAX_WEIGHT: u16 = u16::MAX;

/// A weight counts as at most this many means, as in gRPC. It limits how many places a choice
/// passes over.
const MAX_RATIO: f64 = 10.0;

/// A weight counts as at least this share of the mean, as in gRPC. So no place is starved.
const MIN_RATIO: f64 = 0.01;

/// Shifts neighbouring places to different generations: half a generation, as in gRPC.
const OFFSET: u64 = MAX_WEIGHT as u64 / 2;

/// A scheduler of at least two places. Clones share the weights.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StaticStride {
    /// Scaled so that the greatest is [`MAX_WEIGHT`]. In one array, so that the cache holds many.
    weights: Arc<[u16]>,
}

impl StaticStride {
    /// A scheduler of places with these weights. An unknown weight is 0, or any other value that is
    /// not a finite number above 0. It counts as the mean of the others. Returns `None` if fewer
    /// than two are known: then the caller takes the places in turn.
    pub fn new(weights: &[f32]) -> Option<StaticStride> {
        StaticStride::of_some(weights, |_| true)
    }

    /// As [`new`](StaticStride::new), where only some places take part. The others have weights
    /// for the time when they do, on the scale of those that take part now, and at most the
    /// greatest of them.
    pub fn of_some(weights: &[f32], takes_part: impl Fn(usize) -> bool) -> Option<StaticStride> {
        let all = || weights.iter().copied().enumerate();
        let known = || {
            let known = all().filter(|(place, weight)| is_known(*weight) && takes_part(*place));
            known.map(|(_, weight)| weight)
        };
        let count = known().count();
        if count < 2 {
            return None;
        }
        // Single and double precision where gRPC has them. Otherwise a weight may be off by one.
        let mean = known().map(f64::from).sum::<f64>() / count as f64;
        let cap = StaticStride::cap(mean, known().fold(0.0, f32::max));
        let scale = f64::from(f32::from(MAX_WEIGHT) / cap);
        let scaled_mean = (scale * mean).round() as u16;
        let least = ((f64::from(scaled_mean) * MIN_RATIO).round() as u16).max(1);
        let scaled = |weight: f32| ((f64::from(weight.min(cap)) * scale).round() as u16).max(least);
        let weights = weights
            .iter()
            .map(|weight| if is_known(*weight) { scaled(*weight) } else { scaled_mean })
            .collect();
        Some(StaticStride { weights })
    }

    /// The weight that counts as the greatest, if the known weights have this mean and this
    /// greatest one.
    pub fn cap(mean: f64, greatest: f32) -> f32 {
        if f64::from(greatest) / mean > MAX_RATIO { (MAX_RATIO * mean) as f32 } else { greatest }
    }

    /// The number of places.
    #[inline(always)]
    pub fn places(&self) -> usize {
        self.weights.len()
    }

    /// Whether the place is taken in this generation, or passed over. A place with the greatest
    /// weight is taken in each generation.
    #[inline(always)]
    pub fn takes(&self, place: usize, generation: u32) -> bool {
        let weight = u64::from(self.weights[place]);
        let phase =
            (weight * u64::from(generation) + place as u64 * OFFSET) % u64::from(MAX_WEIGHT);
        phase >= u64::from(MAX_WEIGHT) - weight
    }

    /// The share of the choices that each place gets.
    pub fn shares(&self) -> impl Iterator<Item = f64> {
        let sum: u64 = self.weights.iter().copied().map(u64::from).sum();
        self.weights.iter().map(move |weight| f64::from(*weight) / sum as f64)
    }
}

/// Whether a weight is one. 0 means that there is none.
pub(super) fn is_known(weight: f32) -> bool {
    weight > 0.0 && weight.is_finite()
}

#[cfg(all(test, not(loom), not(miri)))]
mod tests;
