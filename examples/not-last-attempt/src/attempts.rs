//! Which backends the attempts of each call have been to. Bounded: the calls that were heard of longest
//! ago are forgotten first.
//!
//! Must not know: headers, configs.

use std::num::NonZero;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use lru::LruCache;
use steer_sdk::{Backend, CallEnd, CallTracker};

use crate::BackendNumber;

/// The calls of a channel, by a key that is the same for all attempts of one.
pub struct Attempts(Mutex<LruCache<u64, Call>>);

#[derive(Default)]
struct Call {
    /// Where attempts have been, in their order.
    tried: Vec<BackendNumber>,
    under_way: usize,
    /// An attempt has ended well: no others follow.
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
    /// Chooses a backend for an attempt: the first, in this order, where none of the call's has been; else
    /// the first where not the last one was; else the first. There is at least one.
    pub fn begin<'a>(
        attempts: &Arc<Attempts>,
        key: u64,
        is_first: bool,
        backends: impl Iterator<Item = &'a Backend<BackendNumber>> + Clone,
    ) -> (&'a Backend<BackendNumber>, Attempt) {
        let mut calls = attempts.lock();
        if is_first {
            // Another call had the same key, or had it once.
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
        call.under_way += 1;
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
        // It may be forgotten by now.
        let Some(call) = calls.get_mut(&self.call) else { return };
        call.under_way = call.under_way.saturating_sub(1);
        call.done |= end.is_ok();
        if !self.started {
            // Given up before it reached the backend: that is as good as before.
            let place = call.tried.iter().rposition(|tried| *tried == self.backend);
            place.map(|place| call.tried.remove(place));
        }
        let ended = call.done || call.tried.is_empty();
        if ended && call.under_way == 0 {
            calls.pop(&self.call);
        }
    }
}
