//! Runs a `steer_picker_type`: the engine handles connections, states and updates, and the table's
//! pickers choose a backend.
//!
//! Must not depend on: hosts.

use std::ptr;
use std::sync::Arc;

use steer_abi::steer_wants;

use super::backends::{BackendCache, Backends, Described};
use super::choice::{raise_failed, raise_if_reported};
use super::config::CustomConfig;
use super::followed_calls::FollowedCalls;
use super::hook::serialised;
use super::instance::Instance;
use super::picker::CustomPicker;
use super::picks::{CHECKED, Hooks, Keeps, Picks};
use super::table::{Registered, Table};
use super::wants::read_wants;
use crate::calls::Metrics;
use crate::endpoints::EndpointDescriptor;
use crate::fault::raise;
use crate::ffi::metrics::with_metrics;
use crate::policy::{Backend, Config, Helper, Picker, PickerFactory, Ready, TimerId};
use crate::stats::StatsSource;

/// The picker factory of one channel.
pub(super) struct CustomPickers {
    instance: Arc<Instance>,
    cache: BackendCache,
}

impl CustomPickers {
    /// # Panics
    /// [`raise`]s when `instance_new` fails.
    pub(super) fn new(
        registered: &Arc<Registered>,
        helper: &Arc<dyn Helper>,
        calls: Arc<FollowedCalls>,
    ) -> CustomPickers {
        let instance = Instance::new(registered, helper, calls);
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
            let calls = Arc::clone(&self.instance.channel.calls);
            *self = CustomPickers::new(&config.registered, helper, calls);
            self.instance.channel.updated();
        }
        let instance = &self.instance;
        let table = instance.registered.picker_type();
        let picker_new = table.picker_new.expect(CHECKED);
        let backends: Vec<Backend> = ready.backends().collect();
        let described: Vec<_> = backends
            .iter()
            .map(|backend| self.cache.describe(instance, &backend.descriptor))
            .collect();
        let calls = described.iter().map(|described: &Arc<Described>| Arc::clone(&described.calls));
        let connections = backends.into_iter().map(|backend| backend.connection);
        let connections = connections.zip(calls).collect();
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
        Box::new(CustomPicker::new(
            picks,
            connections,
            wants.unwrap_or_else(|text| raise("picker_new", text)),
            &instance.channel.calls,
        ))
    }

    fn forget(&mut self, gone: &[Arc<EndpointDescriptor>]) {
        self.cache.forget(gone);
        self.instance.channel.calls.forget(gone);
    }

    fn counts_calls(&self, _config: &CustomConfig) -> bool {
        true
    }

    fn stats_sources(&self) -> Vec<Arc<dyn StatsSource>> {
        vec![self.instance.channel.calls.stats_source()]
    }

    fn configure(&mut self, _config: &Arc<CustomConfig>, _helper: &Arc<dyn Helper>) {
        self.instance.channel.updated();
    }

    fn load_report(
        &mut self,
        endpoint: &EndpointDescriptor,
        metrics: &Metrics,
        _helper: &dyn Helper,
    ) {
        let instance = &self.instance;
        let hook = instance.registered.picker_type().load_report;
        // A backend that was never READY has no data yet.
        let (Some(hook), Some(backend)) = (hook, self.cache.find(endpoint)) else { return };
        with_metrics(metrics, |report| {
            // SAFETY: called in a serialised call. The instance is not freed, and the backend and
            // the report are valid during the call.
            serialised(&*instance.channel, || unsafe {
                hook(instance.pointer(), backend.pointer(), report);
            });
        });
        raise_if_reported("load_report");
    }

    fn wants_rebuild(&mut self) -> bool {
        self.instance.channel.take_rebuild()
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
