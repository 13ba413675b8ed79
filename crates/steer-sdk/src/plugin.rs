//! The library that pickers and policies come in.
//!
//! Must not know: the block's layout.

use std::fmt;

use crate::glue;
use crate::{PolicyFactory, StatefulPickerFactory};

/// Why something was not registered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error(String);

impl Error {
    /// For plugins that have reasons of their own.
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
    /// Registers what the library has. Called once for each time that it is loaded.
    fn register(registrar: &mut Registrar) -> Result<(), Error>;
}

/// Where a plugin registers.
#[derive(Debug)]
pub struct Registrar(());

impl Registrar {
    pub(crate) fn new() -> Registrar {
        Registrar(())
    }

    /// Registers a kind of picker.
    pub fn picker<F: StatefulPickerFactory>(&mut self, factory: F) -> Result<(), Error> {
        glue::register_picker(factory).map_err(Error)
    }

    /// Registers a kind of policy.
    pub fn policy<F: PolicyFactory>(&mut self, factory: F) -> Result<(), Error> {
        glue::register_policy(factory).map_err(Error)
    }
}

/// Makes a library of this crate: for the CMake function `steer_add_rust_picker`, which links it into a
/// program, or as a shared library to be loaded. Once in a crate, at its root.
///
/// `pickers` and `policies` are expressions: factories. `version` is the crate's own unless it is
/// given.
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
/// // For tests and programs in Rust: what the macro exports.
/// let _library: &'static steer_sdk::Library = plugin();
/// # }
/// ```
#[macro_export]
macro_rules! steer_plugin {
    (name: $name:expr
        $(, version: $version:expr)?
        $(, pickers: [$($picker:expr),* $(,)?])?
        $(, policies: [$($policy:expr),* $(,)?])?
        $(,)?
    ) => {
        #[cfg(panic = "abort")]
        ::core::compile_error!("Steer contains panics of pickers: they must unwind, not abort");

        /// This crate's pickers and policies.
        pub fn plugin() -> &'static $crate::Library {
            struct All;

            impl $crate::Plugin for All {
                fn register(registrar: &mut $crate::Registrar) -> ::core::result::Result<(), $crate::Error> {
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
