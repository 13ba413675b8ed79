//! The full level: a policy, which also decides about connections.
//!
//! Must not depend on: the ABI.

use serde::de::DeserializeOwned;

use crate::{
    Backends, Channel, ChildId, EndpointId, Faults, Metrics, OnFault, Picker, PolicyHelper, Status,
    TimerId,
};

/// The connectivity state of a channel or an endpoint, as in gRPC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum State {
    /// Not connected, and not trying to.
    Idle,
    /// Trying to connect.
    Connecting,
    /// Connected.
    Ready,
    /// Failed, and waiting to try again.
    TransientFailure,
}

impl State {
    /// Returns the state with this number. `None` for a number that only a newer engine knows.
    pub(crate) fn from_number(number: i32) -> Option<State> {
        [State::Idle, State::Connecting, State::Ready, State::TransientFailure]
            .into_iter()
            .find(|state| *state as i32 == number)
    }
}

/// A resolver's answer.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Update<'a, C> {
    /// The policy's config.
    pub config: &'a C,
    /// The endpoints in the resolver's order, or the error of a resolver that failed. The list may
    /// be empty.
    pub endpoints: Result<&'a Backends, &'a Status>,
    /// Context for people. Include it in the status if there are no endpoints. May be empty.
    pub resolution_note: &'a str,
}

impl<'a, C> Update<'a, C> {
    pub(crate) fn new(
        config: &'a C,
        endpoints: Result<&'a Backends, &'a Status>,
        resolution_note: &'a str,
    ) -> Self {
        Update { config, endpoints, resolution_note }
    }
}

/// Makes the policies of channels.
pub trait PolicyFactory: Send + Sync + 'static {
    /// As [`PickerFactory::NAME`](crate::PickerFactory::NAME).
    const NAME: &'static str;

    /// As [`PickerFactory::ON_FAULT`](crate::PickerFactory::ON_FAULT).
    const ON_FAULT: OnFault = OnFault::FallBack { faults_per_minute: 0 };

    /// As [`PickerFactory::Config`](crate::PickerFactory::Config).
    type Config: DeserializeOwned + Send + Sync + 'static;

    /// Whether its configs have the field `childPolicy`, a list as `loadBalancingConfig` is, for
    /// [`PolicyHelper::update_child`]. Without the field, round robin is the child. Faults of the
    /// child's config have their whole path.
    const TAKES_CHILD: bool = false;

    /// The type of the policies.
    type Policy: Policy<Config = Self::Config>;

    /// Makes a policy for a channel, before its first update.
    fn new_policy(&self, channel: &Channel) -> Self::Policy;

    /// As [`PickerFactory::check_config`](crate::PickerFactory::check_config).
    fn check_config(&self, config: &Self::Config, faults: &mut Faults) {
        let _ = (config, faults);
    }
}

/// A policy of one channel. It decides which connections there are, which state they add up to, and
/// which picker chooses for calls. Its methods never overlap. Dropping it shuts it down.
///
/// ```
/// use steer_sdk::{
///     Channel, Endpoint, EndpointId, NoConfig, Pick, Picker, Policy, PolicyFactory, PolicyHelper,
///     State, Status, Update, picker,
/// };
///
/// /// Connects to the first endpoint only.
/// struct OnlyTheFirst;
///
/// impl PolicyFactory for OnlyTheFirst {
///     const NAME: &'static str = "only_the_first";
///     type Config = NoConfig;
///     type Policy = First;
///
///     fn new_policy(&self, _channel: &Channel) -> First {
///         First { endpoint: None }
///     }
/// }
///
/// struct First {
///     endpoint: Option<Endpoint>,
/// }
///
/// impl Policy for First {
///     type Config = NoConfig;
///     type Picker = Box<dyn Picker>;
///
///     fn update(
///         &mut self,
///         update: &Update<'_, NoConfig>,
///         helper: &PolicyHelper<'_, Box<dyn Picker>>,
///     ) -> Result<(), Status> {
///         update.endpoints.map_err(Status::clone)?;
///         self.endpoint = helper.new_endpoint(0);
///         match &self.endpoint {
///             Some(endpoint) => helper.connect(endpoint),
///             None => {
///                 let status = Status::unavailable("no endpoints");
///                 helper.publish(State::TransientFailure, &status);
///             }
///         }
///         Ok(())
///     }
///
///     fn endpoint_report(
///         &mut self,
///         _endpoint: EndpointId,
///         state: State,
///         status: &Status,
///         helper: &PolicyHelper<'_, Box<dyn Picker>>,
///     ) {
///         if state != State::Ready {
///             return helper.publish(state, status);
///         }
///         let ready = self.endpoint.iter();
///         helper.publish_picker(State::Ready, ready, |backends| {
///             Box::new(picker(move |_| Pick::complete(&backends[0])))
///         });
///     }
/// }
/// # fn main() {}
/// ```
pub trait Policy: Send + 'static {
    /// As [`PolicyFactory::Config`].
    type Config: Send + Sync + 'static;

    /// The type of the pickers that it publishes. `Box<dyn Picker>` for several types or closures.
    type Picker: Picker;

    /// The resolver has answered. `Err` tells the resolver that the policy rejects the update.
    fn update(
        &mut self,
        update: &Update<'_, Self::Config>,
        helper: &PolicyHelper<'_, Self::Picker>,
    ) -> Result<(), Status>;

    /// An endpoint of [`PolicyHelper::new_endpoint`] is in this state now. `status` says why it
    /// failed. Not called for endpoints that were dropped.
    fn endpoint_report(
        &mut self,
        endpoint: EndpointId,
        state: State,
        status: &Status,
        helper: &PolicyHelper<'_, Self::Picker>,
    ) {
        let _ = (endpoint, state, status, helper);
    }

    /// A child of [`PolicyHelper::new_child`] has published a state and a picker. By default,
    /// publishes the same for this policy.
    fn child_changed(&mut self, child: ChildId, helper: &PolicyHelper<'_, Self::Picker>) {
        helper.publish_child(child);
    }

    /// The channel is to leave IDLE: a call waits, or the application waits for a connection. If
    /// all endpoints are IDLE after it, the engine connects the one that was made first.
    fn exit_idle(&mut self, helper: &PolicyHelper<'_, Self::Picker>) {
        let _ = helper;
    }

    /// An endpoint has sent a load report out of band: see [`PolicyHelper::request_load_reports`].
    fn load_report(
        &mut self,
        endpoint: EndpointId,
        report: &Metrics<'_>,
        helper: &PolicyHelper<'_, Self::Picker>,
    ) {
        let _ = (endpoint, report, helper);
    }

    /// [`Channel::wake`] was called.
    fn woken(&mut self, helper: &PolicyHelper<'_, Self::Picker>) {
        let _ = helper;
    }

    /// A timer of [`PolicyHelper::start_timer`] has expired.
    fn timer(&mut self, timer: TimerId, helper: &PolicyHelper<'_, Self::Picker>) {
        let _ = (timer, helper);
    }
}
