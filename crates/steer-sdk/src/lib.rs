#![doc = include_str!("../README.md")]
//!
//! # Where what stands
//!
//! | to write | look at |
//! |---|---|
//! | a picker: one choice per call among the READY backends | [`PickerFactory`], [`Picker`], [`Pick`] |
//! | one that remembers: something of a channel, of a backend, or timers | [`StatefulPickerFactory`] |
//! | one that follows its calls to their end | [`Pick::on_finish`], [`Pick::track`], [`Picker::call_finished`] |
//! | a policy, which decides about connections too | [`PolicyFactory`], [`Policy`] |
//! | the library that all of these come in | [`steer_plugin!`] |
//! | tests of a picker, without gRPC | `testkit`, with the feature of that name |
//!
//! A panic in any of this never leaves the crate: the call fails with INTERNAL, the fault is logged
//! and counted with its file and line, and round robin takes the policy's place, unless
//! [`OnFault`] says otherwise.

#![warn(unreachable_pub)]

pub use steer_abi as abi;

mod config;
mod glue;
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
    AttributeValue, Backend, Backends, Call, CallEnd, Channel, Endpoint, EndpointId, Helper,
    Library, Locality, Metrics, PolicyHelper, Severity, TimerId,
};
pub use on_fault::OnFault;
pub use pick::{CallTracker, Pick};
pub use picker::{FnPicker, Picker, PickerFactory, StatefulPickerFactory, picker};
pub use plugin::{Error, Plugin, Registrar};
pub use policy::{Policy, PolicyFactory, State, Update};
pub use steer_abi::{Code, Status};
pub use wants::Wants;
