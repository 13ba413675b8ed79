//! The policies of this process, by number, and whether calls are tracked for statistics only.
//!
//! Must not depend on: what a record holds.

use std::collections::BTreeMap;
use std::ops::Deref;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Weak};

use super::record::{Clock, Record};
use super::snapshot::ChannelStats;
use crate::sync::{Lazy, Mutex};

/// Records by their numbers, which are never used twice.
struct LivePolicies {
    next: u64,
    records: BTreeMap<u64, Weak<Record>>,
}

impl LivePolicies {
    fn next_id(&mut self) -> u64 {
        let id = self.next;
        self.next += 1;
        id
    }
}

static LIVE: Mutex<LivePolicies> = Mutex::new(LivePolicies { next: 1, records: BTreeMap::new() });

// Not `crate::sync`: loom's atomics cannot be static, and this one needs no model.
static TRACK_CALLS: Lazy<AtomicBool> = Lazy::new(|| {
    let parts = std::env::var("STEER_STATS").unwrap_or_default();
    AtomicBool::new(parts.split(',').any(|part| part == "calls"))
});

/// A policy in the statistics.
///
/// Made by the policy's runner, in the host's work serializer. The policy leaves the statistics
/// when this is dropped, or earlier with [`Registration::leave`].
pub struct Registration {
    record: Arc<Record>,
    /// The policy that this one is a child of. `None`: it is a channel's.
    parent: Option<Weak<Record>>,
}

/// Adds a channel's policy of this name to the statistics. Any thread.
pub fn register(policy: &str, clock: Weak<dyn Clock>) -> Registration {
    let mut live = LIVE.lock();
    let record = Arc::new(Record::new(live.next_id(), policy, None, clock));
    live.records.insert(record.id(), Arc::downgrade(&record));
    Registration { record, parent: None }
}

/// Adds a policy of this name to the statistics, as the child of this name of another policy. Any
/// thread.
pub fn register_child(
    parent: &Arc<Record>,
    name: &str,
    policy: &str,
    clock: Weak<dyn Clock>,
) -> Registration {
    let id = LIVE.lock().next_id();
    let record = Arc::new(Record::new(id, policy, Some(name.to_owned()), clock));
    parent.add_child(&record);
    Registration { record, parent: Some(Arc::downgrade(parent)) }
}

impl Registration {
    /// Removes the policy, because it was shut down. Its pickers may live on, but no longer count.
    pub fn leave(&self) {
        match &self.parent {
            Some(parent) => {
                if let Some(parent) = parent.upgrade() {
                    parent.remove_child(self.record.id());
                }
            }
            None => drop(LIVE.lock().records.remove(&self.record.id())),
        }
        self.record.clear_source();
    }
}

impl Deref for Registration {
    type Target = Arc<Record>;

    fn deref(&self) -> &Arc<Record> {
        &self.record
    }
}

impl Drop for Registration {
    fn drop(&mut self) {
        self.leave();
    }
}

/// Every channel's policy, with its children, in the order in which they were made. Any thread.
pub fn snapshot() -> Vec<ChannelStats> {
    // One by one and without the lock: a policy may leave meanwhile.
    let records: Vec<Arc<Record>> =
        LIVE.lock().records.values().filter_map(Weak::upgrade).collect();
    records.iter().map(|record| record.snapshot()).collect()
}

/// Sets whether pickers that are made from now on track calls, even if their policy does not. Any
/// thread. The default comes from the environment: `STEER_STATS=calls` turns it on.
pub fn track_calls(on: bool) {
    // Relaxed: it orders no other memory, and may be seen late.
    TRACK_CALLS.store(on, Ordering::Relaxed);
}

/// The value that [`track_calls`] has set.
pub fn tracks_calls() -> bool {
    // Relaxed: as in `track_calls`.
    TRACK_CALLS.load(Ordering::Relaxed)
}
