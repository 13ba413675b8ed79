//! `steer_plugin`: how a library with custom pickers and policies describes itself.

use super::{steer_api, steer_str};

/// The version of the ABI that this header describes. It grows when something is added. Nothing is
/// ever removed or given another meaning.
pub const STEER_ABI_VERSION: u32 = 4;

/// The first eight bytes of a `steer_plugin`, as a little-endian number: "STEERLB" and 0.
pub const STEER_PLUGIN_MAGIC: u64 = 0x0042_4c52_4545_5453;

/// A plugin exports one of these under the name `steer_plugin_block`. The engine checks it before
/// it calls `entry`. If plugin and engine do not fit together, it refuses the plugin, with an error
/// that names the facts of both. The library's constructors run earlier, when it is loaded; they
/// must not use the engine. A plugin registers its pickers and policies in `entry`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct steer_plugin {
    /// STEER_PLUGIN_MAGIC.
    pub magic: u64,
    /// `sizeof(steer_plugin)`.
    pub struct_size: usize,
    /// STEER_ABI_VERSION of the header that the plugin was compiled with. It loads into an engine
    /// of that version or a later one.
    pub abi_version: u32,
    /// `sizeof(void *)`.
    pub pointer_size: u32,
    /// `sizeof(steer_api)`. The plugin uses no function beyond that size.
    pub api_size: usize,
    /// `sizeof(steer_picker_type)`.
    pub picker_type_size: usize,
    /// `sizeof(steer_policy_type)`.
    pub policy_type_size: usize,
    /// Its name, for logs and statistics: UTF-8, and not empty.
    pub name: steer_str,
    /// Its release, for logs and statistics.
    pub version: steer_str,
    /// The compiler and build that made it, for logs and statistics.
    pub build: steer_str,
    /// Registers the plugin's pickers and policies by `api`, which stays valid. Returns 0, or
    /// another number if it cannot, after it reported why by `steer_api.fault`. Called once each
    /// time that the plugin is loaded.
    pub entry: Option<unsafe extern "C" fn(api: *const steer_api) -> i32>,
}
