//! What the children of one policy share: the policy's helper, and which child an endpoint or a
//! timer belongs to.
//!
//! Each policy numbers its own endpoints and timers. So the numbers that the parent's host uses are
//! others than those that a child knows.
//!
//! Must not depend on: how a child is switched.

use std::collections::BTreeMap;
use std::sync::{Arc, Weak};
use std::time::Duration;

use hashbrown::HashMap;

use crate::calls::Metrics;
use crate::endpoints::{Connectivity, EndpointDescriptor, EndpointId, Report};
use crate::policy::{Helper, Runner, TimerId};
use crate::sync::atomic::{AtomicBool, Ordering};
use crate::sync::{Handle, Mutex};

/// The number of a child's policy. Never used twice in a family.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct InstanceId(u64);

/// What the children of one policy share. Used in the host's work serializer, except for
/// [`Family::helper`].
pub(super) struct Family {
    /// The parent's.
    pub(super) helper: Arc<dyn Helper>,
    /// Set when a child has published something, until the parent was told.
    changed: AtomicBool,
    /// Never held while anything else is called.
    routes: Mutex<Routes>,
}

#[derive(Default)]
struct Routes {
    latest: u64,
    instances: BTreeMap<InstanceId, Instance>,
    /// By the numbers of the parent's host.
    endpoints: HashMap<EndpointId, Endpoint>,
    timers: HashMap<TimerId, (InstanceId, TimerId)>,
    /// What the parent has asked for itself.
    own_load_reports: Option<Duration>,
    /// What the parent's helper was asked for.
    load_reports: Option<Duration>,
}

impl Routes {
    fn count_failing(&mut self, owner: InstanceId, more: bool) {
        if let Some(instance) = self.instances.get_mut(&owner) {
            instance.failing = if more { instance.failing + 1 } else { instance.failing - 1 };
        }
    }

    /// An endpoint reports this.
    fn reported(&mut self, outer: EndpointId, report: &Report) {
        if let Some(endpoint) = self.endpoints.get_mut(&outer) {
            endpoint.connection = match report {
                Report::Ready(connection) => Some(connection.handle()),
                Report::Idle | Report::Connecting | Report::TransientFailure(_) => None,
            };
        }
        let failing = match report.state() {
            Connectivity::TransientFailure => true,
            Connectivity::Ready => false,
            Connectivity::Idle | Connectivity::Connecting => return,
        };
        let Some(endpoint) = self.endpoints.get_mut(&outer) else { return };
        if std::mem::replace(&mut endpoint.failing, failing) != failing {
            let owner = endpoint.owner;
            self.count_failing(owner, failing);
        }
    }
}

struct Instance {
    runner: Weak<Runner>,
    /// The number of its endpoints that are failing.
    failing: usize,
    /// The load reports that it has asked for.
    load_reports: Option<Duration>,
}

struct Endpoint {
    owner: InstanceId,
    /// The number that the owner knows.
    id: EndpointId,
    descriptor: Arc<EndpointDescriptor>,
    /// Whether it has failed, and was not READY since.
    failing: bool,
    /// Of its connection, in READY. Compared only.
    connection: Option<Handle>,
}

impl Family {
    pub(super) fn new(helper: Arc<dyn Helper>) -> Arc<Family> {
        Arc::new(Family { helper, changed: AtomicBool::new(false), routes: Mutex::default() })
    }

    /// A child has published something.
    pub(super) fn set_changed(&self) {
        // Relaxed, here and below: set and read in the host's work serializer.
        self.changed.store(true, Ordering::Relaxed);
    }

    /// Whether a child has published something since this was asked last.
    pub(super) fn take_changed(&self) -> bool {
        self.changed.load(Ordering::Relaxed) && self.changed.swap(false, Ordering::Relaxed)
    }

    /// A new policy of a child. Its runner follows.
    pub(super) fn join(&self) -> InstanceId {
        let mut routes = self.routes.lock();
        routes.latest += 1;
        let id = InstanceId(routes.latest);
        routes
            .instances
            .insert(id, Instance { runner: Weak::new(), failing: 0, load_reports: None });
        id
    }

    pub(super) fn set_runner(&self, id: InstanceId, runner: &Arc<Runner>) {
        if let Some(instance) = self.routes.lock().instances.get_mut(&id) {
            instance.runner = Arc::downgrade(runner);
        }
    }

    /// A child's policy was shut down.
    pub(super) fn leave(&self, id: InstanceId) {
        let timers: Vec<TimerId> = {
            let mut routes = self.routes.lock();
            routes.instances.remove(&id);
            routes.timers.extract_if(|_, (owner, _)| *owner == id).map(|(timer, _)| timer).collect()
        };
        timers.into_iter().for_each(|timer| self.helper.cancel_timer(timer));
        self.request_load_reports();
    }

    pub(super) fn add_endpoint(
        &self,
        outer: EndpointId,
        owner: InstanceId,
        id: EndpointId,
        descriptor: &Arc<EndpointDescriptor>,
    ) {
        let endpoint = Endpoint {
            owner,
            id,
            descriptor: Arc::clone(descriptor),
            failing: false,
            connection: None,
        };
        self.routes.lock().endpoints.insert(outer, endpoint);
    }

    pub(super) fn remove_endpoint(&self, outer: EndpointId) {
        let gone = {
            let mut routes = self.routes.lock();
            let gone = routes.endpoints.remove(&outer);
            if let Some(Endpoint { owner, failing: true, .. }) = &gone {
                routes.count_failing(*owner, false);
            }
            gone
        };
        drop(gone);
    }

    /// The description of an endpoint of the parent's host.
    pub(super) fn descriptor(&self, outer: EndpointId) -> Option<Arc<EndpointDescriptor>> {
        self.routes.lock().endpoints.get(&outer).map(|endpoint| Arc::clone(&endpoint.descriptor))
    }

    /// Starts a timer with this number of a child's policy.
    pub(super) fn start_timer(&self, owner: InstanceId, timer: TimerId, after: Duration) {
        let outer = self.helper.start_timer(after);
        if outer == TimerId::NONE {
            return;
        }
        self.routes.lock().timers.insert(outer, (owner, timer));
    }

    pub(super) fn cancel_timer(&self, owner: InstanceId, timer: TimerId) {
        let outer = {
            let mut routes = self.routes.lock();
            let found = routes.timers.iter().find(|(_, of)| **of == (owner, timer));
            let outer = found.map(|(outer, _)| *outer);
            routes.timers.retain(|_, of| *of != (owner, timer));
            outer
        };
        if let Some(outer) = outer {
            self.helper.cancel_timer(outer);
        }
    }

    /// A child's policy asks for load reports.
    pub(super) fn set_load_reports(&self, id: InstanceId, period: Option<Duration>) {
        if let Some(instance) = self.routes.lock().instances.get_mut(&id) {
            instance.load_reports = period;
        }
        self.request_load_reports();
    }

    /// The parent itself asks for load reports.
    pub(super) fn set_own_load_reports(&self, period: Option<Duration>) {
        self.routes.lock().own_load_reports = period;
        self.request_load_reports();
    }

    /// The indices of the READY endpoints in the host's list, by connection.
    pub(super) fn places(&self) -> Vec<(Handle, u32)> {
        let routes = self.routes.lock();
        let place = |endpoint: &Endpoint| endpoint.connection.zip(endpoint.descriptor.index.get());
        routes.endpoints.values().filter_map(place).collect()
    }

    /// Asks the host for the shortest period that anyone wants: it has one for all endpoints.
    fn request_load_reports(&self) {
        let shortest = {
            let mut routes = self.routes.lock();
            let wanted = routes.instances.values().map(|of| of.load_reports);
            let shortest = wanted.chain([routes.own_load_reports]).flatten().min();
            if shortest == routes.load_reports {
                return;
            }
            routes.load_reports = shortest;
            shortest
        };
        self.helper.request_load_reports(shortest);
    }

    /// The number of endpoints of a child's policy that have failed, and were not READY since.
    pub(super) fn failing(&self, id: InstanceId) -> usize {
        self.routes.lock().instances.get(&id).map_or(0, |instance| instance.failing)
    }

    /// Passes a report on to the owner of the endpoint. Returns `false` if there is none.
    pub(super) fn endpoint_report(&self, outer: EndpointId, report: Report) -> bool {
        self.routes.lock().reported(outer, &report);
        self.owner(outer).is_some_and(|(runner, id)| runner.endpoint_report(id, report))
    }

    /// Passes a load report on to the owner of the endpoint. Returns `false` if there is none.
    pub(super) fn load_report(&self, outer: EndpointId, metrics: &Metrics) -> bool {
        self.owner(outer).is_some_and(|(runner, id)| runner.load_report(id, metrics.clone()))
    }

    fn owner(&self, outer: EndpointId) -> Option<(Arc<Runner>, EndpointId)> {
        let routes = self.routes.lock();
        let endpoint = routes.endpoints.get(&outer)?;
        let instance = routes.instances.get(&endpoint.owner)?;
        Some((instance.runner.upgrade()?, endpoint.id))
    }

    /// Passes the end of a timer on. Returns `false` if no child has started it.
    pub(super) fn timer(&self, outer: TimerId) -> bool {
        let (runner, timer) = {
            let mut routes = self.routes.lock();
            let Some((owner, timer)) = routes.timers.remove(&outer) else { return false };
            (routes.instances.get(&owner).and_then(|of| of.runner.upgrade()), timer)
        };
        if let Some(runner) = runner {
            runner.timer(timer);
        }
        true
    }

    /// Calls each child's policy.
    pub(super) fn for_each(&self, call: impl Fn(&Runner)) {
        let routes = self.routes.lock();
        let runners: Vec<Arc<Runner>> =
            routes.instances.values().filter_map(|of| of.runner.upgrade()).collect();
        drop(routes);
        runners.iter().for_each(|runner| call(runner));
    }
}
