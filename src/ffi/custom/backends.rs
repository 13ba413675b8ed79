//! `steer_backends`: backends in C's terms, and the data of each backend (`backend_new`).
//!
//! Must not depend on: how a picker chooses.

use std::collections::HashMap;
use std::ptr;
use std::sync::Arc;

use steer_abi::{steer_attribute, steer_attribute_kind, steer_backend, steer_backends, steer_str};

use super::choice::raise_failed;
use super::followed_calls::{BackendCalls, FollowedCalls};
use super::hook::{freeing, serialised};
use super::instance::Instance;
use crate::endpoints::{AttributeValue, Connectivity, EndpointDescriptor};
use crate::ffi::guard;
use crate::sync::Handle;

/// The data that `backend_new` made for a backend.
struct Data {
    instance: Arc<Instance>,
    pointer: Handle,
}

impl Drop for Data {
    fn drop(&mut self) {
        let backend_free = self.instance.registered.picker_type().backend_free;
        if let (Some(backend_free), false) = (backend_free, self.pointer.is_null()) {
            // SAFETY: `backend_new` made the data. It is freed once, before its instance, which
            // this holds.
            freeing(|| unsafe { backend_free(self.pointer.pointer()) });
        }
    }
}

/// An endpoint's descriptor in C's terms. Immutable. Its pointers lead to its own parts.
pub(super) struct Described {
    c: steer_backend,
    descriptor: Arc<EndpointDescriptor>,
    data: Option<Arc<Data>>,
    /// The counters of its calls.
    pub(super) calls: Arc<BackendCalls>,
    _addresses: Vec<steer_str>,
    _attributes: Vec<steer_attribute>,
    _attribute_pointers: Vec<*const steer_attribute>,
}

// SAFETY: it is immutable. Its pointers lead to its own parts, or to the data of a picker type,
// whose hooks may use and free the data on any thread.
unsafe impl Send for Described {}
// SAFETY: as for Send.
unsafe impl Sync for Described {}

impl Described {
    pub(super) fn new(descriptor: &Arc<EndpointDescriptor>, calls: &FollowedCalls) -> Described {
        let addresses: Vec<_> =
            descriptor.addresses.iter().map(|address| steer_str::borrow(address)).collect();
        let attributes: Vec<_> = descriptor
            .attributes
            .iter()
            .map(|attribute| {
                let (kind, text, integer) = match &attribute.value {
                    AttributeValue::Text(text) => {
                        (steer_attribute_kind::STEER_ATTRIBUTE_TEXT, steer_str::borrow(text), 0)
                    }
                    AttributeValue::Integer(integer) => (
                        steer_attribute_kind::STEER_ATTRIBUTE_INTEGER,
                        steer_str::empty(),
                        *integer,
                    ),
                };
                steer_attribute {
                    struct_size: size_of::<steer_attribute>(),
                    key: steer_str::borrow(&attribute.key),
                    kind: kind as i32,
                    text,
                    integer,
                }
            })
            .collect();
        let attribute_pointers: Vec<_> = attributes.iter().map(ptr::from_ref).collect();
        let c = steer_backend {
            struct_size: size_of::<steer_backend>(),
            addresses: addresses.as_ptr(),
            address_count: addresses.len(),
            weight: descriptor.weight,
            region: steer_str::borrow(&descriptor.locality.region),
            zone: steer_str::borrow(&descriptor.locality.zone),
            sub_zone: steer_str::borrow(&descriptor.locality.sub_zone),
            hash_key: steer_str::borrow(&descriptor.hash_key),
            attributes: attribute_pointers.as_ptr(),
            attribute_count: attribute_pointers.len(),
            data: ptr::null_mut(),
        };
        Described {
            c,
            descriptor: Arc::clone(descriptor),
            data: None,
            calls: calls.of(descriptor),
            _addresses: addresses,
            _attributes: attributes,
            _attribute_pointers: attribute_pointers,
        }
    }

    /// The backend for hooks. Valid as long as this.
    pub(super) fn pointer(&self) -> *const steer_backend {
        &self.c
    }

    fn with_data(mut self, data: Option<Arc<Data>>) -> Arc<Described> {
        self.c.data = data.as_ref().map_or(ptr::null_mut(), |data| data.pointer.pointer());
        self.data = data;
        Arc::new(self)
    }
}

/// A list of backends. Reference counted: hooks receive [`pointer`](Backends::pointer), and
/// `backends_hold` adds a reference.
// C sees the first field.
#[repr(C)]
pub(super) struct Backends {
    c: steer_backends,
    _items: Vec<*const steer_backend>,
    _described: Vec<Arc<Described>>,
    _states: Vec<i32>,
    _ready: Vec<usize>,
    _all: Option<Arc<Backends>>,
}

/// A backend of the channel's list, for [`Backends::for_picker`].
pub(super) struct Listed {
    pub(super) backend: Arc<Described>,
    pub(super) state: Connectivity,
    /// Its index among the READY ones, if it is one of them.
    pub(super) ready: Option<usize>,
}

// SAFETY: as for `Described`.
unsafe impl Send for Backends {}
// SAFETY: as for `Described`.
unsafe impl Sync for Backends {}

impl Backends {
    pub(super) fn new(described: Vec<Arc<Described>>) -> Arc<Backends> {
        Arc::new(Backends::of(described))
    }

    /// The READY ones of these backends, together with all of them.
    pub(super) fn for_picker(listed: Vec<Listed>) -> Arc<Backends> {
        let is_ready = |one: &&Listed| one.ready.is_some();
        let ready = listed.iter().filter(is_ready).map(|one| Arc::clone(&one.backend));
        let mut ready = Backends::of(ready.collect());
        let states: Vec<_> = listed.iter().map(|one| one.state as i32).collect();
        let indices: Vec<_> = listed.iter().map(|one| one.ready.unwrap_or(usize::MAX)).collect();
        let mut all = Backends::of(listed.into_iter().map(|one| one.backend).collect());
        // Moving a Vec does not move its elements.
        (all.c.states, all.c.ready) = (states.as_ptr(), indices.as_ptr());
        (all._states, all._ready) = (states, indices);
        let all = Arc::new(all);
        ready.c.all = all.pointer();
        ready._all = Some(all);
        Arc::new(ready)
    }

    fn of(described: Vec<Arc<Described>>) -> Backends {
        let items: Vec<_> = described.iter().map(|backend| ptr::from_ref(&backend.c)).collect();
        let c = steer_backends {
            struct_size: size_of::<steer_backends>(),
            items: items.as_ptr(),
            count: items.len(),
            all: ptr::null(),
            states: ptr::null(),
            ready: ptr::null(),
        };
        let (_states, _ready) = (Vec::new(), Vec::new());
        Backends { c, _items: items, _described: described, _states, _ready, _all: None }
    }

    /// The list for hooks. Valid as long as the list.
    pub(super) fn pointer(self: &Arc<Backends>) -> *const steer_backends {
        Arc::as_ptr(self).cast()
    }
}

// Unguarded: it counts.
pub(super) unsafe extern "C" fn backends_hold(backends: *const steer_backends) {
    if !backends.is_null() {
        // SAFETY: it came from an Arc, and the caller holds a reference (rule of `steer_api`).
        unsafe { Arc::increment_strong_count(backends.cast::<Backends>()) };
    }
}

pub(super) unsafe extern "C" fn backends_release(backends: *const steer_backends) {
    guard((), || {
        if !backends.is_null() {
            // SAFETY: it came from an Arc, and the caller gives up its reference (rule of
            // `steer_api`).
            unsafe { Arc::decrement_strong_count(backends.cast::<Backends>()) };
        }
    });
}

/// The described backends of one channel, by their addresses, with their data.
#[derive(Default)]
pub(super) struct BackendCache(HashMap<Vec<String>, Arc<Described>>);

impl BackendCache {
    /// Removes backends that have left the list.
    pub(super) fn forget(&mut self, gone: &[Arc<EndpointDescriptor>]) {
        for descriptor in gone {
            self.0.remove(&descriptor.addresses);
        }
    }

    /// The backend with the addresses of this endpoint, if it was described.
    pub(super) fn find(&self, descriptor: &EndpointDescriptor) -> Option<Arc<Described>> {
        self.0.get(descriptor.addresses.as_slice()).cloned()
    }

    /// The described backend, with its data. Makes the data when the addresses are new.
    ///
    /// # Panics
    /// [`raise`](crate::fault::raise)s when `backend_new` fails.
    pub(super) fn describe(
        &mut self,
        instance: &Arc<Instance>,
        descriptor: &Arc<EndpointDescriptor>,
    ) -> Arc<Described> {
        let known = self.0.get(descriptor.addresses.as_slice());
        if let Some(known) = known.filter(|known| Arc::ptr_eq(&known.descriptor, descriptor)) {
            return Arc::clone(known);
        }
        let described = Described::new(descriptor, &instance.channel.calls);
        let data = match known {
            Some(known) => known.data.clone(),
            None => new_data(instance, &described),
        };
        let described = described.with_data(data);
        self.0.insert(descriptor.addresses.clone(), Arc::clone(&described));
        described
    }
}

fn new_data(instance: &Arc<Instance>, described: &Described) -> Option<Arc<Data>> {
    let backend_new = instance.registered.picker_type().backend_new?;
    let mut pointer = ptr::null_mut();
    // SAFETY: called in a serialised call, with an instance and a backend that are valid during the
    // call.
    let status = serialised(&*instance.channel, || unsafe {
        backend_new(instance.pointer(), &described.c, &mut pointer)
    });
    if status != 0 {
        raise_failed("backend_new");
    }
    Some(Arc::new(Data { instance: Arc::clone(instance), pointer: Handle::new(pointer) }))
}
