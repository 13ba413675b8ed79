//! `steer_maglev`: calls with the same hash go to the same backend, by a table in which all
//! backends have equal shares. Every backend is connected all the time.
//!
//! Source: "Maglev: A Fast and Reliable Software Network Load Balancer", NSDI 2016; Envoy's policy
//! of that name.
//! Cost per pick: the call's hash, a division, a load from the table, and the backend's place (see
//! `endpoints/places.rs`). Cost per report: O(1). Cost per update: a table, see
//! `hashing/maglev.rs`, if it is another one.
//!
//! Must not know: how the table is made, states.

use std::sync::Arc;

use super::bounded_loads::{self, BoundedBackends, BoundedLoads};
use super::request_hash::RequestHash;
use crate::calls::{Call, Wants};
use crate::endpoints::{Connection, EndpointDescriptor, PersistentVec};
use crate::hashing::{Member, Table, maglev};
use crate::policy::sample::below;
use crate::policy::{BuiltIn, Fields, Helper, Pick, Picker, PickerFactory, Ready};
use crate::stats::{self, Latest, StatsSource};

/// The picker factory of `steer_maglev`.
pub struct Maglev {
    /// That of the list in use, which it holds READY or not: a backend that comes back finds its
    /// slots.
    table: Option<MadeTable>,
    loads: BoundedLoads<Connection>,
    /// For statistics.
    shares: Arc<Latest>,
}

/// A table, and what it was made of.
struct MadeTable {
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
        let table_size = fields.number("tableSize", 65537);
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

    fn list(&mut self, config: &Arc<MaglevConfig>, endpoints: &[&Arc<EndpointDescriptor>]) {
        self.loads.update_list(config.balance_factor, endpoints);
        let members: Vec<Member<'_>> =
            endpoints.iter().map(|endpoint| Member::from_endpoint(endpoint)).collect();
        let same = |made: &MadeTable| {
            made.table.len() == config.table_size as usize && made.members == members
        };
        if !self.table.as_ref().is_some_and(same) {
            let table = Arc::new(Table::new(&members, config.table_size));
            let members = members.into_iter().map(Member::into_owned).collect();
            self.table = Some(MadeTable { members, table });
        }
        if let Some(MadeTable { table, .. }) = &self.table {
            let endpoints = endpoints.iter().map(|&endpoint| Arc::clone(endpoint)).collect();
            self.shares.set(Shares { endpoints, table: Arc::clone(table) });
        }
    }

    fn build(
        &mut self,
        config: &Arc<MaglevConfig>,
        ready: &Ready<'_>,
        helper: &Arc<dyn Helper>,
    ) -> Box<dyn Picker> {
        let made = self.table.as_ref().expect("the list came before its picker");
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

/// Whose the slots are.
struct Shares {
    endpoints: Vec<Arc<EndpointDescriptor>>,
    table: Arc<Table>,
}

impl StatsSource for Shares {
    fn describe(&self, table: &mut stats::Table) {
        for (endpoint, share) in self.endpoints.iter().zip(self.table.shares(self.endpoints.len()))
        {
            if let Some(row) = table.row(&endpoint.addresses) {
                *row.share.get_or_insert(0.0) += share;
            }
        }
    }
}

/// Slots that a pick looks at before it chooses among the READY backends. If half of all have
/// failed, one pick of 2⁶⁴ needs more.
const PROBES: usize = 64;

struct MaglevPicker {
    table: Arc<Table>,
    /// Those of the READY backends, by place in the list.
    connections: PersistentVec<Connection>,
    config: Arc<MaglevConfig>,
    bounded: Option<BoundedBackends>,
    helper: Arc<dyn Helper>,
}

impl Picker for MaglevPicker {
    fn pick<'a>(&'a self, call: &Call<'_>) -> Pick<'a> {
        let hash = match self.config.request_hash.of(call) {
            Ok(hash) => hash.unwrap_or_else(|| self.helper.random()),
            Err(missing) => return Pick::Fail(missing),
        };
        match self.connections.get(self.table.owner(self.table.find(hash))) {
            Some(connection) if self.bounded.is_none() => Pick::Complete(connection),
            _ => self.pick_along(hash),
        }
    }

    fn wants(&self) -> Wants {
        self.config.request_hash.wants()
    }
}

impl MaglevPicker {
    #[inline(never)]
    fn pick_along(&self, hash: u64) -> Pick<'_> {
        let pick = match &self.bounded {
            Some(bounded) => bounded.take_first(|| self.places_for(hash)),
            None => {
                let mut places = self.places_for(hash);
                places.find_map(|place| self.connections.get(place).map(Pick::Complete))
            }
        };
        pick.unwrap_or(Pick::Queue)
    }

    /// The places to try: those of the slots from this hash's on, so that the calls of a failed
    /// backend spread over all others and no other call moves; then the READY ones, from a place on
    /// that the hash chooses too.
    fn places_for(&self, hash: u64) -> impl Iterator<Item = usize> {
        let first = self.table.find(hash);
        let slots = std::iter::successors(Some(first), |slot| Some(self.table.after(*slot)));
        let owners = slots.take(PROBES).map(|slot| self.table.owner(slot));
        let chosen = below(hash, self.connections.slots());
        let ready = || self.connections.iter().map(|(place, _)| place);
        let after = ready().skip_while(move |place| *place < chosen);
        owners.chain(after).chain(ready().take_while(move |place| *place < chosen))
    }
}
