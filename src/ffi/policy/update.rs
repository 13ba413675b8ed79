//! `steer_update`: a resolver's answer. Converts it, and compares it with the update before.

use std::mem::offset_of;
use std::sync::Arc;

use crate::endpoints::EndpointDescriptor;
use crate::ffi::config::steer_config;
use crate::ffi::endpoint::{endpoints_from_c, steer_endpoint};
use crate::ffi::steer_status;
use crate::ffi::steer_status::*;
use crate::ffi::text::{ReadText, steer_str};
use crate::ffi::versioned::{Versioned, plain_array};
use crate::policy::{ParsedConfig, PolicyFactory, Update};
use crate::sync::Mutex;
use crate::{Code, Status};

/// A resolver's answer. Everything that it points to is read during the call only.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct steer_update {
    /// `sizeof(steer_update)`.
    pub struct_size: usize,
    /// The policy's config. NULL: the defaults. It may be freed after the call.
    pub config: *const steer_config,
    /// The endpoints, in the resolver's order. May be NULL when there are none. This array is the
    /// list, unless `former` describes the list. `endpoint_new` and `endpoint_matches` name places
    /// in the list until the next update with `code` 0.
    pub endpoints: *const steer_endpoint,
    /// The number of elements of `endpoints`.
    pub endpoint_count: usize,
    /// A gRPC status code. Not 0 (OK): the resolver failed, and `endpoints` is not read.
    pub code: i32,
    /// The resolver's text for `code`.
    pub message: steer_str,
    /// Context for people. Becomes part of the status when there are no endpoints.
    pub resolution_note: steer_str,
    /// The channel's target, such as "dns:///greeter:50051", for people. May be empty.
    pub target: steer_str,
    /// Says which endpoints were in the former list, so that `endpoints` need not describe them
    /// again. Not NULL when `former_count` is not 0. The former list is that of the latest update
    /// with `code` 0 that returned STEER_OK. The `i`th endpoint of this list equals the
    /// `former[i]`th one of the former list in every respect. Where `former[i]` is UINT32_MAX, it
    /// is the next one of `endpoints`. The engine still calls `endpoint_matches` for each.
    /// STEER_INVALID_ARGUMENT: the former list has no such endpoint, or the number of UINT32_MAX is
    /// not `endpoint_count`.
    pub former: *const u32,
    /// The number of endpoints in the whole list. 0: `endpoints` is the list.
    pub former_count: usize,
    /// The host's number for everything else that `endpoint_new` makes endpoints with, such as
    /// channel args. Other args have another number. The engine does not call `endpoint_matches`
    /// for an endpoint that `former` names and that was made, or matched, with this number. 0: the
    /// engine calls it for all.
    pub made_with: u64,
    /// The xDS cluster whose backends the endpoints are, for people. Empty: there is none.
    pub cluster: steer_str,
}

/// In `steer_update.former`: the next one of `steer_update.endpoints`.
const NEW: u32 = u32::MAX;

// SAFETY: repr(C), begins with its size, and zeros are NULLs and numbers.
unsafe impl Versioned for steer_update {
    const FIRST_SIZE: usize = offset_of!(steer_update, resolution_note) + size_of::<steer_str>();
}

/// Converts updates. Keeps the latest list and config, to find their parts again in the next
/// update.
pub(super) struct UpdateReader {
    factory: Arc<dyn PolicyFactory>,
    /// Used in serialised calls only, so no thread waits for the lock.
    latest: Mutex<Latest>,
}

#[derive(Default)]
struct Latest {
    endpoints: Arc<[Arc<EndpointDescriptor>]>,
    config: Option<LatestConfig>,
}

#[derive(Clone)]
struct LatestConfig {
    factory: Arc<dyn PolicyFactory>,
    json: Arc<str>,
    config: ParsedConfig,
}

impl LatestConfig {
    fn new(factory: &Arc<dyn PolicyFactory>, json: &str, config: &ParsedConfig) -> LatestConfig {
        let (factory, config) = (Arc::clone(factory), config.clone());
        LatestConfig { factory, json: Arc::from(json), config }
    }
}

impl UpdateReader {
    pub(super) fn new(factory: Arc<dyn PolicyFactory>) -> UpdateReader {
        UpdateReader { factory, latest: Mutex::default() }
    }

    /// Converts an update, and keeps its list and config for the next one.
    ///
    /// # Safety
    /// The memory that `update` points to is readable, and its config is not freed.
    pub(super) unsafe fn read(&self, update: &steer_update) -> Result<Update, steer_status> {
        // SAFETY: the config is NULL or not freed (caller's contract).
        let (factory, json, config) = match unsafe { update.config.as_ref() } {
            Some(config) if config.policy.name() == self.factory.name() => {
                (&config.policy, &*config.json, Some(&config.config))
            }
            Some(_) => return Err(STEER_WRONG_CONFIG),
            None => (&self.factory, "null", None),
        };
        // SAFETY: the note is readable (caller's contract).
        let resolution_note = unsafe { update.resolution_note.to_text() };
        let resolution_note = resolution_note.ok_or(STEER_INVALID_ARGUMENT)?;
        // SAFETY: the target is readable (caller's contract).
        let target = unsafe { update.target.to_text() }.ok_or(STEER_INVALID_ARGUMENT)?;
        // SAFETY: the cluster is readable (caller's contract).
        let cluster = unsafe { update.cluster.to_text() }.ok_or(STEER_INVALID_ARGUMENT)?;
        // A config with the same text becomes the same object, so policies see that nothing
        // changed. Unless a plugin was loaded again: then the text leads to other factories.
        let same = |latest: &LatestConfig| {
            let children = |config: &ParsedConfig| {
                factory.same_children(&latest.config.policy, &config.policy)
            };
            Arc::ptr_eq(&latest.factory, factory)
                && *latest.json == *json
                && config.is_none_or(children)
        };
        let known = self.latest.lock().config.clone().filter(same);
        let config = match (known, config) {
            (Some(known), _) => known,
            (None, Some(config)) => LatestConfig::new(factory, json, config),
            (None, None) => {
                let defaults = ParsedConfig::parse(
                    &**factory,
                    &serde_json::Value::Null,
                    crate::policies::registry(),
                );
                LatestConfig::new(factory, json, &defaults.map_err(|_| STEER_INVALID_CONFIG)?)
            }
        };
        let endpoints = if update.code == Code::Ok as i32 {
            // SAFETY: the memory that `update` points to is readable (caller's contract).
            Ok(unsafe { list_from_c(update, &self.latest.lock().endpoints) }?)
        } else {
            // SAFETY: the message is readable (caller's contract).
            let message = unsafe { update.message.to_text() }.ok_or(STEER_INVALID_ARGUMENT)?;
            Err(Status::new(Code::from_number(update.code), message))
        };
        let mut latest = self.latest.lock();
        if let Ok(endpoints) = &endpoints {
            latest.endpoints = Arc::clone(endpoints);
        }
        let former = latest.config.replace(config.clone());
        drop(latest);
        // Outside of the lock: dropping the config of a custom policy runs its author's code.
        drop(former);
        let (factory, ParsedConfig { policy, common }) = (config.factory, config.config);
        let config = policy;
        Ok(Update { endpoints, factory, config, common, resolution_note, target, cluster })
    }
}

/// The list of an update. `former` is the list of the update before.
///
/// # Safety
/// The memory that `update` points to is readable.
unsafe fn list_from_c(
    update: &steer_update,
    former: &Arc<[Arc<EndpointDescriptor>]>,
) -> Result<Arc<[Arc<EndpointDescriptor>]>, steer_status> {
    // SAFETY: the update's endpoints are readable (caller's contract).
    let new = unsafe { endpoints_from_c(update.endpoints, update.endpoint_count) }?;
    let mut new = new.into_iter();
    // The endpoints that the new list has get their places below.
    let leave = || former.iter().for_each(|left| left.index.leave());
    if update.former_count == 0 {
        leave();
        return Ok(new.collect());
    }
    // SAFETY: the array `former` has `former_count` readable elements (caller's contract).
    let places = unsafe { plain_array(update.former, update.former_count) }?;
    let known = |place: &u32| *place == NEW || (*place as usize) < former.len();
    let wanted = places.iter().filter(|place| **place == NEW).count();
    if wanted != new.len() || places.len() >= NEW as usize || !places.iter().all(known) {
        return Err(STEER_INVALID_ARGUMENT);
    }
    if places.len() == former.len() && places.iter().zip(0..).all(|(was, is)| *was == is) {
        return Ok(Arc::clone(former));
    }
    leave();
    let mut taken = vec![false; former.len()];
    let list = places.iter().zip(0..).map(|(&was, is)| {
        let descriptor = if was == NEW {
            new.next().expect("the number of new endpoints was checked")
        } else if std::mem::replace(&mut taken[was as usize], true) {
            // One descriptor cannot have two places.
            Arc::new(EndpointDescriptor::clone(&former[was as usize]))
        } else {
            Arc::clone(&former[was as usize])
        };
        descriptor.index.set(is);
        descriptor
    });
    Ok(list.collect())
}
