//! The objects that the host has given out, and the engine's requests.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::ffi::c_void;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::picker::HeldPicker;
use crate::callbacks::Turn;

/// The objects that the host has given out, and the engine's requests.
#[derive(Default)]
pub(super) struct Account {
    pub(super) last_number: usize,
    /// The engine's number of each live endpoint, by its handle.
    pub(super) endpoints: HashMap<usize, u64>,
    /// The numbers of the live endpoints.
    pub(super) alive: BTreeSet<u64>,
    /// The numbers of all endpoints, dropped ones too.
    pub(super) numbers: Vec<u64>,
    /// The handles of connections that the engine holds.
    pub(super) connections: HashSet<usize>,
    /// The latest list: the number of each address.
    pub(super) list: Vec<u8>,
    pub(super) hash_key: Vec<u8>,
    pub(super) picker: Option<Arc<HeldPicker>>,
    pub(super) state: i32,
    pub(super) timers: BTreeMap<u64, Duration>,
    pub(super) later: usize,
    pub(super) now: Duration,
    pub(super) random: u64,
    pub(super) context_freed: bool,
    pub(super) policy_freed: bool,
}

#[derive(Default)]
pub(super) struct Shared {
    account: Mutex<Account>,
    pub(super) turn: Turn,
}

impl Shared {
    pub(super) fn with<R>(&self, body: impl FnOnce(&mut Account) -> R) -> R {
        body(&mut self.account.lock().unwrap_or_else(|poisoned| poisoned.into_inner()))
    }
}

impl Account {
    pub(super) fn check_alive(&self, endpoint: *mut c_void) {
        assert!(self.endpoints.contains_key(&endpoint.addr()), "a call for a freed endpoint");
    }

    pub(super) fn number(&mut self) -> usize {
        self.last_number += 1;
        self.last_number
    }
}
