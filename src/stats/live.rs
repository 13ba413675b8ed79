//! The policies of this process, by number, and whether calls are tracked for statistics only.
//!
//! Must not depend on: what a record holds.

use std::collections::BTreeMap;
use std::ops::Deref;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Weak};

use super::record::{Clock, Position, Record};
use super::snapshot::ChannelStats;
use crate::sync::{Lazy, Mutex};

/// Records by their numbers, which are never used twice.
struct LivePolicies {
    next: u64,
    records: BTreeMap<u64, Weak<Record>>,
    /// The host's channels that have policies, by the host's keys.
    channels: BTreeMap<u64, HostChannel>,
}

/// A channel of the host.
struct HostChannel {
    /// The number of its first policy.
    number: u64,
    /// How many policies it has now. At 0 it is removed: the host may use the key again.
    policies: usize,
}

impl LivePolicies {
    fn next_id(&mut self) -> u64 {
        let id = self.next;
        self.next += 1;
        id
    }

    /// The number of the channel with this key, to which the policy `id` belongs from now on.
    fn join(&mut self, key: Option<u64>, id: u64) -> u64 {
        let Some(key) = key else { return id };
        let first = HostChannel { number: id, policies: 0 };
        let channel = self.channels.entry(key).or_insert(first);
        channel.policies += 1;
        channel.number
    }

    /// A policy leaves the channel with this key.
    fn part(&mut self, key: u64) {
        let Some(channel) = self.channels.get_mut(&key) else { return };
        channel.policies -= 1;
        if channel.policies == 0 {
            self.channels.remove(&key);
        }
    }
}

static LIVE: Mutex<LivePolicies> =
    Mutex::new(LivePolicies { next: 1, records: BTreeMap::new(), channels: BTreeMap::new() });

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
    /// The host's key of the channel.
    channel: Option<u64>,
}

/// Adds a channel's policy of this name to the statistics. Any thread.
///
/// Policies with the same `channel` belong to one channel. The host may use a key again for another
/// channel when no policy has it any more. `None`: the policy is its channel's only one.
pub fn register(policy: &str, channel: Option<u64>, clock: Weak<dyn Clock>) -> Registration {
    let mut live = LIVE.lock();
    let id = live.next_id();
    let number = live.join(channel, id);
    let record = Arc::new(Record::new(id, policy, Position::Channel(number), clock));
    live.records.insert(id, Arc::downgrade(&record));
    Registration { record, parent: None, channel }
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
    let record = Arc::new(Record::new(id, policy, Position::Child(name.to_owned()), clock));
    parent.add_child(&record);
    Registration { record, parent: Some(Arc::downgrade(parent)), channel: None }
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
            None => {
                let mut live = LIVE.lock();
                // Only the first of several calls finds it.
                let gone = live.records.remove(&self.record.id());
                if let (Some(_), Some(key)) = (gone, self.channel) {
                    live.part(key);
                }
            }
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

#[cfg(all(test, not(loom)))]
mod tests {
    use std::time::Duration;

    use super::*;

    struct Unused;

    impl Clock for Unused {
        fn now(&self) -> Duration {
            Duration::ZERO
        }
    }

    fn member(channel: Option<u64>) -> Registration {
        register("p", channel, Weak::<Unused>::new())
    }

    fn channel_of(policy: &Registration) -> Option<u64> {
        policy.snapshot().grpc_channel
    }

    #[test]
    fn a_channel_has_the_number_of_its_first_policy() {
        const KEY: Option<u64> = Some(0xC4A11);
        let first = member(KEY);
        let (second, other, alone) = (member(KEY), member(Some(0xC4A12)), member(None));
        for policy in [&first, &other, &alone] {
            assert_eq!(channel_of(policy), Some(policy.id()));
        }
        assert_eq!(channel_of(&second), Some(first.id()));
        let number = first.id();
        first.leave();
        // Leaves again, which counts no second time.
        drop(first);
        let third = member(KEY);
        assert_eq!((channel_of(&second), channel_of(&third)), (Some(number), Some(number)));
        drop((second, third));
        let later = member(KEY);
        assert_eq!(channel_of(&later), Some(later.id()), "the key is that of another channel");
    }

    #[test]
    fn a_child_is_in_no_channel_of_its_own() {
        let parent = member(None);
        let child = register_child(&parent, "child", "p", Weak::<Unused>::new());
        assert_eq!(channel_of(&child), None);
    }
}
