//! The states of endpoints, and the aggregate of them.
//!
//! Must not depend on: which endpoints there are.

use std::sync::Arc;

use crate::Status;
use crate::endpoints::{Connection, Connectivity, PersistentVec, Report};
use crate::policy::HasConnection;

/// The state of an endpoint that is not IDLE, with what a picker needs.
#[derive(Clone, Debug)]
pub(super) enum ActiveState {
    Ready(Connection),
    Connecting,
    Failed(Arc<Status>),
}

impl ActiveState {
    /// The state that an endpoint reports. `None`: IDLE.
    pub(super) fn from_report(report: Report) -> Option<ActiveState> {
        match report {
            Report::Idle => None,
            Report::Connecting => Some(ActiveState::Connecting),
            Report::Ready(connection) => Some(ActiveState::Ready(connection)),
            Report::TransientFailure(status) => Some(ActiveState::Failed(Arc::new(status))),
        }
    }

    fn connectivity(&self) -> Connectivity {
        match self {
            ActiveState::Ready(_) => Connectivity::Ready,
            ActiveState::Connecting => Connectivity::Connecting,
            ActiveState::Failed(_) => Connectivity::TransientFailure,
        }
    }
}

impl HasConnection for ActiveState {
    fn connection(&self) -> Option<&Connection> {
        match self {
            ActiveState::Ready(connection) => Some(connection),
            ActiveState::Connecting | ActiveState::Failed(_) => None,
        }
    }
}

/// The state of each endpoint, by its place in the list.
pub(super) struct States {
    /// The endpoints that are not IDLE. Pickers have clones of this.
    active: PersistentVec<ActiveState>,
    counts: StateCounts,
}

impl States {
    /// The states of a new list.
    pub(super) fn new(states: impl ExactSizeIterator<Item = Option<ActiveState>>) -> States {
        let (mut active, mut counts) = (PersistentVec::new(states.len()), StateCounts::default());
        for (place, state) in states.enumerate() {
            counts.add(connectivity(state.as_ref()));
            active.set(place, state);
        }
        States { active, counts }
    }

    /// The endpoints that are not IDLE, by their places.
    pub(super) fn active(&self) -> &PersistentVec<ActiveState> {
        &self.active
    }

    pub(super) fn counts(&self) -> &StateCounts {
        &self.counts
    }

    /// The state of the endpoint at this place.
    pub(super) fn get(&self, place: usize) -> Connectivity {
        connectivity(self.active.get(place))
    }

    /// Changes the state of the endpoint at this place. `None`: IDLE.
    pub(super) fn set(&mut self, place: usize, state: Option<ActiveState>) {
        self.counts.remove(self.get(place));
        self.counts.add(connectivity(state.as_ref()));
        self.active.set(place, state);
    }
}

fn connectivity(state: Option<&ActiveState>) -> Connectivity {
    state.map_or(Connectivity::Idle, ActiveState::connectivity)
}

/// The number of endpoints in each state.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct StateCounts([usize; 4]);

impl StateCounts {
    /// The number of endpoints in this state.
    pub(super) fn in_state(&self, state: Connectivity) -> usize {
        self.0[state as usize]
    }

    fn add(&mut self, state: Connectivity) {
        self.0[state as usize] += 1;
    }

    fn remove(&mut self, state: Connectivity) {
        self.0[state as usize] -= 1;
    }

    /// The state of the channel (gRFC A42, A61).
    pub(super) fn aggregate(&self) -> Connectivity {
        use Connectivity::*;
        let all: usize = self.0.iter().sum();
        if self.in_state(Ready) > 0 {
            Ready
        } else if self.in_state(TransientFailure) >= 2 {
            TransientFailure
        } else if self.in_state(Connecting) > 0 || (self.in_state(TransientFailure) == 1 && all > 1)
        {
            Connecting
        } else if self.in_state(Idle) > 0 {
            Idle
        } else {
            TransientFailure
        }
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::Connectivity::{Connecting, Idle, Ready, TransientFailure};
    use super::*;

    fn aggregate(states: &[Connectivity]) -> Connectivity {
        let mut counts = StateCounts::default();
        states.iter().for_each(|state| counts.add(*state));
        counts.aggregate()
    }

    #[test]
    fn the_aggregate_follows_the_rules_of_a42_in_order() {
        for (states, expected) in [
            (&[Ready, TransientFailure, TransientFailure][..], Ready),
            (&[TransientFailure, TransientFailure, Connecting], TransientFailure),
            (&[Connecting, TransientFailure, Idle], Connecting),
            (&[TransientFailure, Idle], Connecting),
            (&[Connecting, Idle], Connecting),
            (&[Idle, Idle], Idle),
            (&[TransientFailure], TransientFailure),
        ] {
            assert_eq!(aggregate(states), expected, "{states:?}");
        }
    }

    #[test]
    fn a_state_counts_once_however_often_it_is_set() {
        let mut states = States::new([None, Some(ActiveState::Connecting)].into_iter());
        states.set(0, Some(ActiveState::Connecting));
        states.set(0, Some(ActiveState::Connecting));
        assert_eq!(states.counts().in_state(Connecting), 2);
        states.set(1, None);
        assert_eq!((states.get(0), states.get(1)), (Connecting, Idle));
        assert_eq!(states.counts().0, [1, 1, 0, 0]);
    }
}
