//! Calls, from their begin to their end: picks, attempts, retries, hedging, deadlines.
//!
//! Must not depend on: what servers do with attempts.

use std::borrow::Cow;

use steer::calls::{Call as PickedFor, Headers, TrackedSlot};
use steer::policy::Pick;
use steer::{Code, Status};

use super::call::{AtServer, Attempt, Call};
use super::chance::in_ns;
use super::client::{CallId, Client};
use super::events::Time;
use super::server::AttemptId;
use super::simulation::{Event, Simulation};
use crate::scenario::{ClientGroup, Load, Retries};

/// What a picker has chosen.
enum Choice {
    Send(usize, Option<TrackedSlot>),
    Wait,
    Fail(Code),
    Drop(Code),
}

/// Why a call ends.
#[derive(Clone, Copy, PartialEq, Eq)]
enum End {
    /// With the status of an attempt or of a pick.
    Answered,
    /// At its deadline.
    Deadline,
    /// By its caller.
    Cancelled,
}

/// The header that carries a call's key.
struct KeyHeader<'a> {
    name: &'a str,
    value: String,
}

impl Headers for KeyHeader<'_> {
    fn get(&self, name: &str) -> Option<Cow<'_, [u8]>> {
        (name == self.name).then_some(Cow::Borrowed(self.value.as_bytes()))
    }

    fn add(&self, _name: &str, _value: &[u8]) -> bool {
        true
    }
}

impl Client {
    fn choose(&self, call: &PickedFor<'_>) -> Choice {
        let Some(picker) = &self.picker else { return Choice::Wait };
        // As the C++ shim does.
        if let Some(handle) = picker.next_in_rotation() {
            return Choice::Send(handle.number(), None);
        }
        match picker.pick(call) {
            Pick::Complete(connection) => Choice::Send(connection.handle().number(), None),
            Pick::Tracked(slot) => {
                let number = slot.call().connection().handle().number();
                Choice::Send(number, Some(slot))
            }
            Pick::Queue => Choice::Wait,
            Pick::Fail(status) => Choice::Fail(status.code),
            Pick::FailWith(status) => Choice::Fail(status.code),
            Pick::Drop(status) => Choice::Drop(status.code),
            Pick::DropWith(status) => Choice::Drop(status.code),
            Pick::Fault(_) => Choice::Fail(Code::Internal),
        }
    }
}

fn without_text(code: Code) -> Status {
    Status::new(code, String::new())
}

impl Simulation<'_> {
    fn next_use(&mut self) -> u32 {
        self.uses = self.uses.wrapping_add(1);
        self.uses
    }

    fn group_of(&self, client: u32) -> &ClientGroup {
        &self.scenario.clients[self.clients[client as usize].group]
    }

    /// The call, if it has not ended.
    fn call(&mut self, id: CallId) -> Option<&mut Call> {
        let call = self.calls.get_mut(id.slot as usize)?;
        (call.use_number == id.use_number).then_some(call)
    }

    pub(super) fn begin_call(&mut self, client: u32, has_caller: bool) {
        let now = self.events.now();
        let group_number = self.clients[client as usize].group;
        let scenario = self.scenario;
        let group = &scenario.clients[group_number];
        let chance = &mut self.clients[client as usize].chance;
        let key = self.keys[group_number].as_ref().map_or(0, |keys| keys.draw(chance));
        let deadline = group.deadline.as_ref().map(|deadline| chance.time(deadline, 1.0));
        let cancel = group.cancel_after.as_ref().map(|after| chance.time(after, 1.0));
        let stream = group.stream.as_ref().filter(|stream| stream.ends_by_cancel);
        let stream_ends = stream.map(|stream| chance.time(&stream.lasts, 1.0));
        let call = Call {
            use_number: self.next_use(),
            client,
            began: now,
            has_caller,
            waits: false,
            key,
            attempts: 0,
            in_flight: 0,
            newest: None,
        };
        let use_number = call.use_number;
        let id = CallId { slot: self.calls.insert(call) as u32, use_number };
        self.record.call_began(now);
        if let Some(deadline) = deadline {
            self.events.after(deadline, Event::Deadline(id));
        }
        for cancel in [cancel, stream_ends].into_iter().flatten() {
            self.events.after(cancel, Event::Cancel(id));
        }
        self.pick(id);
        if let Some(hedging) = &group.hedging {
            self.events.after(in_ns(hedging.delay), Event::Hedge(id));
        }
    }

    /// Picks a backend for an attempt at this call.
    fn pick(&mut self, id: CallId) {
        let call = &self.calls[id.slot as usize];
        let number = call.client;
        let client = &self.clients[number as usize];
        let group = &self.scenario.clients[client.group];
        let choice = match &group.keys {
            None => client.choose(PickedFor::UNKNOWN),
            Some(keys) => {
                let headers = KeyHeader { name: &keys.header, value: format!("key-{}", call.key) };
                client.choose(&PickedFor { headers: &headers, ..*PickedFor::UNKNOWN })
            }
        };
        let wait_for_ready = group.wait_for_ready;
        match choice {
            Choice::Send(connection, tracked) => self.send(id, connection, tracked),
            Choice::Fail(_) if wait_for_ready => self.wait(id),
            Choice::Wait => self.wait(id),
            Choice::Fail(code) => self.attempt_over(id, code),
            Choice::Drop(code) => self.end_call(id, code, End::Answered),
        }
        // A pick may ask for a connection.
        if self.clients[number as usize].host.has_requests() {
            self.serve(number);
        }
    }

    fn wait(&mut self, id: CallId) {
        let call = &mut self.calls[id.slot as usize];
        call.waits = true;
        self.clients[call.client as usize].waiting.push_back(id);
    }

    /// A client has a new picker.
    pub(super) fn pick_for_waiting(&mut self, client: u32) {
        for id in std::mem::take(&mut self.clients[client as usize].waiting) {
            if let Some(call) = self.call(id).filter(|call| call.waits) {
                call.waits = false;
                self.pick(id);
            }
        }
    }

    fn send(&mut self, id: CallId, connection: usize, tracked: Option<TrackedSlot>) {
        let call = &mut self.calls[id.slot as usize];
        let client = &self.clients[call.client as usize];
        // The connection has ended since the picker was made. gRPC, too, waits for the next picker.
        let Some(link) = client.link_of(connection) else {
            drop(tracked);
            return self.wait(id);
        };
        let server = link.server;
        call.attempts += 1;
        call.in_flight += 1;
        let (began, older, number) = (call.began, call.newest, call.client);
        let mut attempt = Attempt {
            use_number: self.uses.wrapping_add(1),
            call: id,
            client: number,
            server,
            tracked,
            alive: true,
            at_server: AtServer::Coming,
            came: (0, 0),
            answer: Code::Ok,
            metrics: None,
            older,
        };
        self.uses = attempt.use_number;
        if let Some(tracked) = &mut attempt.tracked {
            tracked.call_mut().start();
        }
        let use_number = attempt.use_number;
        let slot = self.attempts.insert(attempt) as u32;
        self.calls[id.slot as usize].newest = Some(slot);
        self.record.attempt_sent(server, began, self.events.now());
        let zone = self.clients[number as usize].zone;
        let way = self.routes.one_way(zone, self.servers[server as usize].zone);
        self.events.after(way, Event::Reaches(AttemptId { slot, use_number }));
    }

    pub(super) fn returns(&mut self, id: AttemptId) {
        let slot = id.slot as usize;
        let Some(attempt) = self.attempts.get_mut(slot) else { return };
        if attempt.use_number != id.use_number {
            return;
        }
        if !attempt.alive {
            self.attempts.remove(slot);
            return;
        }
        let (call, code, server) = (attempt.call, attempt.answer, attempt.server);
        let (older, metrics) = (attempt.older, attempt.metrics.take());
        attempt.end(&without_text(code), metrics.as_deref());
        self.attempts.remove(slot);
        self.unlink(call, id.slot, older);
        let began = self.calls[call.slot as usize].began;
        self.record.attempt_ended(server, Some(code), began);
        self.attempt_over(call, code);
    }

    /// Takes an attempt out of its call's list of attempts that have not ended.
    fn unlink(&mut self, call: CallId, attempt: u32, older: Option<u32>) {
        let call = &mut self.calls[call.slot as usize];
        call.in_flight -= 1;
        if call.newest == Some(attempt) {
            call.newest = older;
            return;
        }
        let mut next = call.newest;
        while let Some(slot) = next {
            let newer = &mut self.attempts[slot as usize];
            if newer.older == Some(attempt) {
                newer.older = older;
                return;
            }
            next = newer.older;
        }
    }

    /// An attempt at a call, or a pick for it, has ended with this status.
    fn attempt_over(&mut self, id: CallId, code: Code) {
        let call = &self.calls[id.slot as usize];
        let number = call.client;
        let scenario = self.scenario;
        let group = &scenario.clients[self.clients[number as usize].group];
        if let Some(hedging) = &group.hedging {
            if code != Code::Ok && hedging.non_fatal_codes.contains(&code) {
                if call.attempts < hedging.max_attempts {
                    return self.pick_again(id);
                }
                if call.in_flight > 0 {
                    return;
                }
            }
        }
        if let Some(retries) = &group.retries {
            let attempts = call.attempts.max(1);
            if let Some(after) = self.retry_after(number, retries, attempts, code) {
                self.events.after(after, Event::Retry(id));
                return;
            }
        }
        self.end_call(id, code, End::Answered);
    }

    /// When a call of a client is tried again, if it is.
    fn retry_after(
        &mut self,
        client: u32,
        retries: &Retries,
        attempts: u32,
        code: Code,
    ) -> Option<Time> {
        let client = &mut self.clients[client as usize];
        let retryable = retries.codes.contains(&code);
        if let Some((most, ratio)) = retries.throttling {
            if retryable {
                client.tokens = (client.tokens - 1.0).max(0.0);
            } else {
                client.tokens = (client.tokens + ratio).min(most);
            }
            if client.tokens <= most / 2.0 {
                return None;
            }
        }
        if !retryable || attempts >= retries.max_attempts {
            return None;
        }
        let grown = libm::pow(retries.backoff_multiplier, f64::from(attempts - 1));
        let backoff = in_ns(retries.initial_backoff) as f64 * grown;
        let jitter = 0.8 + 0.4 * client.chance.share();
        Some((backoff.min(in_ns(retries.max_backoff) as f64) * jitter) as Time)
    }

    pub(super) fn retry(&mut self, id: CallId) {
        if self.call(id).is_some() {
            self.pick_again(id);
        }
    }

    fn pick_again(&mut self, id: CallId) {
        if self.call(id).is_some_and(|call| !call.waits) {
            self.pick(id);
        }
    }

    pub(super) fn hedge(&mut self, id: CallId) {
        let Some(call) = self.call(id) else { return };
        let (attempts, client) = (call.attempts, call.client);
        let Some(hedging) = &self.group_of(client).hedging else { return };
        if attempts < hedging.max_attempts {
            let delay = in_ns(hedging.delay);
            self.pick_again(id);
            if self.call(id).is_some() {
                self.events.after(delay, Event::Hedge(id));
            }
        }
    }

    pub(super) fn deadline(&mut self, id: CallId) {
        if self.call(id).is_some() {
            self.end_call(id, Code::DeadlineExceeded, End::Deadline);
        }
    }

    pub(super) fn cancelled_by_caller(&mut self, id: CallId) {
        if self.call(id).is_some() {
            self.end_call(id, Code::Cancelled, End::Cancelled);
        }
    }

    /// Ends a call. Attempts that have not ended are given up.
    fn end_call(&mut self, id: CallId, code: Code, end: End) {
        let call = self.calls.remove(id.slot as usize);
        let of_attempts = if end == End::Deadline { code } else { Code::Cancelled };
        let mut next = call.newest;
        while let Some(slot) = next {
            next = self.attempts[slot as usize].older;
            self.give_up(slot, call.began, of_attempts);
        }
        let now = self.events.now();
        self.record.call_ended(call.began, now, code, end == End::Cancelled);
        if call.has_caller {
            let group = self.clients[call.client as usize].group;
            if let Load::Closed { think_time, .. } = &self.scenario.clients[group].load {
                let after = self.arrivals[group].time(think_time, 1.0);
                self.events.after(after, Event::Caller(call.client));
            }
        }
    }

    /// The client gives up an attempt. Its server hears of it later.
    fn give_up(&mut self, slot: u32, began: Time, code: Code) {
        let attempt = &mut self.attempts[slot as usize];
        attempt.end(&without_text(code), None);
        let (server, client) = (attempt.server, attempt.client);
        let id = AttemptId { slot, use_number: attempt.use_number };
        let over = attempt.at_server == AtServer::Over;
        self.record.attempt_ended(server, None, began);
        // The answer is on its way, and finds nobody.
        if !over {
            let zone = self.clients[client as usize].zone;
            let way = self.routes.one_way(zone, self.servers[server as usize].zone);
            self.events.after(way, Event::GivenUp(id));
        }
    }

    /// The connection of an attempt broke. The client learns of it soon.
    pub(super) fn lost(&mut self, id: AttemptId) {
        let attempt = &mut self.attempts[id.slot as usize];
        attempt.at_server = AtServer::Over;
        attempt.answer = Code::Unavailable;
        if !attempt.alive {
            self.attempts.remove(id.slot as usize);
            return;
        }
        let zone = self.clients[attempt.client as usize].zone;
        let way = self.routes.one_way(self.servers[attempt.server as usize].zone, zone);
        self.events.after(way, Event::Returns(id));
    }
}
