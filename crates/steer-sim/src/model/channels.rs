//! What policies ask for: connections, lists, timers. Connections behave as gRPC's subchannels do.
//!
//! Must not depend on: calls, except those that wait for a picker.

use std::sync::Arc;
use std::time::Duration;

use steer::Status;
use steer::endpoints::{EndpointDescriptor, EndpointId, Report};
use steer::virtual_host::Request;

use super::chance::in_ns;
use super::client::{Client, LinkState};
use super::events::Time;
use super::simulation::{Event, Simulation, slot_of};
use crate::scenario::{ClientGroup, ListOrder};

/// How long gRPC tries to connect.
const CONNECT_TIMEOUT: Time = 20_000_000_000;

/// A TCP connection and the settings of HTTP/2: two round trips.
const WAYS_TO_CONNECT: Time = 4;

impl Client {
    /// Chooses the servers that it is told of, and their order.
    pub(super) fn choose_order(&mut self, group: &ClientGroup, servers: usize) {
        if group.list_order == ListOrder::Same && group.subset.is_none() {
            return;
        }
        self.order = (0..servers as u32).collect();
        self.chance.shuffle(&mut self.order);
    }
}

impl Simulation<'_> {
    pub(super) fn start_client(&mut self, client: u32) {
        self.clients[client as usize].start(&self.factory);
        self.resolved(client);
        self.start_callers(client);
    }

    /// The resolver's list has changed. Each client hears of it later.
    pub(super) fn list_changed(&mut self) {
        self.whole_list = None;
        let servers = &self.servers;
        for watch in &mut self.record.watches {
            watch.listed(servers.iter().map(|server| server.listed));
        }
        for number in 0..self.clients.len() {
            let client = &mut self.clients[number];
            if client.resolving || client.runner.is_none() {
                continue;
            }
            client.resolving = true;
            let delay = &self.scenario.clients[client.group].resolver_delay;
            let delay = client.chance.time(delay, 1.0);
            self.events.after(delay, Event::Resolved(number as u32));
        }
    }

    /// A client gets its list.
    pub(super) fn resolved(&mut self, number: u32) {
        let list = self.list_for(number);
        let client = &mut self.clients[number as usize];
        client.resolving = false;
        client.update(list, &self.factory, self.configs.of(number));
        self.serve(number);
    }

    fn list_for(&mut self, number: u32) -> Arc<[Arc<EndpointDescriptor>]> {
        let client = &mut self.clients[number as usize];
        let group = &self.scenario.clients[client.group];
        let servers = &self.servers;
        let listed = |server: &&u32| servers[**server as usize].listed;
        let describe = |server: u32| Arc::clone(&servers[server as usize].descriptor);
        if client.order.is_empty() {
            let whole = self.whole_list.get_or_insert_with(|| {
                let all = servers.iter().filter(|server| server.listed);
                all.map(|server| Arc::clone(&server.descriptor)).collect()
            });
            return Arc::clone(whole);
        }
        let most = group.subset.unwrap_or(usize::MAX);
        let mut chosen: Vec<u32> = client.order.iter().filter(listed).take(most).copied().collect();
        match group.list_order {
            ListOrder::Same => chosen.sort_unstable(),
            ListOrder::Shuffled => {}
            ListOrder::ShuffledEachTime => client.chance.shuffle(&mut chosen),
        }
        chosen.into_iter().map(describe).collect()
    }

    /// Does what the engine has asked for on behalf of a client, until it asks for nothing more.
    pub(super) fn serve(&mut self, number: u32) {
        let mut new_picker = false;
        while self.clients[number as usize].host.has_requests() {
            let mut requests = std::mem::take(&mut self.requests);
            self.clients[number as usize].host.take_requests(&mut requests);
            for request in requests.drain(..) {
                new_picker |= matches!(request, Request::State(..));
                self.serve_one(number, request);
            }
            self.requests = requests;
        }
        if new_picker {
            let client = &mut self.clients[number as usize];
            client.picker = client.host.picker();
            self.pick_for_waiting(number);
        }
    }

    fn serve_one(&mut self, number: u32, request: Request) {
        let client = &mut self.clients[number as usize];
        match request {
            Request::New(id, descriptor) => {
                let server = self.addresses[&descriptor.addresses[0]];
                client.add_link(id, server);
                self.report(number, id, Report::Idle);
            }
            Request::Connect(id) => self.connect(number, id),
            Request::ResetBackoff(id) => {
                if let Some(link) = client.link(id) {
                    let waits = link.state == LinkState::Backoff;
                    link.failures = 0;
                    if waits {
                        self.change(number, id, LinkState::Idle);
                        self.report(number, id, Report::Idle);
                    }
                }
            }
            Request::Drop(id) => self.change(number, id, LinkState::Gone),
            Request::StartTimer(_, after) => {
                self.events.after(in_ns(after), Event::Timer(number));
            }
            Request::RunLater => {
                if let Some(runner) = &client.runner {
                    runner.run();
                }
            }
            Request::LoadReports(period) => client.report_period = period,
            Request::Log(_, line) => self.record.logged(line),
            // Changes of the list come without being asked for. Timers that were cancelled end
            // without effect.
            Request::State(..) | Request::Reresolve | Request::CancelTimer(_) => {}
        }
    }

    fn report(&mut self, number: u32, id: EndpointId, report: Report) {
        if let Some(runner) = &self.clients[number as usize].runner {
            runner.endpoint_report(id, report);
        }
    }

    /// Changes the state of an endpoint. Returns the number of the change.
    fn change(&mut self, number: u32, id: EndpointId, state: LinkState) {
        let Some(link) = self.clients[number as usize].link(id) else { return };
        let (former, server) = (link.state, link.server);
        link.state = state;
        link.changes = link.changes.wrapping_add(1);
        if former == LinkState::Ready {
            self.record.disconnected(server);
        }
        if state == LinkState::Ready {
            self.record.connected(server);
        }
    }

    fn connect(&mut self, number: u32, id: EndpointId) {
        let client = &mut self.clients[number as usize];
        let zone = client.zone;
        let Some(link) = client.link(id).filter(|link| link.state == LinkState::Idle) else {
            return;
        };
        let server = &self.servers[link.server as usize];
        let way = self.routes.one_way(zone, server.zone);
        let takes = match server.accepts() {
            Some(true) => way * WAYS_TO_CONNECT,
            Some(false) => way * 2,
            None => CONNECT_TIMEOUT,
        };
        self.change(number, id, LinkState::Connecting);
        let change = self.changes_of(number, id);
        self.events.after(takes, Event::Connect(number, slot_of(id), change));
        self.report(number, id, Report::Connecting);
    }

    fn changes_of(&mut self, number: u32, id: EndpointId) -> u32 {
        self.clients[number as usize].link(id).map_or(0, |link| link.changes)
    }

    /// The endpoint in this slot, if it has not changed since.
    fn unchanged(&self, number: u32, slot: u32, change: u32) -> Option<(EndpointId, u32)> {
        let link = self.clients[number as usize].links.get(slot as usize)?;
        let same = link.changes == change && link.state != LinkState::Gone;
        same.then_some((link.id, link.server))
    }

    pub(super) fn connect_ends(&mut self, number: u32, slot: u32, change: u32) {
        let Some((id, server)) = self.unchanged(number, slot, change) else { return };
        let accepted = self.servers[server as usize].accepts() == Some(true);
        let client = &mut self.clients[number as usize];
        if accepted {
            let connection = client.new_connection(slot as usize);
            if let Some(link) = client.link(id) {
                link.failures = 0;
                link.connection = connection;
            }
            let report = Report::Ready(client.host.connection(connection));
            self.change(number, id, LinkState::Ready);
            self.report(number, id, report);
            self.schedule_load_report(number, id, true);
        } else {
            let failures = client.link(id).map_or(0, |link| {
                link.failures += 1;
                link.failures - 1
            });
            let backoff = client.backoff(failures);
            self.change(number, id, LinkState::Backoff);
            let change = self.changes_of(number, id);
            self.events.after(backoff, Event::Backoff(number, slot, change));
            let why = Status::unavailable("failed to connect".to_owned());
            self.report(number, id, Report::TransientFailure(why));
        }
        self.serve(number);
    }

    pub(super) fn backoff_ends(&mut self, number: u32, slot: u32, change: u32) {
        let Some((id, _)) = self.unchanged(number, slot, change) else { return };
        self.change(number, id, LinkState::Idle);
        self.report(number, id, Report::Idle);
        self.serve(number);
    }

    /// All connections to a server end.
    pub(super) fn close_connections(&mut self, server: u32) {
        for number in 0..self.clients.len() as u32 {
            let links = &self.clients[number as usize].links;
            let broken = |link: &&super::client::Link| {
                link.server == server && link.state == LinkState::Ready
            };
            let ids: Vec<EndpointId> = links.iter().filter(broken).map(|link| link.id).collect();
            if ids.is_empty() {
                continue;
            }
            for id in ids {
                self.change(number, id, LinkState::Idle);
                self.report(number, id, Report::Idle);
            }
            self.serve(number);
        }
    }

    pub(super) fn timer(&mut self, number: u32) {
        let client = &self.clients[number as usize];
        while let (Some(timer), Some(runner)) = (client.host.take_timer(), &client.runner) {
            runner.timer(timer);
        }
        self.serve(number);
    }

    /// The first report comes within the period, as by `steer/server_load.hpp`: those of clients
    /// that connect together come at different times.
    fn schedule_load_report(&mut self, number: u32, id: EndpointId, first: bool) {
        let client = &mut self.clients[number as usize];
        let Some(period) = client.report_period else { return };
        let Some(link) = client.link(id) else { return };
        let (change, server) = (link.changes, link.server as usize);
        let reports = &self.scenario.servers[self.servers[server].group].reports;
        if reports.out_of_band {
            let share = if first { client.chance.share() } else { 1.0 };
            let period = in_ns(period.max(Duration::from_millis(1)).mul_f64(share));
            self.events.after(period, Event::LoadReport(number, slot_of(id), change));
        }
    }

    pub(super) fn load_report(&mut self, number: u32, slot: u32, change: u32) {
        let Some((id, server)) = self.unchanged(number, slot, change) else { return };
        if !self.servers[server as usize].is_silent() {
            if let Some(metrics) = self.report_of(server) {
                if let Some(runner) = &self.clients[number as usize].runner {
                    runner.load_report(id, metrics);
                }
                self.serve(number);
            }
        }
        self.schedule_load_report(number, id, false);
    }
}
