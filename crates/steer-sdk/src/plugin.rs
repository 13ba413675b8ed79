//! A library that contains pickers and policies.
//!
//! Must not depend on: the layout of its `steer_plugin` block.

use std::fmt;

use crate::glue;
use crate::{Counter, Gauge, Histogram, Metric, MetricError, PolicyFactory, StatefulPickerFactory};

/// Why a picker or policy was not registered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error(String);

impl Error {
    /// Makes an error with a plugin's own reason.
    pub fn new(why: impl Into<String>) -> Error {
        Error(why.into())
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Error {}

/// A library with pickers and policies. [`steer_plugin!`](crate::steer_plugin) makes one.
pub trait Plugin {
    /// Registers the library's pickers and policies. Called once each time that it is loaded.
    fn register(registrar: &mut Registrar) -> Result<(), Error>;
}

/// Registers the pickers and policies of a plugin.
#[derive(Debug)]
pub struct Registrar(());

impl Registrar {
    pub(crate) fn new() -> Registrar {
        Registrar(())
    }

    /// Registers a picker factory under its `NAME`.
    pub fn picker<F: StatefulPickerFactory>(&mut self, factory: F) -> Result<(), Error> {
        glue::register_picker(factory).map_err(Error)
    }

    /// Registers a policy factory under its `NAME`.
    pub fn policy<F: PolicyFactory>(&mut self, factory: F) -> Result<(), Error> {
        glue::register_policy(factory).map_err(Error)
    }

    /// Makes a series of this counter, which the statistics show with the plugin. Otherwise as
    /// [`Channel::counter`](crate::Channel::counter).
    pub fn counter(&self, metric: &Metric, values: &[&str]) -> Result<Counter, MetricError> {
        Counter::of_plugin(metric, values)
    }

    /// Makes a series of this gauge, as [`Registrar::counter`].
    pub fn gauge(&self, metric: &Metric, values: &[&str]) -> Result<Gauge, MetricError> {
        Gauge::of_plugin(metric, values)
    }

    /// Makes a series of this histogram, as [`Registrar::counter`].
    pub fn histogram(&self, metric: &Metric, values: &[&str]) -> Result<Histogram, MetricError> {
        Histogram::of_plugin(metric, values)
    }
}

/// Turns a crate into a library of pickers and policies. The CMake function `steer_add_rust_picker`
/// links it into a program or makes a plugin of it, a shared library. Use the macro once, in the
/// root of the crate.
///
/// `pickers` and `policies` are expressions that give factories. `version` is optional; it defaults
/// to the version of the crate. `setup` is optional, too: a function that takes a `&mut`
/// [`Registrar`](crate::Registrar), for factories that need more than an expression, such as a
/// metric of the plugin. It returns a `Result` with an [`Error`](crate::Error).
///
/// ```
/// # use steer_sdk::{Backends, Channel, NoConfig, Pick, Picker, PickerFactory, picker};
/// # struct TheFirst;
/// # impl PickerFactory for TheFirst {
/// #     const NAME: &'static str = "the_first";
/// #     type Config = NoConfig;
/// #     fn build(&self, _: &NoConfig, backends: Backends, _: &Channel) -> impl Picker {
/// #         picker(move |_| Pick::complete(&backends[0]))
/// #     }
/// # }
/// steer_sdk::steer_plugin! { name: "an example", pickers: [TheFirst] }
///
/// # fn main() {
/// // The macro also defines `plugin()`, for tests and for programs in Rust.
/// let _library: &'static steer_sdk::Library = plugin();
/// # }
/// ```
#[macro_export]
macro_rules! steer_plugin {
    (name: $name:expr
        $(, version: $version:expr)?
        $(, setup: $setup:expr)?
        $(, pickers: [$($picker:expr),* $(,)?])?
        $(, policies: [$($policy:expr),* $(,)?])?
        $(,)?
    ) => {
        #[cfg(panic = "abort")]
        ::core::compile_error!(
            "Steer catches panics of pickers, so they must unwind: remove `panic = \"abort\"`"
        );

        /// This crate's pickers and policies.
        pub fn plugin() -> &'static $crate::Library {
            struct All;

            impl $crate::Plugin for All {
                fn register(
                    registrar: &mut $crate::Registrar,
                ) -> ::core::result::Result<(), $crate::Error> {
                    $($setup(registrar)?;)?
                    $($(registrar.picker($picker)?;)*)?
                    $($(registrar.policy($policy)?;)*)?
                    ::core::result::Result::Ok(())
                }
            }

            #[allow(non_upper_case_globals, reason = "the name that the engine looks for")]
            #[unsafe(no_mangle)]
            static steer_plugin_block: $crate::Library = $crate::Library::of::<All>(
                $name,
                $crate::steer_plugin!(@version $($version)?),
            );

            &steer_plugin_block
        }
    };
    (@version) => { ::core::env!("CARGO_PKG_VERSION") };
    (@version $version:expr) => { $version };
}
