//! `steer_plugin`: what a library with policies shows of itself before its entry is called.

use super::{steer_api, steer_str};

/// The version of the ABI that this header describes. It grows when something is added; nothing
/// is ever taken away or given another meaning.
pub const STEER_ABI_VERSION: u32 = 4;

/// The first eight bytes of a `steer_plugin`, as a little-endian number: "STEERLB" and 0.
pub const STEER_PLUGIN_MAGIC: u64 = 0x0042_4c52_4545_5453;

/// A shared library that is to be loaded exports one of these by the name `steer_plugin_block`. The
/// engine checks it before it calls `entry`, and refuses the plugin, with the facts of both sides,
/// unless they fit together. Constructors of the library run before that, when it is loaded: a
/// library registers its policies in `entry`, and does nothing that depends on the engine before.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct steer_plugin {
    /// STEER_PLUGIN_MAGIC.
    pub magic: u64,
    /// `sizeof(steer_plugin)`.
    pub struct_size: usize,
    /// STEER_ABI_VERSION of the header that it was compiled with. It loads into an engine of that
    /// version or a later one.
    pub abi_version: u32,
    /// `sizeof(void *)`.
    pub pointer_size: u32,
    /// `sizeof(steer_api)`: it uses no more of the engine's functions than that.
    pub api_size: usize,
    /// `sizeof(steer_picker_type)`.
    pub picker_type_size: usize,
    /// `sizeof(steer_policy_type)`.
    pub policy_type_size: usize,
    /// What it is, for people: UTF-8, and not empty.
    pub name: steer_str,
    /// Its release, for people.
    pub version: steer_str,
    /// What built it, for people.
    pub build: steer_str,
    /// Registers its pickers and policies by `api`, which stays valid. 0, or another number when it cannot; then
    /// `steer_api.fault` says why. Called once for each time that it is loaded.
    pub entry: Option<unsafe extern "C" fn(api: *const steer_api) -> i32>,
}
