//! The endpoints of the list in use, with their connections and states.
//!
//! Endpoints with the same set of addresses and the same `connection` are one endpoint, which has
//! the sum of their weights. An endpoint that stays keeps its connection, its state, and the host's
//! object.
//!
//! | file | idea |
//! |---|---|
//! | `update.rs` | what a new list changes |
//! | `identity.rs` | when two endpoints are the same one |
//!
//! Cost of a report: O(log endpoints). Cost of a list: see `update.rs`.
//!
//! Must not depend on: rings, pickers, the aggregate of the states.

mod identity;
mod update;

use std::sync::Arc;

use hashbrown::DefaultHashBuilder;

pub(super) use self::update::ListChange;
use super::states::{ActiveState, States};
use crate::endpoints::{ById, Endpoint, EndpointDescriptor, EndpointId};
use crate::policy::Helper;
use crate::{Severity, Status};

pub(crate) type Descriptors = Arc<[Arc<EndpointDescriptor>]>;

/// An endpoint of the list.
pub(crate) struct ListedEndpoint {
    descriptor: Arc<EndpointDescriptor>,
    /// The hash of its set of addresses. Kept, because reading the addresses again would take
    /// longer than everything else that a list does with an endpoint that stays.
    hash: u64,
    /// The sum of the weights, if it is listed several times.
    weight: u64,
    /// The host's object. `None` until the first connection request.
    endpoint: Option<Box<dyn Endpoint>>,
    /// Whether it has reported a state.
    reported: bool,
}

impl ListedEndpoint {
    /// Whether the host would make the same endpoint for this descriptor.
    fn matches(&self, descriptor: &EndpointDescriptor) -> bool {
        self.endpoint.as_ref().is_none_or(|endpoint| endpoint.matches(descriptor))
    }
}

/// The endpoints of the list in use. The policy has one, and calls it in the work serializer.
pub(super) struct EndpointTable {
    helper: Arc<dyn Helper>,
    /// The latest list, as the resolver gave it.
    descriptors: Descriptors,
    /// The endpoints of that list, each once.
    endpoints: Vec<ListedEndpoint>,
    hasher: DefaultHashBuilder,
    /// The value of [`Helper::made_with`] when all endpoints matched last.
    made_with: Option<u64>,
    /// The places in `endpoints`.
    by_id: ById,
    /// By place in `endpoints`.
    states: States,
}

impl EndpointTable {
    /// A table without endpoints.
    pub(super) fn new(helper: Arc<dyn Helper>) -> EndpointTable {
        EndpointTable {
            helper,
            descriptors: Arc::default(),
            endpoints: Vec::new(),
            hasher: DefaultHashBuilder::default(),
            made_with: None,
            by_id: ById::default(),
            states: States::new(std::iter::empty()),
        }
    }

    /// The number of different endpoints.
    pub(super) fn len(&self) -> usize {
        self.endpoints.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.endpoints.is_empty()
    }

    /// The descriptor and the weight of each endpoint.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&Arc<EndpointDescriptor>, u64)> {
        self.endpoints.iter().map(|listed| (&listed.descriptor, listed.weight))
    }

    /// The descriptors of all endpoints.
    pub(super) fn descriptors(&self) -> Descriptors {
        if self.endpoints.len() == self.descriptors.len() {
            Arc::clone(&self.descriptors)
        } else {
            self.endpoints.iter().map(|listed| Arc::clone(&listed.descriptor)).collect()
        }
    }

    /// The descriptor of the endpoint at this place.
    pub(super) fn descriptor(&self, place: usize) -> &Arc<EndpointDescriptor> {
        &self.endpoints[place].descriptor
    }

    pub(super) fn states(&self) -> &States {
        &self.states
    }

    /// Changes the state of the endpoint at this place. `None`: IDLE.
    pub(super) fn set_state(&mut self, place: usize, state: Option<ActiveState>) {
        self.states.set(place, state);
    }

    /// The place of an endpoint that the host knows.
    pub(super) fn place_of(&self, id: EndpointId) -> Option<usize> {
        self.by_id.get(id).map(|place| place as usize)
    }

    /// Notes that an endpoint reported a state. Returns whether it had reported one before.
    pub(super) fn note_report(&mut self, place: usize) -> bool {
        std::mem::replace(&mut self.endpoints[place].reported, true)
    }

    /// Asks for a connection to the endpoint at this place. The host makes the endpoint first, if
    /// needed. If it refuses, the endpoint has failed, and the reason is returned.
    pub(super) fn connect(&mut self, place: usize) -> Option<Status> {
        let listed = &mut self.endpoints[place];
        if listed.endpoint.is_none() {
            match self.helper.create_endpoint(&listed.descriptor) {
                Ok(endpoint) => {
                    self.by_id.insert(endpoint.id(), place as u32);
                    listed.endpoint = Some(endpoint);
                }
                Err(status) => {
                    let addresses = &listed.descriptor.addresses;
                    let text = format!("no endpoint for {addresses:?}: {status}");
                    self.helper.log(Severity::Debug, &text);
                    self.helper.request_reresolution();
                    self.set_state(place, Some(ActiveState::Failed(Arc::new(status.clone()))));
                    return Some(status);
                }
            }
        }
        if let Some(endpoint) = &listed.endpoint {
            endpoint.connect();
        }
        None
    }

    /// Forgets the backoff of every endpoint.
    pub(super) fn reset_backoff(&self) {
        for endpoint in self.endpoints.iter().filter_map(|listed| listed.endpoint.as_ref()) {
            endpoint.reset_backoff();
        }
    }
}
