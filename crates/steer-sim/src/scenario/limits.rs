//! What a policy must achieve.
//!
//! Must not depend on: how it is measured.

use std::fmt;
use std::time::Duration;

use crate::outcome::Unit;

/// A limit.
#[derive(Clone, Debug)]
pub struct Limit {
    /// What is measured.
    pub measure: Measure,
    /// When.
    pub window: Window,
    /// What it may be.
    pub threshold: Threshold,
    /// The policies that it holds for. Empty: all.
    pub policies: Vec<String>,
    /// The policies that do not keep it yet, and why. The check fails if one of them does keep it.
    pub not_yet: Vec<String>,
    /// Why they do not keep it, and what will change that.
    pub not_yet_because: String,
    /// Where it stands in the file.
    pub line: usize,
}

/// A part of the simulation: calls that begin in it count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// Its start.
    pub from: Duration,
    /// Its end.
    pub until: Duration,
}

/// What is measured. Servers are given by the names of groups or servers, or by `zone:NAME`.
#[derive(Clone, Debug, PartialEq)]
pub enum Measure {
    /// A quantile of the latency of all calls, failed ones too, in seconds. From 0 to 1.
    Latency(f64),
    /// The share of calls that failed, cancelled ones excluded.
    Errors,
    /// The share of attempts that went to these servers.
    Share(Vec<String>),
    /// As `Share`, as a multiple of the servers' share of all listed servers.
    FairShare(Vec<String>),
    /// As `FairShare`, for the interval (see `Scenario::interval`) in which it was greatest.
    PeakFairShare(Vec<String>),
    /// The calls of the server that had most, as a multiple of the mean of all servers that run and
    /// are listed at the end.
    Fullest,
    /// The most calls that were in flight at one of these servers at once.
    InFlight(Vec<String>),
    /// The most calls that waited in the queue of one of these servers, less the most of any other
    /// server.
    QueueAboveOthers(Vec<String>),
    /// Attempts for each call.
    Attempts,
    /// The most connections of a server, as a multiple of the mean.
    FullestConnections,
}

/// What a measure may be.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Threshold {
    /// At most this.
    AtMost(f64),
    /// At least this.
    AtLeast(f64),
}

impl fmt::Display for Limit {
    /// Says the limit in words, such as `share of odd from 10s to 40s at most 1%`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (from, until) = (self.window.from, self.window.until);
        let from = humantime::format_duration(from);
        write!(f, "{} from {from} to {} ", self.measure, humantime::format_duration(until))?;
        match self.threshold {
            Threshold::AtMost(most) => write!(f, "at most {}", self.measure.in_unit(most)),
            Threshold::AtLeast(least) => write!(f, "at least {}", self.measure.in_unit(least)),
        }
    }
}

impl fmt::Display for Measure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Measure::Latency(quantile) => write!(f, "p{} of latency", quantile * 100.0),
            Measure::Errors => f.write_str("errors"),
            Measure::Share(servers) => write!(f, "share of {}", servers.join(", ")),
            Measure::FairShare(servers) => write!(f, "load of {}", servers.join(", ")),
            Measure::PeakFairShare(servers) => write!(f, "peak load of {}", servers.join(", ")),
            Measure::Fullest => f.write_str("load of the fullest server"),
            Measure::InFlight(servers) => write!(f, "calls in flight at {}", servers.join(", ")),
            Measure::QueueAboveOthers(servers) => {
                write!(f, "queue of {} above the others'", servers.join(", "))
            }
            Measure::Attempts => f.write_str("attempts for each call"),
            Measure::FullestConnections => f.write_str("connections of the fullest server"),
        }
    }
}

impl Measure {
    /// The unit of its values.
    pub fn unit(&self) -> Unit {
        match self {
            Measure::Latency(_) => Unit::Time,
            Measure::Errors | Measure::Share(_) => Unit::Share,
            _ => Unit::Number,
        }
    }

    /// A value of this measure, with its unit.
    pub fn in_unit(&self, value: f64) -> String {
        match self {
            Measure::Latency(_) => {
                humantime::format_duration(Duration::from_micros((value * 1e6) as u64)).to_string()
            }
            Measure::Errors | Measure::Share(_) => format!("{}%", rounded(value * 100.0)),
            Measure::FairShare(_) | Measure::PeakFairShare(_) => {
                format!("{} x a fair share", rounded(value))
            }
            Measure::Fullest | Measure::FullestConnections => {
                format!("{} x the mean", rounded(value))
            }
            Measure::InFlight(_) | Measure::QueueAboveOthers(_) | Measure::Attempts => {
                rounded(value)
            }
        }
    }
}

/// With at most three decimals.
fn rounded(value: f64) -> String {
    let text = format!("{value:.3}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}
