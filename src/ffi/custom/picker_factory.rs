//! Runs a `steer_picker_type`: the engine handles connections, states and updates, and the table's
//! pickers choose a backend.
//!
//! Must not depend on: hosts.

use std::ptr;
use std::sync::Arc;

use steer_abi::steer_wants;

use super::backends::{BackendCache, Backends};
use super::choice::{raise_failed, raise_if_reported};
use super::config::CustomConfig;
use super::hook::serialised;
use super::instance::Instance;
use super::picker::CustomPicker;
use super::picks::{CHECKED, Hooks, Keeps, Picks};
use super::table::{Registered, Table};
use super::wants::read_wants;
use crate::endpoints::EndpointDescriptor;
use crate::fault::raise;
use crate::policy::{Backend, Config, Helper, Picker, PickerFactory, Ready, TimerId};

/// The picker factory of one channel.
pub(super) struct CustomPickers {
    instance: Arc<Instance>,
    cache: BackendCache,
}

impl CustomPickers {
    /// # Panics
    /// [`raise`]s when `instance_new` fails.
    pub(super) fn new(registered: &Arc<Registered>, helper: &Arc<dyn Helper>) -> CustomPickers {
        let instance = Instance::new(registered, helper);
        CustomPickers { instance, cache: BackendCache::default() }
    }
}

impl PickerFactory for CustomPickers {
    type Config = CustomConfig;

    fn build(
        &mut self,
        config: &Arc<CustomConfig>,
        ready: &Ready<'_>,
        helper: &Arc<dyn Helper>,
    ) -> Box<dyn Picker> {
        if !Arc::ptr_eq(&config.registered, &self.instance.registered) {
            // The plugin's next release. The data of the former one has another type.
            *self = CustomPickers::new(&config.registered, helper);
        }
        let instance = &self.instance;
        let table = instance.registered.picker_type();
        let picker_new = table.picker_new.expect(CHECKED);
        let backends: Vec<Backend> = ready.backends().collect();
        let described = backends
            .iter()
            .map(|backend| self.cache.describe(instance, &backend.descriptor))
            .collect();
        let list = Backends::new(described);
        let mut wants = steer_wants {
            struct_size: size_of::<steer_wants>(),
            bits: 0,
            headers: ptr::null(),
            header_count: 0,
        };
        let mut pointer = ptr::null_mut();
        // SAFETY: called in a serialised call. The picker keeps the instance, the config and the
        // backends, and `wants` is valid during the call.
        let status = serialised(&*instance.channel, || unsafe {
            let (instance, config) = (instance.pointer(), config.pointer());
            picker_new(instance, config, list.pointer(), &mut wants, &mut pointer)
        });
        if status != 0 {
            raise_failed("picker_new");
        }
        let keeps = Keeps::Picker(Arc::clone(instance), Arc::clone(config), list);
        let picks = Picks::new(pointer, Hooks::of_picker_type(table), keeps);
        // SAFETY: the headers that `picker_new` has set are readable (rule of `steer_wants`).
        let wants = unsafe { read_wants(&wants) };
        let connections = backends.into_iter().map(|backend| backend.connection).collect();
        Box::new(CustomPicker::new(
            picks,
            connections,
            wants.unwrap_or_else(|text| raise("picker_new", text)),
        ))
    }

    fn forget(&mut self, gone: &[Arc<EndpointDescriptor>]) {
        self.cache.forget(gone);
    }

    fn timer(&mut self, timer: TimerId) -> bool {
        if let Some(hook) = self.instance.registered.picker_type().timer {
            // SAFETY: called in a serialised call, and the instance is not freed.
            serialised(&*self.instance.channel, || unsafe {
                hook(self.instance.pointer(), timer.0)
            });
            raise_if_reported("timer");
        }
        self.instance.channel.take_rebuild()
    }

    fn adopts(&self, config: &Config) -> bool {
        let config = config.downcast_ref::<CustomConfig>();
        config.is_some_and(|config| matches!(config.registered.table, Table::Picker(_)))
    }
}
