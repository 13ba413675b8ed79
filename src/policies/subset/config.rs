//! The config of `steer_subset`.
//!
//! Must not depend on: how the part is chosen.

use crate::policy::Fields;

/// Enough backends that the failure of one is no great loss, and few enough that a thousand clients
/// are no burden (Google's SRE book: 20 to 100).
const DEFAULT_SIZE: u32 = 20;

/// The fields of `steer_subset`, without its child's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SubsetConfig {
    /// The number of backends that the child gets. At least 1.
    pub(super) size: u32,
    /// The client's place. `None`: a random part.
    pub(super) place: Option<ClientPlace>,
}

/// A client's place among all clients.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct ClientPlace {
    /// Below `count`.
    pub(super) index: u32,
    pub(super) count: u32,
}

impl SubsetConfig {
    pub(super) fn parse(fields: &mut Fields<'_>) -> SubsetConfig {
        let size = fields.number("subsetSize", DEFAULT_SIZE);
        if size == 0 {
            fields.fault("subsetSize", "must be at least 1");
        }
        let (has_index, has_count) = (fields.has("clientIndex"), fields.has("clientCount"));
        let index = fields.number("clientIndex", 0);
        let count = fields.number("clientCount", 1);
        match (has_index, has_count) {
            (true, false) => fields.fault("clientCount", "is required beside clientIndex"),
            (false, true) => fields.fault("clientIndex", "is required beside clientCount"),
            (true, true) if index >= count => {
                fields.fault("clientIndex", format!("must be below clientCount, {count}"));
            }
            _ => {}
        }
        let place = (has_index && has_count).then_some(ClientPlace { index, count });
        SubsetConfig { size, place }
    }
}
