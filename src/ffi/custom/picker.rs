//! Runs a `steer_picker_type`: the engine does connections, states and updates, and this asks the
//! table which backend.
//!
//! Cost per pick that asks for nothing: one call through a pointer and a bounds check, more than what
//! the picker itself costs.
//!
//! Must not know: hosts.

use std::any::Any;
use std::borrow::Cow;
use std::cell::RefCell;
use std::ffi::c_void;
use std::ptr;
use std::sync::Arc;

use steer_abi::{
    STEER_WANTS_HEADERS, STEER_WANTS_METRICS, STEER_WANTS_PATH, STEER_WANTS_REQUEST_HASH,
    steer_call, steer_call_end, steer_call_outcome, steer_choice, steer_choice_kind, steer_str,
    steer_wants,
};

use super::backends::{Backends, Known};
use super::channel::Channel;
use super::choice::{listen, raise_failed, raise_if_said, take_failure, take_fault, take_tracked};
use super::hook::{freeing, serialised};
use super::kind::{CustomConfig, Instance, Kind, Table};
use crate::calls::{Call, CallEnd, CallListener, TrackedBackend, TrackedCall, TrackedSlot, Wants};
use crate::endpoints::{Connection, EndpointDescriptor};
use crate::fault::raise;
use crate::ffi::guard;
use crate::ffi::metrics::with_metrics;
use crate::ffi::text::ReadText;
use crate::ffi::versioned::plain_array;
use crate::policy::{Backend, Config, Helper, Pick, Picker, PickerFactory, Ready, TimerId};
use crate::sync::Handle;

/// The picker factory of one channel.
pub(super) struct CustomPickers {
    instance: Arc<Instance>,
    known: Known,
}

impl CustomPickers {
    /// # Panics
    /// [`raise`]s when `instance_new` fails.
    pub(super) fn new(kind: &Arc<Kind>, helper: &Arc<dyn Helper>) -> CustomPickers {
        CustomPickers { instance: Instance::new(kind, helper), known: Known::default() }
    }
}

impl PickerFactory for CustomPickers {
    type Config = CustomConfig;

    fn build(
        &mut self,
        config: &Arc<CustomConfig>,
        ready: &Ready<'_>,
        helper: &Arc<dyn Helper>,
    ) -> Box<dyn Picker> {
        if !Arc::ptr_eq(&config.kind, &self.instance.kind) {
            // A later release of the plugin. What the former one remembered is of its own kind.
            *self = CustomPickers::new(&config.kind, helper);
        }
        let instance = &self.instance;
        let table = instance.kind.picker_type();
        let picker_new = table.picker_new.expect("checked when it was registered");
        let backends: Vec<Backend> = ready.backends().collect();
        let described = backends
            .iter()
            .map(|backend| self.known.describe(instance, &backend.descriptor))
            .collect();
        let list = Backends::new(described);
        let mut wants = steer_wants {
            struct_size: size_of::<steer_wants>(),
            bits: 0,
            headers: ptr::null(),
            header_count: 0,
        };
        let mut pointer = ptr::null_mut();
        let (made_for, of) = (instance.pointer(), config.pointer());
        // SAFETY: the hook of a registered table, in a serialised call; the config and the backends
        // live as long as the picker, which holds them.
        let made = serialised(&instance.channel, || unsafe {
            picker_new(made_for, of, list.pointer(), &mut wants, &mut pointer)
        });
        if made != 0 {
            raise_failed("picker_new");
        }
        let hooks = Hooks {
            pick: table.pick.expect("checked when it was registered"),
            picker_free: table.picker_free,
            call_started: table.call_started,
            call_finished: table.call_finished,
        };
        let keeps = Keeps::Picker(Arc::clone(instance), Arc::clone(config), list);
        let picks = Picks::new(pointer, hooks, keeps);
        // SAFETY: the picker has filled it in, as `steer_wants` says.
        let wants = unsafe { read_wants(&wants) };
        let connections = backends.into_iter().map(|backend| backend.connection).collect();
        Box::new(CustomPicker::new(
            picks,
            connections,
            wants.unwrap_or_else(|text| raise("picker_new", text)),
        ))
    }

    fn forget(&mut self, gone: &[Arc<EndpointDescriptor>]) {
        self.known.forget(gone);
    }

    fn timer(&mut self, timer: TimerId) -> bool {
        if let Some(hook) = self.instance.kind.picker_type().timer {
            // SAFETY: the hook of a registered table, in a serialised call.
            serialised(&self.instance.channel, || unsafe {
                hook(self.instance.pointer(), timer.0)
            });
            raise_if_said("timer");
        }
        self.instance.channel.take_rebuild()
    }

    fn adopts(&self, config: &Config) -> bool {
        let config = config.downcast_ref::<CustomConfig>();
        config.is_some_and(|config| matches!(config.kind.table, Table::Picker(_)))
    }
}

const MOST_HEADERS: usize = 64;

/// What a picker wants to know, as it said.
///
/// # Safety
/// `wants` has what `steer_wants` says.
pub(super) unsafe fn read_wants(wants: &steer_wants) -> Result<Wants, String> {
    let known =
        STEER_WANTS_PATH | STEER_WANTS_HEADERS | STEER_WANTS_METRICS | STEER_WANTS_REQUEST_HASH;
    if wants.bits & !known != 0 {
        return Err(format!(
            "steer_wants.bits is {:#x}, and this engine knows {known:#x}: use STEER_WANTS_…",
            wants.bits
        ));
    }
    if wants.header_count > MOST_HEADERS {
        return Err(format!(
            "steer_wants.header_count is {}, and at most {MOST_HEADERS} headers can be read",
            wants.header_count
        ));
    }
    // SAFETY: readable by this function's contract.
    let headers = unsafe { plain_array(wants.headers, wants.header_count) };
    let headers = headers.map_err(|_| "steer_wants.headers cannot be read".to_owned())?;
    let mut names = Vec::new();
    for (index, name) in headers.iter().enumerate() {
        // SAFETY: readable by this function's contract.
        let name = unsafe { name.to_text() }.unwrap_or_default();
        if !crate::calls::is_header_name(&name) {
            return Err(format!(
                "steer_wants.headers[{index}] is {name:?}: names of headers are lower-case letters, \
                 digits, '-', '_' and '.'"
            ));
        }
        names.push(name);
    }
    let any = wants.bits & STEER_WANTS_HEADERS != 0 || !names.is_empty();
    Ok(Wants {
        path: wants.bits & STEER_WANTS_PATH != 0,
        headers: any.then(|| names.into()),
        metrics: wants.bits & STEER_WANTS_METRICS != 0,
        request_hash: wants.bits & STEER_WANTS_REQUEST_HASH != 0,
    })
}

type PickHook = unsafe extern "C" fn(*const c_void, *const steer_call) -> steer_choice;

/// The hooks about picks, which both kinds of tables have.
#[derive(Clone, Copy)]
pub(super) struct Hooks {
    pub(super) pick: PickHook,
    pub(super) picker_free: Option<unsafe extern "C" fn(*mut c_void)>,
    pub(super) call_started: Option<unsafe extern "C" fn(*const c_void, u64, *mut c_void)>,
    pub(super) call_finished:
        Option<unsafe extern "C" fn(*const c_void, u64, *mut c_void, *const steer_call_end)>,
}

/// What must outlive a picker.
#[expect(dead_code, reason = "held, and not looked at")]
pub(super) enum Keeps {
    Picker(Arc<Instance>, Arc<CustomConfig>, Arc<Backends>),
    Policy(Arc<Kind>, Arc<Channel>),
}

/// What `picker_new` made, held by those who pick and by calls that are tracked. It knows no
/// connections: a call that lasts must not hold those of the other backends.
pub(super) struct Picks {
    picker: Handle,
    hooks: Hooks,
    _keeps: Keeps,
}

impl Picks {
    pub(super) fn new(picker: *mut c_void, hooks: Hooks, keeps: Keeps) -> Arc<Picks> {
        Arc::new(Picks { picker: Handle::new(picker), hooks, _keeps: keeps })
    }
}

impl Drop for Picks {
    fn drop(&mut self) {
        if let (Some(picker_free), false) = (self.hooks.picker_free, self.picker.is_null()) {
            // SAFETY: freed once, when no pick and no call uses it; the table's author upholds the
            // rest.
            freeing(|| unsafe { picker_free(self.picker.pointer()) });
        }
    }
}

impl CallListener for Picks {
    fn started(&self, backend: usize, state: Handle) {
        if let Some(hook) = self.hooks.call_started {
            // SAFETY: the hook of a registered table, on any thread.
            listen(|| unsafe { hook(self.picker.pointer(), backend as u64, state.pointer()) });
            raise_if_said("call_started");
        }
    }

    fn finished(&self, backend: usize, state: Handle, end: &CallEnd<'_>) {
        let Some(hook) = self.hooks.call_finished else { return };
        let tell = |end: steer_call_end| {
            // SAFETY: the hook of a registered table, on any thread; what `end` points at lives as
            // long as the call of it.
            listen(|| unsafe {
                hook(self.picker.pointer(), backend as u64, state.pointer(), &end)
            });
            raise_if_said("call_finished");
        };
        let mut said = steer_call_end {
            struct_size: size_of::<steer_call_end>(),
            outcome: steer_call_outcome::STEER_CALL_ABANDONED as i32,
            code: 0,
            message: steer_str::empty(),
            latency_ns: 0,
            metrics: ptr::null(),
        };
        match end {
            CallEnd::Abandoned => tell(said),
            CallEnd::Finished { status, latency, metrics, .. } => {
                said.outcome = steer_call_outcome::STEER_CALL_FINISHED as i32;
                said.code = status.code as i32;
                said.message = steer_str::borrow(&status.message);
                said.latency_ns = u64::try_from(latency.as_nanos()).unwrap_or(u64::MAX);
                match metrics {
                    None => tell(said),
                    Some(metrics) => with_metrics(metrics, |metrics| {
                        said.metrics = metrics;
                        tell(said);
                    }),
                }
            }
        }
    }
}

/// A call of which nothing is known.
struct EmptyCall(steer_call);

// SAFETY: it has no pointers but NULL.
unsafe impl Sync for EmptyCall {}

static EMPTY_CALL: EmptyCall = EmptyCall(steer_call {
    struct_size: size_of::<steer_call>(),
    path: steer_str::empty(),
    ctx: ptr::null_mut(),
    header: None,
    add_header: None,
    request_hash: 0,
    has_request_hash: 0,
    reserved: 0,
});

/// The short way to a table's `pick`, beside the picker for a pick to read fewer cache lines: for
/// pickers that want to know nothing of the call.
pub(in crate::ffi) struct Direct {
    pick: PickHook,
    picker: Handle,
    handles: Box<[Handle]>,
}

impl Direct {
    /// The short way to this picker, if it can be taken. It must not outlive the picker.
    pub(in crate::ffi) fn to(picker: &CustomPicker) -> Option<Direct> {
        picker.no_call.then(|| Direct {
            pick: picker.picks.hooks.pick,
            picker: picker.picks.picker,
            handles: picker.connections.iter().map(Connection::handle).collect(),
        })
    }

    /// The handle of the connection that is chosen, or the choice that it is.
    #[inline(always)]
    pub(in crate::ffi) fn choose(&self) -> Result<Handle, steer_choice> {
        // SAFETY: the hook of a registered table, on any thread, with a call that lives for ever.
        let choice = unsafe { (self.pick)(self.picker.pointer(), &EMPTY_CALL.0) };
        if choice.kind == steer_choice_kind::STEER_CHOICE_COMPLETE as i64 {
            if let Some(handle) =
                usize::try_from(choice.value).ok().and_then(|at| self.handles.get(at))
            {
                return Ok(*handle);
            }
        }
        Err(choice)
    }
}

/// The engine's picker around a table's.
pub(in crate::ffi) struct CustomPicker {
    no_call: bool,
    connections: Vec<Connection>,
    wants: Wants,
    picks: Arc<Picks>,
    /// As many as connections, when the table can track calls.
    tracked: Box<[Arc<TrackedBackend>]>,
}

impl CustomPicker {
    pub(super) fn new(
        picks: Arc<Picks>,
        connections: Vec<Connection>,
        wants: Wants,
    ) -> CustomPicker {
        let can_track = picks.hooks.call_finished.is_some();
        let tracked =
            connections.iter().enumerate().filter(|_| can_track).map(|(place, connection)| {
                let hooks = Arc::clone(&picks) as Arc<dyn CallListener>;
                TrackedBackend::new(connection.clone(), hooks, place)
            });
        let tracked = tracked.collect();
        CustomPicker { no_call: wants.no_call(), connections, wants, picks, tracked }
    }

    fn choose(&self, call: *const steer_call) -> steer_choice {
        // SAFETY: the hook of a registered table, on any thread, with a call that lives as long.
        unsafe { (self.picks.hooks.pick)(self.picks.picker.pointer(), call) }
    }

    #[inline(never)]
    fn choose_for(&self, call: &Call<'_>) -> steer_choice {
        let known = KnownCall { call, texts: RefCell::default() };
        self.choose(&steer_call {
            struct_size: size_of::<steer_call>(),
            path: if self.wants.path { steer_str::borrow(call.path) } else { steer_str::empty() },
            ctx: ptr::from_ref(&known).cast_mut().cast(),
            header: Some(header),
            add_header: Some(add_header),
            request_hash: call.request_hash.unwrap_or_default(),
            has_request_hash: i32::from(call.request_hash.is_some()),
            reserved: 0,
        })
    }

    /// What a choice leads to.
    pub(in crate::ffi) fn answer(&self, choice: steer_choice) -> Pick<'_> {
        let is = |kind: steer_choice_kind| choice.kind == kind as i64;
        fn fault<'a>(text: String) -> Pick<'a> {
            Pick::Fault(Box::new(text))
        }
        if is(steer_choice_kind::STEER_CHOICE_COMPLETE) {
            match self.connection(choice.value) {
                Ok(connection) => Pick::Complete(connection),
                Err(text) => fault(text),
            }
        } else if is(steer_choice_kind::STEER_CHOICE_QUEUE) {
            Pick::Queue
        } else if is(steer_choice_kind::STEER_CHOICE_FAIL) {
            take_failure(choice.value).map_or_else(|| fault(no_status("FAIL", "fail")), Pick::fail)
        } else if is(steer_choice_kind::STEER_CHOICE_DROP) {
            take_failure(choice.value).map_or_else(|| fault(no_status("DROP", "drop")), Pick::drop)
        } else if is(steer_choice_kind::STEER_CHOICE_TRACKED) {
            self.track(choice.value).unwrap_or_else(fault)
        } else if is(steer_choice_kind::STEER_CHOICE_FAULT) {
            fault(take_fault(choice.value).unwrap_or_else(|| no_status("FAULT", "fault")))
        } else {
            fault(format!("returned a choice of the kind {}, which there is not", choice.kind))
        }
    }

    fn connection(&self, backend: u64) -> Result<&Connection, String> {
        let found = usize::try_from(backend).ok().and_then(|at| self.connections.get(at));
        found.ok_or_else(|| format!("chose backend {backend} of {}", self.connections.len()))
    }

    fn track(&self, number: u64) -> Result<Pick<'_>, String> {
        let (backend, state) =
            take_tracked(number).ok_or_else(|| no_status("TRACKED", "complete_tracked"))?;
        if self.picks.hooks.call_finished.is_none() {
            return Err("tracks a call, and its table has no call_finished".to_owned());
        }
        match usize::try_from(backend).ok().and_then(|at| self.tracked.get(at)) {
            Some(backend) => Ok(Pick::Tracked(TrackedSlot::new(TrackedCall::new(backend, state)))),
            None => {
                // The state goes back. A fault of that hook is not what this pick is about.
                let place = usize::try_from(backend).unwrap_or(usize::MAX);
                guard((), || self.picks.finished(place, state, &CallEnd::Abandoned));
                Err(format!("chose backend {backend} of {}", self.connections.len()))
            }
        }
    }
}

fn no_status(kind: &str, function: &str) -> String {
    format!("returned STEER_CHOICE_{kind} that steer_api.{function} did not make")
}

impl Picker for CustomPicker {
    fn pick<'a>(&'a self, call: &Call<'_>) -> Pick<'a> {
        let choice = if self.no_call { self.choose(&EMPTY_CALL.0) } else { self.choose_for(call) };
        self.answer(choice)
    }

    fn wants(&self) -> Wants {
        self.wants.clone()
    }

    fn as_any(&self) -> Option<&dyn Any> {
        Some(self)
    }
}

/// What `steer_call.ctx` is.
struct KnownCall<'a> {
    call: &'a Call<'a>,
    /// Values that had to be made.
    texts: RefCell<Vec<Vec<u8>>>,
}

unsafe extern "C" fn header(ctx: *mut c_void, name: steer_str, value: *mut steer_str) -> i32 {
    guard(0, || {
        // SAFETY: `choose_for` made it so, for the pick under way.
        let Some(known) = (unsafe { ctx.cast::<KnownCall<'_>>().as_ref() }) else { return 0 };
        // SAFETY: readable, as `steer_call` says.
        let Some(name) = (unsafe { name.to_cow() }) else { return 0 };
        let Some(found) = known.call.headers.get(&name).filter(|_| !value.is_null()) else {
            return 0;
        };
        let kept = |bytes: &[u8]| steer_str { data: bytes.as_ptr().cast(), length: bytes.len() };
        let text = match found {
            Cow::Borrowed(bytes) => kept(bytes),
            Cow::Owned(bytes) => {
                let kept = kept(&bytes);
                // A Vec's bytes stay where they are when it is moved.
                known.texts.borrow_mut().push(bytes);
                kept
            }
        };
        // SAFETY: not NULL, and writable, as `steer_call` says.
        unsafe { value.write(text) };
        1
    })
}

unsafe extern "C" fn add_header(ctx: *mut c_void, name: steer_str, value: steer_str) -> i32 {
    guard(0, || {
        // SAFETY: `choose_for` made it so, for the pick under way.
        let Some(known) = (unsafe { ctx.cast::<KnownCall<'_>>().as_ref() }) else { return 0 };
        // SAFETY: readable, as `steer_call` says.
        let Some(name) = (unsafe { name.to_cow() }) else { return 0 };
        let bytes = value.data.cast::<u8>();
        // SAFETY: readable, as `steer_call` says.
        let Ok(value) = (unsafe { plain_array(bytes, value.length) }) else { return 0 };
        i32::from(known.call.headers.add(&name, value))
    })
}
