//! The policies of this process, by number, and whether calls are tracked for the statistics alone.
//!
//! Must not know: what a record holds.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Weak};

use super::record::Record;
use super::snapshot::ChannelStats;
use crate::sync::{Lazy, Mutex};

/// Records by their numbers, which are never used twice.
struct Living {
    next: u64,
    records: BTreeMap<u64, Weak<Record>>,
}

static LIVING: Mutex<Living> = Mutex::new(Living { next: 1, records: BTreeMap::new() });

// Loom's atomics cannot be static, and this needs no model.
static TRACK_CALLS: Lazy<AtomicBool> = Lazy::new(|| {
    let asked = std::env::var("STEER_STATS").unwrap_or_default();
    AtomicBool::new(asked.split(',').any(|part| part == "calls"))
});

pub(super) fn enter(make: impl FnOnce(u64) -> Record) -> Arc<Record> {
    let mut living = LIVING.lock();
    let id = living.next;
    living.next += 1;
    let record = Arc::new(make(id));
    living.records.insert(id, Arc::downgrade(&record));
    record
}

pub(super) fn leave(id: u64) {
    LIVING.lock().records.remove(&id);
}

/// Every policy that there is, in the order in which they were made. Any thread.
pub fn snapshot() -> Vec<ChannelStats> {
    // Each by itself: a policy may leave meanwhile.
    let records: Vec<Arc<Record>> =
        LIVING.lock().records.values().filter_map(Weak::upgrade).collect();
    records.iter().map(|record| record.snapshot()).collect()
}

/// Whether pickers that are made from now on track calls, if their policy does not do it anyway. Any
/// thread. At first: as the environment's `STEER_STATS=calls` has it.
pub fn track_calls(on: bool) {
    // Relaxed: nothing depends on when it is seen.
    TRACK_CALLS.store(on, Ordering::Relaxed);
}

/// What [`track_calls`] has set.
pub fn tracks_calls() -> bool {
    // Relaxed: as above.
    TRACK_CALLS.load(Ordering::Relaxed)
}
