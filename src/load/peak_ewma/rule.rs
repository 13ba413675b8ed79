//! The parameters of an estimate.
//!
//! Must not depend on: estimates, calls.

use std::time::Duration;

use crate::load::success_rate::FailureCodes;
use crate::sync::atomic::{AtomicU32, AtomicU64, Ordering};

/// The parameters that the estimates of all backends of a policy share.
///
/// Made by a policy. A new config may change it at any time; calls that end on other threads read
/// it. Ends with the last estimate.
#[derive(Debug)]
pub struct EwmaRule {
    /// Both are the bits of f64s, in nanoseconds.
    decay_time: AtomicU64,
    default_rtt: AtomicU64,
    failure_codes: AtomicU32,
}

impl EwmaRule {
    /// Estimates begin at `default_rtt`, and fall to 1/e in `decay_time`.
    pub fn new(decay_time: Duration, default_rtt: Duration, codes: FailureCodes) -> EwmaRule {
        let bits = |time| AtomicU64::new(bits(time));
        EwmaRule {
            decay_time: bits(decay_time),
            default_rtt: bits(default_rtt),
            failure_codes: AtomicU32::new(codes.bits()),
        }
    }

    /// Changes all parameters. See [`EwmaRule::new`].
    pub fn set(&self, decay_time: Duration, default_rtt: Duration, codes: FailureCodes) {
        // Relaxed, here and below: the numbers are independent.
        self.decay_time.store(bits(decay_time), Ordering::Relaxed);
        self.default_rtt.store(bits(default_rtt), Ordering::Relaxed);
        self.failure_codes.store(codes.bits(), Ordering::Relaxed);
    }

    pub(super) fn decay_time(&self) -> f64 {
        f64::from_bits(self.decay_time.load(Ordering::Relaxed))
    }

    pub(super) fn default_rtt(&self) -> f64 {
        f64::from_bits(self.default_rtt.load(Ordering::Relaxed))
    }

    pub(super) fn failure_codes(&self) -> FailureCodes {
        FailureCodes::from_bits(self.failure_codes.load(Ordering::Relaxed))
    }
}

/// The bits of the time as an f64, in nanoseconds.
fn bits(time: Duration) -> u64 {
    (time.as_secs_f64() * 1e9).to_bits()
}
