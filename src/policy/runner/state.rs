//! The policy that a runner runs, and what replaces it.
//!
//! Must not depend on: how events reach the runner, the C ABI.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use super::described_list::DescribedList;
use super::failing::FailingPickers;
use super::helper::RunnerHelper;
use super::reresolution::Reresolution;
use super::shared::{FallbackReason, Shared};
use crate::calls::Metrics;
use crate::endpoints::{Connectivity, EndpointDescriptor, EndpointId, Report};
use crate::fault::Panic;
use crate::policy::on_fault::RETRY_PAUSE;
use crate::policy::{
    CommonFields, Config, FailPicker, FallbackMode, Helper, LeafPolicy, NoFields, Policy,
    PolicyFactory, TimerId, Update,
};
use crate::stats::{Clock, Fallback};
use crate::sync::atomic::Ordering;
use crate::{Severity, Status};

/// An event for a policy.
pub(super) enum Event {
    Update(Update),
    Report(EndpointId, Report),
    ExitIdle,
    ResetBackoff,
    Timer(TimerId),
    LoadReport(EndpointId, Metrics),
    Run,
    Close,
}

/// The result of an event.
pub(super) enum Done {
    Updated(Result<(), Status>),
    Reported(bool),
    Nothing,
}

/// The policy in use. Events are handled in the host's work serializer.
pub(super) struct State {
    shared: Arc<Shared>,
    /// `None` once shut down.
    policy: Option<Box<dyn Policy>>,
    /// Whether an event has come.
    started: bool,
    last_update: Option<Update>,
    /// The latest fields that every policy takes. `None` before the first update.
    common: Option<Arc<CommonFields>>,
    reresolution: Reresolution,
    described: DescribedList,
    /// The factory of the policy, also while its fallback replaces it.
    factory: Arc<dyn PolicyFactory>,
    /// Makes the policy of [`FallbackMode::RoundRobin`]. Its config is [`NoFields`].
    round_robin: Arc<dyn PolicyFactory>,
    /// Set while the fallback replaces the policy.
    failure: Option<Failure>,
}

/// When a policy failed, and with which config.
struct Failure {
    /// By the host's clock.
    since: Duration,
    /// `None` before the first update.
    config: Option<Config>,
}

impl Failure {
    /// Returns the reason to try the policy again with this update, if there is one.
    fn ends_with(&mut self, update: &Update, now: Duration) -> Option<&'static str> {
        let config = self.config.get_or_insert_with(|| Arc::clone(&update.config));
        // A host passes the same config object as long as the config is the same.
        if !std::ptr::addr_eq(Arc::as_ptr(config), Arc::as_ptr(&update.config)) {
            return Some("another config");
        }
        let rested = now.saturating_sub(self.since) >= RETRY_PAUSE;
        (rested && update.endpoints.is_ok()).then_some("a new list after a pause")
    }
}

impl State {
    /// Makes a policy with `factory`, or its fallback if that panics.
    pub(super) fn new(
        shared: Arc<Shared>,
        factory: Arc<dyn PolicyFactory>,
        round_robin: Arc<dyn PolicyFactory>,
    ) -> State {
        let reresolution = Reresolution::new(Arc::clone(&shared));
        let mut state = State {
            shared,
            policy: None,
            started: false,
            last_update: None,
            common: None,
            reresolution,
            described: DescribedList::default(),
            factory: Arc::clone(&factory),
            round_robin,
            failure: None,
        };
        let helper = state.helper();
        match catch_unwind(AssertUnwindSafe(|| factory.new_policy(helper))) {
            Ok(policy) => state.policy = Some(policy),
            Err(panic) => {
                state.shared.fault("making the policy", panic);
                state.fall_back(None);
            }
        }
        state
    }

    fn helper(&self) -> Arc<dyn Helper> {
        Arc::new(RunnerHelper(Arc::clone(&self.shared)))
    }

    fn last_config(&self) -> Option<Config> {
        self.last_update.as_ref().map(|update| Arc::clone(&update.config))
    }

    /// Handles one event. If the policy panics, its fallback replaces it.
    pub(super) fn handle(&mut self, event: Event) -> Done {
        if self.policy.is_none() {
            return Done::Nothing;
        }
        let closes = matches!(event, Event::Close);
        if !self.started && !closes {
            self.started = true;
            self.shared.open();
        }
        // After a picker failed, its policy must not make another one.
        if !closes && self.shared.take_picker_fault() && self.failure.is_none() {
            let config = self.last_config();
            // The host only knows the endpoints of its latest list.
            if let Event::Update(update) = &event {
                if update.endpoints.is_ok() {
                    self.last_update = Some(update.clone());
                }
            }
            self.fall_back(config);
        }
        let failing_config = match &event {
            Event::Update(update) => Some(Arc::clone(&update.config)),
            _ => self.last_config(),
        };
        let (place, done) = match event {
            Event::Update(update) => ("update", self.update(update)),
            event => self.pass_on(event),
        };
        done.unwrap_or_else(|panic| {
            self.shared.fault(place, panic);
            match self.fall_back(failing_config) {
                Some(accepted) => Done::Updated(accepted),
                None => Done::Nothing,
            }
        })
    }

    /// Handles an event other than an update. Returns the name of the hook with its result.
    fn pass_on(&mut self, event: Event) -> (&'static str, Result<Done, Panic>) {
        let Some(policy) = self.policy.as_mut() else {
            return ("", Ok(Done::Nothing));
        };
        match event {
            Event::Report(endpoint, report) => {
                self.shared.record.reported(endpoint, report.state());
                let known =
                    catch_unwind(AssertUnwindSafe(|| policy.endpoint_report(endpoint, report)));
                ("endpoint_report", known.map(Done::Reported))
            }
            Event::ExitIdle => ("exit_idle", caught(|| policy.exit_idle())),
            Event::ResetBackoff => ("reset_backoff", caught(|| policy.reset_backoff())),
            Event::Timer(timer) if self.reresolution.timer(timer) => ("", Ok(Done::Nothing)),
            Event::Timer(timer) => ("timer", caught(|| policy.timer(timer))),
            Event::LoadReport(endpoint, metrics) => {
                let known =
                    catch_unwind(AssertUnwindSafe(|| policy.load_report(endpoint, &metrics)));
                ("load_report", known.map(Done::Reported))
            }
            Event::Run if self.shared.woken.take() => ("woken", caught(|| policy.woken())),
            // `handle` has looked for the fault of a picker, the other reason for this event.
            Event::Run | Event::Update(_) => ("", Ok(Done::Nothing)),
            Event::Close => {
                let policy = self.policy.take();
                self.last_update = None;
                ("shutdown", caught(|| drop(policy)))
            }
        }
    }

    fn update(&mut self, mut update: Update) -> Result<Done, Panic> {
        self.take_common(&update.common);
        update.endpoints = update.endpoints.map(|list| self.describe(&update.common, list));
        let Some(policy) = self.policy.as_mut() else { return Ok(Done::Nothing) };
        self.shared.record.set_target(&update.target);
        self.shared.record.set_cluster(&update.cluster);
        if !Arc::ptr_eq(&self.factory, &update.factory) {
            self.factory = Arc::clone(&update.factory);
            self.shared.set_factory(&*update.factory);
            if self.failure.is_some() || !policy.adopts(&update.config) {
                return Ok(Done::Updated(self.replace(update, "a new release")));
            }
            self.shared.begin_generation();
        }
        if let Some(failure) = self.failure.as_mut() {
            if let Some(why) = failure.ends_with(&update, self.shared.now()) {
                return Ok(Done::Updated(self.replace(update, why)));
            }
            update.config = Arc::new(NoFields {});
        }
        let accepted = catch_unwind(AssertUnwindSafe(|| policy.update(&update)));
        // A resolver error leaves the list in use, here too.
        if update.endpoints.is_ok() || self.last_update.is_none() {
            self.last_update = Some(update);
        }
        accepted.map(Done::Updated)
    }

    /// Acts upon the fields of a config that every policy takes.
    fn take_common(&mut self, common: &Arc<CommonFields>) {
        if self.common.as_ref().is_some_and(|former| Arc::ptr_eq(former, common)) {
            return;
        }
        self.common = Some(Arc::clone(common));
        for line in common.unknown.iter().filter_map(|field| field.log_line(&self.shared.name)) {
            self.shared.host.log(Severity::Info, &line);
        }
        if common.connections > 1 && !self.shared.host.makes_several_connections() {
            let name = &self.shared.name;
            let text = format!(
                "{name}: connectionsPerBackend is ignored: \
                 this host makes one connection to each backend"
            );
            self.shared.host.log(Severity::Error, &text);
        }
        self.reresolution.set_period(common.reresolution_period);
    }

    /// Adds the attributes and connections of the config to the resolver's list.
    fn describe(
        &mut self,
        common: &Arc<CommonFields>,
        resolved: Arc<[Arc<EndpointDescriptor>]>,
    ) -> Arc<[Arc<EndpointDescriptor>]> {
        let several = self.shared.host.makes_several_connections();
        let connections = if several { common.connections } else { 1 };
        let name = &self.shared.name;
        let (list, unused) = self.described.describe(name, common, connections, resolved);
        if let Some(line) = unused {
            self.shared.host.log(Severity::Info, &line);
        }
        list
    }

    /// Replaces the policy, which failed with this config, with its fallback, and gives the
    /// fallback the last update. Returns the result of that update, if there was one.
    fn fall_back(&mut self, config: Option<Config>) -> Option<Result<(), Status>> {
        if self.started && !self.shared.is_open() {
            self.policy = None;
            return None;
        }
        if self.failure.is_some() {
            return Some(Err(self.give_up()));
        }
        self.failure = Some(Failure { since: self.shared.now(), config });
        if let Some(update) = self.last_update.as_mut() {
            update.config = Arc::new(NoFields {});
        }
        let FallbackReason { mode, reason } = self.shared.fallback_reason();
        let status = Status::internal(format!("{}: {reason}", self.shared.title()));
        let fallback = Fallback { since: SystemTime::now(), reason, mode: mode.name() };
        let round_robin = Arc::clone(&self.round_robin);
        let made = self.take_over(Some(fallback), |helper| match mode {
            FallbackMode::RoundRobin => round_robin.new_policy(helper),
            FallbackMode::Failing => Box::new(LeafPolicy::new(helper, FailingPickers(status))),
        });
        made.unwrap_or_else(|panic| {
            self.shared.fault("the fallback's update", panic);
            Some(Err(self.give_up()))
        })
    }

    /// Replaces the policy with a new one of `update`'s factory.
    fn replace(&mut self, update: Update, why: &str) -> Result<(), Status> {
        // A resolver error leaves the list in use.
        let answer = update.endpoints.as_ref().err().cloned();
        let config = Arc::clone(&update.config);
        match self.last_update.as_mut() {
            Some(last) if answer.is_some() => {
                last.config = update.config;
                last.common = update.common;
                last.factory = update.factory;
            }
            _ => self.last_update = Some(update),
        }
        if self.failure.take().is_some() {
            let title = self.shared.title();
            let text = format!("{title}: the policy that failed is tried again, with {why}");
            self.shared.host.log(Severity::Info, &text);
        }
        let factory = Arc::clone(&self.factory);
        let accepted = match self.take_over(None, |helper| factory.new_policy(helper)) {
            Ok(accepted) => accepted,
            Err(panic) => {
                self.shared.fault("making the policy again", panic);
                self.fall_back(Some(config))
            }
        };
        answer.map_or(accepted.unwrap_or(Ok(())), Err)
    }

    /// Makes another policy, gives it the last update, and puts it in the place of the one in use.
    /// Returns the result of the update, if there was one.
    fn take_over(
        &mut self,
        fallback: Option<Fallback>,
        make: impl FnOnce(Arc<dyn Helper>) -> Box<dyn Policy>,
    ) -> Result<Option<Result<(), Status>>, Panic> {
        // Relaxed: as in `Shared::is_open`.
        let published = self.shared.published.load(Ordering::Relaxed);
        self.shared.taking_over.store(published, Ordering::Relaxed);
        self.shared.begin_generation();
        self.shared.record.policy_replaced(fallback);
        let update = self.last_update.as_ref();
        let (policy, accepted) = catch_unwind(AssertUnwindSafe(|| {
            let mut policy = make(self.helper());
            let accepted = update.map(|update| policy.update(update));
            (policy, accepted)
        }))?;
        // The old policy is dropped last. Connections that both have always have an owner, and stay
        // open.
        let old = self.policy.replace(policy);
        if let Err(panic) = caught(|| drop(old)) {
            self.shared.fault("shutdown", panic);
        }
        Ok(accepted)
    }

    /// The fallback panicked, too: fails every call.
    fn give_up(&mut self) -> Status {
        let name = &self.shared.name;
        let status = Status::internal(format!("{name}: the policy and its fallback panicked"));
        let policy = self.policy.take();
        if let Err(panic) = caught(|| drop(policy)) {
            self.shared.fault("shutdown", panic);
        }
        let picker = Box::new(FailPicker(status.clone()));
        self.helper().update_state(Connectivity::TransientFailure, &status, picker);
        status
    }
}

/// Runs a hook that returns nothing, and catches its panic.
fn caught(hook: impl FnOnce()) -> Result<Done, Panic> {
    catch_unwind(AssertUnwindSafe(hook)).map(|()| Done::Nothing)
}
