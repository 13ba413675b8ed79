//! Runs a `steer_policy_type`: the table also decides about connections.
//!
//! Must not depend on: hosts, pickers.

use std::ffi::c_void;
use std::ptr;
use std::sync::Arc;

use steer_abi::{steer_policy_type, steer_resolved, steer_str};

use super::backends::{Backends, Described};
use super::channel::Channel;
use super::choice::{last_failure, raise_failed, raise_if_reported};
use super::config::CustomConfig;
use super::hook::{freeing, serialised};
use super::picks::CHECKED;
use super::table::Registered;
use crate::calls::Metrics;
use crate::endpoints::{Connectivity, EndpointId, Report};
use crate::fault::raise;
use crate::ffi::metrics::with_metrics;
use crate::policy::{Config, Helper, Policy, TimerId, Update};
use crate::sync::Handle;
use crate::{Code, Status};

/// A hook that answers each publication of a child with an update of the child would keep the
/// host's work serializer for ever. A policy that settles needs a few rounds.
const MOST_ROUNDS: usize = 100;

/// The custom policy of one channel. Used in serialised calls only.
pub(super) struct CustomPolicy {
    registered: Arc<Registered>,
    channel: Arc<Channel>,
    pointer: Handle,
    config: Option<Arc<CustomConfig>>,
}

impl CustomPolicy {
    /// # Panics
    /// [`raise`](crate::fault::raise)s when `policy_new` fails.
    pub(super) fn new(registered: &Arc<Registered>, helper: &Arc<dyn Helper>) -> CustomPolicy {
        let table = registered.policy_type();
        let channel = Channel::new(helper, Some(Arc::clone(registered)), Arc::default());
        helper.set_stats_source(channel.calls.stats_source());
        let policy_new = table.policy_new.expect(CHECKED);
        let mut pointer = ptr::null_mut();
        // SAFETY: called in a serialised call with the table's `ctx`, and the policy keeps the
        // channel.
        let status = serialised(&*channel, || unsafe {
            policy_new(table.ctx, channel.pointer(), &mut pointer)
        });
        if status != 0 {
            raise_failed("policy_new");
        }
        let (registered, pointer) = (Arc::clone(registered), Handle::new(pointer));
        CustomPolicy { registered, channel, pointer, config: None }
    }

    fn table(&self) -> &steer_policy_type {
        self.registered.policy_type()
    }

    fn pointer(&self) -> *mut c_void {
        self.pointer.pointer()
    }

    /// Calls a hook without arguments, and returns whether the table has it.
    fn call(&self, name: &'static str, hook: Option<unsafe extern "C" fn(*mut c_void)>) -> bool {
        let Some(hook) = hook else { return false };
        // SAFETY: called in a serialised call, and the policy is not freed.
        serialised(&*self.channel, || unsafe { hook(self.pointer()) });
        raise_if_reported(name);
        true
    }
}

impl CustomPolicy {
    /// Tells the policy which children have published something, or publishes the same for it.
    ///
    /// # Panics
    /// [`raise`]s when the hook makes the children publish again and again.
    fn tell_of_children(&self) {
        for _ in 0..MOST_ROUNDS {
            let changed = self.channel.children.take_changed();
            if changed.is_empty() {
                return;
            }
            for child in changed {
                if let Some(hook) = self.table().child_changed {
                    // SAFETY: called in a serialised call, and the policy is not freed.
                    serialised(&*self.channel, || unsafe { hook(self.pointer(), child) });
                    raise_if_reported("child_changed");
                } else if let Some(published) = self.channel.children.published(child) {
                    self.channel.children.family.publish_as_is(published);
                }
            }
        }
        raise("child_changed", "it makes a child publish each time that it is called");
    }
}

impl Drop for CustomPolicy {
    fn drop(&mut self) {
        self.channel.requests.close();
        if let (Some(policy_free), false) = (self.table().policy_free, self.pointer.is_null()) {
            // SAFETY: `policy_new` made the policy, and it is freed once.
            freeing(|| unsafe { policy_free(self.pointer()) });
        }
        self.channel.endpoints.clear();
        self.channel.children.clear();
    }
}

impl Policy for CustomPolicy {
    fn update(&mut self, update: &Update) -> Result<(), Status> {
        let config = Arc::clone(&update.config)
            .downcast::<CustomConfig>()
            .map_err(|_| Status::internal("the config of an update is another policy's"))?;
        let descriptors = update.endpoints.as_deref().unwrap_or_default();
        if update.endpoints.is_ok() {
            let gone = self.channel.endpoints.set_latest(descriptors);
            self.channel.calls.forget(&gone);
        }
        let describe = |descriptor| Arc::new(Described::new(descriptor, &self.channel.calls));
        self.channel.updated();
        let endpoints = Backends::new(descriptors.iter().map(describe).collect());
        let error = update.endpoints.as_ref().err();
        let resolved = steer_resolved {
            struct_size: size_of::<steer_resolved>(),
            config: config.pointer(),
            endpoints: endpoints.pointer(),
            code: error.map_or(0, |status| status.code as i32),
            message: error.map_or(steer_str::empty(), |status| steer_str::borrow(&status.message)),
            resolution_note: steer_str::borrow(&update.resolution_note),
        };
        let hook = self.table().update.expect(CHECKED);
        self.channel.children.begin_update(update);
        // SAFETY: called in a serialised call. The policy is not freed, and the memory that
        // `resolved` points to is valid during the call.
        let code = serialised(&*self.channel, || unsafe { hook(self.pointer(), &resolved) });
        self.channel.children.end_update();
        // Frees the former config only now, because the policy may use it until now.
        self.config = Some(config);
        raise_if_reported("update");
        let failure = last_failure();
        self.tell_of_children();
        if code == Code::Ok as i32 {
            return Ok(());
        }
        let code = Code::from_number(code);
        Err(failure.unwrap_or_else(|| Status::new(code, "the policy did not accept the update")))
    }

    fn endpoint_report(&mut self, endpoint: EndpointId, report: Report) -> bool {
        if self.channel.endpoints.get(endpoint.0).is_none() {
            let known = self.channel.children.family.endpoint_report(endpoint, report);
            self.tell_of_children();
            return known;
        }
        let state = report.state();
        let (connection, why) = match report {
            Report::Ready(connection) => (Some(connection), Status::OK),
            Report::TransientFailure(status) => (None, status),
            Report::Idle | Report::Connecting => (None, Status::OK),
        };
        let (endpoints, active) = (&self.channel.endpoints, state != Connectivity::Idle);
        let Some(former) = endpoints.note_report(endpoint.0, active, connection) else {
            return false;
        };
        let hook = self.table().endpoint_report.expect("it makes no endpoints without the hook");
        let (code, message) = (why.code as i32, steer_str::borrow(&why.message));
        // SAFETY: called in a serialised call. The policy is not freed, and the message is valid
        // during the call.
        serialised(&*self.channel, || unsafe {
            hook(self.pointer(), endpoint.0, state as i32, code, message)
        });
        drop(former);
        raise_if_reported("endpoint_report");
        self.tell_of_children();
        true
    }

    fn exit_idle(&mut self) {
        self.call("exit_idle", self.table().exit_idle);
        self.channel.children.family.exit_idle();
        self.tell_of_children();
        // A policy that connects nothing would keep its channel waiting for ever.
        let endpoints = &self.channel.endpoints;
        if let Some(first) = endpoints.first_if_all_idle() {
            endpoints.connect(first);
        }
    }

    fn reset_backoff(&mut self) {
        let done = self.call("reset_backoff", self.table().reset_backoff);
        self.channel.children.family.reset_backoff();
        self.tell_of_children();
        if done {
            return;
        }
        for id in self.channel.endpoints.ids() {
            if let Some(endpoint) = self.channel.endpoints.get(id) {
                endpoint.reset_backoff();
            }
        }
    }

    fn woken(&mut self) {
        let requests = &self.channel.requests;
        requests.run_timers(&*self.channel.helper);
        // A policy makes its pickers itself.
        if requests.take_woken() | requests.take_rebuild() {
            self.timer(TimerId::NONE);
        }
        self.channel.children.family.woken();
        self.tell_of_children();
    }

    fn timer(&mut self, timer: TimerId) {
        if self.channel.children.family.timer(timer) {
            self.tell_of_children();
            return;
        }
        if let Some(hook) = self.table().timer {
            // SAFETY: called in a serialised call, and the policy is not freed.
            serialised(&*self.channel, || unsafe { hook(self.pointer(), timer.0) });
            raise_if_reported("timer");
        }
        self.tell_of_children();
    }

    fn load_report(&mut self, endpoint: EndpointId, metrics: &Metrics) -> bool {
        if self.channel.endpoints.get(endpoint.0).is_none() {
            let known = self.channel.children.family.load_report(endpoint, metrics);
            self.tell_of_children();
            return known;
        }
        if let Some(hook) = self.table().load_report {
            with_metrics(metrics, |report| {
                // SAFETY: called in a serialised call. The policy is not freed, and the report is
                // valid during the call.
                serialised(&*self.channel, || unsafe { hook(self.pointer(), endpoint.0, report) });
            });
            raise_if_reported("load_report");
        }
        self.tell_of_children();
        true
    }

    fn adopts(&self, config: &Config) -> bool {
        // Another release of the plugin may handle connections differently.
        let config = config.downcast_ref::<CustomConfig>();
        config.is_some_and(|config| Arc::ptr_eq(&config.registered, &self.registered))
    }
}
