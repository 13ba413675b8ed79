//! The events to come, in the order of their times.
//!
//! Events of equal times come in the order in which they were scheduled, so a run is the same each
//! time. Many delays of a simulation have one of few lengths, such as the time on the network:
//! their events are in order already, and a queue for each length is the fastest way to keep them.
//!
//! Must not depend on: what an event leads to.

mod entry;
mod wheel;

use std::collections::VecDeque;

use self::entry::Entry;
use self::wheel::Wheel;

/// A time since the start of the simulation, in nanoseconds. Good for 584 years.
pub(super) type Time = u64;

/// Queues for delays of one length. Each costs a comparison per event.
const MOST_LANES: usize = 4;

/// The events to come.
pub(super) struct Events<E> {
    now: Time,
    scheduled: u64,
    /// Events whose delay has no lane.
    wheel: Wheel<E>,
    lanes: Vec<Lane<E>>,
}

struct Lane<E> {
    delay: Time,
    entries: VecDeque<Entry<E>>,
}

impl<E> Events<E> {
    /// No events. Delays of the lengths in `frequent` are cheap; further than the first few are
    /// like any other.
    pub(super) fn new(frequent: impl IntoIterator<Item = Time>) -> Events<E> {
        let mut lanes: Vec<Lane<E>> = Vec::new();
        for delay in frequent {
            if lanes.len() < MOST_LANES && lanes.iter().all(|lane| lane.delay != delay) {
                lanes.push(Lane { delay, entries: VecDeque::new() });
            }
        }
        Events { now: 0, scheduled: 0, wheel: Wheel::new(), lanes }
    }

    /// The time of the last event that was taken.
    pub(super) fn now(&self) -> Time {
        self.now
    }

    /// Schedules an event in this time from now.
    pub(super) fn after(&mut self, delay: Time, event: E) {
        let time = self.now.saturating_add(delay);
        self.scheduled += 1;
        let entry = Entry { time, order: self.scheduled, event };
        match self.lanes.iter_mut().find(|lane| lane.delay == delay) {
            Some(lane) => lane.entries.push_back(entry),
            None => self.wheel.push(entry),
        }
    }

    /// Schedules an event at this time, or now if it is over.
    pub(super) fn at(&mut self, time: Time, event: E) {
        self.after(time.saturating_sub(self.now), event);
    }

    /// Takes the next event, unless it comes after this time. Moves to its time.
    pub(super) fn next(&mut self, until: Time) -> Option<E> {
        let mut first = self.wheel.first().map_or(u128::MAX, Entry::key);
        let mut from = None;
        for (number, lane) in self.lanes.iter().enumerate() {
            let key = lane.entries.front().map_or(u128::MAX, Entry::key);
            if key < first {
                first = key;
                from = Some(number);
            }
        }
        if first > Entry::<E>::last_key_at(until) {
            return None;
        }
        let entry = match from {
            Some(number) => self.lanes[number].entries.pop_front(),
            None => self.wheel.pop(),
        }?;
        self.now = entry.time;
        Some(entry.event)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_come_by_time_and_then_by_the_order_of_scheduling() {
        let mut events = Events::new([5, 7]);
        events.after(7, "lane 7");
        events.after(5, "lane 5");
        events.after(6, "heap 6");
        events.at(5, "heap at 5, later scheduled");
        let mut come = Vec::new();
        while let Some(event) = events.next(6) {
            come.push((events.now(), event));
        }
        assert_eq!(
            come,
            [(5, "lane 5"), (5, "heap at 5, later scheduled"), (6, "heap 6")],
            "the event at 7 is still to come"
        );
        assert_eq!(events.next(Time::MAX), Some("lane 7"));
        assert_eq!(events.next(Time::MAX), None);
    }

    #[test]
    fn a_time_that_is_over_is_now() {
        let mut events = Events::new([]);
        events.after(10, 1);
        events.next(Time::MAX);
        events.at(3, 2);
        assert_eq!((events.next(Time::MAX), events.now()), (Some(2), 10));
    }
}
