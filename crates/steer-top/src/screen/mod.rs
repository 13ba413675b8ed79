//! The screen: the latest statistics, the selection, and the keys.
//!
//! | file | idea |
//! |---|---|
//! | `mod.rs` | the state: the rows of the latest poll, and the selected channel |
//! | `keys.rs` | what each key does |
//! | `draw.rs` | draws the screen |
//! | `help.rs` | the help |
//! | `print.rs` | all tables as text, for `--once` |
//! | `fixture.rs` | what the tests of these files share |
//!
//! Must not depend on: where statistics come from, the terminal.

mod draw;
#[cfg(test)]
mod fixture;
mod help;
mod keys;
mod print;

use std::time::Instant;

use crate::columns::CHANNELS;
use crate::history::Histories;
use crate::rates::{self, ChannelRow};
use crate::stats::Stats;
use crate::table::Sorted;

/// The state of the screen.
pub struct Screen {
    title: String,
    /// The latest statistics, and when they came.
    last: Option<(Stats, Instant)>,
    /// Why the latest poll failed.
    error: Option<String>,
    rows: Vec<ChannelRow>,
    histories: Histories,
    /// The number of the selected channel. Its row may change.
    channel: Option<u64>,
    channels: Sorted,
    backends: Sorted,
    metrics: Sorted,
    /// Whether the lower table shows custom metrics instead of backends, if there are some.
    metrics_shown: bool,
    backends_focused: bool,
    help: bool,
}

impl Screen {
    /// Makes a screen for this address, before the first poll.
    pub fn new(url: &str) -> Screen {
        Screen {
            title: format!("steer-top  {url}"),
            last: None,
            error: None,
            rows: Vec::new(),
            histories: Histories::default(),
            channel: None,
            channels: Sorted::default(),
            backends: Sorted::default(),
            metrics: Sorted::default(),
            metrics_shown: false,
            backends_focused: false,
            help: false,
        }
    }

    /// Takes the answer of a poll that ended at `at`. After an error, the former statistics stay.
    pub fn polled(&mut self, at: Instant, answer: Result<Stats, String>) {
        match answer {
            Ok(stats) => {
                let before = self.last.as_ref();
                let before = before.map(|(stats, then)| (stats, at.duration_since(*then)));
                self.rows = rates::between(before, &stats);
                self.histories.add(&mut self.rows);
                self.last = Some((stats, at));
                self.error = None;
                self.sort();
            }
            Err(error) => self.error = Some(error),
        }
    }

    /// Returns the selected channel.
    fn selected(&self) -> Option<&ChannelRow> {
        self.channels.selected().and_then(|row| self.rows.get(row))
    }

    /// Whether the lower table shows custom metrics.
    fn shows_metrics(&self) -> bool {
        self.metrics_shown && self.selected().is_some_and(|row| !row.metrics.is_empty())
    }

    /// Sorts the rows, starting from the process's order, and finds the selected channel again.
    fn sort(&mut self) {
        let Some((stats, _)) = &self.last else { return };
        let place = |id: u64| stats.channels.iter().position(|channel| channel.id == id);
        self.rows.sort_by_key(|row| place(row.channel.id));
        self.channels.sort(CHANNELS, &mut self.rows);
        let selected = self.rows.iter().position(|row| Some(row.channel.id) == self.channel);
        let selected = selected.or((!self.rows.is_empty()).then_some(0));
        self.channels.select(selected);
        self.channel = selected.map(|row| self.rows[row].channel.id);
    }
}
