//! The leaf policy: keeps a connection to every endpoint by the rules of `endpoints/`, and leaves
//! the choice among the READY ones to a picker factory.
//!
//! Cost per report: what the picker factory costs, with the READY backends listed in O(endpoints).
//!
//! Must not know: how a backend is chosen.

use std::sync::Arc;

use serde::de::DeserializeOwned;
use serde_json::Value;

use super::{
    Config, ConfigError, FailPicker, Helper, Picker, Policy, PolicyFactory, QueuePicker, TimerId,
    Update, parse_fields,
};
use crate::Status;
use crate::endpoints::{
    Aggregate, Connection, Connectivity, EndpointDescriptor, EndpointId, Report, Tracker,
};

/// A READY backend, to be chosen by a picker.
#[derive(Clone, Debug)]
pub struct Backend {
    /// What to complete a pick with.
    pub connection: Connection,
    /// What the resolver knows of it.
    pub descriptor: Arc<EndpointDescriptor>,
}

/// Makes pickers, for one channel: the easy way to write a policy.
pub trait PickerFactory: Send + 'static {
    /// What [`PolicyFactory::parse_config`] makes of the config.
    type Config: Send + Sync + 'static;

    /// A picker for these backends, of which there is at least one, in the resolver's order.
    /// Called whenever the backends, their states or the config have changed.
    fn build(
        &mut self,
        config: &Arc<Self::Config>,
        backends: Vec<Backend>,
        helper: &Arc<dyn Helper>,
    ) -> Box<dyn Picker>;

    /// What the resolver knows of the endpoints that there are now, READY or not. Called when that may
    /// have changed, before [`PickerFactory::build`]: what was learnt of others can be forgotten.
    fn keep(&mut self, _endpoints: &mut dyn Iterator<Item = &Arc<EndpointDescriptor>>) {}

    /// Whether it can go on with this config of another policy factory of its name, which is of the
    /// type [`PickerFactory::Config`].
    fn adopts(&self, _config: &Config) -> bool {
        true
    }

    /// A timer of [`Helper::start_timer`] has run out. `true`: a new picker is wanted.
    fn timer(&mut self, _timer: TimerId) -> bool {
        false
    }
}

/// A picker factory of this crate.
pub trait BuiltIn: PickerFactory<Config: DeserializeOwned> {
    /// The name in `loadBalancingConfig`.
    const NAME: &'static str;

    /// One for each policy instance, that is for each channel.
    fn new(helper: &dyn Helper) -> Self;
}

/// A policy factory made of a picker factory.
pub struct LeafFactory<F>(std::marker::PhantomData<fn() -> F>);

impl<F> LeafFactory<F> {
    /// The policy factory for `F`.
    pub const fn new() -> Self {
        LeafFactory(std::marker::PhantomData)
    }
}

impl<F> Default for LeafFactory<F> {
    fn default() -> Self {
        LeafFactory::new()
    }
}

impl<F: BuiltIn> PolicyFactory for LeafFactory<F> {
    fn name(&self) -> &str {
        F::NAME
    }

    fn parse_config(&self, json: &Value) -> Result<Config, ConfigError> {
        parse_fields::<F::Config>(F::NAME, json).map(|config| Arc::new(config) as Config)
    }

    fn new_policy(&self, helper: Arc<dyn Helper>) -> Box<dyn Policy> {
        let pickers = F::new(&*helper);
        Box::new(LeafPolicy::new(helper, pickers))
    }
}

/// The policy.
pub struct LeafPolicy<F: PickerFactory> {
    helper: Arc<dyn Helper>,
    tracker: Tracker,
    pickers: F,
    config: Option<Arc<F::Config>>,
    /// What was published last.
    aggregate: Option<Aggregate>,
}

impl<F: PickerFactory> LeafPolicy<F> {
    /// No backends yet.
    pub fn new(helper: Arc<dyn Helper>, pickers: F) -> Self {
        let tracker = Tracker::new(Arc::clone(&helper));
        LeafPolicy { helper, tracker, pickers, config: None, aggregate: None }
    }

    fn publish(&mut self, aggregate: Option<Aggregate>) {
        let Some(aggregate) = aggregate else { return };
        self.aggregate = Some(aggregate.clone());
        let (state, status, picker): (_, _, Box<dyn Picker>) = match aggregate {
            Aggregate::Connecting => (Connectivity::Connecting, Status::OK, Box::new(QueuePicker)),
            Aggregate::TransientFailure(status) => {
                let picker = FailPicker(status.clone());
                (Connectivity::TransientFailure, status, Box::new(picker))
            }
            Aggregate::Ready => {
                let config = self.config.as_ref().expect("an update came before any report");
                let ready = self.tracker.ready();
                let backends = ready
                    .map(|(connection, descriptor)| Backend {
                        connection: connection.clone(),
                        descriptor: Arc::clone(descriptor),
                    })
                    .collect();
                self.pickers.keep(&mut self.tracker.descriptors());
                let picker = self.pickers.build(config, backends, &self.helper);
                (Connectivity::Ready, Status::OK, picker)
            }
        };
        self.helper.update_state(state, &status, picker);
    }
}

impl<F: PickerFactory> Policy for LeafPolicy<F> {
    fn update(&mut self, update: &Update) -> Result<(), Status> {
        let config = Arc::clone(&update.config)
            .downcast::<F::Config>()
            .map_err(|_| Status::internal("the config of an update is another policy's"))?;
        self.config = Some(config);
        let endpoints = update.endpoints.as_deref();
        let outcome = self.tracker.update(endpoints, &update.resolution_note);
        self.publish(outcome.aggregate);
        outcome.accepted
    }

    fn endpoint_report(&mut self, endpoint: EndpointId, report: Report) -> bool {
        match self.tracker.report(endpoint, report) {
            Ok(aggregate) => {
                self.publish(aggregate);
                true
            }
            Err(_) => false,
        }
    }

    fn reset_backoff(&mut self) {
        self.tracker.reset_backoff();
    }

    fn timer(&mut self, timer: TimerId) {
        if self.pickers.timer(timer) && self.aggregate == Some(Aggregate::Ready) {
            self.publish(Some(Aggregate::Ready));
        }
    }

    fn adopts(&self, config: &Config) -> bool {
        config.is::<F::Config>() && self.pickers.adopts(config)
    }
}
