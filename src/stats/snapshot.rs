//! All of it at one time: what policies tell of their backends when they are asked.
//!
//! Must not know: who asks, how it is written.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::{Serialize, Serializer};

use super::latency::LatencyStats;
use crate::endpoints::Connectivity;
use crate::sync::Mutex;
use crate::{Code, Status};

/// Tells of a policy's backends. Any thread, while the policy goes on.
///
/// Whoever asks may be the last owner, and drop it on any thread. So it must own nothing of the
/// host's.
pub trait StatsSource: Send + Sync {
    /// Writes down what it knows.
    fn describe(&self, table: &mut Table);
}

/// Describes one backend for the statistics.
pub trait BackendStatsSource: Send + Sync + 'static {
    /// Writes what it knows into the backend's row. `now` is by the host's clock. Any thread.
    fn write_stats(&self, row: &mut BackendStats, now: Duration);
}

/// What was told last, of what comes anew with each list or picker.
#[derive(Default)]
pub struct Latest(Mutex<Option<Arc<dyn StatsSource>>>);

impl Latest {
    /// From now on, nobody tells.
    pub fn clear(&self) {
        let former = self.0.lock().take();
        // As below.
        drop(former);
    }

    /// From now on, this tells.
    pub fn set(&self, describe: impl StatsSource + 'static) {
        let former = self.0.lock().replace(Arc::new(describe));
        // Not within the lock: nobody is to wait for it.
        drop(former);
    }
}

impl StatsSource for Latest {
    fn describe(&self, table: &mut Table) {
        // Not within the lock: what takes its time (46 ms for a ring of 8 million entries) would
        // keep the next update waiting.
        let latest = self.0.lock().clone();
        if let Some(latest) = latest {
            latest.describe(table);
        }
    }
}

/// The plugin that a policy is from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Plugin {
    /// Its name, as it says.
    pub name: String,
    /// Its version, as it says.
    pub version: String,
    /// The file that was loaded, as it was named then. None: it is linked with the program.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
}

impl fmt::Display for Plugin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "plugin {:?} {}", self.name, self.version)?;
        self.path.as_ref().map_or(Ok(()), |path| write!(f, " from {path}"))
    }
}

/// What is in the place of a policy that broke.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Fallback {
    /// Since when.
    #[serde(rename = "since_unix_seconds", serialize_with = "write_moment")]
    pub since: SystemTime,
    /// What broke, and how.
    pub reason: String,
    /// What it is.
    pub mode: &'static str,
}

impl Fallback {
    /// Since when, in seconds since 1970.
    pub fn since_unix_seconds(&self) -> f64 {
        self.since.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs_f64()
    }
}

/// A policy.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ChannelStats {
    /// Its number. Never used twice in a process.
    pub id: u64,
    /// The channel's target, as far as the host tells.
    pub target: String,
    /// The policy's name.
    pub policy: String,
    /// Where it is from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub plugin: Option<Plugin>,
    /// Whether it is broken, and something has taken its place.
    pub fallen_back: bool,
    /// What, since when and why.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fallback: Option<Fallback>,
    /// What was published last.
    #[serde(serialize_with = "write_state")]
    pub state: Connectivity,
    /// Why, in TRANSIENT_FAILURE.
    #[serde(serialize_with = "write_status")]
    pub status: Status,
    /// How often it broke.
    pub faults: u64,
    /// How many pickers were published.
    pub pickers: u64,
    /// Whether it knows of calls.
    pub calls_tracked: bool,
    /// Its backends.
    pub backends: Vec<BackendStats>,
}

/// A backend. What is none is not known to its policy.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct BackendStats {
    /// Its addresses.
    pub addresses: Vec<String>,
    /// What it reported last.
    #[serde(serialize_with = "write_state")]
    pub state: Connectivity,
    /// Calls that were sent to it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub picks: Option<u64>,
    /// Those of them that have not ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub in_flight: Option<u64>,
    /// Those that ended without a status.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub abandoned: Option<u64>,
    /// Those that ended with a status, by its code. Codes of no call are left out.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "write_finished")]
    pub finished: Option<Vec<(Code, u64)>>,
    /// How long these took.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub latency_seconds: Option<LatencyStats>,
    /// Its weight.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub weight: Option<f64>,
    /// What the policy takes its latency for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ewma_seconds: Option<f64>,
    /// Its part of a ring or table, of 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub share: Option<f64>,
}

impl BackendStats {
    pub(crate) fn new(addresses: &[String], state: Connectivity) -> BackendStats {
        BackendStats {
            addresses: addresses.to_vec(),
            state,
            picks: None,
            in_flight: None,
            abandoned: None,
            finished: None,
            latency_seconds: None,
            weight: None,
            ewma_seconds: None,
            share: None,
        }
    }
}

/// A channel's backends, to be written on.
pub struct Table {
    now: Duration,
    calls_tracked: bool,
    rows: Vec<BackendStats>,
    places: HashMap<Vec<String>, usize>,
}

impl Table {
    /// The endpoints there are, in the order in which they were made. Those with the same addresses are
    /// one backend, which is READY if one of them is.
    pub(super) fn new<'a>(
        now: Duration,
        endpoints: impl Iterator<Item = (&'a [String], Connectivity)>,
    ) -> Table {
        let mut table =
            Table { now, calls_tracked: false, rows: Vec::new(), places: HashMap::new() };
        for (addresses, state) in endpoints {
            let row = table.entry(addresses, state);
            if state == Connectivity::Ready {
                row.state = state;
            }
        }
        table
    }

    /// When it is written, by the host's clock.
    pub fn now(&self) -> Duration {
        self.now
    }

    /// The row of the backend with these addresses; none when there is no such backend (any more).
    pub fn row(&mut self, addresses: &[String]) -> Option<&mut BackendStats> {
        let place = self.places.get(addresses)?;
        Some(&mut self.rows[*place])
    }

    /// The row of a backend that the policy has, and has not made an endpoint for yet.
    pub fn entry(&mut self, addresses: &[String], state: Connectivity) -> &mut BackendStats {
        let place = match self.places.get(addresses) {
            Some(place) => *place,
            None => {
                self.places.insert(addresses.to_vec(), self.rows.len());
                self.rows.push(BackendStats::new(addresses, state));
                self.rows.len() - 1
            }
        };
        &mut self.rows[place]
    }

    /// The policy knows of calls, even if there were none.
    pub fn calls_tracked(&mut self) {
        self.calls_tracked = true;
    }

    /// What was written down of calls so far is not true.
    pub fn forget_calls(&mut self) {
        for row in &mut self.rows {
            (row.picks, row.in_flight, row.abandoned) = (None, None, None);
            (row.finished, row.latency_seconds) = (None, None);
        }
    }

    /// Whether calls are tracked, and the backends.
    pub(super) fn into_parts(self) -> (bool, Vec<BackendStats>) {
        (self.calls_tracked, self.rows)
    }
}

fn write_state<S: Serializer>(state: &Connectivity, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_str(state.name())
}

fn write_moment<S: Serializer>(moment: &SystemTime, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_f64(moment.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs_f64())
}

fn write_status<S: Serializer>(status: &Status, to: S) -> Result<S::Ok, S::Error> {
    match status.is_ok() {
        true => to.serialize_str(""),
        false => to.collect_str(status),
    }
}

fn write_finished<S: Serializer>(
    finished: &Option<Vec<(Code, u64)>>,
    to: S,
) -> Result<S::Ok, S::Error> {
    let finished = finished.iter().flatten();
    to.collect_map(finished.map(|(code, count)| (code.name(), *count)))
}

#[cfg(all(test, not(loom)))]
mod tests {
    use std::sync::mpsc::{Receiver, Sender, channel};

    use super::*;

    /// Says that it tells, and goes on when it is asked to.
    struct Slow(std::sync::Mutex<(Sender<()>, Receiver<()>)>);

    impl StatsSource for Slow {
        fn describe(&self, _: &mut Table) {
            let channels = self.0.lock().unwrap();
            channels.0.send(()).unwrap();
            channels.1.recv().unwrap();
        }
    }

    #[test]
    fn nobody_waits_for_what_is_being_told() {
        let ((tells, told), (go, goes)) = (channel(), channel());
        let latest = Arc::<Latest>::default();
        latest.set(Slow(std::sync::Mutex::new((tells, goes))));
        let of = Arc::clone(&latest);
        let reader = std::thread::spawn(move || {
            of.describe(&mut Table::new(Duration::ZERO, std::iter::empty()));
        });
        told.recv().unwrap();
        let (done, is_done) = channel();
        let policy = std::thread::spawn(move || {
            latest.clear();
            done.send(()).unwrap();
        });
        is_done.recv_timeout(Duration::from_secs(60)).expect("the policy waits for who tells");
        go.send(()).unwrap();
        reader.join().unwrap();
        policy.join().unwrap();
    }
}
