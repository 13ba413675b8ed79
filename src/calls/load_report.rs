//! Load reports of backends (ORCA).
//!
//! Must not depend on: where a load report comes from, how it is used.

use std::collections::BTreeMap;

/// A load report of a backend.
///
/// Source: `xds.data.orca.v3.OrcaLoadReport`, gRFC A51, which also gives the field numbers.
#[derive(Clone, PartialEq, prost::Message)]
pub struct Metrics {
    /// Used share of the processors. May be above 1.
    #[prost(double, tag = "1")]
    pub cpu_utilization: f64,
    /// Used share of the memory.
    #[prost(double, tag = "2")]
    pub mem_utilization: f64,
    /// Calls per second, as older servers report them.
    #[prost(uint64, tag = "3")]
    pub rps: u64,
    /// Costs of this call, by name.
    #[prost(btree_map = "string, double", tag = "4")]
    pub request_cost: BTreeMap<String, f64>,
    /// Used shares of resources, by name.
    #[prost(btree_map = "string, double", tag = "5")]
    pub utilization: BTreeMap<String, f64>,
    /// Calls per second that the backend serves.
    #[prost(double, tag = "6")]
    pub rps_fractional: f64,
    /// Errors per second that the backend answers with.
    #[prost(double, tag = "7")]
    pub eps: f64,
    /// Metrics that the application defines, by name.
    #[prost(btree_map = "string, double", tag = "8")]
    pub named_metrics: BTreeMap<String, f64>,
    /// The load as the application measures it. May be above 1.
    #[prost(double, tag = "9")]
    pub application_utilization: f64,
}

impl Metrics {
    /// Decodes a load report. `None` if `bytes` is empty or is not a load report.
    pub fn read(bytes: &[u8]) -> Option<Metrics> {
        if bytes.is_empty() {
            return None;
        }
        prost::Message::decode(bytes).ok()
    }

    /// Calls per second that the backend serves.
    pub fn qps(&self) -> f64 {
        if self.rps_fractional > 0.0 { self.rps_fractional } else { self.rps as f64 }
    }
}
