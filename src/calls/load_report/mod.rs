//! Load reports of backends (ORCA).
//!
//! | file | idea |
//! |---|---|
//! | `mod.rs` | [`Metrics`]: a decoded report; [`LoadReport`]: one that may not be decoded yet |
//! | `encoded.rs` | single fields of a report that is not decoded |
//!
//! Most calls of a policy that uses reports end with one, and the policy reads a few numbers of it.
//! Decoding all of it allocates for each metric that has a name. With three of them that takes
//! 197 ns, and to compute a weight from the undecoded report 54 ns.
//!
//! Must not depend on: where a load report comes from, how it is used.

mod encoded;

use std::borrow::Cow;
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
        self.numbers().qps()
    }

    fn numbers(&self) -> Numbers {
        Numbers {
            cpu_utilization: self.cpu_utilization,
            mem_utilization: self.mem_utilization,
            rps: self.rps,
            rps_fractional: self.rps_fractional,
            eps: self.eps,
            application_utilization: self.application_utilization,
        }
    }
}

/// The numbers of a load report that have no name. As in [`Metrics`].
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[expect(missing_docs, reason = "`Metrics` documents them")]
pub struct Numbers {
    pub cpu_utilization: f64,
    pub mem_utilization: f64,
    pub rps: u64,
    pub rps_fractional: f64,
    pub eps: f64,
    pub application_utilization: f64,
}

impl Numbers {
    /// Calls per second that the backend serves.
    pub fn qps(&self) -> f64 {
        if self.rps_fractional > 0.0 { self.rps_fractional } else { self.rps as f64 }
    }
}

/// A load report of a backend, decoded or as it came with a call.
#[derive(Clone, Copy, Debug)]
pub enum LoadReport<'a> {
    /// Decoded.
    Decoded(&'a Metrics),
    /// A serialised `xds.data.orca.v3.OrcaLoadReport`. May be any bytes.
    Encoded(&'a [u8]),
}

impl<'a> LoadReport<'a> {
    /// The numbers that have no name. Allocates nothing. `None`: it is not a load report.
    pub fn numbers(self) -> Option<Numbers> {
        match self {
            LoadReport::Decoded(metrics) => Some(metrics.numbers()),
            LoadReport::Encoded(bytes) => encoded::numbers(bytes),
        }
    }

    /// The used share of the resource of this name. Allocates nothing.
    pub fn utilization(self, name: &str) -> Option<f64> {
        match self {
            LoadReport::Decoded(metrics) => metrics.utilization.get(name).copied(),
            LoadReport::Encoded(bytes) => encoded::named(bytes, encoded::UTILIZATION, name),
        }
    }

    /// The metric of this name that the application defines. Allocates nothing.
    pub fn named_metric(self, name: &str) -> Option<f64> {
        match self {
            LoadReport::Decoded(metrics) => metrics.named_metrics.get(name).copied(),
            LoadReport::Encoded(bytes) => encoded::named(bytes, encoded::NAMED_METRICS, name),
        }
    }

    /// All of it. `None`: it is not a load report.
    pub fn decode(self) -> Option<Cow<'a, Metrics>> {
        match self {
            LoadReport::Decoded(metrics) => Some(Cow::Borrowed(metrics)),
            LoadReport::Encoded(bytes) => Metrics::read(bytes).map(Cow::Owned),
        }
    }
}
