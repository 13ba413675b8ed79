//! The reports of a channel's endpoints.

use std::sync::Arc;

use steer::Status;
use steer::calls::Metrics;
use steer::endpoints::{Connection, Connectivity, EndpointId, Report};
use steer::sync::Handle;

use super::callbacks;
use super::channel::Channel;

impl Channel {
    /// One endpoint reports this state. Returns the number of its connection if the state is READY.
    pub fn report_state(&self, id: EndpointId, state: Connectivity) -> Option<usize> {
        self.world().silent.remove(&id);
        let name = self.world().endpoints[&id].clone();
        let report = match state {
            Connectivity::Idle => Report::Idle,
            Connectivity::Connecting => Report::Connecting,
            Connectivity::Ready => Report::Ready(self.connection_to(name)),
            Connectivity::TransientFailure => {
                Report::TransientFailure(Status::unavailable(format!("{name} is down")))
            }
        };
        let connection = match &report {
            Report::Ready(connection) => Some(connection.handle().number()),
            _ => None,
        };
        assert!(self.runner.endpoint_report(id, report));
        connection
    }

    fn report(&self, names: &str, report: impl Fn(char) -> Report) {
        for name in names.chars() {
            let ids = self.ids(name);
            assert!(!ids.is_empty(), "no endpoint {name}");
            for id in ids {
                // The report of one endpoint may have dropped another.
                if !self.world().endpoints.contains_key(&id) {
                    continue;
                }
                self.world().silent.remove(&id);
                assert!(self.runner.endpoint_report(id, report(name)));
            }
        }
    }

    pub fn connection(&self, name: char) -> Connection {
        self.connection_to(name.to_string())
    }

    fn connection_to(&self, name: String) -> Connection {
        let mut world = self.world();
        let number = world.connections.len();
        world.connections.push((name, true));
        let host = self.host.clone();
        let release = move |handle: Handle| {
            // Tests also drop calls and pickers outside of the engine's functions.
            if callbacks::innermost() != "none" {
                callbacks::came("connection_free");
            }
            let connection = &mut host.world().connections[handle.number()];
            assert!(std::mem::replace(&mut connection.1, false), "given back twice");
        };
        Connection::new(Handle::from_number(number), Arc::new(release))
    }

    pub fn idle(&self, names: &str) {
        self.report(names, |_| Report::Idle);
    }

    pub fn connecting(&self, names: &str) {
        self.report(names, |_| Report::Connecting);
    }

    pub fn ready(&self, names: &str) {
        self.report(names, |name| Report::Ready(self.connection(name)));
    }

    /// Every endpoint becomes READY.
    pub fn ready_all(&self) {
        for id in self.endpoints().into_keys() {
            self.report_state(id, Connectivity::Ready);
        }
    }

    pub fn fail(&self, names: &str) {
        self.report(names, |name| {
            Report::TransientFailure(Status::unavailable(format!("{name} is down")))
        });
    }

    /// Every endpoint that has not reported yet reports CONNECTING, as hosts do soon after they
    /// make one.
    pub fn report_first(&self) {
        while let Some(id) = { self.world().silent.pop_first() } {
            assert!(self.runner.endpoint_report(id, Report::Connecting));
        }
    }

    /// Every endpoint of this name makes an out-of-band load report.
    pub fn load_report(&self, name: char, metrics: &Metrics) {
        for id in self.ids(name) {
            assert!(self.runner.load_report(id, metrics.clone()));
        }
    }
}
