//! The calls of one backend: how many are in flight, and how the others ended. A policy can attach
//! an observer that learns from them.
//!
//! A call counts as in flight from its pick, not from its start. So threads that pick at the same
//! time see each other, and do not all choose the same idle backend. A call that never starts stops
//! counting when its tracker is dropped.
//!
//! Cost: one atomic addition for a pick, four when the call ends, all on cache lines of this
//! backend.
//!
//! Must not depend on: how a backend is chosen.

use std::sync::OnceLock;
use std::time::Duration;

use crate::Code;
use crate::calls::{CallEnd, CallListener};
use crate::stats::{BackendStats, BackendStatsSource, Latency};
use crate::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use crate::sync::{Handle, get_or_init};

/// Learns from the calls of one backend, for a policy. Any thread, many at the same time.
pub trait CallObserver: Send + Sync + 'static {
    /// A call was picked.
    fn picked(&self) {}

    /// A picked call has ended.
    fn ended(&self, end: &CallEnd<'_>);

    /// Writes what it has learnt into the statistics. `now` is by the host's clock.
    fn write_stats(&self, _row: &mut BackendStats, _now: Duration) {}
}

/// Learns nothing.
impl CallObserver for () {
    fn ended(&self, _end: &CallEnd<'_>) {}
}

/// The number of gRPC's status codes.
const CODES: usize = 17;

/// Counts the calls of one backend.
///
/// Made by a policy for each address, and shared with its pickers and with statistics. Any thread,
/// many at the same time. Ends with the last of its picker, its calls and the policy.
// Picks read one cache line, which no other backend shares.
#[derive(Debug)]
#[repr(C, align(64))]
pub struct CallCounters<T> {
    in_flight: AtomicU32,
    /// The policy's observer.
    pub observer: T,
    /// Made when the first call ends. Backends whose calls are not counted never need it.
    ended: OnceLock<Box<Ended>>,
}

/// The calls that have ended.
#[derive(Debug, Default)]
struct Ended {
    abandoned: AtomicU64,
    /// By code.
    finished: [AtomicU64; CODES],
    /// Made when the first call ends with a status.
    latency: OnceLock<Latency>,
    /// The number of picks in the latest statistics.
    reported_picks: AtomicU64,
}

impl<T> CallCounters<T> {
    /// No calls yet.
    pub fn new(observer: T) -> CallCounters<T> {
        CallCounters { observer, in_flight: AtomicU32::new(0), ended: OnceLock::new() }
    }

    /// Calls that were picked and have not ended.
    #[inline]
    pub fn in_flight(&self) -> u32 {
        // Relaxed, here and below: the counters are independent, and publish no other memory.
        self.in_flight.load(Ordering::Relaxed)
    }

    /// A call is picked. Its tracker says how it ends.
    #[inline]
    pub(crate) fn add_pick(&self)
    where
        T: CallObserver,
    {
        self.in_flight.fetch_add(1, Ordering::Relaxed);
        self.observer.picked();
    }

    /// Calls that were picked and ended without a status.
    pub fn abandoned(&self) -> u64 {
        self.ended.get().map_or(0, |ended| ended.abandoned.load(Ordering::Relaxed))
    }

    /// Calls that ended with this code.
    pub fn finished(&self, code: Code) -> u64 {
        self.ended.get().map_or(0, |ended| ended.finished[code as usize].load(Ordering::Relaxed))
    }
}

impl<T: CallObserver> CallListener for CallCounters<T> {
    fn picked(&self, _backend: usize, _state: Handle) {
        self.add_pick();
    }

    fn wants_start(&self) -> bool {
        false
    }

    fn finished(&self, _backend: usize, _state: Handle, end: &CallEnd<'_>) {
        // In this order, and Release below: a thread that sees the call as ended does not see it in
        // flight.
        self.in_flight.fetch_sub(1, Ordering::Relaxed);
        let ended = get_or_init(&self.ended, Box::default);
        match end {
            CallEnd::Finished { status, latency, .. } => {
                ended.finished[status.code as usize].fetch_add(1, Ordering::Release);
                get_or_init(&ended.latency, Latency::default).record(*latency);
            }
            CallEnd::Abandoned => {
                ended.abandoned.fetch_add(1, Ordering::Release);
            }
        }
        self.observer.ended(end);
    }
}

impl<T: CallObserver> BackendStatsSource for CallCounters<T> {
    fn write_stats(&self, row: &mut BackendStats, now: Duration) {
        // Acquire: pairs with `finished`. The load of the calls in flight comes after it, so that
        // no call is counted as both. A call that ends meanwhile may be counted as neither. If no
        // call has ended and none is in flight, zeros do: nothing is allocated.
        let none = Ended::default();
        let calls = match self.ended.get() {
            Some(calls) => calls,
            None if self.in_flight() > 0 => get_or_init(&self.ended, Box::default),
            None => &none,
        };
        let abandoned = calls.abandoned.load(Ordering::Acquire);
        let mut ended = abandoned;
        let mut finished = Vec::new();
        for code in Code::ALL {
            let count = calls.finished[code as usize].load(Ordering::Acquire);
            ended += count;
            if count > 0 {
                finished.push((code, count));
            }
        }
        let in_flight = u64::from(self.in_flight());
        // The total must not decrease because of that. Relaxed: see `in_flight`.
        let picks = (ended + in_flight).max(calls.reported_picks.load(Ordering::Relaxed));
        calls.reported_picks.fetch_max(picks, Ordering::Relaxed);
        row.picks = Some(picks);
        row.in_flight = Some(in_flight);
        row.abandoned = Some(abandoned);
        row.finished = Some(finished);
        row.latency_seconds = calls.latency.get().and_then(Latency::stats);
        self.observer.write_stats(row, now);
    }
}

#[cfg(all(test, loom))]
mod model {
    use loom::sync::Arc;

    use super::*;
    use crate::Status;
    use crate::endpoints::Connectivity;
    use crate::sync::Nanos;

    /// While calls are picked and end, statistics never count a call twice, and the total never
    /// decreases. In the end, each call counts once.
    #[test]
    fn each_call_counts_once() {
        // Statistics read a counter for each code. More interruptions only take more time.
        crate::model::check(2, || {
            let observed = Arc::new(CallCounters::new(()));
            // Made before the threads start: loom does not model `OnceLock`, and sees no order in
            // it.
            observed.ended.get_or_init(Box::default).latency.get_or_init(Latency::default);
            let call = {
                let observed = observed.clone();
                move |end: &CallEnd<'_>| {
                    let hooks: &dyn CallListener = &*observed;
                    hooks.picked(0, Handle::from_number(0));
                    hooks.finished(0, Handle::from_number(0), end);
                }
            };
            let other = {
                let call = call.clone();
                loom::thread::spawn(move || call(&CallEnd::Abandoned))
            };
            let reader = {
                let observed = observed.clone();
                loom::thread::spawn(move || {
                    let mut row = BackendStats::new(&[], Connectivity::Ready);
                    observed.write_stats(&mut row, Duration::ZERO);
                    row.picks.unwrap()
                })
            };
            let (latency, ended) = (Nanos::new(1_000_000), Nanos::ZERO);
            call(&CallEnd::Finished { status: &Status::OK, latency, ended, metrics: None });
            other.join().unwrap();
            let reported = reader.join().unwrap();
            let mut row = BackendStats::new(&[], Connectivity::Ready);
            observed.write_stats(&mut row, Duration::ZERO);
            assert!(reported <= 2 && row.picks == Some(2) && row.in_flight == Some(0));
            assert_eq!((row.abandoned, observed.finished(Code::Ok)), (Some(1), 1));
        });
    }
}
