//! Endpoints, and what a policy may do with them.

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

/// The number of an endpoint, never used again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct EndpointId(pub(super) u64);

/// An endpoint of a policy: one backend, to which there may be a connection. Dropping it drops the
/// connection, but for pickers that have it; when that happens on another thread than the policy's
/// own, it counts from the policy's next turn on.
#[must_use = "an endpoint that is dropped has no connection"]
pub struct Endpoint {
    id: EndpointId,
    backend: KeptBackend,
    dropped: Dropped,
}

impl Endpoint {
    /// Its number, as reports name it.
    pub fn id(&self) -> EndpointId {
        self.id
    }

    /// The backend, as it was described when the endpoint was made, and with its place then.
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

/// Endpoints that were dropped and that the engine has not heard of: it may be told within the
/// policy's own hooks only, and an endpoint may be dropped anywhere.
#[derive(Clone, Default)]
pub(super) struct Dropped(Arc<Mutex<BTreeSet<EndpointId>>>);

impl Dropped {
    fn add(&self, id: EndpointId) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(id);
    }

    /// # Safety
    /// Within a serialised hook of the policy of `channel`.
    pub(super) unsafe fn tell(&self, channel: &Channel) {
        let dropped = {
            let mut dropped = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            std::mem::take(&mut *dropped)
        };
        for id in dropped {
            // SAFETY: the caller's promise.
            unsafe { channel.engine().endpoint_free(id.0) };
        }
    }
}

/// What a policy may ask for in its turn. `P` is what it publishes.
pub struct PolicyHelper<'a, P> {
    channel: &'a Channel,
    latest: &'a Backends,
    dropped: &'a Dropped,
    publishes: PhantomData<fn(P)>,
    not_send: PhantomData<*const ()>,
}

impl<'a, P: Picker> PolicyHelper<'a, P> {
    /// # Safety
    /// Within a serialised hook of the policy of this channel, for as long as this is used; the
    /// policy's table takes pickers of the type `Made<P>`.
    pub(super) unsafe fn new(
        channel: &'a Channel,
        latest: &'a Backends,
        dropped: &'a Dropped,
    ) -> PolicyHelper<'a, P> {
        PolicyHelper { channel, latest, dropped, publishes: PhantomData, not_send: PhantomData }
    }

    /// The endpoints of the latest update; empty when the resolver failed.
    pub fn latest(&self) -> &'a Backends {
        self.latest
    }

    /// Makes an endpoint for the one at this place of the latest update. It reports its state soon
    /// after, and does not connect before it is asked to. None: there is no such place, or gRPC cannot
    /// make it.
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

    /// Whether the endpoint is the very one that [`PolicyHelper::new_endpoint`] would make for this
    /// place of the latest update.
    pub fn endpoint_matches(&self, endpoint: &Endpoint, index: usize) -> bool {
        // SAFETY: within a serialised hook of a policy.
        unsafe { self.channel.engine().endpoint_matches(endpoint.id.0, index) }
    }

    /// Asks for a connection, when there is none and none is being made.
    pub fn connect(&self, endpoint: &Endpoint) {
        // SAFETY: within a serialised hook of a policy.
        unsafe { self.channel.engine().endpoint_connect(endpoint.id.0) }
    }

    /// Forgets the endpoint's backoff.
    pub fn reset_backoff(&self, endpoint: &Endpoint) {
        // SAFETY: within a serialised hook of a policy.
        unsafe { self.channel.engine().endpoint_reset_backoff(endpoint.id.0) }
    }

    /// Publishes a state without a picker: calls wait, or in TRANSIENT_FAILURE fail with `status`.
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

    /// Publishes a state and a picker for calls from now on, built for the backends of these
    /// endpoints.
    ///
    /// # Panics
    /// When one of them is not READY: that makes it a fault of the policy.
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
        // SAFETY: within a serialised hook of a policy; the picker is one of its table's, which
        // `PolicyHelper::new` was promised, and what the publication points at lives during the call.
        let published = unsafe { self.channel.engine().publish(publication) };
        if let Err(why) = published {
            panic!("cannot publish: {why}");
        }
    }

    /// Asks the resolver to resolve again, when it sees fit.
    pub fn request_reresolution(&self) {
        // SAFETY: within a serialised hook of a policy.
        unsafe { self.channel.engine().request_reresolution() }
    }

    /// Starts a timer, which comes with [`Policy::timer`](crate::Policy::timer). None: the channel is
    /// shutting down.
    pub fn start_timer(&self, after: Duration) -> Option<TimerId> {
        // SAFETY: within a serialised hook.
        let timer = unsafe { self.channel.engine().timer_start(nanoseconds(after)) };
        Some(timer).filter(|timer| *timer != 0).map(TimerId)
    }

    /// Takes that back. A timer that has run out does no harm.
    pub fn cancel_timer(&self, timer: TimerId) {
        // SAFETY: within a serialised hook.
        unsafe { self.channel.engine().timer_cancel(timer.0) }
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

/// `steer_state`'s number.
fn state_number(state: State) -> i32 {
    state as i32
}
