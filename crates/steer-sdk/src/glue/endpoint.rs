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
use super::{Backend, Backends, Channel, TimerId};
use crate::abi::{steer_publication, steer_wants};
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

/// Endpoints that were dropped, and that the engine has not freed yet. An endpoint may be dropped
/// anywhere, but the engine may be told only within the policy's own serialised hooks.
#[derive(Clone, Default)]
pub(super) struct Dropped(Arc<Mutex<BTreeSet<EndpointId>>>);

impl Dropped {
    fn add(&self, id: EndpointId) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(id);
    }

    /// Frees these endpoints in the engine.
    ///
    /// # Safety
    /// Called within a serialised hook of the policy of `channel`.
    pub(super) unsafe fn tell(&self, channel: &Channel) {
        let dropped = {
            let mut dropped = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            std::mem::take(&mut *dropped)
        };
        for id in dropped {
            // SAFETY: the caller's contract.
            unsafe { channel.engine().endpoint_free(id.0) };
        }
    }
}

/// The functions that a policy may call in its methods. `P` is the type of the pickers that it
/// publishes. Dereferences to [`Channel`].
pub struct PolicyHelper<'a, P> {
    channel: &'a Channel,
    latest: &'a Backends,
    dropped: &'a Dropped,
    publishes: PhantomData<fn(P)>,
    not_send: PhantomData<*const ()>,
}

impl<'a, P: Picker> PolicyHelper<'a, P> {
    /// # Safety
    /// The result is used only within a serialised hook of the policy of this channel. The policy's
    /// table takes pickers of the type `Made<P>`.
    pub(super) unsafe fn new(
        channel: &'a Channel,
        latest: &'a Backends,
        dropped: &'a Dropped,
    ) -> PolicyHelper<'a, P> {
        PolicyHelper { channel, latest, dropped, publishes: PhantomData, not_send: PhantomData }
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
        let made = Box::new(Made::new(build(backends)));
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
            state: state_number(state),
            code,
            message,
            picker: Box::into_raw(made).cast(),
            endpoints: numbers.as_ptr(),
            endpoint_count: numbers.len(),
            wants: &wants,
        });
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
