//! A snapshot in the OpenMetrics text format, which Prometheus scrapes.
//!
//! Must not depend on: where a snapshot comes from.

use std::fmt;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::text::encode;
use prometheus_client::encoding::{DescriptorEncoder, NoLabelSet};
use prometheus_client::metrics::MetricType;
use prometheus_client::registry::Registry;

use super::buckets::to_buckets;
use super::custom::{CustomExposition, PluginMetrics};
use super::latency::LatencyStats;
use super::snapshot::{BackendStats, ChannelStats, TakenName, parts_of};
use crate::endpoints::Connectivity;

const STATES: [Connectivity; 4] = [
    Connectivity::Idle,
    Connectivity::Connecting,
    Connectivity::Ready,
    Connectivity::TransientFailure,
];

type Labels<'a> = Vec<(&'static str, &'a str)>;

/// A snapshot, with the texts that its labels borrow. Lives for one encoding. Children follow their
/// parent.
#[derive(Debug)]
struct Exposition {
    policies: Vec<Exposed>,
    taken_over: Vec<TakenName>,
}

#[derive(Debug)]
struct Exposed {
    /// The channel's.
    id: String,
    /// The number of the channel. Empty for children.
    grpc_channel: String,
    /// The names that lead from the channel's policy to this one, if it is a child.
    child: Option<String>,
    channel: ChannelStats,
    /// The addresses of each backend, as one text.
    addresses: Vec<String>,
}

impl Exposed {
    /// The labels of every sample. Not the target: it may name each backend, and repeated with each
    /// of their samples it would make the text grow with the square of their number.
    fn labels(&self) -> Labels<'_> {
        let mut labels = vec![("channel", &*self.id), ("policy", &*self.channel.policy)];
        labels.extend(self.child.as_ref().map(|child| ("child", &**child)));
        labels
    }

    fn backends(&self) -> impl Iterator<Item = (Labels<'_>, &BackendStats)> + '_ {
        self.channel.backends.iter().zip(&self.addresses).map(|(backend, addresses)| {
            let mut labels = self.labels();
            labels.push(("backend", addresses));
            (labels, backend)
        })
    }
}

/// The whole text, up to `# EOF`.
pub fn to_prometheus(
    channels: Vec<ChannelStats>,
    taken_over: Vec<TakenName>,
    plugins: &[PluginMetrics],
) -> String {
    let mut exposed = Vec::new();
    for channel in channels {
        let id = channel.id.to_string();
        expose(channel, &id, None, &mut exposed);
    }
    let mut custom = CustomExposition::default();
    for of in &exposed {
        custom.add(&of.labels(), &of.channel.custom_metrics);
    }
    for plugin in plugins {
        custom.add(&[("plugin", &plugin.name)], &plugin.custom_metrics);
    }
    let mut registry = Registry::default();
    registry.register_collector(Box::new(Exposition { policies: exposed, taken_over }));
    registry.register_collector(Box::new(custom));
    let mut text = String::new();
    encode(&mut text, &registry).expect("writing to memory cannot fail");
    text
}

/// Adds a policy and its children. A child has no samples of backends: those of the channel's
/// policy have its numbers.
fn expose(mut channel: ChannelStats, id: &str, child: Option<String>, into: &mut Vec<Exposed>) {
    let children = std::mem::take(&mut channel.children);
    if child.is_some() {
        channel.backends.clear();
    }
    let addresses = channel.backends.iter().map(|backend| backend.addresses.join(" ")).collect();
    let path = child.as_ref().map(|child| format!("{child}/")).unwrap_or_default();
    let grpc_channel = channel.grpc_channel.map(|number| number.to_string()).unwrap_or_default();
    into.push(Exposed { id: id.to_owned(), grpc_channel, child, channel, addresses });
    for child in children {
        let name = child.child.as_deref().unwrap_or_default();
        let path = format!("{path}{name}");
        expose(child, id, Some(path), into);
    }
}

impl Collector for Exposition {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        for family in FAMILIES {
            let rows = (family.rows)(self);
            if rows.is_empty() {
                continue;
            }
            let mut to = encoder.encode_descriptor(family.name, family.help, None, family.kind)?;
            for (labels, value) in rows {
                let mut to = to.encode_family(&labels)?;
                match value {
                    Value::Count(count) => to.encode_counter::<NoLabelSet, _, f64>(&count, None),
                    Value::Gauge(value) => to.encode_gauge(&value),
                    Value::Latency(LatencyStats { count, sum, cumulative, .. }) => {
                        let buckets = to_buckets(cumulative, *count);
                        to.encode_histogram::<NoLabelSet>(*sum, *count, &buckets, None)
                    }
                }?;
            }
        }
        Ok(())
    }
}

enum Value<'a> {
    Count(u64),
    Gauge(f64),
    Latency(&'a LatencyStats),
}

type Rows<'a> = Vec<(Labels<'a>, Value<'a>)>;

struct Family {
    /// Without the `_total` that counters get.
    name: &'static str,
    help: &'static str,
    kind: MetricType,
    rows: for<'a> fn(&'a Exposition) -> Rows<'a>,
}

const FAMILIES: &[Family] = &[
    Family {
        name: "steer_taken_over_info",
        help: "A name of one of gRPC's policies, and the policy that took it over; always 1",
        kind: MetricType::Gauge,
        rows: |all| all.taken_over.iter().map(taken).collect(),
    },
    Family {
        name: "steer_channel_info",
        help: "The target of a channel, and the place of its policy; always 1",
        kind: MetricType::Gauge,
        rows: |all| all.policies.iter().filter(|of| of.child.is_none()).map(info).collect(),
    },
    Family {
        name: "steer_channel_state",
        help: "The state that a channel's policy published: 1 for this state, 0 for others",
        kind: MetricType::Gauge,
        rows: |all| {
            all.policies.iter().flat_map(|of| states(of.labels(), of.channel.state)).collect()
        },
    },
    Family {
        name: "steer_backend_state",
        help: "The connectivity of a backend: 1 for its state, 0 for the others",
        kind: MetricType::Gauge,
        rows: |all| {
            let backends = all.policies.iter().flat_map(Exposed::backends);
            backends.flat_map(|(labels, backend)| states(labels, backend.state)).collect()
        },
    },
    Family {
        name: "steer_policy_faults",
        help: "Faults of a policy and its pickers",
        kind: MetricType::Counter,
        rows: |all| of_channels(all, |channel| Value::Count(channel.faults)),
    },
    Family {
        name: "steer_policy_fallen_back",
        help: "1 while a fallback replaces a policy that failed",
        kind: MetricType::Gauge,
        rows: |all| of_channels(all, |channel| Value::Gauge(channel.fallen_back.into())),
    },
    Family {
        name: "steer_policy_fallback_since_seconds",
        help: "When a fallback replaced a policy that failed, in seconds since 1970",
        kind: MetricType::Gauge,
        rows: |all| all.policies.iter().filter_map(fallback).collect(),
    },
    Family {
        name: "steer_pickers",
        help: "Pickers that a policy has published",
        kind: MetricType::Counter,
        rows: |all| of_channels(all, |channel| Value::Count(channel.pickers)),
    },
    Family {
        name: "steer_picks",
        help: "Calls that were sent to a backend",
        kind: MetricType::Counter,
        rows: |all| of_backends(all, |backend| backend.picks.map(Value::Count)),
    },
    Family {
        name: "steer_in_flight",
        help: "Calls to a backend that have not ended",
        kind: MetricType::Gauge,
        rows: |all| {
            of_backends(all, |backend| backend.in_flight.map(|count| Value::Gauge(count as f64)))
        },
    },
    Family {
        name: "steer_abandoned",
        help: "Calls to a backend that ended without a status",
        kind: MetricType::Counter,
        rows: |all| of_backends(all, |backend| backend.abandoned.map(Value::Count)),
    },
    Family {
        name: "steer_finished",
        help: "Calls that ended with a status, by its code",
        kind: MetricType::Counter,
        rows: |all| {
            let backends = all.policies.iter().flat_map(Exposed::backends);
            backends.flat_map(|(labels, backend)| finished(labels, backend)).collect()
        },
    },
    Family {
        name: "steer_latency_seconds",
        help: "From the start of a call to its status",
        kind: MetricType::Histogram,
        rows: |all| {
            of_backends(all, |backend| backend.latency_seconds.as_ref().map(Value::Latency))
        },
    },
    Family {
        name: "steer_weight",
        help: "The weight of a backend",
        kind: MetricType::Gauge,
        rows: |all| of_backends(all, |backend| backend.weight.map(Value::Gauge)),
    },
    Family {
        name: "steer_ewma_seconds",
        help: "The policy's estimate of the latency of a backend",
        kind: MetricType::Gauge,
        rows: |all| of_backends(all, |backend| backend.ewma_seconds.map(Value::Gauge)),
    },
    Family {
        name: "steer_reported_rif",
        help: "The requests in flight that a backend reports",
        kind: MetricType::Gauge,
        rows: |all| of_backends(all, |backend| backend.reported_rif.map(Value::Gauge)),
    },
    Family {
        name: "steer_reported_latency_seconds",
        help: "The latency that a backend reports",
        kind: MetricType::Gauge,
        rows: |all| of_backends(all, |backend| backend.reported_latency_seconds.map(Value::Gauge)),
    },
    Family {
        name: "steer_share",
        help: "The share of the ring or table that a backend has, from 0 to 1",
        kind: MetricType::Gauge,
        rows: |all| of_backends(all, |backend| backend.share.map(Value::Gauge)),
    },
];

fn taken(name: &TakenName) -> (Labels<'_>, Value<'_>) {
    (vec![("name", &*name.name), ("policy", &*name.policy)], Value::Gauge(1.0))
}

fn info(of: &Exposed) -> (Labels<'_>, Value<'_>) {
    let mut labels = with(&of.labels(), "target", &of.channel.target);
    labels.push(("grpc_channel", &of.grpc_channel));
    if !of.channel.cluster.is_empty() {
        labels.push(("cluster", &of.channel.cluster));
    }
    labels.extend(of.channel.locality.iter().flat_map(parts_of));
    (labels, Value::Gauge(1.0))
}

fn of_channels(all: &Exposition, value: fn(&ChannelStats) -> Value<'_>) -> Rows<'_> {
    all.policies.iter().map(|of| (of.labels(), value(&of.channel))).collect()
}

fn of_backends(all: &Exposition, value: fn(&BackendStats) -> Option<Value<'_>>) -> Rows<'_> {
    let backends = all.policies.iter().flat_map(Exposed::backends);
    backends.filter_map(|(labels, backend)| Some((labels, value(backend)?))).collect()
}

/// When and why a fallback replaced the policy, if one did.
fn fallback(of: &Exposed) -> Option<(Labels<'_>, Value<'_>)> {
    let fallback = of.channel.fallback.as_ref()?;
    let mut labels = of.labels();
    labels.extend([("reason", &*fallback.reason), ("mode", fallback.mode)]);
    if let Some(plugin) = &of.channel.plugin {
        labels.extend([("plugin", &*plugin.name), ("version", &*plugin.version)]);
    }
    Some((labels, Value::Gauge(fallback.since_unix_seconds())))
}

fn states(labels: Labels<'_>, is: Connectivity) -> impl Iterator<Item = (Labels<'_>, Value<'_>)> {
    STATES.into_iter().map(move |state| {
        (with(&labels, "state", state.name()), Value::Gauge((state == is).into()))
    })
}

fn finished<'a>(
    labels: Labels<'a>,
    backend: &'a BackendStats,
) -> impl Iterator<Item = (Labels<'a>, Value<'a>)> {
    let finished = backend.finished.iter().flatten();
    finished.map(move |(code, count)| (with(&labels, "code", code.name()), Value::Count(*count)))
}

fn with<'a>(labels: &Labels<'a>, name: &'static str, value: &'a str) -> Labels<'a> {
    let mut labels = labels.clone();
    labels.push((name, value));
    labels
}
