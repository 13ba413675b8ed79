//! The latency that a server reports for `steer_prequal`: of requests that ended lately, the median
//! of those that came when about as many were in flight as now.
//!
//! As `include/steer/server_load.hpp` does it for real servers.
//!
//! Must not depend on: calls, policies.

use std::collections::VecDeque;

use super::events::Time;

/// The requests that are kept for each level of requests in flight.
const REQUESTS: usize = 16;

/// Older requests do not count.
const LATELY: Time = 5_000_000_000;

/// The latencies of one server.
#[derive(Default)]
pub(super) struct LatencyByRif {
    /// By level: when requests ended, and how long they took.
    levels: Vec<VecDeque<(Time, Time)>>,
}

/// The levels are 0 to 7, and then four for each power of two.
fn level(rif: u64) -> usize {
    if rif < 8 {
        return rif as usize;
    }
    let power = rif.ilog2();
    let quarter = (rif >> (power - 2)) & 3;
    8 + (power as usize - 3) * 4 + quarter as usize
}

impl LatencyByRif {
    /// A request has ended that came when `rif` others were in flight.
    pub(super) fn ended(&mut self, rif: u64, latency: Time, now: Time) {
        let level = level(rif);
        if self.levels.len() <= level {
            self.levels.resize_with(level + 1, VecDeque::new);
        }
        let requests = &mut self.levels[level];
        if requests.len() == REQUESTS {
            requests.pop_front();
        }
        requests.push_back((now, latency));
    }

    /// The latency with this many requests in flight. `None` if no request has ended lately.
    pub(super) fn at(&self, rif: u64, now: Time) -> Option<Time> {
        let near = level(rif);
        let is_known = |level: &usize| {
            let newest = self.levels.get(*level).and_then(VecDeque::back);
            newest.is_some_and(|(ended, _)| now - ended <= LATELY)
        };
        // The nearest level, of two equally near ones the lower.
        let levels = (0..self.levels.len()).filter(is_known);
        let level = levels.min_by_key(|level| level.abs_diff(near))?;
        let requests = self.levels[level].iter().filter(|(ended, _)| now - ended <= LATELY);
        let mut latencies: Vec<Time> = requests.map(|(_, latency)| *latency).collect();
        let middle = (latencies.len() - 1) / 2;
        Some(*latencies.select_nth_unstable(middle).1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_the_median_at_the_nearest_level() {
        let mut latency = LatencyByRif::default();
        assert_eq!(latency.at(0, 0), None);
        for (rif, time) in [(2, 30), (2, 10), (2, 20), (9, 500)] {
            latency.ended(rif, time, 1000);
        }
        let at = |rif| latency.at(rif, 1000);
        assert_eq!(
            (at(0), at(2), at(5), at(8), at(9), at(1000)),
            (Some(20), Some(20), Some(20), Some(500), Some(500), Some(500))
        );
        assert_eq!(latency.at(2, 1001 + LATELY), None);
    }

    #[test]
    fn old_requests_make_room() {
        let mut latency = LatencyByRif::default();
        (0..100).for_each(|time| latency.ended(3, time, time));
        assert_eq!(latency.at(3, 100), Some(91));
    }

    #[test]
    fn levels_rise() {
        let levels: Vec<usize> = (0..10_000).map(level).collect();
        assert!(levels.windows(2).all(|two| two[1] == two[0] || two[1] == two[0] + 1));
        assert_eq!((levels[7], levels[8], levels[16], levels[9999]), (7, 8, 12, 48));
    }
}
