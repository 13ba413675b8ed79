//! A policy and its host: updates.

use std::ptr;
use std::sync::Arc;

use steer::ffi::*;

use super::account::Shared;
use super::picker::HeldPicker;
use super::table;
use crate::bytes::{take, text};
use crate::callbacks::within;

/// A policy and its host. Dropping it frees the policy, and checks that everything has come back,
/// except the objects of pickers and calls that still live.
pub struct Channel {
    pub(super) policy: *mut steer_policy,
    pub(super) shared: Arc<Shared>,
    name: &'static str,
}

// SAFETY: the ABI allows serialised calls on any thread. The caller serialises them.
unsafe impl Send for Channel {}

impl Channel {
    /// A policy of this name, without an update yet.
    pub fn new(name: &'static str) -> Channel {
        let shared = Arc::new(Shared::new());
        let table = table::for_host(&shared);
        let mut policy = ptr::null_mut();
        // SAFETY: all arguments live during the call.
        let status = within("new", || unsafe {
            steer_policy_new(text(name.as_bytes()), &table, &mut policy)
        });
        assert_eq!(status, STEER_OK);
        Channel { policy, shared, name }
    }

    /// The policy's name.
    pub fn policy(&self) -> &'static str {
        self.name
    }

    /// Sets the hash key of the first endpoint, for updates from now on.
    pub fn set_hash_key(&self, key: &[u8]) {
        self.shared.with(|account| account.hash_key = key.to_vec());
    }

    /// An update with an endpoint for each number, and a config, which may be invalid.
    pub fn update(&self, list: &[u8], config: &[u8]) {
        let config = crate::parse(self.name, config);
        let key = self.shared.with(|account| account.hash_key.clone());
        let addresses: Vec<String> =
            list.iter().map(|number| format!("ipv4:10.0.0.{}:80", number % 32)).collect();
        let addresses: Vec<steer_str> =
            addresses.iter().map(|address| text(address.as_bytes())).collect();
        let endpoint = |(index, address): (usize, &steer_str)| {
            // SAFETY: for this struct of C, zeros are valid: NULL pointers and numbers.
            let mut endpoint: steer_endpoint = unsafe { std::mem::zeroed() };
            endpoint.struct_size = size_of::<steer_endpoint>();
            endpoint.addresses = address;
            endpoint.address_count = 1;
            // The same address may come with other attributes.
            endpoint.weight = u32::from(list[index] / 32);
            endpoint.hash_key = text(if index == 0 { &key } else { b"" });
            endpoint
        };
        let endpoints: Vec<steer_endpoint> = addresses.iter().enumerate().map(endpoint).collect();
        self.hand_in(&endpoints, list, config.unwrap_or(ptr::null_mut()), 0);
        if let Some(config) = config {
            // SAFETY: the config came from `parse`. The update has its own reference.
            unsafe { steer_config_free(config) };
        }
    }

    /// An error of the resolver with this code.
    pub fn fail(&self, code: i32) {
        self.hand_in(&[], &[], ptr::null_mut(), if code == 0 { 14 } else { code });
    }

    fn hand_in(
        &self,
        endpoints: &[steer_endpoint],
        list: &[u8],
        config: *mut steer_config,
        code: i32,
    ) {
        // SAFETY: for this struct of C, zeros are valid: NULL pointers and numbers.
        let mut update: steer_update = unsafe { std::mem::zeroed() };
        update.struct_size = size_of::<steer_update>();
        update.config = config;
        update.endpoints = endpoints.as_ptr();
        update.endpoint_count = endpoints.len();
        update.code = code;
        update.message = text(b"no answer");
        update.resolution_note = text(b"a note");
        let mut listed = STEER_OK;
        if code == 0 {
            // From here on, the engine may use the indices of this list.
            // SAFETY: the host is not freed, and the endpoints live during the call.
            listed = unsafe {
                steer_virtual_host_list(self.shared.host, endpoints.as_ptr(), endpoints.len())
            };
        }
        if code == 0 && listed == STEER_OK {
            self.shared.with(|account| account.list = list.to_vec());
        }
        let (mut verdict, mut message) = (-1, ptr::null_mut());
        // SAFETY: all arguments live during the call.
        let status = self.shared.turn.within("event", || unsafe {
            steer_policy_update(self.policy, &update, &mut verdict, &mut message)
        });
        take(message);
        // A list that the host refuses is one that the engine ignores.
        assert_eq!(status, listed, "steer_policy_update");
        assert!(matches!(status, STEER_OK | STEER_INVALID_ARGUMENT), "{status:?}");
    }

    /// The latest picker. Any thread.
    pub fn picker(&self) -> Option<Arc<HeldPicker>> {
        self.shared.with(|account| account.picker.clone())
    }

    /// A function that returns the latest picker. It works on any thread, as long as the channel
    /// lives.
    pub fn pickers(&self) -> impl Fn() -> Option<Arc<HeldPicker>> + Send + Clone + 'static {
        let shared = Arc::clone(&self.shared);
        move || shared.with(|account| account.picker.clone())
    }

    /// Whether the engine has accepted a list with endpoints.
    pub fn has_list(&self) -> bool {
        self.shared.with(|account| !account.list.is_empty())
    }

    /// Panics if the engine has caught a panic.
    pub fn check(&self) {
        let mut faults = 0;
        // SAFETY: this owns the policy, and `faults` lives during the call.
        assert_eq!(unsafe { steer_policy_faults(self.policy, &mut faults) }, STEER_OK);
        assert_eq!(faults, 0, "{} panicked", self.name);
    }
}

impl Drop for Channel {
    fn drop(&mut self) {
        // From here on, the engine may only give back objects.
        self.shared.with(|account| account.policy_freed = true);
        // SAFETY: this owns the policy, and this is its last use.
        self.shared.turn.within("free", || unsafe { steer_policy_free(self.policy) });
        assert!(self.shared.alive().is_empty(), "endpoints were not freed with their policy");
        let picker = self.shared.with(|account| account.picker.take());
        drop(picker);
    }
}
