//! Runs a `steer_policy_type`: the table decides about connections too, and what it asks for goes to
//! the host.
//!
//! Must not know: hosts.

use std::collections::HashMap;
use std::ffi::c_void;
use std::mem::offset_of;
use std::ptr;
use std::sync::Arc;

use steer_abi::{
    steer_channel, steer_policy_type, steer_publication, steer_resolved, steer_str, steer_wants,
};

use super::backends::{Backends, Described};
use super::channel::{Channel, active, channel};
use super::choice::{failure_said, raise_failed, raise_if_said};
use super::hook::{freeing, serialised};
use super::kind::{CustomConfig, Kind, Table};
use super::picker::{CustomPicker, Hooks, Keeps, Picks, read_wants};
use crate::calls::Wants;
use crate::endpoints::{
    Connection, Connectivity, Endpoint, EndpointDescriptor, EndpointId, Report,
};
use crate::fault::raise;
use crate::ffi::endpoint::steer_state;
use crate::ffi::last_error::{fail_with, text_of};
use crate::ffi::steer_status::*;
use crate::ffi::text::ReadText;
use crate::ffi::versioned::{Versioned, plain_array, read};
use crate::ffi::{guard, steer_status};
use crate::policy::{Config, FailPicker, Helper, Picker, Policy, QueuePicker, TimerId, Update};
use crate::sync::{Handle, Mutex};
use crate::{Code, Status};

// SAFETY: repr(C), begins with its size, and zeros are NULLs and numbers.
unsafe impl Versioned for steer_publication {
    const FIRST_SIZE: usize = offset_of!(steer_publication, wants) + size_of::<usize>();
}
// SAFETY: as above.
unsafe impl Versioned for steer_wants {
    const FIRST_SIZE: usize = offset_of!(steer_wants, header_count) + size_of::<usize>();
}

/// The endpoints of one policy. All in serialised calls; the lock is never waited for.
#[derive(Default)]
pub(super) struct Endpoints(Mutex<State>);

#[derive(Default)]
struct State {
    /// Whose policy it is; none for picker types.
    kind: Option<Arc<Kind>>,
    channel: Option<std::sync::Weak<Channel>>,
    /// The latest list.
    latest: Vec<Arc<EndpointDescriptor>>,
    live: HashMap<u64, Live>,
}

struct Live {
    endpoint: Arc<dyn Endpoint>,
    connection: Option<Connection>,
}

impl Endpoints {
    fn endpoint(&self, id: u64) -> Option<Arc<dyn Endpoint>> {
        // The lock must not be held while the host is called: it may report at once.
        self.0.lock().live.get(&id).map(|live| Arc::clone(&live.endpoint))
    }

    fn clear(&self) {
        let live = std::mem::take(&mut self.0.lock().live);
        drop(live);
    }
}

/// The policy of one channel.
pub(super) struct CustomPolicy {
    kind: Arc<Kind>,
    channel: Arc<Channel>,
    pointer: Handle,
    config: Option<Arc<CustomConfig>>,
}

fn table_of(kind: &Kind) -> &steer_policy_type {
    match &kind.table {
        Table::Policy(table) => table,
        Table::Picker(_) => raise("the next release", "it is no policy type"),
    }
}

impl CustomPolicy {
    /// # Panics
    /// [`raise`]s when `policy_new` fails.
    pub(super) fn new(kind: &Arc<Kind>, helper: Arc<dyn Helper>) -> CustomPolicy {
        let table = table_of(kind);
        let channel = Channel::new(&helper);
        {
            let mut state = channel.endpoints.0.lock();
            state.kind = Some(Arc::clone(kind));
            state.channel = Some(Arc::downgrade(&channel));
        }
        let policy_new = table.policy_new.expect("checked when it was registered");
        let mut pointer = ptr::null_mut();
        // SAFETY: the hook of a registered table; the channel lives longer than the policy.
        let made = serialised(&channel, || unsafe {
            policy_new(table.ctx, channel.pointer(), &mut pointer)
        });
        if made != 0 {
            raise_failed("policy_new");
        }
        let (kind, pointer) = (Arc::clone(kind), Handle::new(pointer));
        CustomPolicy { kind, channel, pointer, config: None }
    }

    fn table(&self) -> &steer_policy_type {
        table_of(&self.kind)
    }

    fn pointer(&self) -> *mut c_void {
        self.pointer.pointer()
    }

    fn call(&self, name: &'static str, hook: Option<unsafe extern "C" fn(*mut c_void)>) -> bool {
        let Some(hook) = hook else { return false };
        // SAFETY: the hook of a registered table, in a serialised call.
        serialised(&self.channel, || unsafe { hook(self.pointer()) });
        raise_if_said(name);
        true
    }
}

impl Drop for CustomPolicy {
    fn drop(&mut self) {
        if let (Some(policy_free), false) = (self.table().policy_free, self.pointer.is_null()) {
            // SAFETY: made by `policy_new` and freed once; the table's author upholds the rest.
            freeing(|| unsafe { policy_free(self.pointer()) });
        }
        self.channel.endpoints.clear();
    }
}

impl Policy for CustomPolicy {
    fn update(&mut self, update: &Update) -> Result<(), Status> {
        let config = Arc::clone(&update.config)
            .downcast::<CustomConfig>()
            .map_err(|_| Status::internal("the config of an update is another policy's"))?;
        let descriptors = update.endpoints.as_deref().unwrap_or_default();
        if update.endpoints.is_ok() {
            self.channel.endpoints.0.lock().latest = descriptors.to_vec();
        }
        let endpoints =
            descriptors.iter().map(|descriptor| Arc::new(Described::new(descriptor))).collect();
        let endpoints = Backends::new(endpoints);
        let error = update.endpoints.as_ref().err();
        let resolved = steer_resolved {
            struct_size: size_of::<steer_resolved>(),
            config: config.pointer(),
            endpoints: endpoints.pointer(),
            code: error.map_or(0, |status| status.code as i32),
            message: error.map_or(steer_str::empty(), |status| steer_str::borrow(&status.message)),
            resolution_note: steer_str::borrow(&update.resolution_note),
        };
        let hook = self.table().update.expect("checked when it was registered");
        // SAFETY: the hook of a registered table, in a serialised call, with what lives as long.
        let code = serialised(&self.channel, || unsafe { hook(self.pointer(), &resolved) });
        // The former one may be in use until now.
        self.config = Some(config);
        raise_if_said("update");
        let said = failure_said();
        if code == Code::Ok as i32 {
            return Ok(());
        }
        let code = Code::from_number(code);
        Err(said.unwrap_or_else(|| Status::new(code, "the policy did not accept the update")))
    }

    fn endpoint_report(&mut self, endpoint: EndpointId, report: Report) -> bool {
        let state = report.state();
        let (connection, why) = match report {
            Report::Ready(connection) => (Some(connection), Status::OK),
            Report::TransientFailure(status) => (None, status),
            Report::Idle | Report::Connecting => (None, Status::OK),
        };
        let former = match self.channel.endpoints.0.lock().live.get_mut(&endpoint.0) {
            Some(live) => std::mem::replace(&mut live.connection, connection),
            None => return false,
        };
        let hook = self.table().endpoint_report.expect("checked when it was registered");
        let (code, message) = (why.code as i32, steer_str::borrow(&why.message));
        // SAFETY: the hook of a registered table, in a serialised call, with what lives as long.
        serialised(&self.channel, || unsafe {
            hook(self.pointer(), endpoint.0, state as i32, code, message)
        });
        drop(former);
        raise_if_said("endpoint_report");
        true
    }

    fn exit_idle(&mut self) {
        self.call("exit_idle", self.table().exit_idle);
    }

    fn reset_backoff(&mut self) {
        if self.call("reset_backoff", self.table().reset_backoff) {
            return;
        }
        let ids: Vec<u64> = self.channel.endpoints.0.lock().live.keys().copied().collect();
        for id in ids {
            if let Some(endpoint) = self.channel.endpoints.endpoint(id) {
                endpoint.reset_backoff();
            }
        }
    }

    fn timer(&mut self, timer: TimerId) {
        if let Some(hook) = self.table().timer {
            // SAFETY: the hook of a registered table, in a serialised call.
            serialised(&self.channel, || unsafe { hook(self.pointer(), timer.0) });
            raise_if_said("timer");
        }
    }

    fn adopts(&self, config: &Config) -> bool {
        // Another release of the plugin decides about connections in its own way.
        let config = config.downcast_ref::<CustomConfig>();
        config.is_some_and(|config| Arc::ptr_eq(&config.kind, &self.kind))
    }
}

pub(super) unsafe extern "C" fn endpoint_new(channel: *const steer_channel, index: usize) -> u64 {
    guard(0, || {
        // SAFETY: as `steer_api` says.
        let Some(channel) = (unsafe { active(channel, "endpoint_new") }) else { return 0 };
        let descriptor = channel.endpoints.0.lock().latest.get(index).cloned();
        let Some(descriptor) = descriptor else { return 0 };
        let Ok(endpoint) = channel.helper.create_endpoint(&descriptor) else { return 0 };
        let id = endpoint.id().0;
        let endpoint = Arc::from(endpoint);
        channel.endpoints.0.lock().live.insert(id, Live { endpoint, connection: None });
        id
    })
}

pub(super) unsafe extern "C" fn endpoint_matches(
    channel: *const steer_channel,
    endpoint: u64,
    index: usize,
) -> i32 {
    guard(0, || {
        // SAFETY: as `steer_api` says.
        let Some(channel) = (unsafe { active(channel, "endpoint_matches") }) else { return 0 };
        let descriptor = channel.endpoints.0.lock().latest.get(index).cloned();
        match (channel.endpoints.endpoint(endpoint), descriptor) {
            (Some(endpoint), Some(descriptor)) => i32::from(endpoint.matches(&descriptor)),
            _ => 0,
        }
    })
}

pub(super) unsafe extern "C" fn endpoint_connect(channel: *const steer_channel, endpoint: u64) {
    guard((), || {
        // SAFETY: as `steer_api` says.
        let Some(channel) = (unsafe { active(channel, "endpoint_connect") }) else { return };
        if let Some(endpoint) = channel.endpoints.endpoint(endpoint) {
            endpoint.connect();
        }
    });
}

pub(super) unsafe extern "C" fn endpoint_reset_backoff(
    channel: *const steer_channel,
    endpoint: u64,
) {
    guard((), || {
        // SAFETY: as `steer_api` says.
        let Some(channel) = (unsafe { active(channel, "endpoint_reset_backoff") }) else { return };
        if let Some(endpoint) = channel.endpoints.endpoint(endpoint) {
            endpoint.reset_backoff();
        }
    });
}

pub(super) unsafe extern "C" fn endpoint_free(channel: *const steer_channel, endpoint: u64) {
    guard((), || {
        // SAFETY: as `steer_api` says.
        if let Some(channel) = unsafe { active(channel, "endpoint_free") } {
            let dropped = channel.endpoints.0.lock().live.remove(&endpoint);
            drop(dropped);
        }
    });
}

pub(super) unsafe extern "C" fn publish(
    channel: *const steer_channel,
    publication: *const steer_publication,
) -> i32 {
    let status = guard(STEER_PANIC, || {
        // SAFETY: as `steer_api` says.
        match unsafe { try_publish(channel, publication) } {
            Ok(()) => STEER_OK,
            Err((status, text)) => fail_with(status, text),
        }
    });
    status as i32
}

/// # Safety
/// As `steer_api.publish` says.
unsafe fn try_publish(
    pointer: *const steer_channel,
    publication: *const steer_publication,
) -> Result<(), (steer_status, String)> {
    // SAFETY: NULL or readable, as `steer_api` says.
    let publication = unsafe { read(publication) }
        .map_err(|status| (status, text_of("steer_publication", status)))?;
    let invalid = |text: String| (STEER_INVALID_ARGUMENT, text);
    // SAFETY: as `steer_api` says.
    let known = unsafe { channel(pointer) };
    let known =
        known.ok_or_else(|| (STEER_NULL_ARGUMENT, text_of("publish", STEER_NULL_ARGUMENT)))?;
    let (kind, held) = {
        let state = known.endpoints.0.lock();
        (state.kind.clone(), state.channel.as_ref().and_then(std::sync::Weak::upgrade))
    };
    let (Some(kind), Some(held)) = (kind, held) else {
        return Err(invalid("publish: for policies, and this is a picker type's channel".into()));
    };
    let table = table_of(&kind);
    let hooks = Hooks {
        pick: table.pick.expect("checked when it was registered"),
        picker_free: table.picker_free,
        call_started: table.call_started,
        call_finished: table.call_finished,
    };
    // First of all, so that the picker is freed whatever comes.
    let picks = (!publication.picker.is_null())
        .then(|| Picks::new(publication.picker, hooks, Keeps::Policy(Arc::clone(&kind), held)));
    // SAFETY: as `steer_api` says.
    let channel = unsafe { active(pointer, "publish") }.ok_or_else(|| {
        invalid("publish: call it from within one of the policy's serialised hooks".to_owned())
    })?;
    let state = match publication.state {
        state if state == steer_state::STEER_IDLE as i32 => Connectivity::Idle,
        state if state == steer_state::STEER_CONNECTING as i32 => Connectivity::Connecting,
        state if state == steer_state::STEER_READY as i32 => Connectivity::Ready,
        state if state == steer_state::STEER_TRANSIENT_FAILURE as i32 => {
            Connectivity::TransientFailure
        }
        state => return Err(invalid(format!("publish: there is no state {state}"))),
    };
    let status = if state == Connectivity::TransientFailure {
        // SAFETY: readable, as `steer_publication` says.
        let message = unsafe { publication.message.to_text() }.unwrap_or_default();
        Status::new(Code::from_number(publication.code), message)
    } else {
        Status::OK
    };
    // SAFETY: readable, as `steer_publication` says.
    let ids = unsafe { plain_array(publication.endpoints, publication.endpoint_count) }
        .map_err(|status| (status, text_of("steer_publication.endpoints", status)))?;
    let connections = {
        let state = channel.endpoints.0.lock();
        let connection = |id: &u64| state.live.get(id)?.connection.clone();
        let found = ids.iter().map(|id| connection(id).ok_or(*id));
        found.collect::<Result<Vec<_>, u64>>()
    };
    let connections =
        connections.map_err(|id| invalid(format!("publish: endpoint {id} is not READY")))?;
    let wants = if publication.wants.is_null() {
        Wants::default()
    } else {
        // SAFETY: readable, as `steer_publication` says.
        let wants = unsafe { read(publication.wants) }
            .map_err(|status| (status, text_of("steer_publication.wants", status)))?;
        // SAFETY: the same.
        unsafe { read_wants(&wants) }.map_err(invalid)?
    };
    let picker: Box<dyn Picker> = match picks {
        Some(picks) => Box::new(CustomPicker::new(picks, connections, wants)),
        None if state == Connectivity::TransientFailure => Box::new(FailPicker(status.clone())),
        None => Box::new(QueuePicker),
    };
    channel.helper.update_state(state, &status, picker);
    Ok(())
}
