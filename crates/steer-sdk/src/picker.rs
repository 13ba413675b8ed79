//! The easy level: given the READY backends, choose one per call.
//!
//! Must not depend on: the ABI.

use serde::de::DeserializeOwned;

use crate::{
    Backend, Backends, Call, CallEnd, Channel, Faults, Helper, Metrics, OnFault, Pick, TimerId,
    Wants,
};

/// Chooses a backend for each call. A picker is immutable, and many threads use it at once.
///
/// [`Picker::pick`] is on the path of every call: it should take no lock and allocate nothing.
pub trait Picker: Send + Sync + 'static {
    /// Chooses a backend for one call.
    fn pick(&self, call: &Call<'_>) -> Pick;

    /// Declares the parts of a call that [`Picker::pick`] reads. Called once, before the first
    /// pick.
    fn wants(&self) -> Wants {
        Wants::nothing()
    }

    /// A call with [`Pick::tracked`] starts. `backend` is the index of its backend.
    fn call_started(&self, backend: usize) {
        let _ = backend;
    }

    /// A call with [`Pick::tracked`] has ended or was abandoned. Called exactly once for each such
    /// call, whether or not it started.
    fn call_finished(&self, backend: usize, end: &CallEnd<'_>) {
        let _ = (backend, end);
    }
}

impl Picker for Box<dyn Picker> {
    fn pick(&self, call: &Call<'_>) -> Pick {
        (**self).pick(call)
    }

    fn wants(&self) -> Wants {
        (**self).wants()
    }

    fn call_started(&self, backend: usize) {
        (**self).call_started(backend);
    }

    fn call_finished(&self, backend: usize, end: &CallEnd<'_>) {
        (**self).call_finished(backend, end);
    }
}

/// Makes a picker of a closure. The closure can read no part of a call unless [`FnPicker::wants`]
/// declares it.
///
/// ```
/// use steer_sdk::{Pick, Picker, Wants, picker};
///
/// let by_path = picker(|call| if call.path() == "/a/b" { Pick::queue() } else { Pick::queue() })
///     .wants(Wants::nothing().path());
/// # let _: &dyn Picker = &by_path;
/// ```
pub fn picker<F>(pick: F) -> FnPicker<F>
where
    F: Fn(&Call<'_>) -> Pick + Send + Sync + 'static,
{
    FnPicker { pick, wants: Wants::nothing() }
}

/// A picker made of a closure, by the function [`picker`].
#[derive(Clone, Debug)]
pub struct FnPicker<F> {
    pick: F,
    wants: Wants,
}

impl<F> FnPicker<F> {
    /// Declares the parts of a call that the closure reads.
    pub fn wants(self, wants: Wants) -> FnPicker<F> {
        FnPicker { wants, ..self }
    }
}

impl<F> Picker for FnPicker<F>
where
    F: Fn(&Call<'_>) -> Pick + Send + Sync + 'static,
{
    #[inline]
    fn pick(&self, call: &Call<'_>) -> Pick {
        (self.pick)(call)
    }

    fn wants(&self) -> Wants {
        self.wants.clone()
    }
}

/// Makes pickers: the easy way to write a policy. Steer does the rest: connections, states, updates
/// and parsing the config.
///
/// ```
/// use std::hash::{DefaultHasher, Hash, Hasher};
/// use steer_sdk::{Backends, Channel, Pick, Picker, PickerFactory, Status, Wants, picker};
///
/// #[derive(serde::Deserialize)]
/// struct Config {
///     header: String,
/// }
///
/// struct StickyByHeader;
///
/// impl PickerFactory for StickyByHeader {
///     const NAME: &'static str = "sticky_by_header";
///     type Config = Config;
///
///     fn build(&self, config: &Config, backends: Backends, _channel: &Channel) -> impl Picker {
///         let header = config.header.clone();
///         let wants = Wants::nothing().header(&header);
///         picker(move |call| match call.header(&header) {
///             Some(value) => {
///                 let mut hasher = DefaultHasher::new();
///                 value.hash(&mut hasher);
///                 Pick::complete(&backends[hasher.finish() as usize % backends.len()])
///             }
///             None => Pick::fail(Status::unavailable("the call has no session")),
///         })
///         .wants(wants)
///     }
/// }
///
/// steer_sdk::steer_plugin! { name: "sticky by header", pickers: [StickyByHeader] }
/// # fn main() {}
/// ```
pub trait PickerFactory: Send + Sync + 'static {
    /// The name in `loadBalancingConfig`: lower-case letters, digits and `_`, beginning with a
    /// letter and not with `steer_`.
    const NAME: &'static str;

    /// How the policy continues after a panic. By default, round robin replaces it.
    const ON_FAULT: OnFault = OnFault::FallBack { faults_per_minute: 0 };

    /// The config, deserialised from JSON. [`NoConfig`](crate::NoConfig) if it has no fields. The
    /// fields that every policy takes (`attributes` and `reresolutionPeriod`) are not in it: the
    /// engine acts upon them.
    type Config: DeserializeOwned + Send + Sync + 'static;

    /// Makes a picker for these READY backends, in the resolver's order; there is at least one.
    /// Called after every change of the backends or the config.
    fn build(
        &self,
        config: &Self::Config,
        backends: Backends,
        channel: &Channel,
    ) -> impl Picker + 'static;

    /// Checks what serde cannot check. Adds each error to `faults`; a config with errors is
    /// rejected.
    fn check_config(&self, config: &Self::Config, faults: &mut Faults) {
        let _ = (config, faults);
    }
}

/// Makes pickers that share state: of a channel, of a backend, or of both. It may also set timers.
/// Every [`PickerFactory`] is a `StatefulPickerFactory` without state.
///
/// ```
/// use std::sync::atomic::{AtomicU64, Ordering};
/// use std::sync::Arc;
/// use steer_sdk::{
///     Backend, Backends, Channel, Helper, NoConfig, Pick, Picker, StatefulPickerFactory, picker,
/// };
///
/// /// Chooses the backend with the fewest calls in flight.
/// struct FewestCalls;
///
/// impl StatefulPickerFactory for FewestCalls {
///     const NAME: &'static str = "fewest_calls";
///     type Config = NoConfig;
///     type ChannelState = ();
///     type BackendState = Arc<AtomicU64>;
///
///     fn new_channel(&self, _channel: &Channel) {}
///
///     fn new_backend(&self, _state: &mut (), _backend: &Backend) -> Arc<AtomicU64> {
///         Arc::default()
///     }
///
///     fn build(
///         &self,
///         _config: &NoConfig,
///         backends: Backends<Arc<AtomicU64>>,
///         _state: &mut (),
///         _helper: &Helper<'_>,
///     ) -> impl Picker {
///         picker(move |_| {
///             let calls = |backend: &&Backend<Arc<AtomicU64>>|
///             backend.state().load(Ordering::Relaxed); let Some(backend) =
///             backends.iter().min_by_key(calls) else { return Pick::queue() }; let calls =
///             Arc::clone(backend.state()); calls.fetch_add(1, Ordering::Relaxed);
///             Pick::complete(backend).on_finish(move |_| {
///                 calls.fetch_sub(1, Ordering::Relaxed);
///             })
///         })
///     }
/// }
/// # fn main() {}
/// ```
pub trait StatefulPickerFactory: Send + Sync + 'static {
    /// As [`PickerFactory::NAME`].
    const NAME: &'static str;

    /// As [`PickerFactory::ON_FAULT`].
    const ON_FAULT: OnFault = OnFault::FallBack { faults_per_minute: 0 };

    /// As [`PickerFactory::Config`].
    type Config: DeserializeOwned + Send + Sync + 'static;

    /// State of a channel, from before its first picker to after its last. `()` for none.
    type ChannelState: Send + 'static;

    /// State of a backend. It is kept as long as the backend's addresses are in the channel's list,
    /// across new pickers, lost connections and new lists. `()` for none.
    type BackendState: Send + Sync + 'static;

    /// Makes the state of a channel, which begins to use this factory.
    fn new_channel(&self, channel: &Channel) -> Self::ChannelState;

    /// Makes the state of a backend that is new in the channel's list. Not called for
    /// `BackendState = ()`.
    fn new_backend(&self, state: &mut Self::ChannelState, backend: &Backend) -> Self::BackendState;

    /// As [`PickerFactory::build`].
    fn build(
        &self,
        config: &Self::Config,
        backends: Backends<Self::BackendState>,
        state: &mut Self::ChannelState,
        helper: &Helper<'_>,
    ) -> impl Picker + 'static;

    /// A timer of [`Helper::start_timer`] has expired.
    fn timer(&self, timer: TimerId, state: &mut Self::ChannelState, helper: &Helper<'_>) {
        let _ = (timer, state, helper);
    }

    /// [`Channel::wake`] was called. By default, asks for a new picker.
    fn woken(&self, state: &mut Self::ChannelState, helper: &Helper<'_>) {
        let _ = state;
        helper.request_rebuild();
    }

    /// A backend has sent a load report out of band: see [`Helper::request_load_reports`]. Its
    /// state is `backend.state()`.
    fn load_report(
        &self,
        backend: &Backend<Self::BackendState>,
        report: &Metrics<'_>,
        state: &mut Self::ChannelState,
        helper: &Helper<'_>,
    ) {
        let _ = (backend, report, state, helper);
    }

    /// As [`PickerFactory::check_config`].
    fn check_config(&self, config: &Self::Config, faults: &mut Faults) {
        let _ = (config, faults);
    }
}

impl<F: PickerFactory> StatefulPickerFactory for F {
    const NAME: &'static str = F::NAME;
    const ON_FAULT: OnFault = F::ON_FAULT;
    type Config = F::Config;
    type ChannelState = ();
    type BackendState = ();

    fn new_channel(&self, _channel: &Channel) {}

    fn new_backend(&self, _state: &mut (), _backend: &Backend) {}

    fn build(
        &self,
        config: &F::Config,
        backends: Backends,
        _state: &mut (),
        helper: &Helper<'_>,
    ) -> impl Picker + 'static {
        PickerFactory::build(self, config, backends, helper)
    }

    fn check_config(&self, config: &F::Config, faults: &mut Faults) {
        PickerFactory::check_config(self, config, faults);
    }
}
