//! What a fault of a policy leads to, as its author chose.
//!
//! Must not depend on: what a fault is, how a policy is run.

use std::time::Duration;

/// What replaces a policy that failed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum FallbackMode {
    /// Round robin over the same endpoints: calls go on.
    #[default]
    RoundRobin,
    /// A picker that fails every call. For policies whose choice must not be replaced by another
    /// one, such as the isolation of tenants.
    Failing,
}

impl FallbackMode {
    /// The name in statistics.
    pub fn name(self) -> &'static str {
        match self {
            FallbackMode::RoundRobin => "round_robin",
            FallbackMode::Failing => "fail",
        }
    }
}

/// What a fault leads to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct OnFault {
    /// What replaces the policy.
    pub fallback: FallbackMode,
    /// The number of faults a minute, of picks and calls, that only fail the calls that meet them.
    /// One more leads to the fallback. A fault of any other hook leaves the policy in an unknown
    /// state, and always leads to the fallback.
    pub per_minute: u32,
}

/// The length of a period of [`OnFault::per_minute`].
const MINUTE: Duration = Duration::from_secs(60);

/// A policy that failed is tried again with a list that comes this much later or more. Longer than
/// a burst of updates, and shorter than the 30 s that gRPC's DNS resolver waits between two
/// answers.
pub(super) const RETRY_PAUSE: Duration = Duration::from_secs(10);

/// The faults of one minute. The minute begins with its first fault.
#[derive(Default)]
pub(super) struct FaultBudget {
    since: Duration,
    count: u32,
}

impl FaultBudget {
    /// Counts a fault. Returns whether it is within the limit.
    pub(super) fn allows(&mut self, on_fault: OnFault, now: Duration) -> bool {
        if self.count == 0 || now.saturating_sub(self.since) >= MINUTE {
            *self = FaultBudget { since: now, count: 0 };
        }
        self.count = self.count.saturating_add(1);
        self.count <= on_fault.per_minute || on_fault.per_minute == u32::MAX
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_minute_begins_with_its_first_fault() {
        let on_fault = |per_minute| OnFault { fallback: FallbackMode::RoundRobin, per_minute };
        let mut budget = FaultBudget::default();
        let mut allows =
            |limit, second| budget.allows(on_fault(limit), Duration::from_secs(second));
        assert!(allows(2, 100) && allows(2, 130) && !allows(2, 159));
        assert!(allows(2, 160) && allows(2, 160) && !allows(2, 219));
        assert!(!FaultBudget::default().allows(on_fault(0), MINUTE));
        let mut budget = FaultBudget { since: MINUTE, count: u32::MAX };
        assert!(budget.allows(on_fault(u32::MAX), MINUTE));
    }
}
