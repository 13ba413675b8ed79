//! The reports of a channel's endpoints.

use steer::calls::Metrics;
use steer::endpoints::{Connection, Connectivity, EndpointId};

use super::channel::Channel;

impl Channel {
    /// One endpoint reports this state. Returns the number of its connection if the state is READY.
    pub fn report_state(&self, id: EndpointId, state: Connectivity) -> Option<usize> {
        let report = self.host().report(id, state).expect("the endpoint is alive");
        let connection = self.host().endpoint(id).and_then(|endpoint| endpoint.connection);
        assert!(self.runner.endpoint_report(id, report));
        connection
    }

    fn report(&self, names: &str, state: Connectivity) {
        for name in names.chars() {
            let ids = self.ids(name);
            assert!(!ids.is_empty(), "no endpoint {name}");
            for id in ids {
                // The report of one endpoint may have dropped another.
                if self.host().endpoint(id).is_some() {
                    self.report_state(id, state);
                }
            }
        }
    }

    pub fn connection(&self, name: char) -> Connection {
        self.host().connection_to(&name.to_string())
    }

    pub fn idle(&self, names: &str) {
        self.report(names, Connectivity::Idle);
    }

    pub fn connecting(&self, names: &str) {
        self.report(names, Connectivity::Connecting);
    }

    pub fn ready(&self, names: &str) {
        self.report(names, Connectivity::Ready);
    }

    /// Every endpoint becomes READY.
    pub fn ready_all(&self) {
        for id in self.endpoints().into_keys() {
            self.report_state(id, Connectivity::Ready);
        }
    }

    pub fn fail(&self, names: &str) {
        self.report(names, Connectivity::TransientFailure);
    }

    /// Every endpoint that has not reported yet reports CONNECTING, as hosts do soon after they
    /// make one.
    pub fn report_first(&self) {
        let silent = || self.host().endpoints_where(|endpoint| endpoint.state.is_none());
        while let Some(endpoint) = silent().first() {
            self.report_state(endpoint.id, Connectivity::Connecting);
        }
    }

    /// Every endpoint of this name makes an out-of-band load report.
    pub fn load_report(&self, name: char, metrics: &Metrics) {
        for id in self.ids(name) {
            assert!(self.runner.load_report(id, metrics.clone()));
        }
    }
}
