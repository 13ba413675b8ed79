//! A client: its channel, which runs one of the engine's policies, and the endpoints of that.
//!
//! Must not depend on: servers, how calls are made.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use steer::endpoints::{EndpointDescriptor, EndpointId};
use steer::policy::{GuardedPicker, ParsedConfig, PolicyFactory, Runner, Update};
use steer::virtual_host::{Chance, VirtualClock, VirtualHost};

use super::chance::Stream;
use super::events::Time;
use crate::scenario::Retries;

/// One client.
pub(super) struct Client {
    pub(super) group: usize,
    pub(super) zone: usize,
    pub(super) host: VirtualHost,
    /// `None` until it starts.
    pub(super) runner: Option<Runner>,
    pub(super) picker: Option<Arc<GuardedPicker>>,
    /// Its endpoints, by their slots.
    pub(super) links: Vec<Link>,
    /// Connections that it has made.
    pub(super) connections_made: u64,
    /// Calls that wait for a picker.
    pub(super) waiting: VecDeque<CallId>,
    /// The period of load reports out of band.
    pub(super) report_period: Option<Duration>,
    /// Whether an event for a list is scheduled.
    pub(super) resolving: bool,
    /// Retry throttling.
    pub(super) tokens: f64,
    /// The servers that it is told of, in its order. Empty: all, in the order of the scenario.
    pub(super) order: Vec<u32>,
    pub(super) chance: Stream,
}

/// The number of a call, and of the use of its place in the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct CallId {
    pub(super) slot: u32,
    pub(super) use_number: u32,
}

/// An endpoint, and its connection.
#[derive(Clone, Debug)]
pub(super) struct Link {
    pub(super) id: EndpointId,
    pub(super) server: u32,
    pub(super) state: LinkState,
    /// Counts changes of the state, so that late events find out that they are late.
    pub(super) changes: u32,
    /// Attempts to connect that failed in a row.
    pub(super) failures: u32,
    /// The handle of the latest connection.
    pub(super) connection: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum LinkState {
    /// The engine has dropped the endpoint.
    Gone,
    Idle,
    Connecting,
    Ready,
    /// Waits after a failed attempt.
    Backoff,
}

/// The slot is in the lower bits of a connection's handle, the number of the connection above.
const SLOT_BITS: u32 = 24;

/// gRPC's backoff between attempts to connect (doc/connection-backoff.md).
const FIRST_BACKOFF: f64 = 1e9;
const BACKOFF_MULTIPLIER: f64 = 1.6;
const MOST_BACKOFF: f64 = 120e9;
const BACKOFF_JITTER: f64 = 0.2;

impl Drop for Client {
    fn drop(&mut self) {
        self.runner = None;
        self.picker = None;
        // The host holds the picker, whose connections hold the host.
        self.host.drop_picker();
    }
}

impl Client {
    pub(super) fn new(
        group: usize,
        zone: usize,
        number: usize,
        seed: u64,
        clock: &VirtualClock,
        retries: Option<&Retries>,
    ) -> Client {
        let mut chance = Stream::new(seed, "client", number as u64);
        let host = VirtualHost::new(clock.clone(), Chance::seeded(chance.bits()));
        let tokens = retries.and_then(|retries| retries.throttling).map_or(0.0, |(most, _)| most);
        Client {
            group,
            zone,
            host,
            runner: None,
            picker: None,
            links: Vec::new(),
            connections_made: 0,
            waiting: VecDeque::new(),
            report_period: None,
            resolving: false,
            tokens,
            order: Vec::new(),
            chance,
        }
    }

    /// Makes its channel.
    pub(super) fn start(&mut self, factory: &Arc<dyn PolicyFactory>) {
        let (factory, host) = (Arc::clone(factory), Box::new(self.host.clone()));
        self.runner = Some(Runner::new(factory, steer::policies::fallback(), host));
    }

    /// Gives its policy a list. The policy may reject it, which its published state shows.
    pub(super) fn update(
        &self,
        endpoints: Arc<[Arc<EndpointDescriptor>]>,
        factory: &Arc<dyn PolicyFactory>,
        config: &ParsedConfig,
    ) {
        let Some(runner) = &self.runner else { return };
        let _ = runner.update(Update {
            endpoints: Ok(endpoints),
            factory: Arc::clone(factory),
            config: Arc::clone(&config.policy),
            common: Arc::clone(&config.common),
            resolution_note: String::new(),
            target: String::new(),
            cluster: String::new(),
        });
    }

    /// The engine has made an endpoint. Returns its slot.
    pub(super) fn add_link(&mut self, id: EndpointId, server: u32) -> usize {
        let slot = id.slot();
        let gone = Link {
            id: EndpointId(0),
            server: 0,
            state: LinkState::Gone,
            changes: 0,
            failures: 0,
            connection: usize::MAX,
        };
        if slot >= self.links.len() {
            self.links.resize(slot + 1, gone);
        }
        let link = &mut self.links[slot];
        let changes = link.changes.wrapping_add(1);
        *link = Link {
            id,
            server,
            state: LinkState::Idle,
            changes,
            failures: 0,
            connection: usize::MAX,
        };
        slot
    }

    /// The endpoint with this number, if the engine has not dropped it.
    pub(super) fn link(&mut self, id: EndpointId) -> Option<&mut Link> {
        let link = self.links.get_mut(id.slot())?;
        (link.id == id && link.state != LinkState::Gone).then_some(link)
    }

    /// The handle of a new connection of the endpoint in this slot.
    pub(super) fn new_connection(&mut self, slot: usize) -> usize {
        self.connections_made += 1;
        ((self.connections_made as usize) << SLOT_BITS) | slot
    }

    /// The endpoint that this connection belongs to, if the connection is still there.
    pub(super) fn link_of(&self, connection: usize) -> Option<&Link> {
        let link = &self.links[connection & ((1 << SLOT_BITS) - 1)];
        (link.connection == connection && link.state == LinkState::Ready).then_some(link)
    }

    /// The time to wait after so many failures to connect.
    pub(super) fn backoff(&mut self, failures: u32) -> Time {
        let grown = FIRST_BACKOFF * libm::pow(BACKOFF_MULTIPLIER, f64::from(failures));
        let jitter = 1.0 + BACKOFF_JITTER * (2.0 * self.chance.share() - 1.0);
        (grown.min(MOST_BACKOFF) * jitter) as Time
    }
}
