//! The ring of a new list: kept, changed, or made from its members.
//!
//! Must not depend on: connections, states, how a ring is built.

use super::config::RingHashConfig;
use super::endpoint_table::{EndpointTable, ListChange};
use crate::hashing::{Member, Ring};

/// The ring is changed instead of made if at most one in so many endpoints is another one. With
/// more, sorting all entries is faster than merging the new ones.
const LEAST_ENDPOINTS_PER_CHANGE: usize = 8;

/// The ring for the endpoints of the table, which are not the same or not at the same places as
/// those of `former`. `former` is the last ring, if its sizes are those of the config.
pub(super) fn updated_ring(
    former: Option<&Ring>,
    endpoints: &EndpointTable,
    change: &ListChange,
    config: &RingHashConfig,
) -> Ring {
    match (former, change) {
        (Some(former), ListChange::Places(places))
            if places.len() <= endpoints.len() / LEAST_ENDPOINTS_PER_CHANGE =>
        {
            changed_ring(former, endpoints, places)
        }
        _ => new_ring(endpoints, config),
    }
}

fn new_ring(endpoints: &EndpointTable, config: &RingHashConfig) -> Ring {
    let members: Vec<Member<'_>> = endpoints
        .iter()
        .map(|(descriptor, weight)| Member { weight, ..Member::from_endpoint(descriptor) })
        .collect();
    Ring::new(&members, config.min_ring_size, config.max_ring_size)
}

/// The ring with other endpoints at these places, which have the weights of those that were there.
fn changed_ring(former: &Ring, endpoints: &EndpointTable, places: &[usize]) -> Ring {
    let key = |place: &usize| (*place, Member::from_endpoint(endpoints.descriptor(*place)).key);
    former.with_keys(&places.iter().map(key).collect())
}
