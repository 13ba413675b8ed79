//! What a fault of a policy leads to, as its author chose, and when that ends.
//!
//! Must not know: what a fault is, how a policy is run.

use std::sync::Arc;
use std::time::Duration;

use super::leaf::{PickerFactory, Ready};
use super::round_robin::NoFields;
use super::{FailPicker, Helper, Picker};
use crate::Status;

/// What takes the place of a policy that broke.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum StandIn {
    /// Round robin over the same endpoints: calls go on.
    #[default]
    RoundRobin,
    /// A picker that fails every call: for policies whose choice must not be replaced by another
    /// one, such as isolation of tenants.
    Failing,
}

impl StandIn {
    /// As statistics name it.
    pub fn name(self) -> &'static str {
        match self {
            StandIn::RoundRobin => "round_robin",
            StandIn::Failing => "fail",
        }
    }
}

/// What a fault leads to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct OnFault {
    /// What takes the policy's place.
    pub stand_in: StandIn,
    /// So many faults of picks and calls a minute fail the calls that meet them, and no more. One
    /// more brings the stand-in. A fault of anything else leaves the policy half-way, and always
    /// brings it.
    pub per_minute: u32,
}

const MINUTE: Duration = Duration::from_secs(60);

/// A policy that broke may try again with a list that comes so much later. Longer than a burst of
/// updates, and shorter than the 30 s that gRPC's DNS resolver waits at least.
pub(super) const PAUSE: Duration = Duration::from_secs(10);

/// How many faults the minute has seen that began with the first of them.
#[derive(Default)]
pub(super) struct Spent {
    since: Duration,
    count: u32,
}

impl Spent {
    /// Whether one more fault is within the limit.
    pub(super) fn allows(&mut self, on_fault: OnFault, now: Duration) -> bool {
        if self.count == 0 || now.saturating_sub(self.since) >= MINUTE {
            *self = Spent { since: now, count: 0 };
        }
        self.count = self.count.saturating_add(1);
        self.count <= on_fault.per_minute || on_fault.per_minute == u32::MAX
    }
}

/// The picker factory of [`StandIn::Failing`]: connections stay, and calls fail with this.
pub(super) struct FailingPickers(pub(super) Status);

impl PickerFactory for FailingPickers {
    type Config = NoFields;

    fn build(
        &mut self,
        _config: &Arc<NoFields>,
        _ready: &Ready<'_>,
        _helper: &Arc<dyn Helper>,
    ) -> Box<dyn Picker> {
        Box::new(FailPicker(self.0.clone()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_minute_begins_with_its_first_fault() {
        let of = |per_minute| OnFault { stand_in: StandIn::RoundRobin, per_minute };
        let mut spent = Spent::default();
        let mut allows = |limit, second| spent.allows(of(limit), Duration::from_secs(second));
        assert!(allows(2, 100) && allows(2, 130) && !allows(2, 159));
        assert!(allows(2, 160) && allows(2, 160) && !allows(2, 219));
        assert!(!Spent::default().allows(of(0), MINUTE));
        let mut spent = Spent { since: MINUTE, count: u32::MAX };
        assert!(spent.allows(of(u32::MAX), MINUTE));
    }
}
