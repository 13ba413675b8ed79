//! `steer_plugin`: the block by which a library describes itself, and its entry.

use super::engine;
use super::panics::{FAILED, guard_status, note_places};
use crate::abi::{
    STEER_ABI_VERSION, STEER_PLUGIN_MAGIC, steer_api, steer_picker_type, steer_plugin,
    steer_policy_type, steer_str,
};
use crate::{Plugin, Registrar};

/// A library of pickers and policies, as the engine sees it. Only
/// [`steer_plugin!`](crate::steer_plugin) makes one.
// `repr(transparent)`: the engine reads the exported static as a `steer_plugin`.
#[derive(Debug)]
#[repr(transparent)]
pub struct Library(steer_plugin);

impl Library {
    /// Makes the library of this plugin. For `steer_plugin!`.
    #[doc(hidden)]
    pub const fn of<P: Plugin>(name: &'static str, version: &'static str) -> Library {
        Library(steer_plugin {
            magic: STEER_PLUGIN_MAGIC,
            struct_size: size_of::<steer_plugin>(),
            abi_version: STEER_ABI_VERSION,
            pointer_size: size_of::<*const ()>() as u32,
            api_size: size_of::<steer_api>(),
            picker_type_size: size_of::<steer_picker_type>(),
            policy_type_size: size_of::<steer_policy_type>(),
            name: steer_str::borrow(name),
            version: steer_str::borrow(version),
            build: steer_str::borrow(env!("STEER_SDK_BUILD")),
            entry: Some(entry::<P>),
        })
    }

    /// Returns the block for `steer_register_plugin`.
    pub fn block(&'static self) -> &'static steer_plugin {
        &self.0
    }
}

/// # Safety
/// `api` is NULL or the engine's table.
unsafe extern "C" fn entry<P: Plugin>(api: *const steer_api) -> i32 {
    // SAFETY: NULL or the engine's table, which is static.
    let Some(api) = (unsafe { api.as_ref() }) else { return FAILED };
    let usable = engine::check(api);
    if usable.is_err() && api.fault.is_none() {
        return FAILED;
    }
    engine::set(api);
    note_places();
    guard_status(|| {
        match usable
            .and_then(|()| P::register(&mut Registrar::new()).map_err(|error| error.to_string()))
        {
            Ok(()) => 0,
            Err(why) => {
                engine::fault(&why);
                FAILED
            }
        }
    })
}
