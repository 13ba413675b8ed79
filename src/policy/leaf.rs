//! The leaf policy: keeps a connection to every endpoint by the rules of `endpoints/`, and leaves
//! the choice among the READY ones to a picker factory.
//!
//! Cost per report: see `endpoints/lists/`, and the picker factory.
//!
//! Must not depend on: how a backend is chosen.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde_json::Value;

use super::{
    BuiltIn, CallCounting, Config, ConfigError, FailPicker, Fields, Helper, Picker, PickerFactory,
    Policies, Policy, PolicyFactory, QueuePicker, Ready, TimerId, Update,
};
use crate::Status;
use crate::calls::Metrics;
use crate::endpoints::{Aggregate, Connection, Connectivity, EndpointId, EndpointLists, Report};

/// The policy factory of a picker factory.
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

    fn parse_config(&self, json: &Value, _: &dyn Policies) -> Result<Config, ConfigError> {
        Fields::parse(F::NAME, json, F::parse).map(|config| Arc::new(config) as Config)
    }

    fn known_fields(&self, _config: &Config) -> Option<BTreeSet<String>> {
        Some(Fields::names_read(F::parse))
    }

    fn uses_weights(&self, _config: &Config) -> bool {
        F::USES_WEIGHTS
    }

    fn new_policy(&self, helper: Arc<dyn Helper>) -> Box<dyn Policy> {
        let pickers = F::new(&*helper);
        Box::new(LeafPolicy::new(helper, pickers))
    }
}

/// The policy of a picker factory.
pub struct LeafPolicy<F: PickerFactory> {
    helper: Arc<dyn Helper>,
    endpoints: EndpointLists<dyn Helper>,
    pickers: F,
    /// `None` before the first update.
    config: Option<Arc<F::Config>>,
    /// The number of the list that the picker factory has. `None` if it has no list, or another
    /// config.
    list_number: Option<u64>,
    /// Counts calls for the statistics.
    counting: CallCounting<Connection>,
    /// The state that was published last.
    aggregate: Option<Aggregate>,
}

impl<F: PickerFactory> LeafPolicy<F> {
    /// A policy without endpoints.
    pub fn new(helper: Arc<dyn Helper>, pickers: F) -> Self {
        let endpoints = EndpointLists::new(Arc::clone(&helper));
        let counting = CallCounting::new(&*helper, pickers.stats_sources());
        LeafPolicy {
            helper,
            endpoints,
            pickers,
            config: None,
            list_number: None,
            counting,
            aggregate: None,
        }
    }

    /// Publishes a state and its picker. `None`: there is nothing to publish.
    fn publish(&mut self, aggregate: Option<Aggregate>) {
        let gone = self.endpoints.take_gone();
        if !gone.is_empty() {
            self.pickers.forget(&gone);
            self.counting.forget(&gone);
        }
        let Some(aggregate) = aggregate else { return };
        let former = self.aggregate.replace(aggregate.clone());
        if aggregate != Aggregate::Ready && former == Some(Aggregate::Ready) {
            self.pickers.none_ready();
            self.counting.none_ready();
        }
        let (state, status, picker): (_, _, Box<dyn Picker>) = match aggregate {
            Aggregate::Connecting => (Connectivity::Connecting, Status::OK, Box::new(QueuePicker)),
            Aggregate::TransientFailure(status) => {
                let picker = FailPicker(status.clone());
                (Connectivity::TransientFailure, status, Box::new(picker))
            }
            Aggregate::Ready => (Connectivity::Ready, Status::OK, self.build_picker()),
        };
        self.helper.update_state(state, &status, picker);
    }

    /// Makes a picker for the READY endpoints, of which there is at least one.
    fn build_picker(&mut self) -> Box<dyn Picker> {
        let LeafPolicy { helper, endpoints, pickers, counting, .. } = self;
        let config = self.config.as_ref().expect("an update came before any report");
        let list_number = Some(endpoints.list_number());
        if self.list_number != list_number {
            self.list_number = list_number;
            let descriptors: Vec<_> = endpoints.listed_descriptors().collect();
            pickers.update_list(config, &descriptors);
        }
        let picker = pickers.build(config, &Ready::new(endpoints), helper);
        let policy_counts = pickers.counts_calls(config);
        let counted = counting.for_picker(policy_counts, endpoints.connections(), |place| {
            endpoints.listed_descriptor(place).expect("it is READY in this list")
        });
        match counted {
            Some(counted) => counted.wrap(picker),
            None => picker,
        }
    }
}

impl<F: PickerFactory> Policy for LeafPolicy<F> {
    fn update(&mut self, update: &Update) -> Result<(), Status> {
        let config = Arc::clone(&update.config)
            .downcast::<F::Config>()
            .map_err(|_| Status::internal("the config of an update is another policy's"))?;
        self.pickers.configure(&config, &self.helper);
        if !self.config.as_ref().is_some_and(|former| Arc::ptr_eq(former, &config)) {
            self.list_number = None;
        }
        self.config = Some(config);
        let endpoints = update.endpoints.as_ref();
        let outcome = self.endpoints.update(endpoints, &update.resolution_note);
        self.publish(outcome.aggregate);
        outcome.accepted
    }

    fn endpoint_report(&mut self, endpoint: EndpointId, report: Report) -> bool {
        let report = match report {
            Report::TransientFailure(Status { code, message })
                if F::NAMES_CODES && self.helper.words().endpoints =>
            {
                let message = format!("{}: {message}", code.name());
                Report::TransientFailure(Status { code, message })
            }
            report => report,
        };
        let Ok(outcome) = self.endpoints.report(endpoint, report) else { return false };
        if outcome.is_new_connection {
            if let Some(descriptor) = self.endpoints.descriptor(endpoint) {
                self.pickers.connected(descriptor);
            }
        }
        self.publish(outcome.aggregate);
        true
    }

    fn reset_backoff(&mut self) {
        self.endpoints.reset_backoff();
    }

    fn timer(&mut self, timer: TimerId) {
        if self.pickers.timer(timer) && self.aggregate == Some(Aggregate::Ready) {
            self.publish(Some(Aggregate::Ready));
        }
    }

    fn woken(&mut self) {
        if self.pickers.woken() && self.aggregate == Some(Aggregate::Ready) {
            self.publish(Some(Aggregate::Ready));
        }
    }

    fn load_report(&mut self, endpoint: EndpointId, metrics: &Metrics) -> bool {
        let Some(descriptor) = self.endpoints.descriptor(endpoint) else { return false };
        self.pickers.load_report(descriptor, metrics, &*self.helper);
        if self.pickers.wants_rebuild() && self.aggregate == Some(Aggregate::Ready) {
            self.publish(Some(Aggregate::Ready));
        }
        true
    }

    fn adopts(&self, config: &Config) -> bool {
        config.is::<F::Config>() && self.pickers.adopts(config)
    }
}
