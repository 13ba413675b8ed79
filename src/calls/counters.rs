//! One backend's calls: how many are in flight, how those before them ended, and what a policy learns from
//! that.
//!
//! A call counts as in flight from its pick on, and not from its start: threads that pick at the same time
//! then see each other, instead of all choosing the backend that looked idle to each of them. A call that
//! is picked and never starts is settled when its tracker is dropped, as any other.
//!
//! Cost: one atomic addition for a pick, four when the call ends, on lines of this backend's alone.
//!
//! Must not know: how a backend is chosen.

use std::sync::OnceLock;
use std::time::Duration;

use crate::Code;
use crate::calls::{CallEnd, CallListener};
use crate::stats::{BackendStats, BackendStatsSource, Latency};
use crate::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use crate::sync::{Handle, get_or_init};

/// What a policy learns from calls. Any thread, many at once.
pub trait CallObserver: Send + Sync + 'static {
    /// A call was picked.
    fn picked(&self) {}

    /// A call that was picked has ended.
    fn ended(&self, end: &CallEnd<'_>);

    /// Writes down what it has learnt, for statistics; `now` is by the host's clock.
    fn write_stats(&self, _row: &mut BackendStats, _now: Duration) {}
}

/// Nothing.
impl CallObserver for () {
    fn ended(&self, _end: &CallEnd<'_>) {}
}

/// gRPC's status codes.
const CODES: usize = 17;

/// What is known of one backend's calls.
// What picks look at lies in one cache line, which no other backend's is in.
#[derive(Debug)]
#[repr(C, align(64))]
pub struct CallCounters<T> {
    in_flight: AtomicU32,
    /// What the policy has learnt.
    pub observer: T,
    /// From the first one on: there may never be any, as where calls are not counted.
    ended: OnceLock<Box<Ended>>,
}

/// The calls that have ended.
#[derive(Debug, Default)]
struct Ended {
    abandoned: AtomicU64,
    /// By code.
    finished: [AtomicU64; CODES],
    /// From the first call on that has ended with a status.
    latency: OnceLock<Latency>,
    /// How many picks statistics were told of.
    told: AtomicU64,
}

impl<T> CallCounters<T> {
    /// No calls yet.
    pub fn new(observer: T) -> CallCounters<T> {
        CallCounters { observer, in_flight: AtomicU32::new(0), ended: OnceLock::new() }
    }

    /// Calls that were picked and have not ended.
    #[inline]
    pub fn in_flight(&self) -> u32 {
        // Relaxed, here and below: each counter is for itself, and nothing is published by it.
        self.in_flight.load(Ordering::Relaxed)
    }

    /// Calls that were picked and never ended with a status.
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
        self.in_flight.fetch_add(1, Ordering::Relaxed);
        self.observer.picked();
    }

    fn finished(&self, _backend: usize, _state: Handle, end: &CallEnd<'_>) {
        // In this order, and released: whoever sees that it has ended does not see it in flight.
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
        // Acquire: pairs with `finished`, and comes before the load of what is in flight, so that no call
        // is counted as both. One that ends meanwhile may be counted as neither.
        // Not to be made for the sake of zeros.
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
        // That must not look as if calls were taken back. Relaxed: see `in_flight`.
        let picks = (ended + in_flight).max(calls.told.load(Ordering::Relaxed));
        calls.told.fetch_max(picks, Ordering::Relaxed);
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

    /// While calls are picked and end, statistics never count one twice, nor take one back, and in the end each counts
    /// once.
    #[test]
    fn each_call_counts_once() {
        // Statistics read a counter for each code: more switches than this add nothing but time.
        crate::model::check(2, || {
            let observed = Arc::new(CallCounters::new(()));
            // The standard library's OnceLock is not modelled, and would seem to order nothing.
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
            let (latency, ended) = (Duration::from_millis(1), Duration::ZERO);
            call(&CallEnd::Finished { status: &Status::OK, latency, ended, metrics: None });
            other.join().unwrap();
            let told = reader.join().unwrap();
            let mut row = BackendStats::new(&[], Connectivity::Ready);
            observed.write_stats(&mut row, Duration::ZERO);
            assert!(told <= 2 && row.picks == Some(2) && row.in_flight == Some(0));
            assert_eq!((row.abandoned, observed.finished(Code::Ok)), (Some(1), 1));
        });
    }
}
