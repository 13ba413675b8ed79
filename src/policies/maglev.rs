//! `steer_maglev`: sends calls with the same hash to the same backend, by a table in which backends
//! of equal weight have equal shares. Connects every backend.
//!
//! Sources: Eisenbud et al., "Maglev: A Fast and Reliable Software Network Load Balancer" (NSDI
//! 2016); Envoy's policy of that name. Bounded loads: see `bounded_loads.rs`.
//! Config: `tableSize`, `requestHashHeader`, `hashBalanceFactor`.
//! Cost per pick: the call's hash, a division, a load from the table, and the connection at the
//! backend's place (see `endpoints/persistent_vec.rs`). Cost per report: O(1). Cost per update: a
//! table, if the members have changed; see `hashing/maglev.rs`.
//!
//! Must not depend on: how the table is built, connectivity states.

use std::sync::Arc;

use super::bounded_loads::{self, BoundedBackends, BoundedLoads};
use super::request_hash::RequestHash;
use crate::calls::{Call, Wants};
use crate::endpoints::{Connection, EndpointDescriptor, PersistentVec};
use crate::hashing::{Member, Table, maglev};
use crate::policy::sample::below;
use crate::policy::{BuiltIn, Fields, Helper, Pick, Picker, PickerFactory, Ready};
use crate::stats::{self, Latest, StatsSource};

/// The default of `tableSize`, which is prime: keeps shares within a percent for up to about 650
/// backends, 100 slots for each. The paper's and Envoy's size.
const DEFAULT_TABLE_SIZE: u32 = 65537;

/// The picker factory of `steer_maglev`.
pub struct Maglev {
    /// The table of the list in use. It has all backends, READY or not, so a backend that comes
    /// back has its former slots.
    table: Option<ListTable>,
    loads: BoundedLoads<Connection>,
    /// The shares of the backends, for the statistics.
    shares: Arc<Latest>,
}

/// A table, and the members that it was made of.
struct ListTable {
    members: Vec<Member<'static>>,
    table: Arc<Table>,
}

/// The config.
#[derive(Debug)]
pub struct MaglevConfig {
    table_size: u32,
    request_hash: RequestHash,
    balance_factor: Option<u32>,
}

impl BuiltIn for Maglev {
    const NAME: &'static str = "steer_maglev";

    fn parse(fields: &mut Fields<'_>) -> MaglevConfig {
        let table_size = fields.number("tableSize", DEFAULT_TABLE_SIZE);
        if table_size > maglev::GREATEST_SIZE || !maglev::is_prime(table_size) {
            let most = maglev::GREATEST_SIZE;
            fields.fault("tableSize", format!("must be a prime number, at most {most}"));
        }
        MaglevConfig {
            table_size,
            request_hash: RequestHash::parse(fields),
            balance_factor: bounded_loads::parse(fields),
        }
    }

    fn new(_helper: &dyn Helper) -> Self {
        Maglev { table: None, loads: BoundedLoads::new(), shares: Arc::default() }
    }
}

impl PickerFactory for Maglev {
    type Config = MaglevConfig;

    fn counts_calls(&self, config: &MaglevConfig) -> bool {
        config.balance_factor.is_some()
    }

    fn stats_sources(&self) -> Vec<Arc<dyn StatsSource>> {
        vec![self.loads.stats_source(), Arc::clone(&self.shares) as Arc<dyn StatsSource>]
    }

    fn update_list(&mut self, config: &Arc<MaglevConfig>, endpoints: &[&Arc<EndpointDescriptor>]) {
        self.loads.update_list(config.balance_factor, endpoints);
        let members: Vec<Member<'_>> =
            endpoints.iter().map(|endpoint| Member::from_endpoint(endpoint)).collect();
        let same = |made: &ListTable| {
            made.table.len() == config.table_size as usize && made.members == members
        };
        if !self.table.as_ref().is_some_and(same) {
            let table = Arc::new(Table::new(&members, config.table_size));
            let members = members.into_iter().map(Member::into_owned).collect();
            self.table = Some(ListTable { members, table });
        }
        if let Some(ListTable { table, .. }) = &self.table {
            let endpoints = endpoints.iter().map(|&endpoint| Arc::clone(endpoint)).collect();
            self.shares.set(TableShares { endpoints, table: Arc::clone(table) });
        }
    }

    fn build(
        &mut self,
        config: &Arc<MaglevConfig>,
        ready: &Ready<'_>,
        helper: &Arc<dyn Helper>,
    ) -> Box<dyn Picker> {
        let made = self.table.as_ref().expect("a list came before its picker");
        let bounded =
            config.balance_factor.map(|percent| self.loads.backends(percent, ready.connections()));
        Box::new(MaglevPicker {
            table: Arc::clone(&made.table),
            connections: ready.connections().clone(),
            config: Arc::clone(config),
            bounded,
            helper: Arc::clone(helper),
        })
    }

    fn none_ready(&mut self) {
        self.loads.none_ready();
    }

    fn forget(&mut self, gone: &[Arc<EndpointDescriptor>]) {
        self.loads.forget(gone);
    }
}

/// The shares of the table's slots that belong to each endpoint.
struct TableShares {
    endpoints: Vec<Arc<EndpointDescriptor>>,
    table: Arc<Table>,
}

impl StatsSource for TableShares {
    fn describe(&self, table: &mut stats::Table) {
        for (endpoint, share) in self.endpoints.iter().zip(self.table.shares(self.endpoints.len()))
        {
            if let Some(row) = table.row(&endpoint.addresses) {
                *row.share.get_or_insert(0.0) += share;
            }
        }
    }
}

/// The number of slots that a pick looks at before it chooses among the READY backends. If half of
/// all backends have failed, one pick in 2⁶⁴ needs more.
const MAX_PROBES: usize = 64;

struct MaglevPicker {
    table: Arc<Table>,
    /// The connections of the READY backends, by place in the list.
    connections: PersistentVec<Connection>,
    config: Arc<MaglevConfig>,
    bounded: Option<BoundedBackends>,
    helper: Arc<dyn Helper>,
}

impl Picker for MaglevPicker {
    fn pick<'a>(&'a self, call: &Call<'_>) -> Pick<'a> {
        let hash = match self.config.request_hash.for_call(call) {
            Ok(hash) => hash.unwrap_or_else(|| self.helper.random()),
            Err(missing) => return Pick::Fail(missing),
        };
        match self.connections.get(self.table.owner(self.table.find(hash))) {
            Some(connection) if self.bounded.is_none() => Pick::Complete(connection),
            _ => self.pick_from(hash),
        }
    }

    fn wants(&self) -> Wants {
        self.config.request_hash.wants()
    }
}

impl MaglevPicker {
    /// Tries one slot after another.
    #[inline(never)]
    fn pick_from(&self, hash: u64) -> Pick<'_> {
        let pick = match &self.bounded {
            Some(bounded) => bounded.take_first(|| self.places_for(hash)),
            None => {
                let mut places = self.places_for(hash);
                places.find_map(|place| self.connections.get(place).map(Pick::Complete))
            }
        };
        pick.unwrap_or(Pick::Queue)
    }

    /// The places to try, in order. First the places of the slots from the hash's slot on: so the
    /// calls of a failed backend spread over all others, and no other call moves. Then all READY
    /// places, from a place on that the hash also chooses.
    fn places_for(&self, hash: u64) -> impl Iterator<Item = usize> {
        let first = self.table.find(hash);
        let slots = std::iter::successors(Some(first), |slot| Some(self.table.after(*slot)));
        let owners = slots.take(MAX_PROBES).map(|slot| self.table.owner(slot));
        let chosen = below(hash, self.connections.slots());
        let ready = || self.connections.iter().map(|(place, _)| place);
        let after = ready().skip_while(move |place| *place < chosen);
        owners.chain(after).chain(ready().take_while(move |place| *place < chosen))
    }
}
