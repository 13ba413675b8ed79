//! When calls begin.
//!
//! Must not depend on: what becomes of them.

use super::chance::in_ns;
use super::events::Time;
use super::simulation::{Event, Simulation};
use crate::scenario::{Arrivals, Load};

impl Simulation<'_> {
    pub(super) fn schedule_first_arrivals(&mut self, group: usize) {
        match &self.scenario.clients[group].load {
            Load::Open { arrivals: Arrivals::Times(times), .. } => {
                for time in times.iter() {
                    self.events.at(in_ns(*time), Event::Arrival(group as u32));
                }
            }
            Load::Open { .. } => self.schedule_arrival(group),
            // Their clients' starts begin them.
            Load::Closed { .. } => {}
        }
    }

    /// The callers of a client that has started begin within their first think time, so not all at
    /// once.
    pub(super) fn start_callers(&mut self, client: u32) {
        let group = self.clients[client as usize].group;
        let Load::Closed { callers, think_time } = &self.scenario.clients[group].load else {
            return;
        };
        for _ in 0..*callers {
            let stream = &mut self.arrivals[group];
            let share = stream.share();
            let after = stream.time(think_time, share);
            self.events.after(after, Event::Caller(client));
        }
    }

    fn schedule_arrival(&mut self, group: usize) {
        let Load::Open { rate, arrivals } = &self.scenario.clients[group].load else { return };
        let rate = rate * self.load[group];
        if rate <= 0.0 {
            // `happenings.rs` schedules the next one when there is load again.
            return;
        }
        let stream = &mut self.arrivals[group];
        let seconds = match arrivals {
            Arrivals::Poisson => stream.exponential(1.0 / rate),
            Arrivals::Regular => 1.0 / rate,
            Arrivals::Bursts(calls) => stream.exponential(f64::from(*calls) / rate),
            Arrivals::Times(_) => return,
        };
        self.events.after((seconds * 1e9) as Time, Event::Arrival(group as u32));
    }

    pub(super) fn arrival(&mut self, group: u32) {
        let number = group as usize;
        let Load::Open { arrivals, .. } = &self.scenario.clients[number].load else { return };
        let members = self.members[number].clone();
        let count = members.end - members.start;
        let client = match arrivals {
            Arrivals::Poisson | Arrivals::Bursts(_) if count > 1 => {
                members.start + self.arrivals[number].below(count as usize) as u32
            }
            _ => {
                let next = self.next_client[number];
                self.next_client[number] = (next + 1) % count;
                members.start + next
            }
        };
        let calls = if let Arrivals::Bursts(calls) = arrivals { *calls } else { 1 };
        // Clients that have not started make no calls.
        if self.clients[client as usize].runner.is_some() {
            for _ in 0..calls {
                self.begin_call(client, false);
            }
        }
        self.schedule_arrival(number);
    }

    /// The load of a group becomes so many times what the scenario says.
    pub(super) fn set_load(&mut self, group: usize, factor: f64) {
        let stood_still = self.load[group] <= 0.0;
        self.load[group] = factor;
        if stood_still {
            self.schedule_arrival(group);
        }
    }
}
