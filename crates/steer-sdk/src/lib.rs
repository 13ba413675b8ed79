#![doc = include_str!("../README.md")]
//!
//! # Where to start
//!
//! | to write | see |
//! |---|---|
//! | a picker: chooses one READY backend per call | [`PickerFactory`], [`Picker`], [`Pick`] |
//! | a picker with state of a channel or of backends, or with timers | [`StatefulPickerFactory`] |
//! | a picker that follows calls to their end | [`Pick::on_finish`], [`Picker::call_finished`] |
//! | a policy, which also decides about connections | [`PolicyFactory`], [`Policy`] |
//! | a policy with children | [`PolicyFactory::TAKES_CHILD`], [`PolicyHelper::new_child`] |
//! | a picker that shows numbers in the statistics | [`Metric`], [`Channel::counter`] |
//! | the library that contains them | [`steer_plugin!`] |
//! | tests without gRPC | the module `testkit` (feature `testkit`) |
//!
//! # Panics
//!
//! A panic in a picker or policy never leaves this crate. The call fails with INTERNAL, and the
//! fault is logged and counted, with its file and line. Then round robin replaces the policy,
//! unless [`OnFault`] chooses something else.

#![warn(unreachable_pub)]

pub use steer_abi as abi;

mod config;
mod glue;
mod metrics;
mod on_fault;
mod pick;
mod picker;
mod plugin;
mod policy;
#[cfg(feature = "testkit")]
pub mod testkit;
mod wants;

pub use config::{Faults, NoConfig};
pub use glue::{
    AttributeValue, Backend, Backends, Call, CallEnd, Channel, Child, ChildId, Counter, Endpoint,
    EndpointId, Gauge, Helper, Histogram, Library, Locality, Metrics, PolicyHelper, Severity,
    TimerId,
};
pub use metrics::{Metric, MetricError};
pub use on_fault::OnFault;
pub use pick::{CallTracker, Pick};
pub use picker::{FnPicker, Picker, PickerFactory, StatefulPickerFactory, picker};
pub use plugin::{Error, Plugin, Registrar};
pub use policy::{Policy, PolicyFactory, State, Update};
pub use steer_abi::{Code, Status};
pub use wants::Wants;
