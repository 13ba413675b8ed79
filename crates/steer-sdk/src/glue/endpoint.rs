//! Endpoints of a policy, and the helper by which a policy uses them.

use std::collections::BTreeSet;
use std::fmt;
use std::marker::PhantomData;
use std::ops::Deref;
use std::ptr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::backend::KeptBackend;
use super::channel::nanoseconds;
use super::engine::status_parts;
use super::picks::Made;
use super::{Backend, Backends, Channel, Child, ChildId, TimerId};
use crate::abi::{steer_child_config, steer_child_update, steer_publication, steer_wants};
use crate::{Picker, State, Status};

/// Identifies an endpoint. Never reused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct EndpointId(pub(super) u64);

/// An endpoint of a policy: one backend, to which there may be a connection.
///
/// Dropping it drops the connection, except that pickers which use the connection keep it. An
/// endpoint may be dropped on any thread. Outside the policy's own methods, the drop takes effect
/// when the next such method is called.
#[must_use = "dropping an endpoint drops its connection"]
pub struct Endpoint {
    id: EndpointId,
    backend: KeptBackend,
    dropped: Dropped,
}

impl Endpoint {
    /// Returns the identifier that [`Policy::endpoint_report`](crate::Policy::endpoint_report)
    /// uses.
    pub fn id(&self) -> EndpointId {
        self.id
    }

    /// Returns the backend, as the update described it for which the endpoint was made, with its
    /// index in that update.
    pub fn backend(&self) -> &Backend {
        self.backend.get()
    }
}

impl Drop for Endpoint {
    fn drop(&mut self) {
        self.dropped.add(self.id);
    }
}

impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Endpoint").field(&self.id).field(self.backend()).finish()
    }
}

/// Endpoints and children that were dropped, and that the engine has not freed yet. They may be
/// dropped anywhere, but the engine may be told only within the policy's own serialised hooks.
#[derive(Clone, Default)]
pub(super) struct Dropped(Arc<Mutex<(BTreeSet<EndpointId>, BTreeSet<ChildId>)>>);

impl Dropped {
    fn add(&self, id: EndpointId) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).0.insert(id);
    }

    pub(super) fn add_child(&self, id: ChildId) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).1.insert(id);
    }

    /// Frees these in the engine.
    ///
    /// # Safety
    /// Called within a serialised hook of the policy of `channel`.
    pub(super) unsafe fn tell(&self, channel: &Channel) {
        let (endpoints, children) = {
            let mut dropped = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            std::mem::take(&mut *dropped)
        };
        for id in endpoints {
            // SAFETY: the caller's contract.
            unsafe { channel.engine().endpoint_free(id.0) };
        }
        for id in children {
            // SAFETY: the caller's contract.
            unsafe { channel.engine().child_free(id.0) };
        }
    }
}

/// The functions that a policy may call in its methods. `P` is the type of the pickers that it
/// publishes. Dereferences to [`Channel`].
pub struct PolicyHelper<'a, P> {
    channel: &'a Channel,
    latest: &'a Backends,
    child_policy: *const steer_child_config,
    dropped: &'a Dropped,
    publishes: PhantomData<fn(P)>,
    not_send: PhantomData<*const ()>,
}

impl<'a, P: Picker> PolicyHelper<'a, P> {
    /// # Safety
    /// The result is used only within a serialised hook of the policy of this channel. The policy's
    /// table takes pickers of the type `Made<P>`. `child_policy` is NULL or valid as long.
    pub(super) unsafe fn new(
        channel: &'a Channel,
        latest: &'a Backends,
        child_policy: *const steer_child_config,
        dropped: &'a Dropped,
    ) -> PolicyHelper<'a, P> {
        let (publishes, not_send) = (PhantomData, PhantomData);
        PolicyHelper { channel, latest, child_policy, dropped, publishes, not_send }
    }

    /// Returns the endpoints of the latest update; empty if the resolver failed.
    pub fn latest(&self) -> &'a Backends {
        self.latest
    }

    /// Makes an endpoint for the backend at this index of the latest update. The endpoint reports
    /// its state soon after, and connects only when [`PolicyHelper::connect`] asks for it. `None`
    /// if there is no such index, or if gRPC cannot make the endpoint.
    pub fn new_endpoint(&self, index: usize) -> Option<Endpoint> {
        let backend = self.latest.one(index)?;
        // SAFETY: within a serialised hook of a policy.
        let number = unsafe { self.channel.engine().endpoint_new(index) };
        (number != 0).then(|| Endpoint {
            id: EndpointId(number),
            backend,
            dropped: self.dropped.clone(),
        })
    }

    /// Returns whether [`PolicyHelper::new_endpoint`] would make an identical endpoint for this
    /// index of the latest update. Then the policy can keep the endpoint.
    pub fn endpoint_matches(&self, endpoint: &Endpoint, index: usize) -> bool {
        // SAFETY: within a serialised hook of a policy.
        unsafe { self.channel.engine().endpoint_matches(endpoint.id.0, index) }
    }

    /// Asks for a connection. Does nothing if there is one or one is being made.
    pub fn connect(&self, endpoint: &Endpoint) {
        // SAFETY: within a serialised hook of a policy.
        unsafe { self.channel.engine().endpoint_connect(endpoint.id.0) }
    }

    /// Resets the endpoint's connection backoff.
    pub fn reset_backoff(&self, endpoint: &Endpoint) {
        // SAFETY: within a serialised hook of a policy.
        unsafe { self.channel.engine().endpoint_reset_backoff(endpoint.id.0) }
    }

    /// Publishes a state without a picker: calls wait, or fail with `status` in TRANSIENT_FAILURE.
    pub fn publish(&self, state: State, status: &Status) {
        let (code, message) = status_parts(status);
        self.publish_raw(&steer_publication {
            struct_size: size_of::<steer_publication>(),
            state: state_number(state),
            code,
            message,
            picker: ptr::null_mut(),
            endpoints: ptr::null(),
            endpoint_count: 0,
            wants: ptr::null(),
            children: ptr::null(),
            child_count: 0,
        });
    }

    /// Publishes a state, and a picker that chooses among the backends of these endpoints for all
    /// calls from now on. `build` makes the picker.
    ///
    /// # Panics
    /// If one of the endpoints is not READY. The panic is a fault of the policy.
    pub fn publish_picker<'e>(
        &self,
        state: State,
        endpoints: impl IntoIterator<Item = &'e Endpoint>,
        build: impl FnOnce(Backends) -> P,
    ) {
        let endpoints: Vec<&Endpoint> = endpoints.into_iter().collect();
        let numbers: Vec<u64> = endpoints.iter().map(|endpoint| endpoint.id.0).collect();
        let backends = Backends::of(endpoints.iter().map(|endpoint| &endpoint.backend));
        self.publish_made(state_number(state), &numbers, &[], build(backends));
    }

    fn publish_made(&self, state: i32, numbers: &[u64], children: &[u64], picker: P) {
        let made = Box::new(Made::new(picker));
        let mut wants = steer_wants {
            struct_size: size_of::<steer_wants>(),
            bits: 0,
            headers: ptr::null(),
            header_count: 0,
        };
        made.fill_wants(&mut wants);
        let (code, message) = status_parts(&Status::OK);
        self.publish_raw(&steer_publication {
            struct_size: size_of::<steer_publication>(),
            state,
            code,
            message,
            picker: Box::into_raw(made).cast(),
            endpoints: numbers.as_ptr(),
            endpoint_count: numbers.len(),
            wants: &wants,
            children: children.as_ptr(),
            child_count: children.len(),
        });
    }

    /// Makes a child: another policy, which is run as the policy of a channel is, with its own
    /// fallback. People read `name` in the statistics.
    ///
    /// # Panics
    /// Unless the factory has [`PolicyFactory::TAKES_CHILD`](crate::PolicyFactory::TAKES_CHILD).
    /// The panic is a fault of the policy.
    pub fn new_child(&self, name: &str) -> Child {
        assert!(!self.child_policy.is_null(), "the factory has no TAKES_CHILD, or no update came");
        // SAFETY: within a serialised hook of a policy.
        let number = unsafe { self.channel.engine().child_new(name) };
        Child::new(ChildId(number), self.dropped.clone())
    }

    /// Gives a child the policy of the config's field `childPolicy`, and all endpoints of the
    /// latest update. Within [`Policy::update`](crate::Policy::update), a resolver's error goes to
    /// the child, too. `Err` if the child does not accept the update:
    /// [`Policy::update`](crate::Policy::update) may return that.
    pub fn update_child(&self, child: &Child) -> Result<(), Status> {
        self.update_child_raw(child, ptr::null(), 0, ptr::null())
    }

    /// As [`PolicyHelper::update_child`], with a part of the endpoints: their indices in the latest
    /// update, in the child's order, with other weights or (`None`) their own.
    pub fn update_child_with(
        &self,
        child: &Child,
        part: impl IntoIterator<Item = (usize, Option<u32>)>,
    ) -> Result<(), Status> {
        let weight = |(index, weight): (usize, Option<u32>)| {
            let own = self.latest.get(index).and_then(|backend| backend.weight());
            (index, weight.or(own).unwrap_or(0))
        };
        let (indices, weights): (Vec<_>, Vec<_>) = part.into_iter().map(weight).unzip();
        self.update_child_raw(child, indices.as_ptr(), indices.len(), weights.as_ptr())
    }

    fn update_child_raw(
        &self,
        child: &Child,
        endpoints: *const usize,
        endpoint_count: usize,
        weights: *const u32,
    ) -> Result<(), Status> {
        let update = steer_child_update {
            struct_size: size_of::<steer_child_update>(),
            config: self.child_policy,
            endpoints,
            endpoint_count,
            weights,
        };
        // SAFETY: within a serialised hook of a policy. The caller's arrays are valid, and so is
        // the config, by the contract of `PolicyHelper::new`.
        unsafe { self.channel.engine().child_update(child.id().0, &update) }
    }

    /// Returns the state that a child has published; `None` before that.
    pub fn child_state(&self, child: ChildId) -> Option<State> {
        // SAFETY: within a serialised hook of a policy.
        State::from_number(unsafe { self.channel.engine().child_state(child.0) })
    }

    /// Publishes what a child has published, unchanged. Does nothing before that.
    pub fn publish_child(&self, child: ChildId) {
        // SAFETY: within a serialised hook of a policy.
        let _ = unsafe { self.channel.engine().child_publish(child.0) };
    }

    /// Publishes the state of the first of these children, and a picker that may leave calls to
    /// them by [`Pick::child`](crate::Pick::child), with their indices here.
    ///
    /// # Panics
    /// If one of them has published nothing yet. The panic is a fault of the policy.
    pub fn publish_children(&self, children: impl IntoIterator<Item = ChildId>, picker: P) {
        const STATE_OF_FIRST: i32 = -1;
        let children: Vec<u64> = children.into_iter().map(|child| child.0).collect();
        self.publish_made(STATE_OF_FIRST, &[], &children, picker);
    }

    fn publish_raw(&self, publication: &steer_publication) {
        // SAFETY: within a serialised hook of a policy. The picker has the type that its table
        // takes, by the contract of `PolicyHelper::new`. The publication's pointers are valid
        // during the call.
        let published = unsafe { self.channel.engine().publish(publication) };
        if let Err(why) = published {
            panic!("cannot publish: {why}");
        }
    }

    /// Asks the resolver to resolve again. The resolver decides when.
    pub fn request_reresolution(&self) {
        // SAFETY: within a serialised hook of a policy.
        unsafe { self.channel.engine().request_reresolution() }
    }

    /// Asks all endpoints for load reports out of band, as
    /// [`Helper::request_load_reports`](crate::Helper::request_load_reports). They come to
    /// [`Policy::load_report`](crate::Policy::load_report).
    pub fn request_load_reports(&self, period: Option<Duration>) {
        let period = period.map_or(0, |period| nanoseconds(period).max(1));
        // SAFETY: within a serialised hook.
        unsafe { self.channel.engine().load_reports(period) }
    }

    /// Starts a timer. When it expires, [`Policy::timer`](crate::Policy::timer) is called. Returns
    /// `None` if the channel is shutting down.
    pub fn start_timer(&self, after: Duration) -> Option<TimerId> {
        self.channel.start_timer(after)
    }

    /// Cancels a timer. Does nothing if it has expired.
    pub fn cancel_timer(&self, timer: TimerId) {
        self.channel.cancel_timer(timer);
    }
}

impl<P> Deref for PolicyHelper<'_, P> {
    type Target = Channel;

    fn deref(&self) -> &Channel {
        self.channel
    }
}

impl<P> fmt::Debug for PolicyHelper<'_, P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PolicyHelper").finish_non_exhaustive()
    }
}

/// Returns the state as a `steer_state`.
fn state_number(state: State) -> i32 {
    state as i32
}
