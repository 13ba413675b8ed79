//! Runs one policy for a host: one event at a time, with panics contained.
//!
//! The general flow is: the host calls a method of [`Runner`], which becomes an event. `state.rs`
//! gives the event to the policy. The policy publishes pickers through its helper (`helper.rs`),
//! which wraps each into a [`GuardedPicker`] and hands that to the [`Host`].
//!
//! A host may report from within a callback. For example, a child policy of gRPC reports CONNECTING
//! while it is asked to connect. Such an event waits until the event that led to it is done, so a
//! policy is never called while it is already handling a call.
//!
//! A policy or picker that panics, or reports that it is broken, is counted and logged (at most
//! once a second). Its fallback replaces it over the same endpoints ([`OnFault`](super::OnFault)):
//! round robin, unless the policy's author chose otherwise. Calls wait for the new picker instead
//! of failing. The policy is made again when it gets another config, when a list comes after a
//! pause, or when a later factory of the same name replaces it. A later factory also replaces a
//! policy that has not failed. The old picker stays until the new policy publishes something other
//! than CONNECTING.
//!
//! Must not depend on: the C ABI, any concrete policy.

mod described_list;
mod failing;
mod guarded_picker;
mod helper;
mod host;
mod reresolution;
mod shared;
mod state;

use std::collections::VecDeque;
use std::sync::Arc;

pub use guarded_picker::GuardedPicker;
pub use host::Host;

use self::shared::Shared;
use self::state::{Done, Event, State};
#[cfg(doc)]
use super::Policy;
use super::{PolicyFactory, TimerId, Update};
use crate::Status;
use crate::calls::Metrics;
use crate::endpoints::{EndpointId, Report};
use crate::stats::{CustomMetricStats, Fallback};
use crate::sync::Mutex;

/// One policy, run for one host.
///
/// Made by the host when a channel chooses the policy. The host serialises its calls. Closing or
/// dropping it shuts the policy down. Its pickers live on.
pub struct Runner {
    shared: Arc<Shared>,
    /// No thread waits for this lock. It is held while the policy and the host are called, which is
    /// why it is no [`Mutex`].
    state: parking_lot::Mutex<State>,
    /// Events that came while another one was handled.
    waiting: Mutex<VecDeque<Event>>,
}

impl Runner {
    /// Makes a policy with `factory`. If that policy fails, `round_robin` makes its fallback; the
    /// config of that factory is [`NoFields`](super::NoFields).
    pub fn new(
        factory: Arc<dyn PolicyFactory>,
        round_robin: Arc<dyn PolicyFactory>,
        host: Box<dyn Host>,
    ) -> Runner {
        let shared = Shared::new(&*factory, host);
        let state = State::new(Arc::clone(&shared), factory, round_robin);
        Runner { shared, state: parking_lot::Mutex::new(state), waiting: Mutex::default() }
    }

    /// The policy's name.
    pub fn name(&self) -> &str {
        &self.shared.name
    }

    /// See [`Policy::update`]. From within a callback of the host, the update waits and is
    /// accepted.
    pub fn update(&self, update: Update) -> Result<(), Status> {
        match self.submit(Event::Update(update)) {
            Some(Done::Updated(accepted)) => accepted,
            _ => Ok(()),
        }
    }

    /// See [`Policy::endpoint_report`]. Also returns `true` when the report has to wait.
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

    /// See [`Policy::load_report`]. Also returns `true` when the report has to wait.
    pub fn load_report(&self, endpoint: EndpointId, metrics: Metrics) -> bool {
        match self.submit(Event::LoadReport(endpoint, metrics)) {
            Some(Done::Reported(known)) => known,
            _ => true,
        }
    }

    /// Does what [`Host::run_later`] was called for.
    pub fn run(&self) {
        self.submit(Event::Run);
    }

    /// Shuts the policy down: drops its endpoints, and stops calling the host's channel. Pickers
    /// live on and keep their connections.
    pub fn close(&self) {
        // At once, even if the event has to wait.
        self.shared.close();
        self.submit(Event::Close);
    }

    /// For the statistics: the name of gRPC's that the policy took over and that its config was
    /// given to.
    pub fn set_taken_name(&self, name: Option<&str>) {
        self.shared.record.set_taken_name(name);
    }

    /// The number of faults of the policy and its pickers.
    pub fn faults(&self) -> u64 {
        self.shared.record.faults()
    }

    /// The metrics of a custom policy.
    pub fn custom_metrics(&self) -> Vec<CustomMetricStats> {
        self.shared.record.custom_metrics()
    }

    /// The fallback that replaces the policy, if the policy failed.
    pub fn fallback(&self) -> Option<Fallback> {
        self.shared.record.fallback()
    }

    /// Handles the event now. Within another event, queues it and returns `None`.
    fn submit(&self, event: Event) -> Option<Done> {
        let mut answer = None;
        match self.state.try_lock() {
            Some(mut state) => {
                answer = Some(state.handle(event));
                self.handle_waiting(&mut state);
            }
            None => self.waiting.lock().push_back(event),
        }
        // The thread that held the state may have looked at the queue just before the event came.
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
            state.handle(event);
        }
    }
}

impl Drop for Runner {
    fn drop(&mut self) {
        self.close();
    }
}
