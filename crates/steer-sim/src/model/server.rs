//! A server: its places, its queue, its faults, and the load that it reports.
//!
//! A server does not know of time or of the network: its owner tells it when something happens, and
//! does what it answers.
//!
//! Must not depend on: clients, policies.

use std::collections::VecDeque;
use std::sync::Arc;

use steer::Code;
use steer::calls::Metrics;
use steer::endpoints::EndpointDescriptor;

use super::chance::{Stream, in_ns};
use super::events::Time;
use super::latency_by_rif::LatencyByRif;
use crate::scenario::{Discipline, LoadReports, ServerFault, ServerGroup};

/// The number of an attempt at a call, and of the use of its place in the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct AttemptId {
    pub(super) slot: u32,
    pub(super) use_number: u32,
}

/// The time of what happened before the simulation.
const LONG_AGO: Time = 0;

/// One server.
pub(super) struct Server {
    pub(super) name: String,
    pub(super) group: usize,
    pub(super) zone: usize,
    pub(super) descriptor: Arc<EndpointDescriptor>,
    /// Whether the resolver lists it.
    pub(super) listed: bool,
    /// The addresses that it has had before.
    pub(super) lives: u32,
    running: bool,
    /// When it began to warm up: at its first call. `None`: it has had none since its start.
    warm_since: Option<Time>,
    faults: Vec<(usize, ServerFault)>,
    state: FaultState,
    /// Calls that hold a place.
    busy: usize,
    /// Calls that have come and are not answered.
    pub(super) present: u64,
    queue: VecDeque<(AttemptId, Time)>,
    /// Entries of the queue whose calls were cancelled.
    cancelled_in_queue: usize,
    /// Calls whose service ended while the server hung.
    pub(super) held: Vec<AttemptId>,
    chance: Stream,
    pub(super) load: Load,
    pub(super) latency: LatencyByRif,
}

/// Where a server stands in its scenario.
pub(super) struct Place {
    pub(super) number: usize,
    pub(super) name: String,
    /// The number of its group.
    pub(super) group: usize,
    /// The number of its zone.
    pub(super) zone: usize,
    pub(super) descriptor: Arc<EndpointDescriptor>,
}

/// What the faults of a server amount to.
#[derive(Clone, Debug)]
struct FaultState {
    slower: f64,
    hangs: bool,
    unreachable: bool,
    answer_at_once: Option<Code>,
    errors: Option<(f64, Code)>,
    share_of_places: f64,
}

/// What a server does with a call that comes.
pub(super) enum Arrival {
    /// Answers with this status at once.
    Answer(Code),
    /// Serves it, which takes this time.
    Serve(Time),
    /// Lets it wait.
    Wait,
}

impl Server {
    pub(super) fn new(group: &ServerGroup, place: Place, seed: u64) -> Server {
        Server {
            name: place.name,
            group: place.group,
            zone: place.zone,
            descriptor: place.descriptor,
            listed: group.listed,
            lives: 0,
            // Listed servers have run for long, and are warm. Others start when they are listed.
            running: group.listed,
            warm_since: group.listed.then_some(LONG_AGO),
            faults: Vec::new(),
            state: FaultState::of(&[]),
            busy: 0,
            present: 0,
            queue: VecDeque::new(),
            cancelled_in_queue: 0,
            held: Vec::new(),
            chance: Stream::new(seed, "server", place.number as u64),
            load: Load::new(&group.reports),
            latency: LatencyByRif::default(),
        }
    }

    pub(super) fn runs(&self) -> bool {
        self.running
    }

    /// Whether a client can connect. `None`: it gets no answer.
    pub(super) fn accepts(&self) -> Option<bool> {
        if self.state.unreachable { None } else { Some(self.runs()) }
    }

    /// Whether it answers nothing for now.
    pub(super) fn is_silent(&self) -> bool {
        self.state.hangs || self.state.unreachable
    }

    /// Calls that wait.
    pub(super) fn queue_length(&self) -> u64 {
        (self.queue.len() - self.cancelled_in_queue) as u64
    }

    /// A call comes.
    pub(super) fn arrive(&mut self, group: &ServerGroup, attempt: AttemptId, now: Time) -> Arrival {
        if !self.is_silent() {
            if let Some(code) = self.state.answer_at_once {
                return Arrival::Answer(code);
            }
            if self.busy < self.places(group) && self.queue_length() == 0 {
                return Arrival::Serve(self.begin(group, now));
            }
        }
        if group.queue.length.is_some_and(|most| self.queue_length() >= most as u64) {
            return Arrival::Answer(Code::ResourceExhausted);
        }
        self.queue.push_back((attempt, now));
        Arrival::Wait
    }

    /// The next call of the queue, if it can be answered or served now. `is_cancelled` tells
    /// whether its caller has gone; such calls are dropped.
    pub(super) fn take_from_queue(
        &mut self,
        group: &ServerGroup,
        now: Time,
        is_cancelled: impl Fn(AttemptId) -> bool,
    ) -> Option<(AttemptId, Arrival)> {
        while !self.is_silent() && self.busy < self.places(group) {
            let (attempt, since) = match group.queue.discipline {
                Discipline::Fifo => self.queue.pop_front()?,
                Discipline::Lifo => self.queue.pop_back()?,
            };
            if is_cancelled(attempt) {
                self.cancelled_in_queue -= 1;
                continue;
            }
            if group.queue.shed_after.is_some_and(|most| now - since > in_ns(most)) {
                return Some((attempt, Arrival::Answer(Code::ResourceExhausted)));
            }
            if let Some(code) = self.state.answer_at_once {
                return Some((attempt, Arrival::Answer(code)));
            }
            return Some((attempt, Arrival::Serve(self.begin(group, now))));
        }
        None
    }

    /// The caller of a call in the queue has gone.
    pub(super) fn cancel_in_queue(&mut self) {
        self.cancelled_in_queue += 1;
    }

    /// A call gives its place back.
    pub(super) fn end_service(&mut self) {
        self.busy -= 1;
    }

    /// The status of a call that was served.
    pub(super) fn status_of_served(&mut self) -> Code {
        match self.state.errors {
            Some((share, code)) if self.chance.happens(share) => code,
            _ => Code::Ok,
        }
    }

    fn begin(&mut self, group: &ServerGroup, now: Time) -> Time {
        self.busy += 1;
        let speed = group.speed * self.warm_up_factor(group, now) / self.state.slower;
        self.chance.time(&group.service_time, 1.0 / speed)
    }

    fn warm_up_factor(&mut self, group: &ServerGroup, now: Time) -> f64 {
        let Some(warm_up) = &group.warm_up else { return 1.0 };
        let since = *self.warm_since.get_or_insert(now.max(1));
        let age = now - since;
        if since == LONG_AGO || age >= in_ns(warm_up.lasts) {
            return 1.0;
        }
        let grown = if warm_up.at_once { 0.0 } else { age as f64 / in_ns(warm_up.lasts) as f64 };
        warm_up.speed + (1.0 - warm_up.speed) * grown
    }

    fn places(&self, group: &ServerGroup) -> usize {
        if self.state.share_of_places == 1.0 {
            return group.concurrency;
        }
        (group.concurrency as f64 * self.state.share_of_places).round() as usize
    }

    /// Forgets all calls, and stops.
    pub(super) fn stop(&mut self) {
        self.refuse();
        self.queue.clear();
        self.cancelled_in_queue = 0;
        self.held.clear();
        self.latency = LatencyByRif::default();
        self.busy = 0;
        self.present = 0;
    }

    /// Refuses connections. Calls that have come are served.
    pub(super) fn refuse(&mut self) {
        self.running = false;
    }

    /// Starts, cold. Does nothing if it runs.
    pub(super) fn start(&mut self) {
        if !std::mem::replace(&mut self.running, true) {
            self.warm_since = None;
        }
    }

    /// A fault begins.
    pub(super) fn add_fault(&mut self, number: usize, fault: ServerFault) {
        self.faults.push((number, fault));
        self.state = FaultState::of(&self.faults);
    }

    /// A fault ends.
    pub(super) fn remove_fault(&mut self, number: usize) {
        self.faults.retain(|(fault, _)| *fault != number);
        self.state = FaultState::of(&self.faults);
    }
}

impl FaultState {
    fn of(faults: &[(usize, ServerFault)]) -> FaultState {
        let mut state = FaultState {
            slower: 1.0,
            hangs: false,
            unreachable: false,
            answer_at_once: None,
            errors: None,
            share_of_places: 1.0,
        };
        for (_, fault) in faults {
            match fault {
                ServerFault::Slow(factor) => state.slower *= factor,
                ServerFault::Hang => state.hangs = true,
                ServerFault::Unreachable => state.unreachable = true,
                ServerFault::FailAtOnce(code) => state.answer_at_once = Some(*code),
                ServerFault::ResetCalls => state.answer_at_once = Some(Code::Cancelled),
                ServerFault::Errors(share, code) => state.errors = Some((*share, *code)),
                ServerFault::Overload(share) => state.share_of_places *= 1.0 - share,
                // These happen once, when they begin and end.
                ServerFault::CloseConnections | ServerFault::Crash => {}
            }
        }
        state
    }
}

/// The load of a server: means over the last complete window.
pub(super) struct Load {
    window: Time,
    window_start: Time,
    last_event: Time,
    present_ns: f64,
    ended: u64,
    failed: u64,
    /// The reports that are made, each with the time from which on servers send it.
    reports: VecDeque<(Time, Report)>,
    delay: Time,
}

#[derive(Clone, Copy)]
struct Report {
    qps: f64,
    eps: f64,
    utilization: f64,
}

impl Load {
    fn new(reports: &LoadReports) -> Load {
        Load {
            window: in_ns(reports.over).max(1),
            window_start: 0,
            last_event: 0,
            present_ns: 0.0,
            ended: 0,
            failed: 0,
            reports: VecDeque::new(),
            delay: in_ns(reports.delay),
        }
    }

    /// Adds the time since the last event, in which so many calls were present, and ends the window
    /// if it is over. Returns the time of that event.
    pub(super) fn advance(&mut self, present: u64, places: usize, now: Time) -> Time {
        let since = self.last_event;
        self.present_ns += present as f64 * (now - self.last_event) as f64;
        self.last_event = now;
        let passed = now - self.window_start;
        if passed < self.window {
            return since;
        }
        let seconds = passed as f64 / 1e9;
        let report = Report {
            qps: self.ended as f64 / seconds,
            eps: self.failed as f64 / seconds,
            utilization: self.present_ns / passed as f64 / places as f64,
        };
        self.reports.push_back((now + self.delay, report));
        // The latest that is sent, and those to come.
        while self.reports.get(1).is_some_and(|(from, _)| *from <= now) {
            self.reports.pop_front();
        }
        self.window_start = now;
        (self.present_ns, self.ended, self.failed) = (0.0, 0, 0);
        since
    }

    /// The report that is sent now.
    fn sent(&self) -> Option<Report> {
        let due = self.reports.iter().take_while(|(from, _)| *from <= self.last_event);
        due.last().map(|(_, report)| *report)
    }

    /// A call has ended.
    pub(super) fn ended(&mut self, failed: bool) {
        self.ended += 1;
        self.failed += u64::from(failed);
    }
}

impl Server {
    /// The load report, if there is one.
    pub(super) fn load_report(&self, reports: &LoadReports, now: Time) -> Option<Metrics> {
        let mut metrics = Metrics::default();
        match self.load.sent() {
            Some(load) => {
                metrics.application_utilization = load.utilization;
                metrics.rps_fractional = load.qps;
                metrics.eps = load.eps;
            }
            // Requests in flight are known from the first moment on.
            None if reports.rif_and_latency => {}
            None => return None,
        }
        let mut name = |name: &str, value| metrics.named_metrics.insert(name.to_owned(), value);
        if reports.queue_metrics {
            name("in_flight", self.present as f64);
            name("queue", self.queue_length() as f64);
        }
        if reports.rif_and_latency {
            name("rif", self.present as f64);
            if let Some(latency) = self.latency.at(self.present, now) {
                name("latency", latency as f64 / 1e9);
            }
        }
        Some(metrics)
    }
}
