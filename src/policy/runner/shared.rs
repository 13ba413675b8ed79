//! The state that a runner shares with its pickers: the host, the statistics, and the faults.
//!
//! Must not depend on: the policy that runs, the C ABI.

use std::sync::{Arc, Weak};
use std::time::Duration;

use super::guarded_picker::PickerOwner;
use super::host::Host;
use crate::Severity;
use crate::calls::CallContext;
use crate::fault::{Panic, describe, discard};
#[cfg(doc)]
use crate::policy::Helper;
use crate::policy::on_fault::FaultBudget;
use crate::policy::{FallbackMode, OnFault, PolicyFactory, TimerId};
use crate::stats::{Clock, Plugin, Registration};
use crate::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use crate::sync::{LogLimit, Mutex, Wake};

/// The state that a runner shares with the pickers of its policy, and with the calls that they
/// track. Used on any thread.
pub(super) struct Shared {
    pub(super) name: String,
    pub(super) host: Box<dyn Host>,
    pub(super) record: Registration,
    /// True from the first event to shutdown. At other times the channel must not be called: gRPC
    /// forbids that while it makes a policy.
    open: AtomicBool,
    /// Whether a picker was published.
    pub(super) published: AtomicBool,
    /// Whether a policy takes over from another one, and has published nothing but CONNECTING yet.
    pub(super) taking_over: AtomicBool,
    /// The number of policies, and of releases of one, that came before the one in use. A fault of
    /// an earlier generation says nothing about the policy in use.
    generation: AtomicU64,
    /// Set by a picker that failed, until the policy is replaced.
    picker_fault: AtomicBool,
    fault_state: Mutex<FaultState>,
    /// Set by [`Helper::wake`], until the policy is told.
    pub(super) woken: Wake,
    fault_log: LogLimit,
    next_timer: AtomicU64,
    /// The timers that a policy started before its first event. `None` once shut down.
    early_timers: Mutex<Option<Vec<(TimerId, Duration)>>>,
}

/// How faults of the policy in use are handled, and what faults it had.
#[derive(Default)]
struct FaultState {
    on_fault: OnFault,
    /// The plugin that the policy comes from.
    plugin: Option<Plugin>,
    budget: FaultBudget,
    /// The fault that led to the fallback, or is about to.
    reason: String,
}

/// What replaces a policy that failed, and why.
pub(super) struct FallbackReason {
    pub(super) mode: FallbackMode,
    pub(super) reason: String,
}

impl Shared {
    pub(super) fn new(factory: &dyn PolicyFactory, host: Box<dyn Host>) -> Arc<Shared> {
        let shared = Arc::new_cyclic(|shared: &Weak<Shared>| Shared {
            name: factory.name().to_owned(),
            record: host.register(factory.name(), shared.clone()),
            host,
            open: AtomicBool::new(false),
            published: AtomicBool::new(false),
            taking_over: AtomicBool::new(false),
            generation: AtomicU64::new(0),
            picker_fault: AtomicBool::new(false),
            fault_state: Mutex::default(),
            woken: Wake::new(),
            fault_log: LogLimit::new(),
            next_timer: AtomicU64::new(1),
            early_timers: Mutex::new(Some(Vec::new())),
        });
        shared.set_factory(factory);
        shared
    }

    pub(super) fn is_open(&self) -> bool {
        // Relaxed: set and read in the host's work serializer.
        self.open.load(Ordering::Relaxed)
    }

    /// The first event has come: timers that were started before begin to run.
    pub(super) fn open(&self) {
        // Relaxed: as in `is_open`.
        self.open.store(true, Ordering::Relaxed);
        let early = self.early_timers.lock().replace(Vec::new()).unwrap_or_default();
        for (timer, after) in early {
            self.host.start_timer(timer, after);
        }
    }

    /// The policy shuts down.
    pub(super) fn close(&self) {
        // Relaxed: as in `is_open`.
        self.open.store(false, Ordering::Relaxed);
        *self.early_timers.lock() = None;
        self.record.leave();
    }

    /// A number that no timer has.
    pub(super) fn new_timer(&self) -> TimerId {
        // Relaxed: only uniqueness matters.
        TimerId(self.next_timer.fetch_add(1, Ordering::Relaxed))
    }

    pub(super) fn start_timer(&self, after: Duration) -> TimerId {
        let timer = self.new_timer();
        if self.start_numbered_timer(timer, after) { timer } else { TimerId::NONE }
    }

    /// Starts the timer with this number. Returns `false` once shut down.
    pub(super) fn start_numbered_timer(&self, timer: TimerId, after: Duration) -> bool {
        if self.is_open() {
            self.host.start_timer(timer, after);
            return true;
        }
        self.early_timers.lock().as_mut().map(|early| early.push((timer, after))).is_some()
    }

    pub(super) fn cancel_timer(&self, timer: TimerId) {
        if self.is_open() {
            self.host.cancel_timer(timer);
        } else if let Some(early) = self.early_timers.lock().as_mut() {
            early.retain(|(early, _)| *early != timer);
        }
    }

    /// Handles a fault in the work serializer. The caller replaces the policy with the fallback.
    pub(super) fn fault(&self, place: &str, panic: Panic) {
        let text = describe(place, &panic);
        discard(panic);
        let mode = {
            let mut fault_state = self.fault_state.lock();
            fault_state.reason.clone_from(&text);
            fault_state.on_fault.fallback
        };
        self.count_fault(&text, consequence(mode), true);
    }

    /// Handles a fault outside of the work serializer: see [`CallContext::data_plane_fault`]. A
    /// `lasting` fault would meet every call, so the policy never goes on with it.
    fn fault_on_any_thread(
        &self,
        place: &str,
        panic: Panic,
        generation: u64,
        lasting: bool,
    ) -> bool {
        let text = describe(place, &panic);
        discard(panic);
        if generation != self.generation() {
            self.count_fault(&text, "the policy was replaced before", false);
            return true;
        }
        let now = self.host.now();
        let mut fault_state = self.fault_state.lock();
        let on_fault = fault_state.on_fault;
        if !lasting && fault_state.budget.allows(on_fault, now) {
            drop(fault_state);
            self.count_fault(&text, "the policy goes on, as its author chose", false);
            return false;
        }
        // Relaxed: see `take_picker_fault`.
        let first = !self.picker_fault.swap(true, Ordering::Relaxed);
        if first {
            fault_state.reason.clone_from(&text);
        }
        drop(fault_state);
        self.count_fault(&text, consequence(on_fault.fallback), first);
        self.host.run_later()
    }

    /// The policies of this factory are in use from now on.
    pub(super) fn set_factory(&self, factory: &dyn PolicyFactory) {
        let plugin = factory.plugin();
        self.record.set_plugin(plugin.clone());
        let on_fault = factory.on_fault();
        *self.fault_state.lock() = FaultState { on_fault, plugin, ..FaultState::default() };
    }

    /// What the last fault leads to, and why.
    pub(super) fn fallback_reason(&self) -> FallbackReason {
        let fault_state = self.fault_state.lock();
        let reason = fault_state.reason.clone();
        FallbackReason { mode: fault_state.on_fault.fallback, reason }
    }

    /// The name of the policy and where it comes from, for log lines.
    pub(super) fn title(&self) -> String {
        match &self.fault_state.lock().plugin {
            Some(plugin) => format!("{} ({plugin})", self.name),
            None => self.name.clone(),
        }
    }

    pub(super) fn begin_generation(&self) {
        // Relaxed: a fault that comes at the same time may count for either generation.
        self.generation.fetch_add(1, Ordering::Relaxed);
    }

    /// Whether a picker has failed since this was asked last.
    pub(super) fn take_picker_fault(&self) -> bool {
        // Relaxed: `run_later` and the work serializer order this after the fault.
        self.picker_fault.load(Ordering::Relaxed)
            && self.picker_fault.swap(false, Ordering::Relaxed)
    }

    /// Counts a fault and logs it: at most once a second, unless it is `grave`.
    fn count_fault(&self, text: &str, consequence: &str, grave: bool) {
        let faults = self.record.fault();
        if self.fault_log.is_due(self.host.now()) || grave {
            let unit = if faults == 1 { "fault" } else { "faults" };
            let title = self.title();
            let text = format!("{title}: {text} ({faults} {unit} so far); {consequence}");
            self.host.log(Severity::Error, &text);
        }
    }
}

impl Clock for Shared {
    fn now(&self) -> Duration {
        self.host.now()
    }
}

impl CallContext for Shared {
    fn has_engine_clock(&self) -> bool {
        self.host.has_engine_sources()
    }

    fn data_plane_fault(&self, place: &str, panic: Panic, generation: u64) -> bool {
        self.fault_on_any_thread(place, panic, generation, false)
    }
}

impl PickerOwner for Shared {
    fn name(&self) -> &str {
        &self.name
    }

    fn generation(&self) -> u64 {
        // Relaxed: as in `begin_generation`.
        self.generation.load(Ordering::Relaxed)
    }

    fn lasting_fault(&self, place: &str, panic: Panic, generation: u64) {
        self.fault_on_any_thread(place, panic, generation, true);
    }

    fn as_context(self: Arc<Self>) -> Arc<dyn CallContext> {
        self
    }
}

/// What happens to a policy that failed, for log lines.
fn consequence(mode: FallbackMode) -> &'static str {
    match mode {
        FallbackMode::RoundRobin => {
            "round robin replaces the policy until it gets another config, a new list after a \
             pause, or a new release"
        }
        FallbackMode::Failing => {
            "all calls fail, as its author chose, until the policy gets another config, a new \
             list after a pause, or a new release"
        }
    }
}
