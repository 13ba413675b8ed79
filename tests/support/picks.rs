//! The calls of a channel.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use steer::calls::{Call, Headers, TrackedSlot};
use steer::endpoints::Connection;
use steer::policy::{GuardedPicker, Pick};

use super::callbacks::within;
use super::channel::Channel;

impl Channel {
    pub fn picker(&self) -> Arc<GuardedPicker> {
        self.host().picker().expect("a picker was published")
    }

    /// One pick. Returns the backend's name, or another text if the call goes to no backend. A
    /// tracked call is abandoned.
    pub fn pick(&self) -> String {
        self.pick_for(Call::UNKNOWN).0
    }

    /// As [`Channel::pick`] for this call. Also returns the tracked call, if it is tracked.
    pub fn pick_for(&self, call: &Call<'_>) -> (String, Option<TrackedSlot>) {
        let picker = self.picker();
        let name = |connection: &Connection| {
            let number = connection.handle().number();
            self.host().address_of(number).expect("the engine holds the connection")
        };
        let text = match within("pick", || picker.pick(call)) {
            Pick::Complete(connection) => name(connection),
            Pick::Tracked(slot) => return (name(slot.call().connection()), Some(slot)),
            Pick::Queue => "queue".to_owned(),
            Pick::Fail(status) => format!("fail {status}"),
            Pick::Drop(status) => format!("drop {status}"),
            Pick::FailWith(status) => format!("fail {status}"),
            Pick::DropWith(status) => format!("drop {status}"),
            Pick::Fault(_) => unreachable!("no policy of these tests returns a fault"),
        };
        (text, None)
    }

    /// How often each connection is picked in `count` picks, by the connections' numbers. No pick
    /// may fail or wait. Tracked calls are abandoned.
    pub fn connections_picked(&self, count: usize) -> BTreeMap<usize, usize> {
        let picker = self.picker();
        let mut picked = BTreeMap::new();
        for _ in 0..count {
            let number = match within("pick", || picker.pick(Call::UNKNOWN)) {
                Pick::Complete(connection) => connection.handle().number(),
                Pick::Tracked(slot) => slot.call().connection().handle().number(),
                _ => panic!("a call goes to no backend"),
            };
            *picked.entry(number).or_default() += 1;
        }
        picked
    }

    /// One pick for a call with this hash of an xDS route.
    pub fn pick_hash(&self, hash: u64) -> String {
        self.pick_for(&Call { request_hash: Some(hash), ..*Call::UNKNOWN }).0
    }

    /// One pick for a call with this header.
    pub fn pick_header(&self, name: &str, value: &str) -> String {
        self.pick_for(&Call { headers: &OneHeader { name, value }, ..*Call::UNKNOWN }).0
    }

    /// Picks and starts a call, which the policy must track. Returns the backend's name and the
    /// call.
    pub fn start(&self) -> (String, TrackedSlot) {
        let (name, slot) = self.pick_for(Call::UNKNOWN);
        let mut slot = slot.unwrap_or_else(|| panic!("not a tracked call: {name}"));
        slot.call_mut().start();
        (name, slot)
    }

    /// The results of `count` picks, as one text.
    pub fn picks(&self, count: usize) -> String {
        (0..count).map(|_| self.pick()).collect()
    }

    /// The results of `count` picks, sorted.
    pub fn picked(&self, count: usize) -> String {
        let mut names: Vec<String> = (0..count).map(|_| self.pick()).collect();
        names.sort();
        names.concat()
    }
}

/// The headers of a call that has one.
pub struct OneHeader<'a> {
    pub name: &'a str,
    pub value: &'a str,
}

impl Headers for OneHeader<'_> {
    fn get(&self, name: &str) -> Option<Cow<'_, [u8]>> {
        (name == self.name).then_some(Cow::Borrowed(self.value.as_bytes()))
    }

    fn add(&self, _name: &str, _value: &[u8]) -> bool {
        false
    }
}
