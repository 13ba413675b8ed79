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
pub struct Registration(Arc<Record>);

/// Adds a policy of this name to the statistics. Any thread.
pub fn register(policy: &str, clock: Weak<dyn Clock>) -> Registration {
    let mut live = LIVE.lock();
    let id = live.next;
    live.next += 1;
    let record = Arc::new(Record::new(id, policy, clock));
    live.records.insert(id, Arc::downgrade(&record));
    Registration(record)
}

impl Registration {
    /// Removes the policy, because it was shut down. Its pickers may live on, but no longer count.
    pub fn leave(&self) {
        LIVE.lock().records.remove(&self.0.id());
        self.0.clear_source();
    }
}

impl Deref for Registration {
    type Target = Arc<Record>;

    fn deref(&self) -> &Arc<Record> {
        &self.0
    }
}

impl Drop for Registration {
    fn drop(&mut self) {
        self.leave();
    }
}

/// Every policy of the process, in the order in which they were made. Any thread.
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
