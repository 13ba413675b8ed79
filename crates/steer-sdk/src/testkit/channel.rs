//! A channel with one policy, and its picks.
//!
//! Must not depend on: what a test checks.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use steer::endpoints::{Attribute, AttributeValue, Connectivity, EndpointDescriptor, Locality};
use steer::policy::{GuardedPicker, ParsedConfig, Pick, PolicyFactory, Update};
use steer::stats::{CustomSeriesStats, CustomValue};
use steer::virtual_host::{Chance, LiveEndpoint, VirtualChannel, VirtualClock, VirtualHost};

use super::LoadReport;
use super::asked::Asked;
use super::call::{Picked, TestCall, TrackedCall, from_engine, to_engine};
use super::distribution::Distribution;
use crate::{Library, Severity, State, Status, glue};

/// A backend, as a resolver describes it.
#[derive(Clone, Debug, Default)]
pub struct TestBackend(EndpointDescriptor);

impl TestBackend {
    /// Makes a backend with this address. Tests identify backends by their first address.
    pub fn new(address: impl Into<String>) -> TestBackend {
        TestBackend(EndpointDescriptor { addresses: vec![address.into()], ..Default::default() })
    }

    /// Adds an address.
    pub fn address(mut self, address: impl Into<String>) -> TestBackend {
        self.0.addresses.push(address.into());
        self
    }

    /// Sets the weight.
    pub fn weight(mut self, weight: u32) -> TestBackend {
        self.0.weight = weight;
        self
    }

    /// Sets the xDS locality.
    pub fn locality(mut self, region: &str, zone: &str, sub_zone: &str) -> TestBackend {
        self.0.locality = Locality {
            region: region.to_owned(),
            zone: zone.to_owned(),
            sub_zone: sub_zone.to_owned(),
        };
        self
    }

    /// Sets the key for consistent hashing.
    pub fn hash_key(mut self, key: impl Into<String>) -> TestBackend {
        self.0.hash_key = key.into();
        self
    }

    /// Adds a text attribute.
    pub fn text(self, key: impl Into<String>, value: impl Into<String>) -> TestBackend {
        self.attribute(key.into(), AttributeValue::Text(value.into()))
    }

    /// Adds an integer attribute.
    pub fn integer(self, key: impl Into<String>, value: i64) -> TestBackend {
        self.attribute(key.into(), AttributeValue::Integer(value))
    }

    fn attribute(mut self, key: String, value: AttributeValue) -> TestBackend {
        self.0.attributes.push(Attribute { key, value });
        self
    }
}

impl<T: Into<String>> From<T> for TestBackend {
    fn from(address: T) -> TestBackend {
        TestBackend::new(address)
    }
}

/// The value of a series of a custom metric.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum MetricValue {
    /// Of a counter.
    Count(u64),
    /// Of a gauge.
    Number(f64),
    /// Of a histogram.
    Histogram {
        /// How many values were recorded.
        count: u64,
        /// Their sum.
        sum: f64,
    },
}

/// A channel with one policy, in memory. Time stands still until [`TestChannel::advance`]. Backends
/// stay in the state CONNECTING until the test sets another one. Any thread may pick while another
/// one changes the channel.
pub struct TestChannel {
    channel: VirtualChannel,
    factory: Arc<dyn PolicyFactory>,
    control: Mutex<Control>,
    asked: Mutex<Asked>,
}

/// The latest update, and the states that the test has set.
struct Control {
    config: ParsedConfig,
    backends: Vec<Arc<EndpointDescriptor>>,
    /// The state that the test set last, by address.
    states: BTreeMap<String, Connectivity>,
}

impl TestChannel {
    /// Makes a channel with this policy of the library.
    ///
    /// `Err` if the library cannot be registered, if there is no such policy, or if the config has
    /// errors. The message names their fields, as gRPC does.
    pub fn new(
        library: &'static Library,
        policy: &str,
        config: &str,
    ) -> Result<TestChannel, String> {
        glue::testkit::register(library)?;
        let factory = steer::policies::registry().find(policy);
        let factory = factory.ok_or_else(|| format!("there is no policy named {policy:?}"))?;
        let config = parse(&*factory, config)?;
        let clock = VirtualClock::at(Duration::from_secs(1));
        let host = VirtualHost::new(clock, Chance::seeded(1));
        let channel = VirtualChannel::new(Arc::clone(&factory), steer::policies::fallback(), host);
        let control = Mutex::new(Control { config, backends: Vec::new(), states: BTreeMap::new() });
        Ok(TestChannel { channel, factory, control, asked: Mutex::default() })
    }

    /// Updates the policy with these backends, given by addresses or as [`TestBackend`]s.
    pub fn resolve<B: Into<TestBackend>>(&self, backends: impl IntoIterator<Item = B>) {
        // A policy that rejects the list also publishes a state, which tests check.
        let _ = self.try_resolve(backends);
    }

    /// As [`TestChannel::resolve`]. `Err` if the policy rejects the update.
    pub fn try_resolve<B: Into<TestBackend>>(
        &self,
        backends: impl IntoIterator<Item = B>,
    ) -> Result<(), Status> {
        let backends: Vec<_> =
            backends.into_iter().map(|backend| Arc::new(backend.into().0)).collect();
        self.serialised(|control| {
            let listed = |address: &String| backends.iter().any(|one| one.addresses[0] == *address);
            control.states.retain(|address, _| listed(address));
            control.backends = backends;
            self.update(control, Ok(control.backends.clone()))
        })
        .map_err(|status| from_engine(&status))
    }

    /// Lets the resolver fail with this status.
    pub fn resolver_fails(&self, status: &Status) {
        self.serialised(|control| {
            let _ = self.update(control, Err(to_engine(status)));
        });
    }

    /// Changes the policy's config. `Err` if it has errors; then the old one stays.
    pub fn configure(&self, config: &str) -> Result<(), String> {
        let config = parse(&*self.factory, config)?;
        self.serialised(|control| {
            control.config = config;
            let _ = self.update(control, Ok(control.backends.clone()));
        });
        Ok(())
    }

    fn update(
        &self,
        control: &Control,
        endpoints: Result<Vec<Arc<EndpointDescriptor>>, steer::Status>,
    ) -> Result<(), steer::Status> {
        self.channel.update(Update {
            endpoints: endpoints.map(Arc::from),
            factory: Arc::clone(&self.factory),
            config: Arc::clone(&control.config.policy),
            common: Arc::clone(&control.config.common),
            resolution_note: String::new(),
            target: String::new(),
            cluster: String::new(),
        })
    }

    /// Connects this backend: it becomes READY. If it was READY, it gets a new connection.
    pub fn ready(&self, address: &str) {
        self.becomes(address, Connectivity::Ready);
    }

    /// Connects all backends that are not READY.
    pub fn all_ready(&self) {
        for address in self.addresses(|one| one.state != Some(Connectivity::Ready)) {
            self.becomes(&address, Connectivity::Ready);
        }
    }

    /// Closes this backend's connection: it becomes IDLE.
    pub fn idle(&self, address: &str) {
        self.becomes(address, Connectivity::Idle);
    }

    /// Lets this backend try to connect: it becomes CONNECTING.
    pub fn connecting(&self, address: &str) {
        self.becomes(address, Connectivity::Connecting);
    }

    /// Lets this backend fail to connect: it becomes TRANSIENT_FAILURE.
    pub fn fails(&self, address: &str) {
        self.becomes(address, Connectivity::TransientFailure);
    }

    fn becomes(&self, address: &str, state: Connectivity) {
        self.serialised(|control| {
            control.states.insert(address.to_owned(), state);
            for endpoint in self.endpoints(|endpoint| endpoint.address() == address) {
                // The policy may have dropped it after the report of another endpoint.
                self.channel.report(endpoint.id, state);
            }
        });
    }

    /// Lets this backend send a load report out of band. Policies that have not asked for such
    /// reports get none ([`TestChannel::load_report_period`]).
    pub fn load_report(&self, address: &str, report: &LoadReport) {
        if self.load_report_period().is_none() {
            return;
        }
        self.serialised(|_| {
            for endpoint in self.endpoints(|endpoint| endpoint.address() == address) {
                self.channel.runner().load_report(endpoint.id, report.clone());
            }
        });
    }

    /// Returns the time between load reports out of band that the policy has asked for. `None`: it
    /// has asked for none.
    pub fn load_report_period(&self) -> Option<Duration> {
        self.asked().load_report_period
    }

    /// Lets new endpoints report, as gRPC's do soon after they were made. They report the state
    /// that the test has set; otherwise CONNECTING if the policy asked for a connection, or else
    /// IDLE.
    fn introduce(&self, control: &Control) {
        for endpoint in self.endpoints(|endpoint| endpoint.state.is_none()) {
            let asked = self.host().endpoint(endpoint.id).is_some_and(|now| now.asked);
            let first = if asked { Connectivity::Connecting } else { Connectivity::Idle };
            let state = control.states.get(endpoint.address()).copied().unwrap_or(first);
            self.channel.report(endpoint.id, state);
        }
    }

    fn host(&self) -> &VirtualHost {
        self.channel.host()
    }

    fn endpoints(&self, which: impl Fn(&LiveEndpoint) -> bool) -> Vec<LiveEndpoint> {
        self.host().endpoints_where(which)
    }

    fn addresses(&self, which: impl Fn(&LiveEndpoint) -> bool) -> Vec<String> {
        self.endpoints(which).iter().map(|endpoint| endpoint.address().to_owned()).collect()
    }

    /// Returns the backends that the policy has asked to connect and that are not connected yet.
    pub fn asked_to_connect(&self) -> Vec<String> {
        self.addresses(|endpoint| endpoint.asked)
    }

    /// Lets time pass. Timers that are due expire. Also does what pickers have asked for on other
    /// threads or at the end of calls, such as [`Channel::wake`](crate::Channel::wake).
    pub fn advance(&self, time: Duration) {
        self.serialised(|_| self.channel.advance(time));
    }

    /// Seeds the channel's random numbers. The first seed is 1.
    pub fn seed(&self, seed: u64) {
        self.host().set_chance(Chance::seeded(seed));
    }

    /// Tells the policy that a call came while it was IDLE.
    pub fn exit_idle(&self) {
        self.serialised(|_| self.channel.runner().exit_idle());
    }

    /// Closes the channel. Picks that are running continue.
    pub fn close(&self) {
        self.serialised(|_| self.channel.runner().close());
    }

    /// Picks a backend for a call.
    pub fn pick(&self, call: &TestCall) -> Picked {
        match self.host().picker() {
            Some(picker) => self.pick_with(&picker, call),
            None => Picked::Queue,
        }
    }

    fn pick_with(&self, picker: &GuardedPicker, call: &TestCall) -> Picked {
        let wants = picker.wants();
        let (mut picked, headers) = call.seen(wants, |call| match picker.pick(call) {
            Pick::Complete(connection) => Picked::Complete {
                backend: self.address(connection.handle().number()),
                headers: Vec::new(),
            },
            Pick::Tracked(slot) => Picked::Tracked {
                backend: self.address(slot.call().connection().handle().number()),
                headers: Vec::new(),
                call: TrackedCall::new(slot, wants),
            },
            Pick::Queue => Picked::Queue,
            Pick::Fail(status) => Picked::Fail(from_engine(status)),
            Pick::FailWith(status) => Picked::Fail(from_engine(&status)),
            Pick::Drop(status) => Picked::Drop(from_engine(status)),
            Pick::DropWith(status) => Picked::Drop(from_engine(&status)),
            Pick::Fault(text) => Picked::Fail(Status::internal(*text)),
        });
        if let Picked::Complete { headers: to, .. } | Picked::Tracked { headers: to, .. } =
            &mut picked
        {
            *to = headers;
        }
        // Do what the engine asked for during the pick.
        if self.asked().run_wanted {
            self.serialised(|_| ());
        }
        picked
    }

    fn address(&self, connection: usize) -> String {
        self.host().address_of(connection).expect("the picker holds the connection")
    }

    /// Picks `count` times. Every call ends with OK at once.
    pub fn picks(&self, count: usize, call: &TestCall) -> Distribution {
        let mut distribution = Distribution::default();
        for _ in 0..count {
            let picked = self.pick(call);
            distribution.add(&picked);
            picked.finish(crate::Code::Ok);
        }
        distribution
    }

    /// Returns the state that the policy has published; `None` if it has not published yet.
    pub fn state(&self) -> Option<State> {
        self.host().published().map(|(state, _)| match state {
            Connectivity::Idle => State::Idle,
            Connectivity::Connecting => State::Connecting,
            Connectivity::Ready => State::Ready,
            Connectivity::TransientFailure => State::TransientFailure,
        })
    }

    /// Returns the addresses of the backends that are READY.
    pub fn ready_backends(&self) -> Vec<String> {
        self.addresses(|endpoint| endpoint.state == Some(Connectivity::Ready))
    }

    /// Returns the number of connections that endpoints, pickers and tracked calls hold.
    pub fn held_connections(&self) -> usize {
        self.host().held_connections()
    }

    /// Returns the number of faults of the policy: panics, and answers that the engine rejected.
    /// [`TestChannel::fallback`] tells how the channel continues.
    pub fn faults(&self) -> u64 {
        self.channel.runner().faults()
    }

    /// Returns the value of a series of a custom metric, by its name and its labels with their
    /// values, in the metric's order. `None` if there is no such series.
    pub fn metric(&self, name: &str, labels: &[(&str, &str)]) -> Option<MetricValue> {
        let metrics = self.channel.runner().custom_metrics();
        let metric = metrics.into_iter().find(|metric| metric.name == name)?;
        let same = |series: &CustomSeriesStats| {
            let own = series.labels.iter().map(|(name, value)| (&**name, &**value));
            own.eq(labels.iter().copied())
        };
        Some(match metric.series.into_iter().find(same)?.value {
            CustomValue::Count { value } => MetricValue::Count(value),
            CustomValue::Number { value } => MetricValue::Number(value),
            CustomValue::Histogram { count, sum, .. } => MetricValue::Histogram { count, sum },
        })
    }

    /// Returns why round robin, or a picker that fails every call, has replaced the policy; `None`
    /// if nothing has replaced it.
    pub fn fallback(&self) -> Option<String> {
        self.channel.runner().fallback().map(|fallback| fallback.reason)
    }

    /// Returns the lines of the channel's log.
    pub fn log(&self) -> Vec<(Severity, String)> {
        self.asked().log.clone()
    }

    /// Returns how often the resolver was asked to resolve again.
    pub fn reresolutions(&self) -> u64 {
        self.asked().reresolutions
    }

    /// What the engine has asked for until now.
    fn asked(&self) -> MutexGuard<'_, Asked> {
        let mut asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        asked.take_from(self.host());
        asked
    }

    /// Runs a change of the channel, one at a time, and then the work that the engine has deferred.
    fn serialised<R>(&self, change: impl FnOnce(&mut Control) -> R) -> R {
        let mut control = self.control.lock().unwrap_or_else(PoisonError::into_inner);
        let result = change(&mut control);
        loop {
            self.introduce(&control);
            if !std::mem::take(&mut self.asked().run_wanted) {
                return result;
            }
            self.channel.runner().run();
        }
    }
}

fn parse(factory: &dyn PolicyFactory, config: &str) -> Result<ParsedConfig, String> {
    let json: serde_json::Value =
        serde_json::from_str(config).map_err(|error| format!("{config}: {error}"))?;
    ParsedConfig::parse(factory, &json, steer::policies::registry())
        .map_err(|error| error.to_string())
}

impl fmt::Debug for TestChannel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TestChannel")
            .field("policy", &self.factory.name())
            .field("state", &self.state())
            .field("ready", &self.ready_backends())
            .field("faults", &self.faults())
            .finish_non_exhaustive()
    }
}
