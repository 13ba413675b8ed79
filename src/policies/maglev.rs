//! `steer_maglev`: sends calls with the same hash to the same backend, by a table in which backends
//! of equal weight have equal shares. Connects every backend.
//!
//! Sources: Eisenbud et al., "Maglev: A Fast and Reliable Software Network Load Balancer" (NSDI
//! 2016); Envoy's policy of that name. Bounded loads: see `bounded_loads.rs`.
//! Config: `tableSize`, `requestHashHeader`, `retryElsewhere`, `hashBalanceFactor`.
//! Cost per pick: the call's hash, a division, a load from the table, and the connection at the
//! backend's place (see `endpoints/persistent_vec.rs`). If that backend is not READY, up to 63 more
//! such loads, and then a hash for each READY backend. Cost per report: O(1). Cost per update: a
//! table, if the members have changed; see `hashing/maglev/`.
//!
//! Must not depend on: how the table is built, connectivity states.

use std::sync::Arc;

use super::bounded_loads::{self, BoundedBackends, BoundedLoads};
use super::passed_over::{BackendsOfPlaces, PassedOver};
use super::request_hash::RequestHash;
use crate::calls::{Call, Wants};
use crate::endpoints::{Connection, EndpointDescriptor, PersistentVec};
use crate::hashing::{Member, Rendezvous, Table, maglev};
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
    backends: BackendsOfPlaces,
    loads: BoundedLoads<Connection>,
    /// The shares of the backends, for the statistics.
    shares: Arc<Latest>,
}

/// What was made for a list, and the members that it was made of.
struct ListTable {
    members: Vec<Member<'static>>,
    table: Arc<Table>,
    rendezvous: Arc<Rendezvous>,
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
        Maglev {
            table: None,
            backends: BackendsOfPlaces::default(),
            loads: BoundedLoads::new(),
            shares: Arc::default(),
        }
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
        self.backends = BackendsOfPlaces::new(endpoints.iter().copied());
        let members: Vec<Member<'_>> =
            endpoints.iter().map(|endpoint| Member::from_endpoint(endpoint)).collect();
        let weights = members.iter().map(|member| member.weight);
        self.loads.update_list(config.balance_factor, endpoints, weights);
        let same = |made: &ListTable| {
            made.table.len() == config.table_size as usize && made.members == members
        };
        if !self.table.as_ref().is_some_and(same) {
            let table = Arc::new(Table::new(&members, config.table_size));
            let rendezvous = Arc::new(Rendezvous::new(&members));
            let members = members.into_iter().map(Member::into_owned).collect();
            self.table = Some(ListTable { members, table, rendezvous });
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
            rendezvous: Arc::clone(&made.rendezvous),
            backends: self.backends.clone(),
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
/// all backends have failed, one pick in 2⁶⁴ needs more. If 95 % have, one in 27 does. Then few are
/// READY, so the choice among them is cheap: with 50 READY ones, about as much as 64 slots.
const MAX_PROBES: usize = 64;

struct MaglevPicker {
    table: Arc<Table>,
    rendezvous: Arc<Rendezvous>,
    backends: BackendsOfPlaces,
    /// The connections of the READY backends, by place in the list.
    connections: PersistentVec<Connection>,
    config: Arc<MaglevConfig>,
    bounded: Option<BoundedBackends>,
    helper: Arc<dyn Helper>,
}

impl Picker for MaglevPicker {
    fn pick<'a>(&'a self, call: &Call<'_>) -> Pick<'a> {
        let (hash, passed_over) = match self.config.request_hash.for_call(call) {
            Ok(Some(hash)) => (hash, self.config.request_hash.passed_over(call)),
            Ok(None) => (self.helper.random(), 0),
            Err(missing) => return Pick::Fail(missing),
        };
        match self.connections.get(self.table.owner(self.table.find(hash))) {
            Some(connection) if self.bounded.is_none() && passed_over == 0 => {
                Pick::Complete(connection)
            }
            _ => self.pick_from(hash, passed_over),
        }
    }

    fn wants(&self) -> Wants {
        self.config.request_hash.wants()
    }
}

impl MaglevPicker {
    /// Tries one backend after another. Passes over this many of them, unless there are no others.
    #[inline(never)]
    fn pick_from(&self, hash: u64, passed_over: usize) -> Pick<'_> {
        let pick = match &self.bounded {
            Some(bounded) => bounded.take_first(|| self.places_for(hash, passed_over)),
            None => {
                let place = self.place_for(hash, &mut self.pass_over(passed_over));
                place.and_then(|place| self.connections.get(place)).map(Pick::Complete)
            }
        };
        pick.unwrap_or(Pick::Queue)
    }

    /// The place of the READY backend that a call with this hash goes to. The calls of a backend
    /// that is away spread over all others, and no other calls move.
    fn place_for(&self, hash: u64, over: &mut PassedOver<'_>) -> Option<usize> {
        let ready = |place: &usize| self.connections.get(*place).is_some();
        let mut owners = self.owners_for(hash).filter(ready);
        if let Some(place) = owners.find(|place| !over.passes_over(*place)) {
            return Some(place);
        }
        loop {
            let left = self.ready_places().filter(|place| !over.has(*place));
            match self.rendezvous.choose(hash, left) {
                Some(place) if over.passes_over(place) => {}
                Some(place) => return Some(place),
                None => return over.first(),
            }
        }
    }

    /// The places to try with bounded loads, in order: as in [`place_for`](Self::place_for), and
    /// then all, from a place on that the hash chooses, because somewhere there is room.
    fn places_for(&self, hash: u64, passed_over: usize) -> impl Iterator<Item = usize> {
        let mut over = self.pass_over(passed_over);
        let ready = |place: &usize| self.connections.get(*place).is_some();
        let owners = self.owners_for(hash).filter(ready);
        let near = owners.filter(move |place| !over.passes_over(*place));
        let chosen = move || self.place_for(hash, &mut self.pass_over(passed_over));
        let first = below(hash, self.connections.slots());
        let after = self.ready_places().skip_while(move |place| *place < first);
        let before = self.ready_places().take_while(move |place| *place < first);
        near.chain(std::iter::once_with(chosen).flatten()).chain(after).chain(before)
    }

    fn pass_over(&self, attempts: usize) -> PassedOver<'_> {
        PassedOver::new(attempts, &self.backends)
    }

    /// The owners of the first slots of this hash.
    fn owners_for(&self, hash: u64) -> impl Iterator<Item = usize> {
        self.table.probes(hash).take(MAX_PROBES).map(|slot| self.table.owner(slot))
    }

    fn ready_places(&self) -> impl Iterator<Item = usize> {
        self.connections.iter().map(|(place, _)| place)
    }
}
