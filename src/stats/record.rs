//! One policy, as its runner and its endpoints write it down, for whoever asks.
//!
//! Cost: a lock that is held for a few instructions, or while a snapshot copies what it needs.
//!
//! Must not know: runners, which policy it is.

use std::sync::{Arc, Weak};
use std::time::Duration;

use slab::Slab;

use super::living;
use super::snapshot::{ChannelStats, Describe, Fallback, Plugin, Table};
use crate::Status;
use crate::endpoints::{Connectivity, EndpointDescriptor, EndpointId};
use crate::sync::Mutex;
use crate::sync::atomic::{AtomicU64, Ordering};

/// A host's clock.
pub trait Clock: Send + Sync {
    /// Time since an arbitrary moment; never goes back.
    fn now(&self) -> Duration;
}

/// A policy's record. It is among the living ones from [`Record::enter`] on, until it is dropped or
/// leaves.
pub struct Record {
    id: u64,
    policy: String,
    clock: Weak<dyn Clock>,
    faults: AtomicU64,
    told: Mutex<Told>,
}

/// What was told last.
struct Told {
    target: String,
    plugin: Option<Plugin>,
    fallback: Option<Fallback>,
    state: Connectivity,
    status: Status,
    pickers: u64,
    /// By their slots.
    endpoints: Slab<Known>,
    describe: Option<Arc<dyn Describe>>,
}

/// What is known of an endpoint.
#[derive(Clone)]
struct Known {
    id: EndpointId,
    descriptor: Arc<EndpointDescriptor>,
    /// None: it has not reported yet.
    state: Option<Connectivity>,
}

impl Record {
    /// A record of a policy of this name, among the living ones.
    pub fn enter(policy: &str, clock: Weak<dyn Clock>) -> Arc<Record> {
        living::enter(|id| Record {
            id,
            policy: policy.to_owned(),
            clock,
            faults: AtomicU64::new(0),
            told: Mutex::new(Told {
                target: String::new(),
                plugin: None,
                fallback: None,
                state: Connectivity::Idle,
                status: Status::OK,
                pickers: 0,
                endpoints: Slab::new(),
                describe: None,
            }),
        })
    }

    /// The policy was shut down. What of it lives on is nobody's policy any more.
    pub fn leave(&self) {
        living::leave(self.id);
        // What it tells of may hold what is the host's.
        let describe = self.told.lock().describe.take();
        drop(describe);
    }

    /// An update names the channel's target.
    pub fn target(&self, target: &str) {
        let mut told = self.told.lock();
        if told.target != target {
            target.clone_into(&mut told.target);
        }
    }

    /// Counts a fault; returns how many there were with it.
    pub fn fault(&self) -> u64 {
        // Relaxed: a counter for people.
        self.faults.fetch_add(1, Ordering::Relaxed) + 1
    }

    /// How many faults there were.
    pub fn faults(&self) -> u64 {
        self.faults.load(Ordering::Relaxed)
    }

    /// Policies are from this plugin from now on.
    pub fn made_by(&self, plugin: Option<Plugin>) {
        let former = std::mem::replace(&mut self.told.lock().plugin, plugin);
        drop(former);
    }

    /// A policy takes over: the one of this name, or what takes its place when it is broken.
    pub fn taken_over(&self, fallback: Option<Fallback>) {
        let mut told = self.told.lock();
        told.fallback = fallback;
        let former = told.describe.take();
        // Not within the lock: it is the policy's.
        drop(told);
        drop(former);
    }

    /// The policy says who can tell of its backends.
    pub fn described_by(&self, describe: Arc<dyn Describe>) {
        let former = self.told.lock().describe.replace(describe);
        drop(former);
    }

    /// A picker was published, with this state.
    pub fn published(&self, state: Connectivity, status: &Status) {
        let mut told = self.told.lock();
        told.state = state;
        told.status.clone_from(status);
        told.pickers += 1;
    }

    /// An endpoint is being made for this descriptor. It is in the record until what this returns is dropped. `Err`:
    /// there are too many.
    pub fn enter_endpoint(
        self: &Arc<Self>,
        descriptor: &Arc<EndpointDescriptor>,
    ) -> Result<EndpointLease, Status> {
        let mut told = self.told.lock();
        let entry = told.endpoints.vacant_entry();
        let id = EndpointId::next(entry.key()).ok_or_else(|| {
            Status::unavailable("the policy has more endpoints than it can number")
        })?;
        entry.insert(Known { id, descriptor: Arc::clone(descriptor), state: None });
        drop(told);
        Ok(EndpointLease { id, record: Arc::clone(self) })
    }

    /// An endpoint reports this state.
    pub fn reported(&self, endpoint: EndpointId, state: Connectivity) {
        let mut told = self.told.lock();
        let known = told.endpoints.get_mut(endpoint.slot());
        if let Some(known) = known.filter(|known| known.id == endpoint) {
            known.state = Some(state);
        }
    }

    /// What is in the place of a policy that broke.
    pub fn fallback(&self) -> Option<Fallback> {
        self.told.lock().fallback.clone()
    }

    /// All of it.
    pub(super) fn snapshot(&self) -> ChannelStats {
        let told = self.told.lock();
        let mut endpoints: Vec<Known> =
            told.endpoints.iter().map(|(_, known)| known.clone()).collect();
        let describe = told.describe.clone();
        let mut channel = ChannelStats {
            id: self.id,
            target: told.target.clone(),
            policy: self.policy.clone(),
            plugin: told.plugin.clone(),
            fallen_back: told.fallback.is_some(),
            fallback: told.fallback.clone(),
            state: told.state,
            status: told.status.clone(),
            faults: self.faults(),
            pickers: told.pickers,
            calls_tracked: false,
            backends: Vec::new(),
        };
        drop(told);
        // In the order in which they were made.
        endpoints.sort_unstable_by_key(|known| known.id);
        let now = self.clock.upgrade().map_or(Duration::ZERO, |clock| clock.now());
        let mut table = Table::new(
            now,
            endpoints.iter().map(|known| {
                let state = known.state.unwrap_or(Connectivity::Connecting);
                (&*known.descriptor.addresses, state)
            }),
        );
        if let Some(describe) = describe {
            describe.describe(&mut table);
        }
        (channel.calls_tracked, channel.backends) = table.into_parts();
        channel
    }
}

impl Drop for Record {
    fn drop(&mut self) {
        living::leave(self.id);
    }
}

/// An endpoint's number, which is its own, and by which it is in its policy's record, until this is dropped.
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
        let gone = self.record.told.lock().endpoints.try_remove(self.id.slot());
        // Not within the lock: it may be the descriptor's last owner.
        drop(gone);
    }
}
