//! Remembers the backends that the attempts of each call have used. The memory is bounded: the
//! calls that were used longest ago are forgotten first.
//!
//! Must not depend on: headers, configs.

use std::num::NonZero;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use lru::LruCache;
use steer_sdk::{Backend, CallEnd, CallTracker};

use crate::BackendNumber;

/// The calls of a channel, by a key that all attempts of a call share.
pub struct Attempts(Mutex<LruCache<u64, Call>>);

#[derive(Default)]
struct Call {
    /// The backends of the attempts, in order.
    tried: Vec<BackendNumber>,
    in_flight: usize,
    /// An attempt has ended with OK, so no others follow.
    done: bool,
}

impl Default for Attempts {
    fn default() -> Attempts {
        Attempts(Mutex::new(LruCache::new(NonZero::<usize>::MIN)))
    }
}

impl Attempts {
    pub fn remember_at_most(&self, calls: NonZero<usize>) {
        self.lock().resize(calls);
    }

    fn lock(&self) -> MutexGuard<'_, LruCache<u64, Call>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// An attempt, from its pick to its end.
pub struct Attempt {
    attempts: Arc<Attempts>,
    call: u64,
    backend: BackendNumber,
    started: bool,
}

impl Attempt {
    /// Chooses a backend for an attempt. In this order: the first backend that no attempt of the
    /// call has used; the first that the last attempt has not used; the first. There is at least
    /// one.
    pub fn begin<'a>(
        attempts: &Arc<Attempts>,
        key: u64,
        is_first: bool,
        backends: impl Iterator<Item = &'a Backend<BackendNumber>> + Clone,
    ) -> (&'a Backend<BackendNumber>, Attempt) {
        let mut calls = attempts.lock();
        if is_first {
            // An earlier call had the same key.
            calls.pop(&key);
        }
        let call = calls.get_or_insert_mut(key, Call::default);
        let last = call.tried.last();
        let backend = backends
            .clone()
            .find(|backend| !call.tried.contains(backend.state()))
            .or_else(|| backends.clone().find(|backend| Some(backend.state()) != last))
            .or_else(|| backends.clone().next())
            .expect("a picker has backends");
        let number = *backend.state();
        call.tried.push(number);
        call.in_flight += 1;
        drop(calls);
        let attempts = Arc::clone(attempts);
        (backend, Attempt { attempts, call: key, backend: number, started: false })
    }
}

impl CallTracker for Attempt {
    fn started(&mut self) {
        self.started = true;
    }

    fn finished(self, end: &CallEnd<'_>) {
        let mut calls = self.attempts.lock();
        // The call may be forgotten by now.
        let Some(call) = calls.get_mut(&self.call) else { return };
        call.in_flight = call.in_flight.saturating_sub(1);
        call.done |= end.is_ok();
        if !self.started {
            // The attempt never reached the backend, so it does not count.
            let place = call.tried.iter().rposition(|tried| *tried == self.backend);
            place.map(|place| call.tried.remove(place));
        }
        let ended = call.done || call.tried.is_empty();
        if ended && call.in_flight == 0 {
            calls.pop(&self.call);
        }
    }
}
