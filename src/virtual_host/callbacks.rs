//! The engine's calls of a virtual host.
//!
//! Must not depend on: what becomes of a request, the C ABI.

use std::sync::Arc;
use std::time::Duration;

use super::endpoint::{LiveEndpoint, first_address};
use super::host::VirtualHost;
use super::request::Request;
use crate::endpoints::{Connectivity, Endpoint, EndpointDescriptor, EndpointId, Words};
use crate::policy::{GuardedPicker, Host, TimerId};
use crate::stats::EndpointLease;
use crate::{Severity, Status};

/// The callbacks for endpoints and connections.
impl VirtualHost {
    /// Makes an endpoint, unless the host refuses it.
    pub(crate) fn endpoint_new(
        &self,
        id: EndpointId,
        descriptor: &Arc<EndpointDescriptor>,
    ) -> Result<(), Status> {
        self.called("endpoint_new", Some(id));
        let mut state = self.0.state.lock();
        let number = descriptor.connection;
        let descriptor = state.look_up(descriptor);
        let address = first_address(&descriptor);
        if state.settings.refused.contains(address) {
            return Err(Status::unavailable("refused"));
        }
        let args = state.settings.args_of(address);
        assert!(state.newest < Some(id), "the number {id:?} is not above all others");
        state.newest = Some(id);
        let request = Request::New(id, Arc::clone(&descriptor));
        let (asked, connection) = (false, None);
        let endpoint =
            LiveEndpoint { id, descriptor, number, state: None, asked, connection, args };
        state.endpoints.insert(id, endpoint);
        drop(state);
        self.0.requests.push(request);
        Ok(())
    }

    /// Whether the host would make the same endpoint for this descriptor.
    pub(crate) fn endpoint_matches(&self, id: EndpointId, other: &EndpointDescriptor) -> bool {
        self.called("endpoint_matches", Some(id));
        let state = self.0.state.lock();
        let listed = state.listed(other);
        let endpoint = &state.endpoints[&id];
        *endpoint.descriptor == *listed.as_deref().unwrap_or(other)
            && endpoint.number == other.connection
            && endpoint.args == state.settings.args_of(endpoint.address())
    }

    pub(crate) fn endpoint_connect(&self, id: EndpointId) {
        self.called("endpoint_connect", Some(id));
        let mut state = self.0.state.lock();
        state.endpoints.get_mut(&id).expect("the engine connects live endpoints only").asked = true;
        drop(state);
        self.0.requests.push(Request::Connect(id));
    }

    pub(crate) fn endpoint_reset_backoff(&self, id: EndpointId) {
        self.called("endpoint_reset_backoff", Some(id));
        let live = self.0.state.lock().endpoints.contains_key(&id);
        assert!(live, "the engine resets the backoff of live endpoints only");
        self.0.requests.push(Request::ResetBackoff(id));
    }

    pub(crate) fn endpoint_free(&self, id: EndpointId) {
        self.called("endpoint_free", Some(id));
        let dropped = self.0.state.lock().endpoints.remove(&id);
        assert!(dropped.is_some(), "{id:?} was dropped twice");
        self.0.requests.push(Request::Drop(id));
    }

    /// Notes the state that the policy publishes with a picker.
    pub(crate) fn publish(&self, new: Connectivity, status: &Status) {
        self.called("update_state", None);
        self.0.requests.push(Request::State(new, status.clone()));
        self.0.state.lock().published = Some((new, status.clone()));
    }

    pub(crate) fn connection_free(&self, number: usize) {
        self.called("connection_free", None);
        let held = self.0.state.lock().held.remove(&number);
        assert!(held.is_some(), "connection {number} was given back twice");
    }
}

impl Host for VirtualHost {
    fn create_endpoint(
        &self,
        lease: EndpointLease,
        descriptor: &Arc<EndpointDescriptor>,
    ) -> Result<Box<dyn Endpoint>, Status> {
        self.endpoint_new(lease.id(), descriptor)?;
        Ok(Box::new(VirtualEndpoint { host: self.clone(), lease }))
    }

    fn makes_several_connections(&self) -> bool {
        self.0.state.lock().settings.makes_several_connections
    }

    fn update_state(&self, new: Connectivity, status: &Status, picker: GuardedPicker) {
        self.publish(new, status);
        let former = self.0.state.lock().picker.replace(Arc::new(picker));
        // Without the lock: the connections of the former picker are given back to this host.
        self.let_go(former);
    }

    fn request_reresolution(&self) {
        self.called("request_reresolution", None);
        self.0.requests.push(Request::Reresolve);
    }

    fn request_load_reports(&self, period: Option<Duration>) {
        self.called("load_reports", None);
        self.0.requests.push(Request::LoadReports(period));
    }

    fn load_reports_have_qps(&self) -> bool {
        self.0.state.lock().settings.load_reports_have_qps
    }

    fn made_with(&self) -> Option<u64> {
        let state = self.0.state.lock();
        state.settings.args_numbered.then_some(state.settings.args)
    }

    fn words(&self) -> Words {
        self.0.state.lock().settings.words
    }

    fn run_later(&self) -> bool {
        self.called("run_later", None);
        self.0.requests.push(Request::RunLater);
        self.0.state.lock().settings.runs_later
    }

    fn start_timer(&self, timer: TimerId, after: Duration) {
        self.called("timer_start", None);
        let due = self.0.clock.now().saturating_add(after);
        {
            let timers = &mut self.0.state.lock().timers;
            assert!(timers.iter().all(|(_, other)| *other != timer), "{timer:?} runs already");
            timers.insert((due, timer));
        }
        self.0.requests.push(Request::StartTimer(timer, after));
    }

    fn cancel_timer(&self, timer: TimerId) {
        self.called("timer_cancel", None);
        self.0.state.lock().timers.retain(|(_, started)| *started != timer);
        self.0.requests.push(Request::CancelTimer(timer));
    }

    fn now(&self) -> Duration {
        self.called("now", None);
        self.0.clock.now()
    }

    fn random(&self) -> u64 {
        self.called("random", None);
        self.0.chance.lock().draw()
    }

    fn log(&self, severity: Severity, message: &str) {
        self.called("log", None);
        self.0.requests.push(Request::Log(severity, message.to_owned()));
    }
}

/// What the engine owns of an endpoint.
struct VirtualEndpoint {
    host: VirtualHost,
    lease: EndpointLease,
}

impl Endpoint for VirtualEndpoint {
    fn id(&self) -> EndpointId {
        self.lease.id()
    }

    fn matches(&self, descriptor: &EndpointDescriptor) -> bool {
        self.host.endpoint_matches(self.id(), descriptor)
    }

    fn connect(&self) {
        self.host.endpoint_connect(self.id());
    }

    fn reset_backoff(&self) {
        self.host.endpoint_reset_backoff(self.id());
    }
}

impl Drop for VirtualEndpoint {
    fn drop(&mut self) {
        self.host.endpoint_free(self.id());
    }
}
