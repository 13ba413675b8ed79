//! A config that a table's `config_new` made.

use std::collections::BTreeSet;
use std::ffi::c_void;
use std::sync::Arc;

use super::hook::freeing;
use super::table::Registered;
use crate::policy::ChildConfig;
use crate::sync::Handle;

/// A config of a custom picker or policy. Made by the factory. Shared by policies and pickers on
/// any thread. The last one frees it by `config_free`.
pub(super) struct CustomConfig {
    pub(super) registered: Arc<Registered>,
    pointer: Handle,
    /// The names of the fields that `config_new` asked for. `None`: perhaps all.
    pub(super) asked: Option<BTreeSet<String>>,
    /// Those of its children, which `config_new` has the addresses of.
    pub(super) children: Vec<Arc<ChildConfig>>,
}

impl CustomConfig {
    pub(super) fn new(
        registered: &Arc<Registered>,
        pointer: *mut c_void,
        asked: Option<BTreeSet<String>>,
        children: Vec<Arc<ChildConfig>>,
    ) -> CustomConfig {
        let (registered, pointer) = (Arc::clone(registered), Handle::new(pointer));
        CustomConfig { registered, pointer, asked, children }
    }

    pub(super) fn pointer(&self) -> *mut c_void {
        self.pointer.pointer()
    }
}

impl Drop for CustomConfig {
    fn drop(&mut self) {
        let common = self.registered.common();
        if let (Some(config_free), false) = (common.config_free, self.pointer.is_null()) {
            // SAFETY: `config_new` made the config, and it is freed once.
            freeing(|| unsafe { config_free(self.pointer()) });
        }
    }
}
