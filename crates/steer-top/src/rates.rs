//! Computes rates: the difference between two polls, divided by the time between them.
//!
//! A channel or backend that is new has no rates yet. Neither has one whose counts have become
//! smaller: the process was restarted, or the backend left and came back.
//!
//! Must not depend on: where statistics come from, how rates are shown.

use std::collections::HashMap;
use std::time::Duration;

use crate::metrics::{self, MetricRow};
use crate::stats::{Backend, Channel, Stats};

/// A channel, and its rates.
#[derive(Clone, Debug, PartialEq)]
pub struct ChannelRow {
    /// The channel, as the process reported it.
    pub channel: Channel,
    /// The number of the gRPC channel, if that has several policies.
    pub shared: Option<u64>,
    /// Calls per second.
    pub calls: Option<f64>,
    /// Calls per second that end with a status other than OK.
    pub errors: Option<f64>,
    /// Its backends.
    pub backends: Vec<BackendRow>,
    /// Its custom metrics, and those of all plugins.
    pub metrics: Vec<MetricRow>,
}

/// A backend, and its rates.
#[derive(Clone, Debug, PartialEq)]
pub struct BackendRow {
    /// The backend, as the process reported it.
    pub backend: Backend,
    /// Calls per second.
    pub calls: Option<f64>,
    /// Its share of the channel's calls, 0 to 1.
    pub part: Option<f64>,
    /// Calls per second that end with a status other than OK.
    pub errors: Option<f64>,
    /// The last values of `calls`, the oldest first. They are divided by the greatest value of all
    /// backends of the channel, so they are 0 to 1. Empty until `history::Histories` sets it.
    pub history: Vec<f64>,
}

/// Computes the rates from the previous poll, with the time since then, and from this poll.
pub fn between(before: Option<(&Stats, Duration)>, now: &Stats) -> Vec<ChannelRow> {
    let mut rows = channel_rows(before, now);
    let mut policies: HashMap<u64, usize> = HashMap::new();
    for number in now.channels.iter().filter_map(|channel| channel.grpc_channel) {
        *policies.entry(number).or_default() += 1;
    }
    for row in &mut rows {
        row.shared = row.channel.grpc_channel.filter(|number| policies[number] > 1);
        row.metrics = metrics::rows(&row.channel, &now.plugins);
        let Some((before, elapsed)) = before else { continue };
        let former = before.channels.iter().find(|former| former.id == row.channel.id);
        let former = former.map_or_else(Vec::new, |one| metrics::rows(one, &before.plugins));
        metrics::set_rates(&mut row.metrics, &former, elapsed.as_secs_f64());
    }
    rows
}

fn channel_rows(before: Option<(&Stats, Duration)>, now: &Stats) -> Vec<ChannelRow> {
    let Some((before, elapsed)) = before else {
        return now.channels.iter().map(|channel| channel_row(None, channel)).collect();
    };
    let channels: HashMap<u64, &Channel> = before.channels.iter().map(|c| (c.id, c)).collect();
    let row = |channel: &Channel| {
        // Another process may have a channel of the same number.
        let before = channels
            .get(&channel.id)
            .filter(|before| before.target == channel.target && before.pickers <= channel.pickers);
        channel_row(before.map(|before| (*before, elapsed)), channel)
    };
    now.channels.iter().map(row).collect()
}

fn channel_row(before: Option<(&Channel, Duration)>, channel: &Channel) -> ChannelRow {
    let (backends, seconds) = match before {
        Some((before, elapsed)) => (&*before.backends, elapsed.as_secs_f64()),
        None => (&[][..], 0.0),
    };
    let backends: HashMap<&[String], &Backend> =
        backends.iter().map(|backend| (&*backend.addresses, backend)).collect();
    let mut rows: Vec<BackendRow> = channel
        .backends
        .iter()
        .map(|backend| {
            let before = backends.get(&*backend.addresses);
            let rate = |count: fn(&Backend) -> Option<u64>| {
                per_second(count(before?), count(backend), seconds)
            };
            let (calls, errors) = (rate(|backend| backend.picks), rate(Backend::errors));
            BackendRow { backend: backend.clone(), calls, part: None, errors, history: Vec::new() }
        })
        .collect();
    let calls = sum(rows.iter().map(|row| row.calls));
    let errors = sum(rows.iter().map(|row| row.errors));
    if let Some(all) = calls.filter(|all| *all > 0.0) {
        for row in &mut rows {
            row.part = row.calls.map(|calls| calls / all);
        }
    }
    ChannelRow {
        channel: channel.clone(),
        shared: None,
        calls,
        errors,
        backends: rows,
        metrics: Vec::new(),
    }
}

fn per_second(before: Option<u64>, now: Option<u64>, seconds: f64) -> Option<f64> {
    let more = now?.checked_sub(before?)?;
    (seconds > 0.0).then(|| more as f64 / seconds)
}

/// Sums the known rates; `None` if all are unknown.
fn sum(rates: impl Iterator<Item = Option<f64>>) -> Option<f64> {
    rates.flatten().fold(None, |sum, rate| Some(sum.unwrap_or(0.0) + rate))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECONDS: Duration = Duration::from_secs(2);

    fn backend(address: &str, picks: u64, ok: u64, failed: u64) -> Backend {
        let finished = [("OK".to_owned(), ok), ("UNAVAILABLE".to_owned(), failed)];
        Backend {
            addresses: vec![address.to_owned()],
            picks: Some(picks),
            finished: Some(finished.into()),
            ..Backend::default()
        }
    }

    fn stats(id: u64, backends: Vec<Backend>) -> Stats {
        let channel = Channel { id, backends, pickers: 1, ..Channel::default() };
        Stats { steer: String::new(), channels: vec![channel], plugins: Vec::new() }
    }

    /// Calls per second, part of the calls and errors per second of each backend.
    fn rates(before: &Stats, now: &Stats) -> Vec<(Option<f64>, Option<f64>, Option<f64>)> {
        let channel = between(Some((before, SECONDS)), now).remove(0);
        channel.backends.iter().map(|row| (row.calls, row.part, row.errors)).collect()
    }

    #[test]
    fn a_rate_is_the_difference_divided_by_the_time() {
        let before = stats(1, vec![backend("a", 10, 8, 1), backend("b", 0, 0, 0)]);
        let now = stats(1, vec![backend("b", 2, 2, 0), backend("a", 16, 10, 4)]);
        assert_eq!(
            rates(&before, &now),
            [(Some(1.0), Some(0.25), Some(0.0)), (Some(3.0), Some(0.75), Some(1.5))]
        );
        let channel = between(Some((&before, SECONDS)), &now).remove(0);
        assert_eq!((channel.calls, channel.errors), (Some(4.0), Some(1.5)));
    }

    #[test]
    fn the_first_poll_has_no_rates() {
        let now = stats(1, vec![backend("a", 10, 8, 1)]);
        let channel = between(None, &now).remove(0);
        assert_eq!((channel.calls, channel.errors), (None, None));
        let row = &channel.backends[0];
        assert_eq!((row.calls, row.part, row.errors), (None, None, None));
    }

    #[test]
    fn without_calls_no_backend_has_a_share() {
        let same = stats(1, vec![backend("a", 10, 8, 1)]);
        assert_eq!(rates(&same, &same), [(Some(0.0), None, Some(0.0))]);
    }

    #[test]
    fn new_and_restarted_counts_have_no_rates_yet() {
        let before = stats(1, vec![backend("a", 10, 8, 1), backend("b", 5, 5, 0)]);
        let now =
            stats(1, vec![backend("a", 3, 3, 0), backend("b", 7, 7, 0), backend("c", 1, 1, 0)]);
        assert_eq!(
            rates(&before, &now),
            [(None, None, None), (Some(1.0), Some(1.0), Some(0.0)), (None, None, None)]
        );
        // Another channel, and another process with a channel of this number.
        let other = stats(2, vec![backend("a", 20, 20, 0)]);
        assert_eq!(rates(&before, &other), [(None, None, None)]);
        let mut restarted = stats(1, vec![backend("a", 20, 20, 0)]);
        restarted.channels[0].pickers = 0;
        assert_eq!(rates(&before, &restarted), [(None, None, None)]);
    }

    #[test]
    fn a_channel_with_several_policies_is_one_channel() {
        let channel = |id, grpc_channel| Channel { id, grpc_channel, ..Channel::default() };
        let channels =
            vec![channel(1, Some(1)), channel(2, Some(2)), channel(3, Some(1)), channel(4, None)];
        let now = Stats { steer: String::new(), channels, plugins: Vec::new() };
        let shared: Vec<_> = between(None, &now).iter().map(|row| row.shared).collect();
        assert_eq!(shared, [Some(1), None, Some(1), None]);
    }

    #[test]
    fn calls_that_are_not_counted_have_no_rates() {
        let mut unknown = stats(1, vec![backend("a", 10, 8, 1)]);
        unknown.channels[0].backends[0].picks = None;
        unknown.channels[0].backends[0].finished = None;
        assert_eq!(rates(&unknown, &unknown), [(None, None, None)]);
    }
}
