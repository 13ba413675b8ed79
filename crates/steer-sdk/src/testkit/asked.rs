//! What the engine has asked of the channel's host, as tests read it.
//!
//! Must not depend on: what a test checks.

use std::time::Duration;

use steer::virtual_host::{Request, VirtualHost};

use crate::Severity;

/// What the engine has asked for.
#[derive(Default)]
pub(super) struct Asked {
    pub(super) log: Vec<(Severity, String)>,
    pub(super) reresolutions: u64,
    pub(super) run_wanted: bool,
    pub(super) load_report_period: Option<Duration>,
}

impl Asked {
    /// Takes what the engine has asked for since the last call.
    pub(super) fn take_from(&mut self, host: &VirtualHost) {
        if !host.has_requests() {
            return;
        }
        let mut requests = Vec::new();
        host.take_requests(&mut requests);
        for request in requests {
            match request {
                Request::Log(severity, line) => self.log.push((from_engine(severity), line)),
                Request::Reresolve => self.reresolutions += 1,
                Request::RunLater => self.run_wanted = true,
                Request::LoadReports(period) => self.load_report_period = period,
                // The host knows which endpoints exist and were asked to connect.
                _ => {}
            }
        }
    }
}

fn from_engine(severity: steer::Severity) -> Severity {
    match severity {
        steer::Severity::Debug => Severity::Debug,
        steer::Severity::Info => Severity::Info,
        steer::Severity::Error => Severity::Error,
    }
}
