//! The control plane of `steer_ring_hash`: updates, reports, and connection requests.
//!
//! Must not depend on: how lists are compared, how a ring is built, how a backend is chosen.

use std::sync::Arc;

use super::config::RingHashConfig;
use super::endpoint_table::{EndpointTable, ListChange};
use super::picker::RingHashPicker;
use super::ring_update::updated_ring;
use super::states::ActiveState;
use super::stats::RingShares;
use crate::endpoints::{Connectivity, EndpointId, Report};
use crate::hashing::Ring;
use crate::policies::bounded_loads::BoundedLoads;
use crate::policies::passed_over::BackendsOfPlaces;
use crate::policy::{CallCounting, Config, FailPicker, Helper, Picker, Policy, Update};
use crate::stats::{Latest, StatsSource};
use crate::sync::Bits;
use crate::{Severity, Status};

/// The policy of one channel. Its methods run in the host's work serializer.
pub(super) struct RingHashPolicy {
    helper: Arc<dyn Helper>,
    /// `None` before the first update.
    config: Option<Arc<RingHashConfig>>,
    endpoints: EndpointTable,
    /// `None` while the list is empty.
    ring: Option<Arc<Ring>>,
    backends: BackendsOfPlaces,
    /// The places of IDLE endpoints that picks want connected. Shared with the pickers of this
    /// list.
    wanted: Arc<Bits>,
    loads: BoundedLoads<ActiveState>,
    /// Counts calls for the statistics.
    counting: CallCounting<ActiveState>,
    /// The shares of the backends, for the statistics.
    shares: Arc<Latest>,
    resolution_note: Arc<str>,
    last_failure: Status,
    /// The hash whose endpoint [`Policy::exit_idle`] connects. Random, so that many clients do not
    /// all connect to the same endpoint. `None` unless the channel has just been asked.
    first_hash: Option<u64>,
    /// The number of endpoints without an entry on the ring.
    missing: usize,
}

impl RingHashPolicy {
    pub(super) fn new(helper: Arc<dyn Helper>) -> RingHashPolicy {
        let (loads, shares) = (BoundedLoads::new(), Arc::<Latest>::default());
        let stats_sources = vec![loads.stats_source(), Arc::clone(&shares) as Arc<dyn StatsSource>];
        let counting = CallCounting::new(&*helper, stats_sources);
        RingHashPolicy {
            endpoints: EndpointTable::new(Arc::clone(&helper)),
            helper,
            config: None,
            ring: None,
            backends: BackendsOfPlaces::default(),
            wanted: Arc::default(),
            loads,
            counting,
            shares,
            resolution_note: Arc::from(""),
            last_failure: Status::OK,
            first_hash: None,
            missing: 0,
        }
    }

    /// Publishes the state of the channel and a picker. `cause` is the reason if an endpoint has
    /// just failed.
    fn publish(&mut self, cause: Option<Status>) {
        let mut failure = cause;
        loop {
            let state = self.publish_once(failure.as_ref());
            // Picks lead to connections. While nothing is READY there may be no picks, for example
            // because a policy around this one uses its other children. So the policy itself keeps
            // one attempt going (gRFC A42).
            let waiting =
                matches!(state, Connectivity::Connecting | Connectivity::TransientFailure);
            let states = self.endpoints.states();
            if !waiting || states.counts().in_state(Connectivity::Connecting) > 0 {
                return;
            }
            let first_idle = states.active().first_free();
            failure = first_idle.and_then(|place| self.endpoints.connect(place));
            if failure.is_none() {
                return;
            }
        }
    }

    fn publish_once(&mut self, cause: Option<&Status>) -> Connectivity {
        let states = self.endpoints.states();
        let (counts, active) = (states.counts(), states.active());
        let state = counts.aggregate();
        let (Some(config), Some(ring)) = (&self.config, &self.ring) else { return state };
        let failed = state == Connectivity::TransientFailure;
        if let Some(cause) = cause.filter(|_| failed) {
            let words = self.helper.words();
            let text = format!("no reachable {}s", words.endpoint());
            let message = words.with_cause(&text, "last error", cause);
            self.last_failure = Status::unavailable(message);
        }
        let bounded = config.balance_factor.map(|percent| self.loads.backends(percent, active));
        let counted = self
            .counting
            .for_picker(bounded.is_some(), active, |place| self.endpoints.descriptor(place));
        let mut picker: Box<dyn Picker> = Box::new(RingHashPicker {
            ring: Arc::clone(ring),
            backends: self.backends.clone(),
            states: active.clone(),
            config: Arc::clone(config),
            bounded,
            connecting: counts.in_state(Connectivity::Connecting) > 0,
            all_failed: counts.in_state(Connectivity::TransientFailure) == self.endpoints.len(),
            wanted: Arc::clone(&self.wanted),
            resolution_note: Arc::clone(&self.resolution_note),
            helper: Arc::clone(&self.helper),
        });
        if let Some(counted) = counted {
            picker = counted.wrap(picker);
        }
        let status = if failed { self.last_failure.clone() } else { Status::OK };
        self.helper.update_state(state, &status, picker);
        state
    }

    /// Publishes that there are no endpoints. Returns the status.
    fn publish_empty(&mut self, error: Option<&Status>) -> Status {
        let status = error.cloned().unwrap_or_else(|| {
            Status::unavailable(format!("empty address list: {}", self.resolution_note))
        });
        self.loads.none_ready();
        self.counting.none_ready();
        self.shares.clear();
        let picker = Box::new(FailPicker(status.clone()));
        self.helper.update_state(Connectivity::TransientFailure, &status, picker);
        status
    }

    /// Logs how many endpoints have no entry on the ring, when that number changes. gRPC leaves
    /// them out, too. A larger ring would not be that of clients of gRPC's own policy.
    fn log_missing(&mut self, ring: &Ring, config: &RingHashConfig) {
        let all = self.endpoints.len();
        let missing = ring.members_without_entry(all);
        if std::mem::replace(&mut self.missing, missing) == missing || missing == 0 {
            return;
        }
        let text = format!(
            "steer_ring_hash: {missing} of {all} backends get no calls, because the ring of {} \
             entries has none for them: set maxRingSize, which is {}, to several times the number \
             of backends",
            ring.len(),
            config.ring_sizes().1
        );
        self.helper.log(Severity::Error, &text);
    }

    /// Uses the ring for the list in use. `former` is the last ring, if its sizes are still right.
    fn update_ring(
        &mut self,
        former: Option<Arc<Ring>>,
        change: &ListChange,
        config: &RingHashConfig,
    ) {
        self.ring = match (former, change) {
            (Some(ring), ListChange::Same) => Some(ring),
            (former, change) => {
                let ring = updated_ring(former.as_deref(), &self.endpoints, change, config);
                self.log_missing(&ring, config);
                let ring = Arc::new(ring);
                let endpoints = self.endpoints.descriptors();
                self.shares.set(RingShares { endpoints, ring: Arc::clone(&ring) });
                Some(ring)
            }
        };
    }
}

impl Policy for RingHashPolicy {
    fn update(&mut self, update: &Update) -> Result<(), Status> {
        let config = Arc::clone(&update.config)
            .downcast::<RingHashConfig>()
            .map_err(|_| Status::internal("the config of an update is another policy's"))?;
        let (descriptors, error) = match &update.endpoints {
            Ok(descriptors) => (Arc::clone(descriptors), None),
            Err(error) if !self.endpoints.is_empty() => return Err(error.clone()),
            Err(error) => (Arc::default(), Some(error)),
        };
        self.resolution_note = Arc::from(&*update.resolution_note);
        let same_sizes =
            self.config.as_ref().is_some_and(|old| old.ring_sizes() == config.ring_sizes());
        // Without a ring nothing is published, while the old ring does not fit the new list.
        let former_ring = self.ring.take().filter(|_| same_sizes);
        let mut list = self.endpoints.update(&descriptors);
        let repeats = matches!(list.change, ListChange::Same);
        if !repeats {
            self.counting.forget(&list.forgotten);
            self.loads.forget(&list.forgotten);
            // The marks of the former list are of its places.
            self.wanted = Arc::new(Bits::new(self.endpoints.len()));
            for place in std::mem::take(&mut list.to_connect) {
                let _ = self.endpoints.connect(place);
            }
        }
        if self.endpoints.is_empty() {
            return Err(self.publish_empty(error));
        }
        self.update_ring(former_ring, &list.change, &config);
        let endpoints: Vec<_> = self.endpoints.iter().map(|(descriptor, _)| descriptor).collect();
        let weights = self.endpoints.iter().map(|(_, weight)| weight);
        self.loads.update_list(config.balance_factor, &endpoints, weights);
        if !repeats {
            self.backends = BackendsOfPlaces::new(endpoints.into_iter());
        }
        self.config = Some(config);
        // A new list may have only endpoints that failed before, or that the host has just refused.
        // In gRPC they tell their failures again, in the list's order, and the last one counts.
        let active = self.endpoints.states().active().iter().filter(|_| !repeats);
        let failures = active.filter_map(|(_, state)| match state {
            ActiveState::Failed(status) => Some(status),
            ActiveState::Ready(_) | ActiveState::Connecting => None,
        });
        let failure = failures.last().map(|status| Status::clone(status));
        self.publish(failure);
        Ok(())
    }

    fn endpoint_report(&mut self, endpoint: EndpointId, report: Report) -> bool {
        let Some(place) = self.endpoints.place_of(endpoint) else { return false };
        let state = report.state();
        // As in `endpoints/`: the resolver may know better, except at the first report.
        let lost = matches!(state, Connectivity::Idle | Connectivity::TransientFailure);
        if self.endpoints.note_report(place) && lost {
            self.helper.request_reresolution();
        }
        let former = self.endpoints.states().get(place);
        // Only READY ends a failure. An endpoint that failed tries again by itself (gRFC A42).
        if former == Connectivity::TransientFailure {
            if state == Connectivity::Idle {
                let _ = self.endpoints.connect(place);
            }
            if matches!(state, Connectivity::Idle | Connectivity::Connecting) {
                return true;
            }
        }
        let cause = match &report {
            Report::TransientFailure(status) => Some(status.clone()),
            _ => None,
        };
        if state != Connectivity::Idle {
            self.first_hash = None;
        }
        self.endpoints.set_state(place, ActiveState::from_report(report));
        if former != state || !matches!(state, Connectivity::Idle | Connectivity::Connecting) {
            self.publish(cause);
        }
        true
    }

    /// Connects the endpoint of a random hash if all are IDLE. In the other states an endpoint is
    /// READY, or an attempt goes on anyway. Without this, a channel that waits without calls
    /// (`GetState(true)`), and a parent policy that keeps its calls while this one is IDLE, would
    /// wait for ever.
    fn exit_idle(&mut self) {
        let Some(ring) = &self.ring else { return };
        if self.endpoints.states().counts().aggregate() != Connectivity::Idle {
            return;
        }
        // The same hash until an endpoint reports that it leaves IDLE. Several requests come before
        // that, and are to make one connection.
        let hash = *self.first_hash.get_or_insert_with(|| self.helper.random());
        let failure = self.endpoints.connect(ring.owner(ring.find(hash)));
        if failure.is_some() {
            self.first_hash = None;
            self.publish(failure);
        }
    }

    fn reset_backoff(&mut self) {
        self.endpoints.reset_backoff();
    }

    /// Connects the endpoints that picks want.
    fn woken(&mut self) {
        let mut failure = None;
        // The wake that led to this call came after the marks.
        for place in Arc::clone(&self.wanted).drain() {
            if self.endpoints.states().get(place) == Connectivity::Idle {
                failure = self.endpoints.connect(place).or(failure);
            }
        }
        if failure.is_some() {
            self.publish(failure);
        }
    }

    fn adopts(&self, config: &Config) -> bool {
        config.is::<RingHashConfig>()
    }
}
