//! One policy, as its runner and its endpoints record it for the statistics.
//!
//! Cost: a lock that is held for a few instructions, or while a snapshot copies the data.
//!
//! Must not depend on: runners, which policy it is.

use std::collections::BTreeMap;
use std::sync::{Arc, Weak};
use std::time::Duration;

use slab::Slab;

use super::custom::{CustomMetricStats, CustomMetrics};
use super::snapshot::{ChannelStats, Fallback, Plugin};
use super::source::StatsSource;
use super::table::Table;
use crate::Status;
use crate::endpoints::{Connectivity, EndpointDescriptor, EndpointId, Locality};
use crate::sync::Mutex;
use crate::sync::atomic::{AtomicU64, Ordering};

/// A host's clock.
pub trait Clock: Send + Sync {
    /// Time since an arbitrary moment; never goes back.
    fn now(&self) -> Duration;
}

/// What a policy belongs to.
pub(super) enum Position {
    /// A channel with this number.
    Channel(u64),
    /// Another policy, which gave it this name.
    Child(String),
}

/// The record of one policy.
///
/// Made by [`register`](super::register). Written by the policy's runner and its endpoints, mostly
/// in the host's work serializer. Read by snapshots on any thread. Ends with the last of them.
pub struct Record {
    id: u64,
    policy: String,
    position: Position,
    clock: Weak<dyn Clock>,
    faults: AtomicU64,
    data: Mutex<Data>,
}

/// The latest state.
struct Data {
    target: String,
    /// The xDS cluster. Empty: none.
    cluster: String,
    /// The name of gRPC's that the policy took over, if its config was given to that name.
    taken_name: Option<String>,
    plugin: Option<Plugin>,
    fallback: Option<Fallback>,
    state: Connectivity,
    status: Status,
    pickers: u64,
    /// By the slots of the endpoints' numbers.
    endpoints: Slab<EndpointRecord>,
    source: Option<Arc<dyn StatsSource>>,
    custom_metrics: Option<Arc<CustomMetrics>>,
    /// The policy's children, by their ids.
    children: BTreeMap<u64, Weak<Record>>,
}

/// One endpoint.
#[derive(Clone)]
struct EndpointRecord {
    id: EndpointId,
    descriptor: Arc<EndpointDescriptor>,
    /// `None` until its first report.
    state: Option<Connectivity>,
}

impl Record {
    /// A record of a policy of this name.
    pub(super) fn new(id: u64, policy: &str, position: Position, clock: Weak<dyn Clock>) -> Record {
        Record {
            id,
            policy: policy.to_owned(),
            position,
            clock,
            faults: AtomicU64::new(0),
            data: Mutex::new(Data {
                target: String::new(),
                cluster: String::new(),
                taken_name: None,
                plugin: None,
                fallback: None,
                state: Connectivity::Idle,
                status: Status::OK,
                pickers: 0,
                endpoints: Slab::new(),
                source: None,
                custom_metrics: None,
                children: BTreeMap::new(),
            }),
        }
    }

    /// The number of the policy, which is never used twice.
    pub(super) fn id(&self) -> u64 {
        self.id
    }

    /// Adds a child of the policy.
    pub(super) fn add_child(&self, child: &Arc<Record>) {
        self.data.lock().children.insert(child.id, Arc::downgrade(child));
    }

    /// Removes a child of the policy.
    pub(super) fn remove_child(&self, id: u64) {
        let gone = self.data.lock().children.remove(&id);
        drop(gone);
    }

    /// Forgets the policy's source of statistics, which may own objects of the host.
    pub(super) fn clear_source(&self) {
        let source = self.data.lock().source.take();
        // Dropped without the lock: it belongs to the policy.
        drop(source);
    }

    /// Sets the channel's target, which an update names.
    pub fn set_target(&self, target: &str) {
        let mut data = self.data.lock();
        if data.target != target {
            target.clone_into(&mut data.target);
        }
    }

    /// Sets the xDS cluster, which an update names. Empty: none.
    pub fn set_cluster(&self, cluster: &str) {
        let mut data = self.data.lock();
        if data.cluster != cluster {
            cluster.clone_into(&mut data.cluster);
        }
    }

    /// Sets the name of gRPC's that the policy took over.
    pub fn set_taken_name(&self, name: Option<&str>) {
        let mut data = self.data.lock();
        if data.taken_name.as_deref() != name {
            data.taken_name = name.map(str::to_owned);
        }
    }

    /// Counts a fault. Returns the number of faults so far.
    pub fn fault(&self) -> u64 {
        // Relaxed: the counter orders no other memory.
        self.faults.fetch_add(1, Ordering::Relaxed) + 1
    }

    /// The number of faults so far.
    pub fn faults(&self) -> u64 {
        self.faults.load(Ordering::Relaxed)
    }

    /// Sets the plugin that the policy comes from.
    pub fn set_plugin(&self, plugin: Option<Plugin>) {
        let former = std::mem::replace(&mut self.data.lock().plugin, plugin);
        drop(former);
    }

    /// Records that another object replaces the policy: one of the same name, or the fallback.
    pub fn policy_replaced(&self, fallback: Option<Fallback>) {
        let mut data = self.data.lock();
        data.fallback = fallback;
        let former = data.source.take();
        drop(data);
        // Dropped without the lock: it belongs to the policy.
        drop(former);
    }

    /// Sets what describes the policy's backends.
    pub fn set_source(&self, source: Arc<dyn StatsSource>) {
        let former = self.data.lock().source.replace(source);
        drop(former);
    }

    /// Sets the metrics of a custom policy.
    pub fn set_custom_metrics(&self, metrics: Arc<CustomMetrics>) {
        let former = self.data.lock().custom_metrics.replace(metrics);
        drop(former);
    }

    /// Records a published picker with this state.
    pub fn published(&self, state: Connectivity, status: &Status) {
        let mut data = self.data.lock();
        data.state = state;
        data.status.clone_from(status);
        data.pickers += 1;
    }

    /// Adds an endpoint that is about to be made for this descriptor. The record keeps it until the
    /// lease is dropped. Fails if there are too many endpoints.
    pub fn add_endpoint(
        self: &Arc<Self>,
        descriptor: &Arc<EndpointDescriptor>,
    ) -> Result<EndpointLease, Status> {
        let mut data = self.data.lock();
        let entry = data.endpoints.vacant_entry();
        let id = EndpointId::next(entry.key()).ok_or_else(|| {
            Status::unavailable("the policy has more endpoints than it can number")
        })?;
        entry.insert(EndpointRecord { id, descriptor: Arc::clone(descriptor), state: None });
        drop(data);
        Ok(EndpointLease { id, record: Arc::clone(self) })
    }

    /// Records the state that an endpoint reports.
    pub fn reported(&self, endpoint: EndpointId, state: Connectivity) {
        let mut data = self.data.lock();
        let entry = data.endpoints.get_mut(endpoint.slot());
        if let Some(entry) = entry.filter(|entry| entry.id == endpoint) {
            entry.state = Some(state);
        }
    }

    /// The fallback that replaces the policy, if the policy failed.
    pub fn fallback(&self) -> Option<Fallback> {
        self.data.lock().fallback.clone()
    }

    /// The metrics of a custom policy.
    pub fn custom_metrics(&self) -> Vec<CustomMetricStats> {
        let metrics = self.data.lock().custom_metrics.clone();
        metrics.map_or_else(Vec::new, |metrics| metrics.stats())
    }

    /// A copy of the whole record, with the descriptions of the policy and its children.
    pub(super) fn snapshot(&self) -> ChannelStats {
        let data = self.data.lock();
        let mut endpoints: Vec<EndpointRecord> =
            data.endpoints.iter().map(|(_, entry)| entry.clone()).collect();
        let source = data.source.clone();
        let children: Vec<Arc<Record>> = data.children.values().filter_map(Weak::upgrade).collect();
        let (grpc_channel, child) = match &self.position {
            Position::Channel(number) => (Some(*number), None),
            Position::Child(name) => (None, Some(name.clone())),
        };
        let mut channel = ChannelStats {
            id: self.id,
            grpc_channel,
            target: data.target.clone(),
            cluster: data.cluster.clone(),
            locality: common_locality(&endpoints),
            child,
            policy: self.policy.clone(),
            taken_name: data.taken_name.clone(),
            plugin: data.plugin.clone(),
            fallen_back: data.fallback.is_some(),
            fallback: data.fallback.clone(),
            state: data.state,
            status: data.status.clone(),
            faults: self.faults(),
            pickers: data.pickers,
            calls_tracked: false,
            backends: Vec::new(),
            custom_metrics: Vec::new(),
            children: Vec::new(),
        };
        drop(data);
        channel.custom_metrics = self.custom_metrics();
        // One by one and without the lock: a child may leave meanwhile.
        channel.children = children.iter().map(|child| child.snapshot()).collect();
        // In the order in which they were made.
        endpoints.sort_unstable_by_key(|entry| entry.id);
        let now = self.clock.upgrade().map_or(Duration::ZERO, |clock| clock.now());
        let mut table = Table::new(
            now,
            endpoints.iter().map(|entry| {
                let state = entry.state.unwrap_or(Connectivity::Connecting);
                (&*entry.descriptor.addresses, state)
            }),
        );
        if let Some(source) = source {
            source.describe(&mut table);
        }
        for child in &channel.children {
            table.add_child(child);
        }
        (channel.calls_tracked, channel.backends) = table.into_parts();
        channel
    }
}

/// The locality of all these endpoints. `None`: it is not known, or not the same for all.
fn common_locality(endpoints: &[EndpointRecord]) -> Option<Locality> {
    let mut localities = endpoints.iter().map(|entry| &entry.descriptor.locality);
    let first = localities.next().filter(|first| **first != Locality::default())?;
    localities.all(|locality| locality == first).then(|| first.clone())
}

/// The number of an endpoint.
///
/// Made by [`Record::add_endpoint`], and owned by the endpoint. Dropping it removes the endpoint
/// from the record, and frees the number's slot.
pub struct EndpointLease {
    id: EndpointId,
    record: Arc<Record>,
}

impl EndpointLease {
    /// The number.
    pub fn id(&self) -> EndpointId {
        self.id
    }
}

impl Drop for EndpointLease {
    fn drop(&mut self) {
        let gone = self.record.data.lock().endpoints.try_remove(self.id.slot());
        // Dropped without the lock: it may own the descriptor's last reference.
        drop(gone);
    }
}
