//! The last call rates of each backend.
//!
//! A backend whose rate is unknown has no history. A new or restarted one therefore begins with an
//! empty history.
//!
//! Must not depend on: where statistics come from, how a history is shown.

use std::collections::HashMap;
use std::mem::take;

use crate::rates::ChannelRow;

/// The number of rates that a history has. Ten fit beside the other columns on a terminal with 100
/// columns.
pub const LENGTH: usize = 10;

/// The last call rates of all backends, by channel and addresses.
#[derive(Debug, Default)]
pub struct Histories(HashMap<(u64, Vec<String>), Vec<f64>>);

impl Histories {
    /// Adds the rates of a poll, and sets the history of each backend. Forgets the other backends.
    pub fn add(&mut self, rows: &mut [ChannelRow]) {
        let mut before = take(&mut self.0);
        for channel in rows {
            for row in &mut channel.backends {
                let Some(calls) = row.calls else { continue };
                let key = (channel.channel.id, row.backend.addresses.clone());
                let mut rates = before.remove(&key).unwrap_or_default();
                rates.push(calls);
                rates.drain(..rates.len().saturating_sub(LENGTH));
                row.history.clone_from(&rates);
                self.0.insert(key, rates);
            }
            scale(channel);
        }
    }
}

/// Divides the rates of all histories of a channel by the greatest one.
fn scale(channel: &mut ChannelRow) {
    let rates = channel.backends.iter().flat_map(|row| &row.history);
    let greatest = rates.copied().fold(0.0, f64::max);
    if greatest > 0.0 {
        for rate in channel.backends.iter_mut().flat_map(|row| &mut row.history) {
            *rate /= greatest;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rates::BackendRow;
    use crate::stats::{Backend, Channel};

    /// Returns a channel with the backends "0", "1", …, which have these rates.
    fn channel(id: u64, rates: &[Option<f64>]) -> ChannelRow {
        let row = |(number, calls): (usize, &Option<f64>)| {
            let addresses = vec![number.to_string()];
            let backend = Backend { addresses, ..Backend::default() };
            BackendRow { backend, calls: *calls, part: None, errors: None, history: Vec::new() }
        };
        let backends = rates.iter().enumerate().map(row).collect();
        let channel = Channel { id, ..Channel::default() };
        ChannelRow {
            channel,
            shared: None,
            calls: None,
            errors: None,
            backends,
            metrics: Vec::new(),
        }
    }

    /// Adds the rates of one channel, and returns the histories of its backends.
    fn add(histories: &mut Histories, id: u64, rates: &[Option<f64>]) -> Vec<Vec<f64>> {
        let mut rows = [channel(id, rates)];
        histories.add(&mut rows);
        rows[0].backends.iter().map(|row| row.history.clone()).collect()
    }

    #[test]
    fn rates_are_shares_of_the_channels_greatest_rate() {
        let mut histories = Histories::default();
        assert_eq!(add(&mut histories, 1, &[Some(1.0), Some(2.0)]), [[0.5], [1.0]]);
        assert_eq!(add(&mut histories, 1, &[Some(4.0), Some(0.0)]), [[0.25, 1.0], [0.5, 0.0]]);
        let mut both = [channel(1, &[Some(8.0)]), channel(2, &[Some(3.0)])];
        histories.add(&mut both);
        assert_eq!(both[0].backends[0].history, [0.125, 0.5, 1.0]);
        assert_eq!(both[1].backends[0].history, [1.0]);
    }

    #[test]
    fn the_oldest_rates_are_forgotten() {
        let mut histories = Histories::default();
        assert_eq!(add(&mut histories, 1, &[Some(100.0)]), [[1.0]]);
        for _ in 0..LENGTH {
            add(&mut histories, 1, &[Some(5.0)]);
        }
        assert_eq!(add(&mut histories, 1, &[Some(5.0)]), [[1.0; LENGTH]]);
    }

    #[test]
    fn a_backend_without_a_rate_begins_again() {
        let mut histories = Histories::default();
        add(&mut histories, 1, &[Some(1.0), Some(1.0)]);
        assert_eq!(add(&mut histories, 1, &[None, Some(1.0)]), [vec![], vec![1.0, 1.0]]);
        assert_eq!(add(&mut histories, 1, &[Some(1.0)]), [[1.0]]);
        assert_eq!(histories.0.len(), 1);
    }

    #[test]
    fn no_calls_are_zeros() {
        assert_eq!(add(&mut Histories::default(), 1, &[Some(0.0)]), [[0.0]]);
    }
}
