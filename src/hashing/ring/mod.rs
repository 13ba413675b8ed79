//! The ketama ring: each member is at many positions of a circle of hashes. A call belongs to the
//! member at the first position from the call's hash on.
//!
//! | file | idea |
//! |---|---|
//! | `mod.rs` | the ring and its look-ups |
//! | `build.rs` | how a ring is made, and made again when keys change |
//!
//! Sources: gRFC A42; gRPC's `ring_hash`, whose ring this is, entry by entry. Members with the same
//! key have the same positions. Then the member that is first in the list comes first, where gRPC
//! leaves the order open.
//!
//! Cost of a look-up: one load from a table by the hash's upper bits, and a few comparisons without
//! a branch. About one entry has the same upper bits. At worst O(log entries).
//!
//! Must not depend on: policies, states.

mod build;
// Not for Miri: this is safe arithmetic, and a lot of it.
#[cfg(all(test, not(miri)))]
mod tests;

/// The number of entries that a look-up compares at once. More than 4 entries with the same upper
/// bits are very rare, as about one is expected.
const AT_ONCE: usize = 4;

/// The members by hash. Never changes. Shared by pickers on any thread.
#[derive(Debug)]
pub struct Ring {
    /// The entries, sorted, and then [`AT_ONCE`] of the greatest possible entries. An entry is a
    /// hash and the index of its member in the list. Both are side by side, so that a look-up gets
    /// them from one cache line.
    entries: Box<[(u64, u32)]>,
    /// For each value of the upper bits: the index of the first entry with these bits or greater.
    starts: Box<[u32]>,
    /// Shifts a hash so that its upper bits remain.
    shift: u32,
}

impl Ring {
    /// The number of entries.
    #[expect(clippy::len_without_is_empty, reason = "a ring is never empty")]
    pub fn len(&self) -> usize {
        self.entries.len() - AT_ONCE
    }

    /// The entry of a call with this hash.
    #[inline]
    pub fn find(&self, hash: u64) -> usize {
        let start = self.starts[(hash >> self.shift) as usize] as usize;
        let near = &self.entries[start..start + AT_ONCE];
        let less: usize = near.iter().map(|entry| usize::from(entry.0 < hash)).sum();
        let at = if less < AT_ONCE { start + less } else { self.find_from(start, hash) };
        if at == self.len() { 0 } else { at }
    }

    #[cold]
    fn find_from(&self, start: usize, hash: u64) -> usize {
        let end = self.starts[(hash >> self.shift) as usize + 1] as usize;
        start + self.entries[start..end].partition_point(|entry| entry.0 < hash)
    }

    /// The entry after this one.
    #[inline]
    pub fn after(&self, entry: usize) -> usize {
        if entry + 1 == self.len() { 0 } else { entry + 1 }
    }

    /// The index in the list of the member that this entry belongs to.
    #[inline]
    pub fn owner(&self, entry: usize) -> usize {
        self.entries[entry].1 as usize
    }

    /// The share of all hashes that belongs to each member. `members` is their number.
    pub fn shares(&self, members: usize) -> Vec<f64> {
        let mut shares = vec![0.0; members];
        let mut former = self.entries().last().map_or(0, |(hash, _)| hash);
        for (hash, owner) in self.entries() {
            // The first entry also has the hashes after the last one. A single entry has all.
            shares[owner] += match hash.wrapping_sub(former) {
                0 if self.len() == 1 => 1.0,
                hashes => hashes as f64 / 2_f64.powi(64),
            };
            former = hash;
        }
        shares
    }

    /// How many of this many members have no entry. No call belongs to them.
    pub fn members_without_entry(&self, members: usize) -> usize {
        let mut has_entry = vec![false; members];
        self.entries().for_each(|(_, owner)| has_entry[owner] = true);
        has_entry.into_iter().filter(|has_entry| !has_entry).count()
    }

    /// All entries in order: the hash, and the index of the member in the list.
    pub fn entries(&self) -> impl Iterator<Item = (u64, usize)> {
        self.entries[..self.len()].iter().map(|&(hash, owner)| (hash, owner as usize))
    }
}
