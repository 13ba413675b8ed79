//! The host of one policy, as its owner drives it.
//!
//! Must not depend on: what becomes of a request, the C ABI.

use std::ops::Bound;
use std::sync::Arc;
use std::time::Duration;

use super::chance::Chance;
use super::clock::VirtualClock;
use super::endpoint::{LiveEndpoint, first_address};
use super::request::{Request, Requests};
use super::settings::Settings;
use super::state::{List, State};
use super::watch::Watch;
use crate::Status;
use crate::endpoints::{Connection, Connectivity, EndpointDescriptor, EndpointId, Report};
use crate::policy::{GuardedPicker, TimerId};
use crate::sync::Handle;

/// The host of one policy. Clones are the same host: give one to the policy's runner. Any thread.
#[derive(Clone)]
pub struct VirtualHost(pub(super) Arc<Shared>);

pub(super) struct Shared {
    pub(super) clock: VirtualClock,
    watch: Option<Arc<dyn Watch>>,
    pub(super) requests: Requests,
    pub(super) chance: parking_lot::Mutex<Chance>,
    /// Never held while the engine is called, or while anything of the engine is dropped.
    pub(super) state: parking_lot::Mutex<State>,
}

impl VirtualHost {
    /// A host with this clock and these random numbers.
    pub fn new(clock: VirtualClock, chance: Chance) -> VirtualHost {
        VirtualHost::make(clock, chance, None)
    }

    /// The same, with a watch over the engine's calls.
    pub fn watched(clock: VirtualClock, chance: Chance, watch: Arc<dyn Watch>) -> VirtualHost {
        VirtualHost::make(clock, chance, Some(watch))
    }

    fn make(clock: VirtualClock, chance: Chance, watch: Option<Arc<dyn Watch>>) -> VirtualHost {
        VirtualHost(Arc::new(Shared {
            clock,
            watch,
            requests: Requests::default(),
            chance: parking_lot::Mutex::new(chance),
            state: parking_lot::Mutex::default(),
        }))
    }

    /// Its clock.
    pub fn clock(&self) -> &VirtualClock {
        &self.0.clock
    }

    /// From now on, the engine gets these random numbers.
    pub fn set_chance(&self, chance: Chance) {
        *self.0.chance.lock() = chance;
    }

    /// Changes how the host behaves.
    pub fn set(&self, change: impl FnOnce(&mut Settings)) {
        change(&mut self.0.state.lock().settings);
    }

    /// How the host behaves.
    pub fn settings(&self) -> Settings {
        self.0.state.lock().settings.clone()
    }

    /// Sets the list of the next update, and the indices of its descriptors. Returns the list to
    /// hand in: the former object, if it has the same descriptor objects in the same order. From
    /// now on, the host finds the engine's descriptors by their indices.
    pub fn set_list(&self, list: List) -> List {
        let mut state = self.0.state.lock();
        let former = state.list.take().unwrap_or_default();
        let same = |(was, is)| Arc::ptr_eq(was, is);
        if former.len() == list.len() && former.iter().zip(&*list).all(same) {
            state.list = Some(Arc::clone(&former));
            return former;
        }
        former.iter().for_each(|left| left.index.leave());
        for (descriptor, index) in list.iter().zip(0..) {
            descriptor.index.set(index);
        }
        state.list = Some(Arc::clone(&list));
        list
    }

    /// The list of the latest update.
    pub fn list(&self) -> List {
        self.0.state.lock().list.clone().unwrap_or_default()
    }

    /// The endpoints that the engine has made and not dropped, in the order of their making.
    pub fn endpoints(&self) -> Vec<LiveEndpoint> {
        self.endpoints_where(|_| true)
    }

    /// Those of them that fit.
    pub fn endpoints_where(
        &self,
        mut fits: impl FnMut(&LiveEndpoint) -> bool,
    ) -> Vec<LiveEndpoint> {
        let state = self.0.state.lock();
        state.endpoints.values().filter(|endpoint| fits(endpoint)).cloned().collect()
    }

    /// The first endpoint that was made after the one with this number.
    pub(crate) fn endpoint_after(&self, id: EndpointId) -> Option<LiveEndpoint> {
        let later = (Bound::Excluded(id), Bound::Unbounded);
        let state = self.0.state.lock();
        state.endpoints.range(later).next().map(|(_, endpoint)| endpoint.clone())
    }

    /// Whether an endpoint with the same first address is READY, which is this one of several
    /// connections to its backend.
    pub(crate) fn is_connected(&self, to: &EndpointDescriptor, number: u32) -> bool {
        let state = self.0.state.lock();
        let mut ready = state.endpoints.values().filter(|endpoint| endpoint.connection.is_some());
        ready.any(|endpoint| endpoint.number == number && endpoint.address() == first_address(to))
    }

    /// The endpoint with this number, if it is not dropped.
    pub fn endpoint(&self, id: EndpointId) -> Option<LiveEndpoint> {
        self.0.state.lock().endpoints.get(&id).cloned()
    }

    /// Makes a report of this state, and a connection if that is READY. Hand it to
    /// [`Runner::endpoint_report`](crate::policy::Runner::endpoint_report). `None` if the endpoint
    /// is dropped.
    pub fn report(&self, id: EndpointId, new: Connectivity) -> Option<Report> {
        let address = self.endpoint(id)?.address().to_owned();
        let report = match new {
            Connectivity::Idle => Report::Idle,
            Connectivity::Connecting => Report::Connecting,
            Connectivity::Ready => Report::Ready(self.connection_to(&address)),
            Connectivity::TransientFailure => {
                Report::TransientFailure(Status::unavailable(format!("{address} is down")))
            }
        };
        let number = match &report {
            Report::Ready(connection) => Some(connection.handle().number()),
            _ => None,
        };
        self.reports(id, new, number);
        Some(report)
    }

    /// Notes an endpoint's report.
    pub(crate) fn reports(&self, id: EndpointId, new: Connectivity, connection: Option<usize>) {
        if let Some(endpoint) = self.0.state.lock().endpoints.get_mut(&id) {
            let former = endpoint.state.replace(new);
            // An endpoint that fails tries again by itself. One that has become IDLE waits for
            // another request. A first report of IDLE may come after the request.
            let became_idle = new == Connectivity::Idle && former.is_some_and(|it| it != new);
            endpoint.asked &= new != Connectivity::Ready && !became_idle;
            endpoint.connection = connection;
        }
    }

    /// The endpoint's attempt to connect has ended.
    pub(crate) fn has_tried(&self, id: EndpointId) {
        if let Some(endpoint) = self.0.state.lock().endpoints.get_mut(&id) {
            endpoint.asked = false;
        }
    }

    /// A connection with this handle, for a report of READY. No other one that the engine holds may
    /// have the same.
    pub fn connection(&self, number: usize) -> Connection {
        self.hold(number, String::new());
        self.wrap(number)
    }

    /// A connection to this address, with a new handle.
    pub fn connection_to(&self, address: &str) -> Connection {
        let number = self.new_connection(address);
        self.wrap(number)
    }

    fn wrap(&self, number: usize) -> Connection {
        let host = self.clone();
        let release = move |handle: Handle| host.connection_free(handle.number());
        Connection::new(Handle::from_number(number), Arc::new(release))
    }

    /// Notes that the engine holds a connection to this address. Returns its number.
    pub(crate) fn new_connection(&self, address: &str) -> usize {
        let number = {
            let mut state = self.0.state.lock();
            // The first is 1: as a pointer, 0 is no connection.
            state.latest_connection += 1;
            state.latest_connection
        };
        self.hold(number, address.to_owned());
        number
    }

    fn hold(&self, number: usize, address: String) {
        let former = self.0.state.lock().held.insert(number, address);
        assert!(former.is_none(), "the engine holds another connection {number}");
    }

    /// Whether the engine holds this connection.
    pub fn holds(&self, number: usize) -> bool {
        self.0.state.lock().held.contains_key(&number)
    }

    /// The number of endpoints that the engine has made and not dropped.
    pub(crate) fn held_endpoints(&self) -> usize {
        self.0.state.lock().endpoints.len()
    }

    /// The number of connections that the engine holds.
    pub fn held_connections(&self) -> usize {
        self.0.state.lock().held.len()
    }

    /// The address of a connection that the engine holds.
    pub fn address_of(&self, connection: usize) -> Option<String> {
        self.0.state.lock().held.get(&connection).cloned()
    }

    /// Whether there are requests to take.
    #[inline]
    pub fn has_requests(&self) -> bool {
        self.0.requests.any()
    }

    /// Moves all requests to the end of `into`, in the order in which they came.
    pub fn take_requests(&self, into: &mut Vec<Request>) {
        self.0.requests.take(into);
    }

    /// The state that the policy published last.
    pub fn published(&self) -> Option<(Connectivity, Status)> {
        self.0.state.lock().published.clone()
    }

    /// The picker that the policy published last.
    pub fn picker(&self) -> Option<Arc<GuardedPicker>> {
        self.0.state.lock().picker.clone()
    }

    /// Drops the picker. Ends a cycle: the host holds the picker, whose connections hold the host.
    pub fn drop_picker(&self) {
        let picker = self.0.state.lock().picker.take();
        self.let_go(picker);
    }

    pub(super) fn let_go(&self, picker: Option<Arc<GuardedPicker>>) {
        match (&self.0.watch, picker) {
            (Some(watch), Some(picker)) => watch.drop_picker(picker),
            (_, picker) => drop(picker),
        }
    }

    /// The timer that ends first, and when.
    pub fn next_timer(&self) -> Option<(Duration, TimerId)> {
        self.0.state.lock().timers.first().copied()
    }

    /// Takes the first timer that has ended by now. Give it to
    /// [`Runner::timer`](crate::policy::Runner::timer).
    pub fn take_timer(&self) -> Option<TimerId> {
        self.take_timer_by(self.0.clock.now())
    }

    /// Takes the first timer that ends by this time, and moves the clock to its end.
    pub fn take_timer_by(&self, end: Duration) -> Option<TimerId> {
        let mut state = self.0.state.lock();
        let (due, _) = *state.timers.first()?;
        if due > end {
            return None;
        }
        self.0.clock.set(due);
        state.timers.pop_first().map(|(_, timer)| timer)
    }

    /// Tells the watch of a call of the engine.
    pub(super) fn called(&self, callback: &'static str, endpoint: Option<EndpointId>) {
        if let Some(watch) = &self.0.watch {
            watch.called(callback, endpoint);
        }
    }
}
