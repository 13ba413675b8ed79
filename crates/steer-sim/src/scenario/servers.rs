//! Groups of servers.
//!
//! Must not depend on: how servers are simulated.

use std::time::Duration;

use super::Distribution;

/// Servers that are alike.
#[derive(Clone, Debug)]
pub struct ServerGroup {
    /// The name. The servers are called `name-1`, `name-2`, …; a single one is called `name`.
    pub name: String,
    /// How many there are.
    pub count: usize,
    /// Their zones, one after another. Not empty.
    pub zones: Vec<String>,
    /// How many calls a server serves at a time. Others wait in the queue.
    pub concurrency: usize,
    /// Where calls wait.
    pub queue: Queue,
    /// How long serving a call takes.
    pub service_time: Distribution,
    /// Service times are divided by this.
    pub speed: f64,
    /// How a server that has just started is slower.
    pub warm_up: Option<WarmUp>,
    /// The weight that the resolver gives. 0: none.
    pub weight: u32,
    /// The load that servers report.
    pub reports: LoadReports,
    /// Whether the resolver lists them from the start.
    pub listed: bool,
    /// Whether a server stops serving a call that was cancelled. Otherwise it serves it to its end.
    pub stops_cancelled_calls: bool,
}

/// Where calls wait for a server.
#[derive(Clone, Debug)]
pub struct Queue {
    /// The most calls that wait. Others are answered with RESOURCE_EXHAUSTED at once.
    pub length: Option<usize>,
    /// Which call is served next.
    pub discipline: Discipline,
    /// Calls that have waited longer are answered with RESOURCE_EXHAUSTED instead of being served.
    pub shed_after: Option<Duration>,
    /// Whether a call stays in the queue, and is served, after its caller has given up. So it is
    /// where a server hands calls to a pool of threads and does not ask whether they still live.
    pub keeps_cancelled_calls: bool,
}

impl Default for Queue {
    /// Without limits, oldest first, and without calls that were given up.
    fn default() -> Queue {
        Queue {
            length: None,
            discipline: Discipline::Fifo,
            shed_after: None,
            keeps_cancelled_calls: false,
        }
    }
}

/// Which call is served next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Discipline {
    /// The one that has waited longest.
    Fifo,
    /// The one that came last.
    Lifo,
}

/// How a server that has just started is slower. Its caches fill with calls, so the time counts
/// from its first call after the start.
#[derive(Clone, Debug)]
pub struct WarmUp {
    /// The speed at the start, as a share of the server's speed. It grows evenly to 1.
    pub speed: f64,
    /// The time that this takes.
    pub lasts: Duration,
    /// Whether the speed stays as at the start, instead of growing, until the time is over.
    pub at_once: bool,
}

/// The load that servers report (ORCA).
#[derive(Clone, Debug)]
pub struct LoadReports {
    /// With the end of each call. Costs nothing for policies that do not read it.
    pub with_calls: bool,
    /// Out of band, when the policy asks for it.
    pub out_of_band: bool,
    /// The time over which calls per second, errors per second and utilization are measured.
    pub over: Duration,
    /// How long a report takes to be made, on top of the time on the network.
    pub delay: Duration,
    /// Whether reports have the metrics `in_flight` and `queue`.
    pub queue_metrics: bool,
    /// Whether reports have the metrics `rif` and `latency`, for `steer_prequal`.
    pub rif_and_latency: bool,
}

impl Default for ServerGroup {
    /// One server that serves 8 calls at a time, each for an exponential time of mean 10 ms, and
    /// reports its load with calls.
    fn default() -> ServerGroup {
        ServerGroup {
            name: "server".to_owned(),
            count: 1,
            zones: vec!["a".to_owned()],
            concurrency: 8,
            queue: Queue::default(),
            service_time: Distribution::Exponential { mean: Duration::from_millis(10) },
            speed: 1.0,
            warm_up: None,
            weight: 0,
            reports: LoadReports::default(),
            listed: true,
            stops_cancelled_calls: false,
        }
    }
}

impl Default for LoadReports {
    /// With calls, over a second, with requests in flight and latency.
    fn default() -> LoadReports {
        LoadReports {
            with_calls: true,
            out_of_band: true,
            over: Duration::from_secs(1),
            delay: Duration::ZERO,
            queue_metrics: false,
            rif_and_latency: true,
        }
    }
}
