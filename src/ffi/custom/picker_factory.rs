//! Runs a `steer_picker_type`: the engine handles connections, states and updates, and the table's
//! pickers choose a backend.
//!
//! Must not depend on: hosts.

use std::ptr;
use std::sync::Arc;

use steer_abi::steer_wants;

use super::backends::{BackendCache, Backends, Listed};
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
use crate::endpoints::{Connectivity, EndpointDescriptor};
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

    /// Calls the hook for this timer, and returns whether the table has the hook.
    fn call_timer(&self, timer: TimerId) -> bool {
        let Some(hook) = self.instance.registered.picker_type().timer else { return false };
        // SAFETY: called in a serialised call, and the instance is not freed.
        serialised(&*self.instance.channel, || unsafe { hook(self.instance.pointer(), timer.0) });
        raise_if_reported("timer");
        true
    }
}

impl Drop for CustomPickers {
    fn drop(&mut self) {
        self.instance.channel.requests.close();
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
        let mut next_ready = backends.iter().enumerate().peekable();
        let listed: Vec<Listed> = ready
            .listed()
            .enumerate()
            .map(|(place, (descriptor, state))| {
                let backend = self.cache.describe(instance, descriptor);
                let ready = next_ready.next_if(|(_, ready)| ready.place == place);
                let ready = ready.map(|(index, _)| index);
                let state = if ready.is_some() { Connectivity::Ready } else { state };
                Listed { backend, state, ready }
            })
            .collect();
        let described = listed.iter().filter(|one| one.ready.is_some());
        let calls = described.map(|one| Arc::clone(&one.backend.calls));
        let connections = backends.iter().map(|backend| backend.connection.clone());
        let connections = connections.zip(calls).collect();
        let list = Backends::for_picker(listed);
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
        // A backend that came after the latest picker has no data yet.
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
        self.instance.channel.requests.take_rebuild()
    }

    fn timer(&mut self, timer: TimerId) -> bool {
        self.call_timer(timer);
        self.instance.channel.requests.take_rebuild()
    }

    fn woken(&mut self) -> bool {
        let requests = &self.instance.channel.requests;
        requests.run_timers(&*self.instance.channel.helper);
        // Without the hook, a new picker is all that can follow.
        let rebuild = requests.take_woken() && !self.call_timer(TimerId::NONE);
        self.instance.channel.requests.take_rebuild() || rebuild
    }

    fn adopts(&self, config: &Config) -> bool {
        let config = config.downcast_ref::<CustomConfig>();
        config.is_some_and(|config| matches!(config.registered.table, Table::Picker(_)))
    }
}
