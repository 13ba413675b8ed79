//! The resolver's list, with the attributes that the config gives to backends, and with as many
//! connections to each as it asks for.
//!
//! Must not depend on: the policy that runs.

use std::collections::HashMap;
use std::sync::Arc;

use crate::endpoints::{EndpointDescriptor, Index};
use crate::policy::{CommonFields, UnusedAddressesLog};

type List = Arc<[Arc<EndpointDescriptor>]>;

/// Adds attributes and connections to lists. Made by the runner, and used in the host's work
/// serializer. As long as the resolver hands in the same descriptor object with the same config,
/// the result is the same object, too: an update that changes nothing stays cheap.
#[derive(Default)]
pub(super) struct DescribedList {
    /// The latest list with something to add. `None` if the config adds nothing.
    latest: Option<Latest>,
    unused: UnusedAddressesLog,
}

struct Latest {
    common: Arc<CommonFields>,
    resolved: List,
    described: List,
    /// The descriptors of each backend's connections, by the address of the resolver's object,
    /// which the index of each keeps.
    made: HashMap<usize, List>,
}

impl DescribedList {
    /// Adds what `common` asks for to the resolver's list, with `connections` to each backend. Also
    /// returns a line for the log, if attributes belong to no backend. `policy` is the policy's
    /// name.
    pub(super) fn describe(
        &mut self,
        policy: &str,
        common: &Arc<CommonFields>,
        connections: u32,
        resolved: List,
    ) -> (List, Option<String>) {
        let former = self.latest.take();
        let known = match former.filter(|former| Arc::ptr_eq(&former.common, common)) {
            Some(former) if Arc::ptr_eq(&former.resolved, &resolved) => {
                return (Arc::clone(&self.latest.insert(former).described), None);
            }
            former => former.map(|former| former.made).unwrap_or_default(),
        };
        let endpoints = resolved.iter().map(|endpoint| &**endpoint);
        let unused = self.unused.update_list(policy, &common.attributes, endpoints);
        if common.attributes.is_empty() && connections == 1 {
            return (resolved, unused);
        }
        let mut made = HashMap::with_capacity(known.len());
        let describe = |endpoint: &Arc<EndpointDescriptor>| {
            let object = Arc::as_ptr(endpoint).addr();
            let described = known.get(&object).map(Arc::clone);
            let described = described.unwrap_or_else(|| connect(common, connections, endpoint));
            made.insert(object, Arc::clone(&described));
            described
        };
        let described: Vec<List> = resolved.iter().map(describe).collect();
        // First one connection to each backend, and so on: successive turns are other backends'.
        let turns = (0..connections as usize).flat_map(|turn| {
            described.iter().map(move |connections| Arc::clone(&connections[turn]))
        });
        let described: List = turns.collect();
        let common = Arc::clone(common);
        self.latest = Some(Latest { common, resolved, described: Arc::clone(&described), made });
        (described, unused)
    }
}

/// The descriptors of the connections to a backend.
fn connect(common: &CommonFields, connections: u32, resolved: &Arc<EndpointDescriptor>) -> List {
    let first = match common.attributes.of(resolved) {
        Some(attributes) => Arc::new(attributes.added_to(resolved)),
        None => Arc::clone(resolved),
    };
    let others = (1..connections).map(|connection| {
        let index = Index::of(resolved);
        Arc::new(EndpointDescriptor { index, connection, ..EndpointDescriptor::clone(&first) })
    });
    std::iter::once(Arc::clone(&first)).chain(others).collect()
}
