//! Runs one policy for a host: one event at a time, and panics contained.
//!
//! A host may report from within a callback (a child policy of gRPC's reports CONNECTING while it
//! is asked to connect). Such an event waits until the one that led to it is done, so that a
//! policy never sees itself half-way through.
//!
//! A policy or picker that panics, or says itself that it is broken, is counted, named in the log at
//! most once a second, and replaced over the same endpoints by its stand-in ([`OnFault`]): round
//! robin, unless its author chose otherwise. Calls wait for the new picker instead of failing. The
//! policy is made anew with another config, with a list that comes a while later ([`PAUSE`]), or
//! by a later factory of the same name, which takes over from a policy that is not broken, too.
//! Until the new policy has something better to say than CONNECTING, the picker of the old one
//! stays.
//!
//! Must not know: the C ABI, any policy but the one it falls back to.

use std::any::Any;
use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Weak};
use std::time::{Duration, SystemTime};

use super::leaf::{BuiltIn, LeafPolicy};
use super::on_fault::{FailingPickers, PAUSE, Spent};
use super::round_robin::NoFields;
use super::{
    Call, Config, FailPicker, Helper, Metrics, OnFault, Pick, Picker, Policy, PolicyFactory,
    RoundRobin, Severity, StandIn, TimerId, Turns, Update, Wants,
};
use crate::Status;
use crate::endpoints::{Connectivity, Endpoint, EndpointDescriptor, EndpointId, Report};
use crate::stats::{Clock, Describe, EndpointLease, Fallback, Plugin, Record};
use crate::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use crate::sync::{Handle, LogLimit, Mutex, Wake};

/// What a runner asks of the host: [`Helper`] with the engine's numbers, and one thing more.
pub trait Host: Send + Sync {
    /// See [`Helper::create_endpoint`]. The host reports this endpoint's states under the lease's number, and the
    /// endpoint keeps the lease.
    fn create_endpoint(
        &self,
        lease: EndpointLease,
        descriptor: &Arc<EndpointDescriptor>,
    ) -> Result<Box<dyn Endpoint>, Status>;

    /// See [`Helper::update_state`].
    fn update_state(&self, state: Connectivity, status: &Status, picker: GuardedPicker);

    /// See [`Helper::request_reresolution`].
    fn request_reresolution(&self);

    /// See [`Helper::request_load_reports`].
    fn request_load_reports(&self, period: Option<Duration>);

    /// See [`Helper::made_with`].
    fn made_with(&self) -> Option<u64> {
        None
    }

    /// Asks for a call of [`Runner::run`], soon, from where the host makes its other calls. Comes
    /// on any thread, also from within a pick. `false`: this host cannot do that.
    fn run_later(&self) -> bool;

    /// Asks for a call of [`Runner::timer`] with this number after this time.
    fn start_timer(&self, timer: TimerId, after: Duration);

    /// Takes that back.
    fn cancel_timer(&self, timer: TimerId);

    /// See [`Helper::now`].
    fn now(&self) -> Duration;

    /// See [`Helper::random`].
    fn random(&self) -> u64;

    /// See [`Helper::log`].
    fn log(&self, severity: Severity, message: &str);
}

/// What a policy's pickers, and the calls that they track, share with its runner.
pub(super) struct Shared {
    name: String,
    host: Box<dyn Host>,
    /// What statistics see of it.
    record: Arc<Record>,
    /// From the first event to shutdown. Before and after, the host's channel is not to be bothered:
    /// gRPC forbids it while it makes a policy.
    open: AtomicBool,
    /// Something was published.
    published: AtomicBool,
    /// A policy takes over from another one, and has said nothing but CONNECTING yet.
    taking_over: AtomicBool,
    /// Counts the policies, and the releases of one, that have come after the first. What breaks later
    /// than it was replaced says nothing of what has replaced it.
    generation: AtomicU64,
    /// Set by a picker that is broken, until the policy is replaced.
    picker_fault: AtomicBool,
    blame: Mutex<Blame>,
    /// Set by [`Helper::wake`], until the policy hears of it.
    woken: Wake,
    fault_log: LogLimit,
    next_timer: AtomicU64,
    /// Timers that a policy has started before its first event. None once shut down.
    early_timers: Mutex<Option<Vec<(TimerId, Duration)>>>,
}

/// Who answers for faults, and how many there were of late.
#[derive(Default)]
struct Blame {
    on_fault: OnFault,
    /// Where the policy comes from.
    plugin: Option<Plugin>,
    spent: Spent,
    /// What brought the stand-in, or is about to.
    why: String,
}

impl Clock for Shared {
    fn now(&self) -> Duration {
        self.host.now()
    }
}

impl Shared {
    fn is_open(&self) -> bool {
        // Relaxed: set and read where the host serialises its calls.
        self.open.load(Ordering::Relaxed)
    }

    pub(super) fn now(&self) -> Duration {
        self.host.now()
    }

    /// A fault of what the host serialises: the stand-in is to take the policy's place.
    fn fault(&self, place: &str, panic: Panic) {
        let text = describe(place, &panic);
        discard(panic);
        let stand_in = {
            let mut blame = self.blame.lock();
            blame.why.clone_from(&text);
            blame.on_fault.stand_in
        };
        self.count_fault(&text, consequence(stand_in), true);
    }

    /// A fault of what runs outside of the host's serialised calls, and is of this generation.
    /// `true`: the policy is replaced soon, unless it has been. `false`: it goes on, as its author
    /// chose, or for a host that cannot do that.
    pub(super) fn data_plane_fault(&self, place: &str, panic: Panic, generation: u64) -> bool {
        self.lasting_fault(place, panic, generation, false)
    }

    /// The same. What is `lasting` is broken for each call, so that there is no going on with it.
    fn lasting_fault(&self, place: &str, panic: Panic, generation: u64, lasting: bool) -> bool {
        let text = describe(place, &panic);
        discard(panic);
        if generation != self.generation() {
            self.count_fault(&text, "it was replaced before", false);
            return true;
        }
        let now = self.host.now();
        let mut blame = self.blame.lock();
        let on_fault = blame.on_fault;
        if !lasting && blame.spent.allows(on_fault, now) {
            drop(blame);
            self.count_fault(&text, "the policy goes on, as its author chose", false);
            return false;
        }
        // Relaxed: see `take_picker_fault`.
        let first = !self.picker_fault.swap(true, Ordering::Relaxed);
        if first {
            blame.why.clone_from(&text);
        }
        drop(blame);
        self.count_fault(&text, consequence(on_fault.stand_in), first);
        self.host.run_later()
    }

    /// From now on, faults are of policies of this factory.
    fn made_by(&self, factory: &dyn PolicyFactory) {
        let plugin = factory.plugin();
        self.record.made_by(plugin.clone());
        let on_fault = factory.on_fault();
        *self.blame.lock() = Blame { on_fault, plugin, ..Blame::default() };
    }

    /// The policy's name, and where it comes from: for people.
    fn title(&self) -> String {
        match &self.blame.lock().plugin {
            Some(plugin) => format!("{} ({plugin})", self.name),
            None => self.name.clone(),
        }
    }

    fn generation(&self) -> u64 {
        // Relaxed: a fault that comes at the same time may count as either's.
        self.generation.load(Ordering::Relaxed)
    }

    fn begin_generation(&self) {
        // Relaxed: as above.
        self.generation.fetch_add(1, Ordering::Relaxed);
    }

    fn take_picker_fault(&self) -> bool {
        // Relaxed: run_later and the host's serialising order this after the fault.
        self.picker_fault.load(Ordering::Relaxed)
            && self.picker_fault.swap(false, Ordering::Relaxed)
    }

    /// Counts a fault and names it in the log: at most once a second, unless it is `grave`.
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

/// What becomes of a policy that broke, for people.
fn consequence(stand_in: StandIn) -> &'static str {
    match stand_in {
        StandIn::RoundRobin => {
            "the policy goes on as round robin, until it has another config, a new list after a \
             pause, or a new release"
        }
        StandIn::Failing => {
            "all calls fail, as its author chose, until the policy has another config, a new list \
             after a pause, or a new release"
        }
    }
}

type Panic = Box<dyn Any + Send>;

/// Drops a panic's payload, whose destructor may panic too.
pub fn discard(panic: Panic) {
    if let Err(again) = catch_unwind(AssertUnwindSafe(|| drop(panic))) {
        std::mem::forget(again);
    }
}

/// What [`raise`] raises.
struct Raised {
    place: &'static str,
    text: String,
}

/// Ends the call of a policy as a panic does, for one that found out itself that it is broken:
/// `place` is the author's word for what failed, and `text` says how.
pub fn raise(place: &'static str, text: impl Into<String>) -> ! {
    // Not panic!: that would tell the whole process.
    std::panic::resume_unwind(Box::new(Raised { place, text: text.into() }))
}

/// What failed, and how. `place` is the engine's word for it.
fn describe(place: &str, panic: &Panic) -> String {
    if let Some(Raised { place, text }) = panic.downcast_ref() {
        return format!("{place} failed: {text}");
    }
    let text = panic
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    format!("{place} panicked: {}", text.unwrap_or("(no text)"))
}

/// The helper of the outermost policy.
struct RunnerHelper(Arc<Shared>);

impl Helper for RunnerHelper {
    fn create_endpoint(
        &self,
        descriptor: &Arc<EndpointDescriptor>,
    ) -> Result<Box<dyn Endpoint>, Status> {
        if !self.0.is_open() {
            return Err(Status::unavailable("the policy has no update yet, or was shut down"));
        }
        let lease = self.0.record.enter_endpoint(descriptor)?;
        self.0.host.create_endpoint(lease, descriptor)
    }

    fn update_state(&self, state: Connectivity, status: &Status, picker: Box<dyn Picker>) {
        if !self.0.is_open() {
            return;
        }
        // Relaxed: as in `is_open`.
        if self.0.taking_over.load(Ordering::Relaxed) {
            if state == Connectivity::Connecting {
                return;
            }
            self.0.taking_over.store(false, Ordering::Relaxed);
        }
        self.0.published.store(true, Ordering::Relaxed);
        self.0.record.published(state, status);
        let picker = GuardedPicker::new(picker, Arc::clone(&self.0));
        self.0.host.update_state(state, status, picker);
    }

    fn request_reresolution(&self) {
        if self.0.is_open() {
            self.0.host.request_reresolution();
        }
    }

    fn start_timer(&self, after: Duration) -> TimerId {
        // Relaxed: only uniqueness matters.
        let timer = TimerId(self.0.next_timer.fetch_add(1, Ordering::Relaxed));
        if self.0.is_open() {
            self.0.host.start_timer(timer, after);
            return timer;
        }
        match self.0.early_timers.lock().as_mut() {
            Some(early) => {
                early.push((timer, after));
                timer
            }
            None => TimerId::NONE,
        }
    }

    fn cancel_timer(&self, timer: TimerId) {
        if self.0.is_open() {
            self.0.host.cancel_timer(timer);
        } else if let Some(early) = self.0.early_timers.lock().as_mut() {
            early.retain(|(early, _)| *early != timer);
        }
    }

    fn described_by(&self, describe: Arc<dyn Describe>) {
        self.0.record.described_by(describe);
    }

    fn request_load_reports(&self, period: Option<Duration>) {
        if self.0.is_open() {
            self.0.host.request_load_reports(period);
        }
    }

    fn made_with(&self) -> Option<u64> {
        self.0.host.made_with()
    }

    fn wake(&self) -> bool {
        self.0.woken.wake(|| self.0.host.run_later())
    }

    fn now(&self) -> Duration {
        self.0.host.now()
    }

    fn random(&self) -> u64 {
        self.0.host.random()
    }

    fn log(&self, severity: Severity, message: &str) {
        self.0.host.log(severity, message);
    }
}

enum Event {
    Update(Update),
    Report(EndpointId, Report),
    ExitIdle,
    ResetBackoff,
    Timer(TimerId),
    LoadReport(EndpointId, Metrics),
    Run,
    Close,
}

/// What became of an event.
enum Done {
    Updated(Result<(), Status>),
    Reported(bool),
    Nothing,
}

struct State {
    /// None once shut down.
    policy: Option<Box<dyn Policy>>,
    /// An event has come.
    started: bool,
    last_update: Option<Update>,
    /// Whose policy it is, or was before its stand-in took its place.
    factory: Arc<dyn PolicyFactory>,
    /// The stand-in has taken the policy's place.
    broken: Option<Broken>,
}

/// When a policy broke, and with what.
struct Broken {
    /// By the host's clock.
    since: Duration,
    /// None before the first update.
    config: Option<Config>,
}

impl Broken {
    /// Why the policy is to be tried again with this update, if it is.
    fn ends_with(&mut self, update: &Update, now: Duration) -> Option<&'static str> {
        let config = self.config.get_or_insert_with(|| Arc::clone(&update.config));
        // A host passes on the very same config as long as it says the same.
        if !std::ptr::addr_eq(Arc::as_ptr(config), Arc::as_ptr(&update.config)) {
            return Some("another config");
        }
        let rested = now.saturating_sub(self.since) >= PAUSE;
        (rested && update.endpoints.is_ok()).then_some("a new list after a pause")
    }
}

/// One policy, run for one host.
pub struct Runner {
    shared: Arc<Shared>,
    /// Nobody waits for this lock. It is held while the policy and the host are called, as no
    /// [`Mutex`] may be.
    state: parking_lot::Mutex<State>,
    waiting: Mutex<VecDeque<Event>>,
}

impl Runner {
    /// Makes a policy of this factory's.
    pub fn new(factory: Arc<dyn PolicyFactory>, host: Box<dyn Host>) -> Runner {
        let shared = Arc::new_cyclic(|shared: &Weak<Shared>| Shared {
            name: factory.name().to_owned(),
            host,
            record: Record::enter(factory.name(), shared.clone()),
            open: AtomicBool::new(false),
            published: AtomicBool::new(false),
            taking_over: AtomicBool::new(false),
            generation: AtomicU64::new(0),
            picker_fault: AtomicBool::new(false),
            blame: Mutex::default(),
            woken: Wake::new(),
            fault_log: LogLimit::new(),
            next_timer: AtomicU64::new(1),
            early_timers: Mutex::new(Some(Vec::new())),
        });
        let state = State {
            policy: None,
            started: false,
            last_update: None,
            factory: Arc::clone(&factory),
            broken: None,
        };
        shared.made_by(&*factory);
        let runner =
            Runner { shared, state: parking_lot::Mutex::new(state), waiting: Mutex::default() };
        {
            let mut state = runner.state.lock();
            let helper = runner.helper();
            match catch_unwind(AssertUnwindSafe(|| factory.new_policy(helper))) {
                Ok(policy) => state.policy = Some(policy),
                Err(panic) => {
                    runner.shared.fault("making the policy", panic);
                    runner.fall_back(&mut state, None);
                }
            }
        }
        runner
    }

    /// The policy's name.
    pub fn name(&self) -> &str {
        &self.shared.name
    }

    /// See [`Policy::update`]. From within a callback of the host's: the update waits its turn and
    /// is accepted.
    pub fn update(&self, update: Update) -> Result<(), Status> {
        match self.submit(Event::Update(update)) {
            Some(Done::Updated(accepted)) => accepted,
            _ => Ok(()),
        }
    }

    /// See [`Policy::endpoint_report`]; `true` also when the report has to wait its turn.
    pub fn endpoint_report(&self, endpoint: EndpointId, report: Report) -> bool {
        match self.submit(Event::Report(endpoint, report)) {
            Some(Done::Reported(known)) => known,
            _ => true,
        }
    }

    /// See [`Policy::exit_idle`].
    pub fn exit_idle(&self) {
        self.submit(Event::ExitIdle);
    }

    /// See [`Policy::reset_backoff`].
    pub fn reset_backoff(&self) {
        self.submit(Event::ResetBackoff);
    }

    /// See [`Policy::timer`].
    pub fn timer(&self, timer: TimerId) {
        self.submit(Event::Timer(timer));
    }

    /// See [`Policy::load_report`]; `true` also when the report has to wait its turn.
    pub fn load_report(&self, endpoint: EndpointId, metrics: Metrics) -> bool {
        match self.submit(Event::LoadReport(endpoint, metrics)) {
            Some(Done::Reported(known)) => known,
            _ => true,
        }
    }

    /// What [`Host::run_later`] asked for.
    pub fn run(&self) {
        self.submit(Event::Run);
    }

    /// Shuts the policy down: drops its endpoints and leaves the host's channel alone. Pickers
    /// live on, and keep their connections.
    pub fn close(&self) {
        // At once, and not in its turn. Relaxed: as in `is_open`.
        self.shared.open.store(false, Ordering::Relaxed);
        *self.shared.early_timers.lock() = None;
        self.shared.record.leave();
        self.submit(Event::Close);
    }

    /// How many panics of the policy and its pickers were caught.
    pub fn faults(&self) -> u64 {
        self.shared.record.faults()
    }

    /// What is in the policy's place, if it broke.
    pub fn fallback(&self) -> Option<Fallback> {
        self.shared.record.fallback()
    }

    fn helper(&self) -> Arc<dyn Helper> {
        Arc::new(RunnerHelper(Arc::clone(&self.shared)))
    }

    /// Handles the event now, or, within another, queues it: then there is no answer.
    fn submit(&self, event: Event) -> Option<Done> {
        let mut answer = None;
        match self.state.try_lock() {
            Some(mut state) => {
                answer = Some(self.handle(&mut state, event));
                self.handle_waiting(&mut state);
            }
            None => self.waiting.lock().push_back(event),
        }
        // Whoever held the state may have looked at the queue just before the event came.
        while !self.waiting.lock().is_empty() {
            let Some(mut state) = self.state.try_lock() else {
                break;
            };
            self.handle_waiting(&mut state);
        }
        answer
    }

    fn handle_waiting(&self, state: &mut State) {
        loop {
            let Some(event) = self.waiting.lock().pop_front() else {
                return;
            };
            self.handle(state, event);
        }
    }

    fn handle(&self, state: &mut State, event: Event) -> Done {
        if state.policy.is_none() {
            return Done::Nothing;
        }
        if !state.started && !matches!(event, Event::Close) {
            state.started = true;
            self.shared.open.store(true, Ordering::Relaxed);
            let early = self.shared.early_timers.lock().replace(Vec::new()).unwrap_or_default();
            for (timer, after) in early {
                self.shared.host.start_timer(timer, after);
            }
        }
        // A picker was found to be broken: the policy must not make another one.
        if !matches!(event, Event::Close)
            && self.shared.take_picker_fault()
            && state.broken.is_none()
        {
            let config = state.last_update.as_ref().map(|update| Arc::clone(&update.config));
            // The host knows the endpoints of its latest list only.
            if let Event::Update(update) = &event {
                if update.endpoints.is_ok() {
                    state.last_update = Some(update.clone());
                }
            }
            self.fall_back(state, config);
        }
        let Some(policy) = state.policy.as_mut() else {
            return Done::Nothing;
        };
        let mut broke_with = state.last_update.as_ref().map(|update| Arc::clone(&update.config));
        let (place, done) = match event {
            Event::Update(mut update) => {
                self.shared.record.target(&update.target);
                let same = Arc::ptr_eq(&state.factory, &update.factory);
                if !same {
                    state.factory = Arc::clone(&update.factory);
                    self.shared.made_by(&*update.factory);
                    if state.broken.is_some() || !policy.adopts(&update.config) {
                        return Done::Updated(self.replace(state, update, "a new release"));
                    }
                    self.shared.begin_generation();
                }
                if let Some(broken) = state.broken.as_mut() {
                    if let Some(why) = broken.ends_with(&update, self.shared.now()) {
                        return Done::Updated(self.replace(state, update, why));
                    }
                    update.config = Arc::new(NoFields {});
                }
                broke_with = Some(Arc::clone(&update.config));
                let accepted = catch_unwind(AssertUnwindSafe(|| policy.update(&update)));
                // An error leaves the list that is in use, here too.
                if update.endpoints.is_ok() || state.last_update.is_none() {
                    state.last_update = Some(update);
                }
                ("update", accepted.map(Done::Updated))
            }
            Event::Report(endpoint, report) => {
                self.shared.record.reported(endpoint, report.state());
                let known =
                    catch_unwind(AssertUnwindSafe(|| policy.endpoint_report(endpoint, report)));
                ("endpoint_report", known.map(Done::Reported))
            }
            Event::ExitIdle => ("exit_idle", quietly(|| policy.exit_idle())),
            Event::ResetBackoff => ("reset_backoff", quietly(|| policy.reset_backoff())),
            Event::Timer(timer) => ("timer", quietly(|| policy.timer(timer))),
            Event::LoadReport(endpoint, metrics) => {
                let known =
                    catch_unwind(AssertUnwindSafe(|| policy.load_report(endpoint, &metrics)));
                ("load_report", known.map(Done::Reported))
            }
            Event::Run if self.shared.woken.take() => ("woken", quietly(|| policy.woken())),
            // What else it is for was done above.
            Event::Run => return Done::Nothing,
            Event::Close => {
                let policy = state.policy.take();
                state.last_update = None;
                ("shutdown", quietly(|| drop(policy)))
            }
        };
        done.unwrap_or_else(|panic| {
            self.shared.fault(place, panic);
            match self.fall_back(state, broke_with) {
                Some(accepted) => Done::Updated(accepted),
                None => Done::Nothing,
            }
        })
    }

    /// Puts the stand-in in the policy's place, which broke with this config, and gives it the last
    /// update. Returns what that led to, if there was an update.
    fn fall_back(&self, state: &mut State, config: Option<Config>) -> Option<Result<(), Status>> {
        if state.started && !self.shared.is_open() {
            state.policy = None;
            return None;
        }
        if state.broken.is_some() {
            return Some(Err(self.give_up(state)));
        }
        state.broken = Some(Broken { since: self.shared.now(), config });
        if let Some(update) = state.last_update.as_mut() {
            update.config = Arc::new(NoFields {});
        }
        let (stand_in, why) = {
            let blame = self.shared.blame.lock();
            (blame.on_fault.stand_in, blame.why.clone())
        };
        let failure = Status::internal(format!("{}: {why}", self.shared.title()));
        let fallback =
            Fallback { since: SystemTime::now(), reason: why, stand_in: stand_in.name() };
        let made = self.take_over(state, Some(fallback), |helper| match stand_in {
            StandIn::RoundRobin => {
                let pickers = RoundRobin::new(&*helper);
                Box::new(LeafPolicy::new(helper, pickers))
            }
            StandIn::Failing => Box::new(LeafPolicy::new(helper, FailingPickers(failure))),
        });
        made.unwrap_or_else(|panic| {
            self.shared.fault("the fallback's update", panic);
            Some(Err(self.give_up(state)))
        })
    }

    /// Puts a policy of `update`'s factory in the policy's place.
    fn replace(&self, state: &mut State, update: Update, why: &str) -> Result<(), Status> {
        // An error leaves the list that is in use.
        let answer = update.endpoints.as_ref().err().cloned();
        let config = Arc::clone(&update.config);
        match state.last_update.as_mut() {
            Some(last) if answer.is_some() => {
                last.config = update.config;
                last.factory = update.factory;
            }
            _ => state.last_update = Some(update),
        }
        if state.broken.take().is_some() {
            let title = self.shared.title();
            let text = format!("{title}: the policy that broke is tried again, with {why}");
            self.shared.host.log(Severity::Info, &text);
        }
        let factory = Arc::clone(&state.factory);
        let accepted = match self.take_over(state, None, |helper| factory.new_policy(helper)) {
            Ok(accepted) => accepted,
            Err(panic) => {
                self.shared.fault("making the policy anew", panic);
                self.fall_back(state, Some(config))
            }
        };
        answer.map_or(accepted.unwrap_or(Ok(())), Err)
    }

    /// Gives the last update to another policy and puts that in the policy's place. Returns what the
    /// update led to, if there was one.
    fn take_over(
        &self,
        state: &mut State,
        fallback: Option<Fallback>,
        make: impl FnOnce(Arc<dyn Helper>) -> Box<dyn Policy>,
    ) -> Result<Option<Result<(), Status>>, Panic> {
        // Relaxed: as in `is_open`.
        let published = self.shared.published.load(Ordering::Relaxed);
        self.shared.taking_over.store(published, Ordering::Relaxed);
        self.shared.begin_generation();
        self.shared.record.taken_over(fallback);
        let update = state.last_update.as_ref();
        let (policy, accepted) = catch_unwind(AssertUnwindSafe(|| {
            let mut policy = make(self.helper());
            let accepted = update.map(|update| policy.update(update));
            (policy, accepted)
        }))?;
        // The old one goes last, so that the connections both have are never without an owner and
        // stay open.
        let old = state.policy.replace(policy);
        if let Err(panic) = quietly(|| drop(old)) {
            self.shared.fault("shutdown", panic);
        }
        Ok(accepted)
    }

    /// Even round robin panics: what is left is to say so to every call.
    fn give_up(&self, state: &mut State) -> Status {
        let status =
            Status::internal(format!("{}: the policy and its fallback panicked", self.name()));
        if let Err(panic) = quietly(|| drop(state.policy.take())) {
            self.shared.fault("shutdown", panic);
        }
        let picker = Box::new(FailPicker(status.clone()));
        RunnerHelper(Arc::clone(&self.shared)).update_state(
            Connectivity::TransientFailure,
            &status,
            picker,
        );
        status
    }
}

impl Drop for Runner {
    fn drop(&mut self) {
        self.close();
    }
}

fn quietly(what: impl FnOnce()) -> Result<Done, Box<dyn Any + Send>> {
    catch_unwind(AssertUnwindSafe(what)).map(|()| Done::Nothing)
}

/// A policy's picker, as hosts get it: panics contained, codes of gRFC A54 mapped.
pub struct GuardedPicker {
    /// In place of `picker`, when it says so: this part cannot panic.
    turns: Option<Turns>,
    poisoned: AtomicBool,
    generation: u64,
    wants: Wants,
    picker: Box<dyn Picker>,
    shared: Arc<Shared>,
}

impl GuardedPicker {
    fn new(picker: Box<dyn Picker>, shared: Arc<Shared>) -> GuardedPicker {
        let generation = shared.generation();
        let asked = catch_unwind(AssertUnwindSafe(|| (picker.wants(), picker.turns())));
        let poisoned = AtomicBool::new(asked.is_err());
        let (wants, turns) = asked.unwrap_or_else(|panic| {
            shared.lasting_fault("wants or turns", panic, generation, true);
            (Wants::default(), None)
        });
        GuardedPicker { turns, poisoned, generation, wants, picker, shared }
    }

    /// What the picker needs to know of each call.
    pub fn wants(&self) -> &Wants {
        &self.wants
    }

    /// The next connection of a picker that only takes turns; none: [`GuardedPicker::pick`] knows.
    #[inline(always)]
    pub fn next_turn(&self) -> Option<Handle> {
        self.turns.as_ref()?.next_handle()
    }

    /// See [`Picker::as_any`].
    pub fn as_any(&self) -> Option<&dyn Any> {
        self.picker.as_any()
    }

    /// Whether the picker was found to be broken, and is not to be asked any more.
    #[inline(always)]
    pub fn is_poisoned(&self) -> bool {
        // Relaxed: whichever side of the fault a concurrent pick falls on is fine.
        self.poisoned.load(Ordering::Relaxed)
    }

    /// See [`Picker::pick`]. A panic fails this call with INTERNAL; calls after it wait for the
    /// picker of the policy that takes over.
    pub fn pick<'a>(&'a self, call: &Call<'_>) -> Pick<'a> {
        if self.is_poisoned() {
            return Pick::Queue;
        }
        match catch_unwind(AssertUnwindSafe(|| self.picker.pick(call))) {
            Ok(pick) if matches!(pick, Pick::Complete(_)) => pick,
            Ok(pick) => self.check(pick),
            Err(panic) => self.failed(panic),
        }
    }

    /// What becomes of a pick that does not just complete.
    // Apart, so that the usual path stays small.
    #[inline(never)]
    pub fn check<'a>(&'a self, pick: Pick<'a>) -> Pick<'a> {
        match pick {
            Pick::Tracked(slot) => {
                let backend = slot.call().backend();
                backend.publish(&self.shared, self.generation, self.wants.metrics);
                Pick::Tracked(slot)
            }
            Pick::Fault(text) => self.failed(Box::new(Raised { place: "pick", text: *text })),
            pick => pick.for_data_plane(),
        }
    }

    #[cold]
    fn failed(&self, panic: Panic) -> Pick<'_> {
        let text = format!("{}: {}", self.shared.name, describe("pick", &panic));
        // A host that cannot run the runner later would leave queued calls waiting for ever.
        if self.shared.data_plane_fault("pick", panic, self.generation) {
            // Relaxed: as in `is_poisoned`.
            self.poisoned.store(true, Ordering::Relaxed);
        }
        Pick::fail(Status::internal(text))
    }
}
