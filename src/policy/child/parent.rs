//! A policy with children: what its author writes, and what passes events on.
//!
//! Must not depend on: what a parent decides.

use std::sync::Arc;
use std::time::Duration;

use super::child::Child;
use super::config::ChildConfig;
use super::family::Family;
use super::published::Published;
use crate::Status;
use crate::calls::{Call, Metrics, Wants};
use crate::endpoints::{Connectivity, EndpointDescriptor, EndpointId, Report};
use crate::policy::{
    ConnectionRotation, GuardedPicker, Helper, Pick, Picker, Policy, PolicyFactory, QueuePicker,
    TimerId, Update,
};
use crate::sync::Handle;

/// The children of one policy, as its [`Parent`] sees them. Clones are the same family.
#[derive(Clone)]
pub struct Children {
    family: Arc<Family>,
    round_robin: Arc<dyn PolicyFactory>,
}

impl Children {
    /// No children yet. `helper` is the parent's. A child that fails is replaced by a policy of
    /// `round_robin`, whose config is [`NoFields`](crate::policy::NoFields).
    pub fn new(helper: Arc<dyn Helper>, round_robin: Arc<dyn PolicyFactory>) -> Children {
        Children { family: Family::new(helper), round_robin }
    }

    /// A new child. People read `name` in the statistics.
    pub fn child(&self, name: &str) -> Child {
        Child::new(Arc::clone(&self.family), name, Arc::clone(&self.round_robin))
    }

    /// The parent's helper.
    pub fn helper(&self) -> &Arc<dyn Helper> {
        &self.family.helper
    }

    /// Makes the parent publish after the current event, although no child has published anything.
    pub fn set_changed(&self) {
        self.family.set_changed();
    }

    /// The description of an endpoint. `None` if there is no such endpoint (any more).
    pub fn descriptor(&self, endpoint: EndpointId) -> Option<Arc<EndpointDescriptor>> {
        self.family.descriptor(endpoint)
    }

    /// Whether a child has published something since this was asked last.
    pub fn take_changed(&self) -> bool {
        self.family.take_changed()
    }

    /// Passes a report on to the child whose endpoint it is. `false`: it is no child's.
    pub fn endpoint_report(&self, endpoint: EndpointId, report: Report) -> bool {
        self.family.endpoint_report(endpoint, report)
    }

    /// Passes a load report on, as [`Children::endpoint_report`].
    pub fn load_report(&self, endpoint: EndpointId, metrics: &Metrics) -> bool {
        self.family.load_report(endpoint, metrics)
    }

    /// Passes the end of a timer on to the child that has started it. `false`: no child has.
    pub fn timer(&self, timer: TimerId) -> bool {
        self.family.timer(timer)
    }

    /// Has all children leave IDLE.
    pub fn exit_idle(&self) {
        self.family.for_each(|runner| runner.exit_idle());
    }

    /// Has all children forget the backoff of their endpoints.
    pub fn reset_backoff(&self) {
        self.family.for_each(|runner| runner.reset_backoff());
    }

    /// Has all children do what they were woken for.
    pub fn woken(&self) {
        self.family.for_each(|runner| runner.run());
    }

    /// Requests load reports for the parent itself: see [`Helper::request_load_reports`]. The
    /// shortest period of the parent's and its children's counts.
    pub fn request_load_reports(&self, period: Option<Duration>) {
        self.family.set_own_load_reports(period);
    }

    /// The indices of the READY endpoints of the children in the host's list, by connection.
    pub fn places(&self) -> Vec<(Handle, u32)> {
        self.family.places()
    }

    /// Publishes for the parent what a child has published.
    pub fn publish_as_is(&self, published: Published) {
        let Published { state, status, picker } = published;
        self.helper().update_state(state, &status, Box::new(SharedPicker(picker)));
    }

    /// Publishes CONNECTING for the parent: calls wait.
    pub fn publish_connecting(&self) {
        self.helper().update_state(Connectivity::Connecting, &Status::OK, Box::new(QueuePicker));
    }
}

/// The config of a policy with children.
pub struct ParentConfig<C> {
    /// Its own fields.
    pub own: C,
    /// Its field `childPolicy`.
    pub child: ChildConfig,
}

/// What the author of a policy with children writes. Its methods run in the host's work serializer,
/// one at a time.
pub trait Parent: Send {
    /// Its own fields of a config, parsed.
    type Config: Send + Sync + 'static;

    /// Takes an update of the resolver, and gives each child its part.
    fn update(
        &mut self,
        config: &Arc<ParentConfig<Self::Config>>,
        update: &Update,
    ) -> Result<(), Status>;

    /// Publishes the policy's state and picker. Called after an event in which a child has
    /// published something.
    fn publish(&mut self);

    /// Notes a report that is about to go to the child whose endpoint it is.
    fn reported(
        &mut self,
        _endpoint: EndpointId,
        _descriptor: &Arc<EndpointDescriptor>,
        _report: &Report,
    ) {
    }

    /// Handles the end of a timer that the policy itself has started.
    fn timer(&mut self, _timer: TimerId) {}
}

/// The policy of a [`Parent`]: passes each event on to the child that it belongs to.
pub struct ParentPolicy<P> {
    children: Children,
    parent: P,
}

impl<P: Parent> ParentPolicy<P> {
    /// The policy of this parent. `children` is the family that the parent's children are of.
    pub fn new(children: Children, parent: P) -> ParentPolicy<P> {
        ParentPolicy { children, parent }
    }

    fn publish(&mut self) {
        // A parent may make another child meanwhile.
        while self.children.family.take_changed() {
            self.parent.publish();
        }
    }
}

impl<P: Parent> Policy for ParentPolicy<P> {
    fn update(&mut self, update: &Update) -> Result<(), Status> {
        let config = Arc::clone(&update.config)
            .downcast::<ParentConfig<P::Config>>()
            .map_err(|_| Status::internal("the config of an update is another policy's"))?;
        let accepted = self.parent.update(&config, update);
        self.publish();
        accepted
    }

    fn endpoint_report(&mut self, endpoint: EndpointId, report: Report) -> bool {
        let Some(descriptor) = self.children.descriptor(endpoint) else { return false };
        self.parent.reported(endpoint, &descriptor, &report);
        let known = self.children.family.endpoint_report(endpoint, report);
        self.publish();
        known
    }

    fn exit_idle(&mut self) {
        self.children.exit_idle();
        self.publish();
    }

    fn reset_backoff(&mut self) {
        self.children.reset_backoff();
        self.publish();
    }

    fn timer(&mut self, timer: TimerId) {
        if !self.children.family.timer(timer) {
            self.parent.timer(timer);
        }
        self.publish();
    }

    fn woken(&mut self) {
        self.children.woken();
        self.publish();
    }

    fn load_report(&mut self, endpoint: EndpointId, metrics: &Metrics) -> bool {
        let known = self.children.family.load_report(endpoint, metrics);
        self.publish();
        known
    }
}

/// A child's picker, as the parent's.
struct SharedPicker(Arc<GuardedPicker>);

impl Picker for SharedPicker {
    fn pick<'a>(&'a self, call: &Call<'_>) -> Pick<'a> {
        self.0.pick(call)
    }

    fn wants(&self) -> Wants {
        self.0.wants().clone()
    }

    fn rotation(&self) -> Option<ConnectionRotation> {
        self.0.rotation().cloned()
    }
}
