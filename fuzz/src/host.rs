//! A host that keeps account of all that it has given to the engine, for one policy: what is used must be alive, and in
//! the end everything has come back once.
//!
//! What the ABI serialises is the caller's to serialise; everything else may come from any thread.
//!
//! Must not know: any policy.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::ffi::c_void;
use std::ptr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use steer::ffi::*;
use steer::calls::Metrics;

use crate::bytes::{read, take, text};
use crate::callbacks::{self, Turn, within};

/// What the host has given out, and what it was asked for.
#[derive(Default)]
struct Account {
    last_number: usize,
    /// Handles of endpoints, with the engine's numbers.
    endpoints: HashMap<usize, u64>,
    /// Those numbers.
    alive: BTreeSet<u64>,
    /// Numbers of all endpoints that ever were.
    numbers: Vec<u64>,
    /// Handles of connections: from the report to its end.
    connections: HashSet<usize>,
    /// What the latest update has at each place.
    list: Vec<u8>,
    hash_key: Vec<u8>,
    picker: Option<Arc<HeldPicker>>,
    state: i32,
    timers: BTreeMap<u64, Duration>,
    later: usize,
    now: Duration,
    random: u64,
    context_freed: bool,
    policy_freed: bool,
}

#[derive(Default)]
struct Shared(Mutex<Account>, Turn);

impl Shared {
    fn with<R>(&self, body: impl FnOnce(&mut Account) -> R) -> R {
        body(&mut self.0.lock().unwrap_or_else(|poisoned| poisoned.into_inner()))
    }
}

impl Account {
    fn is_alive(&self, endpoint: *mut c_void) {
        assert!(self.endpoints.contains_key(&endpoint.addr()), "a call for a freed endpoint");
    }

    fn number(&mut self) -> usize {
        self.last_number += 1;
        self.last_number
    }
}

/// A picker, freed when nobody holds it any more, on whichever thread that is.
pub struct HeldPicker {
    picker: *mut steer_picker,
    shared: Arc<Shared>,
}

// SAFETY: a picker is any thread's.
unsafe impl Send for HeldPicker {}
// SAFETY: many threads may pick at once; it is freed by the last that holds it.
unsafe impl Sync for HeldPicker {}

impl Drop for HeldPicker {
    fn drop(&mut self) {
        // SAFETY: nobody picks any more.
        within("picker free", || unsafe { steer_picker_free(self.picker) });
    }
}

/// What became of a pick.
pub enum Picked {
    /// It goes over this connection.
    Sent(usize),
    /// The same, and it is to be told how it goes.
    Tracked(TrackedCall),
    /// It waits or fails.
    Other,
}

impl Picked {
    /// The call starts, if anybody wants to know.
    pub fn start(&self) {
        if let Picked::Tracked(call) = self {
            // SAFETY: it is alive.
            within("tracker", || unsafe { steer_call_tracker_start(call.tracker) });
        }
    }

    /// The call ends, if anybody wants to know.
    pub fn finish(&self, code: i32, metrics: &[u8]) {
        let Picked::Tracked(call) = self else { return };
        let finish = steer_call_finish {
            struct_size: size_of::<steer_call_finish>(),
            code,
            message: text(b"ended"),
            metrics: text(metrics),
        };
        // SAFETY: both are alive.
        within("tracker", || unsafe { steer_call_tracker_finish(call.tracker, &finish) });
    }
}

/// A call that a picker follows; dropping it gives it up if it has not ended.
pub struct TrackedCall {
    tracker: *mut steer_call_tracker,
    connection: usize,
}

// SAFETY: a tracker is any thread's, one at a time.
unsafe impl Send for TrackedCall {}

impl TrackedCall {
    /// What it goes over. It may be gone by now.
    pub fn connection(&self) -> usize {
        self.connection
    }
}

impl Drop for TrackedCall {
    fn drop(&mut self) {
        // SAFETY: it is not used any more.
        within("tracker free", || unsafe { steer_call_tracker_free(self.tracker) });
    }
}

/// A call's header, during a pick.
unsafe extern "C" fn header(ctx: *mut c_void, _name: steer_str, value: *mut steer_str) -> i32 {
    // SAFETY: ctx is the slice of `HeldPicker::pick`.
    let header = unsafe { *ctx.cast::<&[u8]>() };
    // SAFETY: the engine gives a place for it.
    unsafe { value.write(text(header)) };
    1
}

impl HeldPicker {
    /// Picks for a call whose headers all have this value.
    pub fn pick(&self, value: &[u8], request_hash: u64) -> Picked {
        let mut value = value;
        // SAFETY: a struct for C, of which all zeros are NULLs and numbers.
        let mut call: steer_call = unsafe { std::mem::zeroed() };
        call.struct_size = size_of::<steer_call>();
        call.path = text(b"/service/method");
        call.ctx = (&raw mut value).cast();
        call.header = Some(header);
        call.request_hash = request_hash;
        call.has_request_hash = 1;
        // SAFETY: both are alive.
        let picked = within("pick", || unsafe { steer_picker_pick(self.picker, &call) });
        let alive = |connection: usize| {
            self.shared.with(|account| {
                assert!(account.connections.contains(&connection), "a pick's connection is gone");
            });
        };
        match picked.kind {
            0 => {
                alive(picked.value.addr());
                Picked::Sent(picked.value.addr())
            }
            1 => Picked::Other,
            2 | 3 => {
                // SAFETY: the kinds FAIL and DROP come with one.
                let failure = unsafe { picked.value.cast::<steer_pick_failure>().read() };
                assert!((1..=16).contains(&failure.code), "code {}", failure.code);
                read(failure.message);
                Picked::Other
            }
            4 => {
                let tracker = picked.value.cast();
                // SAFETY: it is alive.
                let connection = unsafe { steer_call_tracker_connection(tracker) }.addr();
                let call = TrackedCall { tracker, connection };
                alive(connection);
                Picked::Tracked(call)
            }
            kind => panic!("a pick of kind {kind}"),
        }
    }
}

/// A policy and its host. Dropping it frees the policy and checks that everything has come back, but for what pickers
/// and calls hold that are still there.
pub struct Channel {
    policy: *mut steer_policy,
    shared: Arc<Shared>,
    name: &'static str,
}

// SAFETY: what is serialised is the caller's to serialise, on whichever thread.
unsafe impl Send for Channel {}

/// What the callback of this name does.
fn account<R>(callback: &str, ctx: *mut c_void, body: impl FnOnce(&mut Account) -> R) -> R {
    // SAFETY: ctx is the reference that `Channel::new` gave to the table, until ctx_free.
    let shared = unsafe { &*ctx.cast::<Shared>() };
    shared.1.came(callback);
    shared.with(|account| {
        assert!(!account.context_freed, "a callback came after ctx_free");
        body(account)
    })
}

unsafe extern "C" fn ctx_free(ctx: *mut c_void) {
    // SAFETY: as for `account`; this is the end of it.
    let shared = unsafe { Arc::from_raw(ctx.cast::<Shared>()) };
    callbacks::came("ctx_free");
    shared.with(|account| {
        assert!(!account.context_freed, "ctx was freed twice");
        assert!(account.policy_freed && account.picker.is_none());
        assert!(account.endpoints.is_empty(), "endpoints were not freed");
        assert!(account.connections.is_empty(), "connections were not given back");
        account.context_freed = true;
    });
}

unsafe extern "C" fn endpoint_new(
    ctx: *mut c_void,
    endpoint: u64,
    index: u32,
    handle: *mut *mut c_void,
) -> i32 {
    account("endpoint_new", ctx, |account| {
        let address = account.list[index as usize];
        // gRPC cannot make a subchannel for every address.
        if address % 16 == 15 {
            return STEER_ENDPOINT_REFUSED as i32;
        }
        let number = account.number();
        assert!(account.numbers.last().is_none_or(|last| *last < endpoint), "a number came again");
        account.alive.insert(endpoint);
        account.endpoints.insert(number, endpoint);
        account.numbers.push(endpoint);
        // SAFETY: the engine gives a place for it.
        unsafe { handle.write(ptr::without_provenance_mut(number)) };
        STEER_OK as i32
    })
}

unsafe extern "C" fn endpoint_connect(ctx: *mut c_void, handle: *mut c_void) {
    account("endpoint_connect", ctx, |account| account.is_alive(handle));
}

unsafe extern "C" fn endpoint_reset_backoff(ctx: *mut c_void, handle: *mut c_void) {
    account("endpoint_reset_backoff", ctx, |account| account.is_alive(handle));
}

unsafe extern "C" fn endpoint_free(ctx: *mut c_void, handle: *mut c_void) {
    account("endpoint_free", ctx, |account| {
        let number = account.endpoints.remove(&handle.addr()).expect("an endpoint was freed twice");
        account.alive.remove(&number);
    });
}

unsafe extern "C" fn connection_free(ctx: *mut c_void, connection: *mut c_void) {
    account("connection_free", ctx, |account| {
        assert!(account.connections.remove(&connection.addr()), "a connection was freed twice");
    });
}

unsafe extern "C" fn update_state(
    ctx: *mut c_void,
    state: i32,
    code: i32,
    message: steer_str,
    picker: *mut steer_picker,
) {
    assert!((0..=3).contains(&state) && (state == 3) == (code != 0), "state {state}, code {code}");
    read(message);
    // SAFETY: as for `account`, and another reference for the picker.
    unsafe { Arc::increment_strong_count(ctx.cast::<Shared>()) };
    // SAFETY: the reference that was just made.
    let shared = unsafe { Arc::from_raw(ctx.cast::<Shared>()) };
    let picker = Arc::new(HeldPicker { picker, shared });
    let former = account("update_state", ctx, |account| {
        account.state = state;
        account.picker.replace(picker)
    });
    drop(former);
}

unsafe extern "C" fn request_reresolution(ctx: *mut c_void) {
    account("request_reresolution", ctx, |_| ());
}

unsafe extern "C" fn run_later(ctx: *mut c_void) {
    account("run_later", ctx, |account| account.later += 1);
}

unsafe extern "C" fn timer_start(ctx: *mut c_void, timer: u64, after_ns: u64) {
    account("timer_start", ctx, |account| {
        let due = account.now.saturating_add(Duration::from_nanos(after_ns));
        assert!(account.timers.insert(timer, due).is_none(), "a timer's number was used twice");
    });
}

unsafe extern "C" fn timer_cancel(ctx: *mut c_void, timer: u64) {
    account("timer_cancel", ctx, |account| account.timers.remove(&timer));
}

unsafe extern "C" fn now(ctx: *mut c_void) -> u64 {
    account("now", ctx, |account| account.now.as_nanos() as u64)
}

unsafe extern "C" fn random(ctx: *mut c_void) -> u64 {
    account("random", ctx, |account| {
        // Weyl's sequence: anything that is not always the same.
        account.random = account.random.wrapping_add(0x9e37_79b9_7f4a_7c15);
        account.random
    })
}

unsafe extern "C" fn log(_: *mut c_void, _: i32, message: steer_str) {
    read(message);
}

impl Channel {
    /// A policy of this name, without an update yet.
    pub fn new(name: &'static str) -> Channel {
        let shared = Arc::new(Shared::default());
        // SAFETY: a struct for C, of which all zeros are NULLs and numbers.
        let mut table: steer_host = unsafe { std::mem::zeroed() };
        table.struct_size = size_of::<steer_host>();
        table.ctx = Arc::into_raw(Arc::clone(&shared)).cast_mut().cast();
        table.ctx_free = Some(ctx_free);
        table.endpoint_new = Some(endpoint_new);
        table.endpoint_connect = Some(endpoint_connect);
        table.endpoint_reset_backoff = Some(endpoint_reset_backoff);
        table.endpoint_free = Some(endpoint_free);
        table.connection_free = Some(connection_free);
        table.update_state = Some(update_state);
        table.request_reresolution = Some(request_reresolution);
        table.run_later = Some(run_later);
        table.timer_start = Some(timer_start);
        table.timer_cancel = Some(timer_cancel);
        table.now = Some(now);
        table.random = Some(random);
        table.log = Some(log);
        let mut policy = ptr::null_mut();
        // SAFETY: all arguments are alive.
        let status = within("new", || unsafe {
            steer_policy_new(text(name.as_bytes()), &table, &mut policy)
        });
        assert_eq!(status, STEER_OK);
        Channel { policy, shared, name }
    }

    /// What consistent hashing is to hash of the first endpoint, in updates from now on.
    pub fn set_hash_key(&self, key: &[u8]) {
        self.shared.with(|account| account.hash_key = key.to_vec());
    }

    /// An update with an endpoint for each number, and a config, which may be no config.
    pub fn update(&self, list: &[u8], config: &[u8]) {
        let config = crate::parse(self.name, config);
        let key = self.shared.with(|account| account.hash_key.clone());
        let addresses: Vec<String> =
            list.iter().map(|number| format!("ipv4:10.0.0.{}:80", number % 32)).collect();
        let addresses: Vec<steer_str> =
            addresses.iter().map(|address| text(address.as_bytes())).collect();
        let endpoint = |(place, address): (usize, &steer_str)| {
            // SAFETY: a struct for C, of which all zeros are NULLs and numbers.
            let mut endpoint: steer_endpoint = unsafe { std::mem::zeroed() };
            endpoint.struct_size = size_of::<steer_endpoint>();
            endpoint.addresses = address;
            endpoint.address_count = 1;
            // The same address may come with other attributes.
            endpoint.weight = u32::from(list[place] / 32);
            endpoint.hash_key = text(if place == 0 { &key } else { b"" });
            endpoint
        };
        let endpoints: Vec<steer_endpoint> = addresses.iter().enumerate().map(endpoint).collect();
        self.hand_in(&endpoints, list, config.unwrap_or(ptr::null_mut()), 0);
        if let Some(config) = config {
            // SAFETY: updates copy what they need.
            unsafe { steer_config_free(config) };
        }
    }

    /// The resolver failed, with this code.
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
        // SAFETY: a struct for C, of which all zeros are NULLs and numbers.
        let mut update: steer_update = unsafe { std::mem::zeroed() };
        update.struct_size = size_of::<steer_update>();
        update.config = config;
        update.endpoints = endpoints.as_ptr();
        update.endpoint_count = endpoints.len();
        update.code = code;
        update.message = text(b"no answer");
        update.resolution_note = text(b"a note");
        let former = self.shared.with(|account| {
            let former = account.list.clone();
            // The engine may name the places of this list from here on.
            if code == 0 {
                account.list = list.to_vec();
            }
            former
        });
        let (mut verdict, mut message) = (-1, ptr::null_mut());
        // SAFETY: all arguments are alive.
        let status = self.shared.1.within("event", || unsafe {
            steer_policy_update(self.policy, &update, &mut verdict, &mut message)
        });
        take(message);
        match status {
            STEER_OK => {}
            // A text that is not UTF-8: nothing was done.
            STEER_INVALID_ARGUMENT => self.shared.with(|account| account.list = former),
            other => panic!("steer_policy_update: {other:?}"),
        }
    }

    /// How many endpoints there ever were.
    pub fn endpoints(&self) -> usize {
        self.shared.with(|account| account.numbers.len())
    }

    /// Reports a state, or no state at all, of the endpoint that was made at this place.
    pub fn report(&self, place: usize, state: i32) {
        if let Some(number) = self.shared.with(|account| account.numbers.get(place).copied()) {
            self.report_of(number, state);
        }
    }

    fn report_of(&self, number: u64, state: i32) {
        let connection = match state {
            2 => self.shared.with(|account| {
                let connection = account.number();
                account.connections.insert(connection);
                connection
            }),
            _ => 0,
        };
        let report = steer_endpoint_report {
            struct_size: size_of::<steer_endpoint_report>(),
            state,
            code: 14,
            message: text(b"refused"),
            connection: ptr::without_provenance_mut(connection),
        };
        // SAFETY: both are alive, and the connection is the engine's from now on.
        let report = || unsafe { steer_policy_endpoint_report(self.policy, number, &report) };
        let status = self.shared.1.within("event", report);
        let alive = self.shared.with(|account| account.alive.contains(&number));
        match status {
            STEER_OK => assert!((0..=3).contains(&state) && alive),
            STEER_UNKNOWN_ENDPOINT => assert!(!alive),
            STEER_INVALID_ARGUMENT => assert!(!(0..=3).contains(&state)),
            other => panic!("steer_policy_endpoint_report: {other:?}"),
        }
    }

    /// Reports READY of all endpoints that there are.
    pub fn make_ready(&self) {
        for number in self.shared.with(|account| account.alive.clone()) {
            self.report_of(number, 2);
        }
    }

    /// Reports a load of all endpoints that there are.
    pub fn load_reports(&self, of: &Metrics) {
        // SAFETY: a struct for C, of which all zeros are NULLs and numbers.
        let mut metrics: steer_metrics = unsafe { std::mem::zeroed() };
        metrics.struct_size = size_of::<steer_metrics>();
        metrics.cpu_utilization = of.cpu_utilization;
        metrics.mem_utilization = of.mem_utilization;
        metrics.application_utilization = of.application_utilization;
        metrics.qps = of.qps();
        metrics.eps = of.eps;
        for number in self.shared.with(|account| account.alive.clone()) {
            // SAFETY: both are alive.
            let report = || unsafe { steer_policy_endpoint_load(self.policy, number, &metrics) };
            let status = self.shared.1.within("event", report);
            assert!(matches!(status, STEER_OK | STEER_UNKNOWN_ENDPOINT), "{status:?}");
        }
    }

    /// Time passes.
    pub fn pass(&self, time: Duration) {
        self.shared.with(|account| account.now = account.now.saturating_add(time));
    }

    /// Lets all timers run out that are due.
    pub fn run_timers(&self) {
        let due: Vec<u64> = self.shared.with(|account| {
            let due = account.timers.iter().filter(|(_, due)| **due <= account.now);
            due.map(|(timer, _)| *timer).collect()
        });
        for timer in due {
            self.shared.with(|account| account.timers.remove(&timer));
            self.timer(timer);
        }
    }

    /// A timer runs out, or one that never was.
    pub fn timer(&self, timer: u64) {
        // SAFETY: it is alive.
        let call = || unsafe { steer_policy_timer(self.policy, timer) };
        assert_eq!(self.shared.1.within("event", call), STEER_OK);
    }

    /// What was asked for by `run_later`.
    pub fn run_later(&self) {
        for _ in 0..self.shared.with(|account| std::mem::take(&mut account.later)).min(4) {
            // SAFETY: it is alive.
            let call = || unsafe { steer_policy_run(self.policy) };
            assert_eq!(self.shared.1.within("event", call), STEER_OK);
        }
    }

    /// See `steer_policy_exit_idle`.
    pub fn exit_idle(&self) {
        // SAFETY: it is alive.
        let call = || unsafe { steer_policy_exit_idle(self.policy) };
        assert_eq!(self.shared.1.within("event", call), STEER_OK);
    }

    /// See `steer_policy_reset_backoff`.
    pub fn reset_backoff(&self) {
        // SAFETY: it is alive.
        let call = || unsafe { steer_policy_reset_backoff(self.policy) };
        assert_eq!(self.shared.1.within("event", call), STEER_OK);
    }

    /// The latest picker. Any thread.
    pub fn picker(&self) -> Option<Arc<HeldPicker>> {
        self.shared.with(|account| account.picker.clone())
    }

    /// What gives the latest picker, on any thread, for as long as the channel is there.
    pub fn pickers(&self) -> impl Fn() -> Option<Arc<HeldPicker>> + Send + Clone + 'static {
        let shared = Arc::clone(&self.shared);
        move || shared.with(|account| account.picker.clone())
    }

    /// Whether the engine has taken a list with endpoints in it.
    pub fn has_list(&self) -> bool {
        self.shared.with(|account| !account.list.is_empty())
    }

    /// Nothing has panicked inside.
    pub fn check(&self) {
        let mut faults = 0;
        // SAFETY: both are alive.
        assert_eq!(unsafe { steer_policy_faults(self.policy, &mut faults) }, STEER_OK);
        assert_eq!(faults, 0, "{} panicked", self.name);
    }
}

impl Drop for Channel {
    fn drop(&mut self) {
        // From here on, the engine may only take back what it has.
        self.shared.with(|account| account.policy_freed = true);
        // SAFETY: it is not used any more.
        self.shared.1.within("free", || unsafe { steer_policy_free(self.policy) });
        let picker = self.shared.with(|account| {
            assert!(account.endpoints.is_empty(), "endpoints were not freed with their policy");
            account.picker.take()
        });
        drop(picker);
    }
}
