//! The config of `steer_ring_hash`.
//!
//! Must not depend on: what the fields are used for.

use crate::policies::bounded_loads;
use crate::policies::request_hash::RequestHash;
use crate::policy::Fields;

/// The largest number of entries that a ring may have (gRFC A42).
const MAX_RING_SIZE: u64 = 8_388_608;

/// The default of `minRingSize` (gRFC A42).
const DEFAULT_MIN_RING_SIZE: u64 = 1024;

/// The default of `maxRingSize` (gRFC A42).
const DEFAULT_MAX_RING_SIZE: u64 = 4096;

/// The config.
pub(super) struct RingHashConfig {
    /// The number of entries that the ring has at least.
    pub(super) min_ring_size: u64,
    /// The number of entries that it has at most, to within one for each backend.
    pub(super) max_ring_size: u64,
    /// Where the hashes of calls come from.
    pub(super) request_hash: RequestHash,
    /// How many calls a backend may have, in percent of the mean. `None`: any number.
    pub(super) balance_factor: Option<u32>,
}

impl RingHashConfig {
    pub(super) fn parse(fields: &mut Fields<'_>) -> RingHashConfig {
        let config = RingHashConfig {
            min_ring_size: fields.number("minRingSize", DEFAULT_MIN_RING_SIZE),
            max_ring_size: fields.number("maxRingSize", DEFAULT_MAX_RING_SIZE),
            request_hash: RequestHash::parse(fields),
            balance_factor: bounded_loads::parse(fields),
        };
        let (min, max) = config.ring_sizes();
        let mut in_range = true;
        for (name, size) in [("minRingSize", min), ("maxRingSize", max)] {
            if !(1..=MAX_RING_SIZE).contains(&size) {
                fields.fault(name, format!("must be in the range [1, {MAX_RING_SIZE}]"));
                in_range = false;
            }
        }
        if in_range && min > max {
            fields.fault("maxRingSize", "must not be below minRingSize");
        }
        config
    }

    /// The least and the greatest size of the ring.
    pub(super) fn ring_sizes(&self) -> (u64, u64) {
        (self.min_ring_size, self.max_ring_size)
    }
}
