//! The leaf policy: keeps a connection to every endpoint by the rules of `endpoints/`, and leaves
//! the choice among the READY ones to a picker factory.
//!
//! Cost per report: what the picker factory costs, with the READY backends listed in O(endpoints).
//!
//! Must not know: how a backend is chosen.

use std::sync::Arc;

use serde_json::Value;

use super::{
    CallCounting, Config, ConfigError, FailPicker, Fields, Helper, Picker, Policy, PolicyFactory,
    QueuePicker, TimerId, Update,
};
use crate::Status;
use crate::calls::Metrics;
use crate::endpoints::{
    Aggregate, Connection, Connectivity, EndpointDescriptor, EndpointId, EndpointLists,
    PersistentVec, Report,
};
use crate::stats::StatsSource;

/// A READY backend, to be chosen by a picker.
#[derive(Clone, Debug)]
pub struct Backend {
    /// What to complete a pick with.
    pub connection: Connection,
    /// What the resolver knows of it.
    pub descriptor: Arc<EndpointDescriptor>,
    /// Its place in the list in use, as [`PickerFactory::list`] has it.
    pub place: usize,
}

/// The READY backends.
pub struct Ready<'a>(&'a EndpointLists<dyn Helper>);

impl Ready<'_> {
    /// Their connections, by their places in the list in use. A clone of it costs O(1): for factories that
    /// need not go over all backends at each report.
    pub fn connections(&self) -> &PersistentVec<Connection> {
        self.0.connections()
    }

    /// All of them, in the resolver's order.
    pub fn backends(&self) -> impl Iterator<Item = Backend> {
        self.0.ready().map(|(place, connection, descriptor)| Backend {
            connection: connection.clone(),
            descriptor: Arc::clone(descriptor),
            place,
        })
    }
}

/// Makes pickers, for one channel: the easy way to write a policy.
pub trait PickerFactory: Send + 'static {
    /// What [`PolicyFactory::parse_config`] makes of the config.
    type Config: Send + Sync + 'static;

    /// An update comes with this config; its endpoints are looked at after this. What it takes of the
    /// channel, such as load reports and timers, is to be asked for here.
    fn configure(&mut self, _config: &Arc<Self::Config>, _helper: &Arc<dyn Helper>) {}

    /// The list in use, or its config, is another one (and not just the same once more): all of its
    /// endpoints, READY or not, in the resolver's order. Called before [`PickerFactory::build`].
    fn list(&mut self, _config: &Arc<Self::Config>, _endpoints: &[&Arc<EndpointDescriptor>]) {}

    /// These endpoints have left, and none with their addresses is left: what was learnt of them can be forgotten.
    fn forget(&mut self, _gone: &[Arc<EndpointDescriptor>]) {}

    /// This endpoint has become READY.
    fn connected(&mut self, _endpoint: &EndpointDescriptor) {}

    /// What this endpoint has reported out of band: see [`Helper::request_load_reports`].
    fn load_report(
        &mut self,
        _endpoint: &EndpointDescriptor,
        _metrics: &Metrics,
        _helper: &dyn Helper,
    ) {
    }

    /// A picker for these backends, of which there is at least one. Called whenever the backends, their
    /// states or the config have changed.
    fn build(
        &mut self,
        config: &Arc<Self::Config>,
        ready: &Ready<'_>,
        helper: &Arc<dyn Helper>,
    ) -> Box<dyn Picker>;

    /// No backend is READY any more: connections that are kept for the next picker are to be let go.
    fn none_ready(&mut self) {}

    /// Whether it can go on with this config of another policy factory of its name, which is of the
    /// type [`PickerFactory::Config`].
    fn adopts(&self, _config: &Config) -> bool {
        true
    }

    /// Whether its pickers count calls by [`CallCounters`](crate::calls::CallCounters), with this config; one of its
    /// tellers then tells of that.
    fn counts_calls(&self, _config: &Self::Config) -> bool {
        false
    }

    /// What can tell statistics of the backends, from now on. Asked once.
    fn stats_sources(&self) -> Vec<Arc<dyn StatsSource>> {
        Vec::new()
    }

    /// A timer of [`Helper::start_timer`] has run out. `true`: a new picker is wanted.
    fn timer(&mut self, _timer: TimerId) -> bool {
        false
    }
}

/// A picker factory of this crate.
pub trait BuiltIn: PickerFactory {
    /// The name in `loadBalancingConfig`.
    const NAME: &'static str;

    /// Reads a config.
    fn parse(fields: &mut Fields<'_>) -> Self::Config;

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
        Fields::parse(F::NAME, json, F::parse).map(|config| Arc::new(config) as Config)
    }

    fn new_policy(&self, helper: Arc<dyn Helper>) -> Box<dyn Policy> {
        let pickers = F::new(&*helper);
        Box::new(LeafPolicy::new(helper, pickers))
    }
}

/// The policy.
pub struct LeafPolicy<F: PickerFactory> {
    helper: Arc<dyn Helper>,
    endpoints: EndpointLists<dyn Helper>,
    pickers: F,
    config: Option<Arc<F::Config>>,
    /// The list that the picker factory knows; none: it does not know the config either.
    listed: Option<u64>,
    /// For statistics.
    counting: CallCounting<Connection>,
    /// What was published last.
    aggregate: Option<Aggregate>,
}

impl<F: PickerFactory> LeafPolicy<F> {
    /// No backends yet.
    pub fn new(helper: Arc<dyn Helper>, pickers: F) -> Self {
        let endpoints = EndpointLists::new(Arc::clone(&helper));
        let counting = CallCounting::new(&*helper, pickers.stats_sources());
        LeafPolicy {
            helper,
            endpoints,
            pickers,
            config: None,
            listed: None,
            counting,
            aggregate: None,
        }
    }

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
            Aggregate::Ready => {
                let config = self.config.as_ref().expect("an update came before any report");
                if self.listed.replace(self.endpoints.list_number())
                    != Some(self.endpoints.list_number())
                {
                    let endpoints: Vec<_> = self.endpoints.listed_descriptors().collect();
                    self.pickers.list(config, &endpoints);
                }
                let mut picker = self.pickers.build(config, &Ready(&self.endpoints), &self.helper);
                let LeafPolicy { endpoints, counting, pickers, .. } = self;
                let counted =
                    counting.of(pickers.counts_calls(config), endpoints.connections(), |place| {
                        endpoints.listed_descriptor(place).expect("it is READY in this list")
                    });
                if let Some(counted) = counted {
                    picker = counted.around(picker);
                }
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
        self.pickers.configure(&config, &self.helper);
        if !self.config.as_ref().is_some_and(|former| Arc::ptr_eq(former, &config)) {
            self.listed = None;
        }
        self.config = Some(config);
        let endpoints = update.endpoints.as_ref();
        let outcome = self.endpoints.update(endpoints, &update.resolution_note);
        self.publish(outcome.aggregate);
        outcome.accepted
    }

    fn endpoint_report(&mut self, endpoint: EndpointId, report: Report) -> bool {
        if report.state() == Connectivity::Ready && !self.endpoints.is_ready(endpoint) {
            if let Some(descriptor) = self.endpoints.descriptor(endpoint) {
                self.pickers.connected(descriptor);
            }
        }
        match self.endpoints.report(endpoint, report) {
            Ok(aggregate) => {
                self.publish(aggregate);
                true
            }
            Err(_) => false,
        }
    }

    fn reset_backoff(&mut self) {
        self.endpoints.reset_backoff();
    }

    fn timer(&mut self, timer: TimerId) {
        if self.pickers.timer(timer) && self.aggregate == Some(Aggregate::Ready) {
            self.publish(Some(Aggregate::Ready));
        }
    }

    fn load_report(&mut self, endpoint: EndpointId, metrics: &Metrics) -> bool {
        let Some(descriptor) = self.endpoints.descriptor(endpoint) else { return false };
        self.pickers.load_report(descriptor, metrics, &*self.helper);
        true
    }

    fn adopts(&self, config: &Config) -> bool {
        config.is::<F::Config>() && self.pickers.adopts(config)
    }
}
