//! A channel whose backends are all READY, with the engine's own clock and random numbers, as in
//! gRPC. (The engine's virtual host has a clock behind a lock.)
//!
//! Must not depend on: what calls are counted for.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::Value;
use steer::endpoints::{
    Connection, Connectivity, Endpoint, EndpointDescriptor, EndpointId, Report,
};
use steer::policy::{GuardedPicker, Host, Runner, TimerId, Update};
use steer::stats::EndpointLease;
use steer::sync::{Clock, Handle};
use steer::{Severity, Status};

#[derive(Default)]
struct State {
    picker: Option<Arc<GuardedPicker>>,
    endpoints: Vec<EndpointId>,
}

struct BenchHost(Arc<Mutex<State>>);

struct BenchEndpoint(EndpointLease);

impl Endpoint for BenchEndpoint {
    fn id(&self) -> EndpointId {
        self.0.id()
    }
    fn matches(&self, _: &EndpointDescriptor) -> bool {
        true
    }
    fn connect(&self) {}
    fn reset_backoff(&self) {}
}

impl Host for BenchHost {
    fn create_endpoint(
        &self,
        lease: EndpointLease,
        _: &Arc<EndpointDescriptor>,
    ) -> Result<Box<dyn Endpoint>, Status> {
        self.0.lock().unwrap().endpoints.push(lease.id());
        Ok(Box::new(BenchEndpoint(lease)))
    }
    fn makes_several_connections(&self) -> bool {
        false
    }
    fn update_state(&self, _: Connectivity, _: &Status, picker: GuardedPicker) {
        self.0.lock().unwrap().picker = Some(Arc::new(picker));
    }
    fn request_reresolution(&self) {}
    fn request_load_reports(&self, _: Option<Duration>) {}
    fn load_reports_have_qps(&self) -> bool {
        true
    }
    fn run_later(&self) -> bool {
        true
    }
    fn start_timer(&self, _: TimerId, _: Duration) {}
    fn cancel_timer(&self, _: TimerId) {}
    fn now(&self) -> Duration {
        Clock::global().now()
    }
    fn random(&self) -> u64 {
        steer::sync::random()
    }
    fn has_engine_sources(&self) -> bool {
        true
    }
    fn log(&self, _: Severity, _: &str) {}
}

/// A channel of one policy.
pub struct Channel {
    _runner: Runner,
    state: Arc<Mutex<State>>,
}

impl Channel {
    /// A channel with this many READY backends.
    pub fn new(policy: &str, config: &Value, backends: usize) -> Channel {
        let state = Arc::<Mutex<State>>::default();
        let registry = steer::policies::registry();
        let factory = registry.find(policy).expect("a policy of this name");
        let host = Box::new(BenchHost(Arc::clone(&state)));
        let runner = Runner::new(Arc::clone(&factory), steer::policies::fallback(), host);
        let endpoint = |index| {
            let addresses = vec![format!("ipv4:10.0.0.{index}:80")];
            Arc::new(EndpointDescriptor { addresses, ..EndpointDescriptor::default() })
        };
        let endpoints: Vec<_> = (0..backends).map(endpoint).collect();
        let update = Update {
            endpoints: Ok(endpoints.into()),
            config: factory.parse_config(config, registry).expect("a good config"),
            factory,
            common: Arc::default(),
            resolution_note: String::new(),
            target: String::new(),
            cluster: String::new(),
        };
        runner.update(update).expect("the list is not empty");
        let endpoints = state.lock().unwrap().endpoints.clone();
        for (number, endpoint) in endpoints.into_iter().enumerate() {
            let connection = Connection::new(Handle::from_number(number), Arc::new(|_| {}));
            runner.endpoint_report(endpoint, Report::Ready(connection));
        }
        Channel { _runner: runner, state }
    }

    /// The latest picker.
    pub fn picker(&self) -> Arc<GuardedPicker> {
        self.state.lock().unwrap().picker.clone().expect("a picker was published")
    }
}
