//! Makes independent bits of a hash, for a second choice by the same hash.
//!
//! Must not depend on: what is chosen.

/// Mixes the bits of a hash: equal hashes have equal results, and others independent ones.
///
/// Source: Steele, Lea, Flood, "Fast Splittable Pseudorandom Number Generators" (2014), with the
/// constants of Stafford's variant 13.
#[inline]
pub(crate) fn mix(hash: u64) -> u64 {
    let hash = (hash ^ (hash >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let hash = (hash ^ (hash >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    hash ^ (hash >> 31)
}
