//! What servers do with attempts.
//!
//! Must not depend on: policies.

use steer::Code;
use steer::calls::Metrics;

use super::call::AtServer;
use super::events::Time;
use super::server::{Arrival, AttemptId};
use super::simulation::{Event, Simulation};

/// What an answer at once costs a server. Real ones take 10 to 50 us. Without it, a server that
/// fails at once would report a utilization of 0.
const TIME_TO_ANSWER: Time = 20_000;

impl Simulation<'_> {
    /// Adds the time since the last event of a server to its load.
    fn advance_load(&mut self, server: u32) {
        self.advance_load_until(server, self.events.now());
    }

    pub(super) fn advance_load_until(&mut self, server: u32, now: Time) {
        let server = &mut self.servers[server as usize];
        let places = self.scenario.servers[server.group].concurrency;
        let since = server.load.advance(server.present, places, now);
        self.record.present(server.present, since, now);
    }

    /// The load report of a server.
    pub(super) fn report_of(&mut self, server: u32) -> Option<Metrics> {
        self.advance_load(server);
        let server = &self.servers[server as usize];
        server.load_report(&self.scenario.servers[server.group].reports, self.events.now())
    }

    /// Whether this is still the same attempt, and still at its server.
    fn is_at_server(&self, id: AttemptId, place: AtServer) -> bool {
        let attempt = self.attempts.get(id.slot as usize);
        attempt.is_some_and(|it| it.use_number == id.use_number && it.at_server == place)
    }

    pub(super) fn reaches(&mut self, id: AttemptId) {
        if !self.is_at_server(id, AtServer::Coming) {
            return;
        }
        let attempt = &mut self.attempts[id.slot as usize];
        let number = attempt.server;
        if !self.servers[number as usize].runs() {
            attempt.at_server = AtServer::Over;
            self.lost(id);
            return;
        }
        self.advance_load(number);
        let now = self.events.now();
        let attempt = &mut self.attempts[id.slot as usize];
        let server = &mut self.servers[number as usize];
        let group = &self.scenario.servers[server.group];
        attempt.came = (now, server.present);
        server.present += 1;
        if let Some(stream) =
            &self.scenario.clients[self.clients[attempt.client as usize].group].stream
        {
            // Streams take no place. A server that hangs does not end them.
            attempt.at_server = AtServer::InService;
            if !stream.ends_by_cancel {
                let lasts = self.clients[attempt.client as usize].chance.time(&stream.lasts, 1.0);
                self.events.after(lasts, Event::Served(id));
            }
            return;
        }
        let arrival = server.arrive(group, id, now);
        let length = server.queue_length();
        attempt.at_server = AtServer::Waiting;
        let waits = matches!(arrival, Arrival::Wait);
        self.take(id, arrival);
        if waits {
            self.record.queue(number, length, now);
        }
    }

    /// A server answers a call or begins to serve it.
    fn take(&mut self, id: AttemptId, arrival: Arrival) {
        match arrival {
            Arrival::Wait => {}
            Arrival::Answer(code) => {
                let attempt = &mut self.attempts[id.slot as usize];
                attempt.at_server = AtServer::Answering;
                attempt.answer = code;
                self.events.after(TIME_TO_ANSWER, Event::Served(id));
            }
            Arrival::Serve(time) => {
                let attempt = &mut self.attempts[id.slot as usize];
                attempt.at_server = AtServer::InService;
                self.record.served(attempt.server, time, self.events.now());
                self.events.after(time, Event::Served(id));
            }
        }
    }

    /// A server has served an attempt, or has written its answer.
    pub(super) fn served(&mut self, id: AttemptId) {
        if self.is_at_server(id, AtServer::Answering) {
            let code = self.attempts[id.slot as usize].answer;
            return self.answer(id, code);
        }
        if !self.is_at_server(id, AtServer::InService) {
            return;
        }
        let number = self.attempts[id.slot as usize].server;
        let server = &mut self.servers[number as usize];
        if server.is_silent() {
            server.held.push(id);
            return;
        }
        let code = server.status_of_served();
        self.leave_place(id);
        self.answer(id, code);
        self.serve_queue(number);
    }

    /// Gives back the place of an attempt in service.
    fn leave_place(&mut self, id: AttemptId) {
        let attempt = &self.attempts[id.slot as usize];
        let is_stream =
            self.scenario.clients[self.clients[attempt.client as usize].group].stream.is_some();
        if !is_stream {
            self.servers[attempt.server as usize].end_service();
        }
    }

    /// Serves calls of the queue, while there are places.
    pub(super) fn serve_queue(&mut self, number: u32) {
        let now = self.events.now();
        loop {
            let server = &mut self.servers[number as usize];
            let group = &self.scenario.servers[server.group];
            let attempts = &self.attempts;
            let gone = |id: AttemptId| {
                let attempt = attempts.get(id.slot as usize);
                attempt.is_none_or(|it| {
                    it.use_number != id.use_number || it.at_server != AtServer::Waiting
                })
            };
            let Some((id, arrival)) = server.take_from_queue(group, now, gone) else { break };
            self.take(id, arrival);
        }
    }

    /// A server that was silent speaks again.
    pub(super) fn speak_again(&mut self, number: u32) {
        for id in std::mem::take(&mut self.servers[number as usize].held) {
            self.served(id);
        }
        self.serve_queue(number);
    }

    /// A server sends an answer.
    fn answer(&mut self, id: AttemptId, code: Code) {
        let number = self.attempts[id.slot as usize].server;
        self.advance_load(number);
        let now = self.events.now();
        let server = &mut self.servers[number as usize];
        server.present -= 1;
        server.load.ended(code != Code::Ok);
        let group = &self.scenario.servers[server.group];
        let attempt = &mut self.attempts[id.slot as usize];
        attempt.at_server = AtServer::Over;
        attempt.answer = code;
        if group.reports.rif_and_latency && code == Code::Ok {
            let (came, rif) = attempt.came;
            server.latency.ended(rif, now - came, now);
        }
        if !attempt.alive {
            self.attempts.remove(id.slot as usize);
            return;
        }
        let wanted = attempt.tracked.as_ref().is_some_and(|slot| slot.call().wants_metrics());
        if wanted && group.reports.with_calls {
            attempt.metrics = server.load_report(&group.reports, now).map(Box::new);
        }
        let client = &self.clients[attempt.client as usize];
        let way = self.routes.one_way(server.zone, client.zone);
        self.events.after(way, Event::Returns(id));
    }

    /// The server learns that the client has given up an attempt.
    pub(super) fn given_up(&mut self, id: AttemptId) {
        let Some(attempt) = self.attempts.get_mut(id.slot as usize) else { return };
        if attempt.use_number != id.use_number || attempt.alive {
            return;
        }
        let number = attempt.server;
        let place = attempt.at_server;
        let server = &self.servers[number as usize];
        let group = &self.scenario.servers[server.group];
        let is_stream =
            self.scenario.clients[self.clients[attempt.client as usize].group].stream.is_some();
        let stops = group.stops_cancelled_calls || is_stream;
        let leaves = match place {
            AtServer::Waiting => !group.queue.keeps_cancelled_calls,
            // A server that hangs does not notice.
            AtServer::InService => stops && !server.is_silent(),
            _ => false,
        };
        if leaves {
            self.abandon(id);
            self.attempts.remove(id.slot as usize);
            self.serve_queue(number);
        }
    }

    /// A server drops an attempt. The caller decides what becomes of it.
    pub(super) fn abandon(&mut self, id: AttemptId) {
        let attempt = &self.attempts[id.slot as usize];
        let number = attempt.server;
        match attempt.at_server {
            AtServer::Waiting => self.servers[number as usize].cancel_in_queue(),
            AtServer::InService => self.leave_place(id),
            AtServer::Answering => {}
            AtServer::Coming | AtServer::Over => return,
        }
        self.advance_load(number);
        let server = &mut self.servers[number as usize];
        server.present -= 1;
        server.load.ended(true);
    }
}
