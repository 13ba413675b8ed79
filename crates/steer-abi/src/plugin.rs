//! `steer_plugin`: describes a library with custom pickers or policies. The engine checks it before
//! it calls the library's entry.

use super::{steer_api, steer_str};

/// The version of the ABI that this header describes. It grows with each addition. Nothing is ever
/// removed or given another meaning.
pub const STEER_ABI_VERSION: u32 = 10;

/// The first eight bytes of a `steer_plugin`, as a little-endian number: "STEERLB" and 0.
pub const STEER_PLUGIN_MAGIC: u64 = 0x0042_4c52_4545_5453;

/// A plugin. A shared library that can be loaded exports one of these with the name
/// `steer_plugin_block`. The engine checks it before it calls `entry`. If the plugin does not fit,
/// the engine refuses it with the facts of both sides. Constructors of the library run before that,
/// when it is loaded. So a library registers its policies in `entry`, and uses nothing of the
/// engine before.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct steer_plugin {
    /// STEER_PLUGIN_MAGIC.
    pub magic: u64,
    /// `sizeof(steer_plugin)`.
    pub struct_size: usize,
    /// STEER_ABI_VERSION of the header that it was compiled with. It loads into engines of that
    /// version or a later one.
    pub abi_version: u32,
    /// `sizeof(void *)`.
    pub pointer_size: u32,
    /// `sizeof(steer_api)`: the plugin uses none of the engine's functions beyond that size.
    pub api_size: usize,
    /// `sizeof(steer_picker_type)`.
    pub picker_type_size: usize,
    /// `sizeof(steer_policy_type)`.
    pub policy_type_size: usize,
    /// Its name, for people: UTF-8, and not empty.
    pub name: steer_str,
    /// Its release, for people.
    pub version: steer_str,
    /// The compiler and options that built it, for people.
    pub build: steer_str,
    /// `[any thread]`
    /// Registers its pickers and policies by `api`, which stays valid. Returns 0, or another number
    /// when it fails. `steer_api.fault` then has the reason. Called once each time the plugin is
    /// registered or loaded.
    pub entry: Option<unsafe extern "C" fn(api: *const steer_api) -> i32>,
}
