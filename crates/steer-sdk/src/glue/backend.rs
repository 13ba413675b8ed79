//! `steer_backend`, `steer_backends`: backends as pickers see them.

use std::any::Any;
use std::fmt;
use std::marker::PhantomData;
use std::ops::Deref;
use std::ptr::NonNull;
use std::sync::Arc;

use super::{engine, text};
use crate::abi::{steer_attribute_kind, steer_backend, steer_backends};

/// A list of the engine's, held.
pub(super) struct HeldList(NonNull<steer_backends>);

// SAFETY: lists are immutable, and counted by functions that any thread may call.
unsafe impl Send for HeldList {}
// SAFETY: as for Send.
unsafe impl Sync for HeldList {}

impl HeldList {
    /// # Safety
    /// The list is alive during the call.
    unsafe fn new(list: NonNull<steer_backends>) -> HeldList {
        // SAFETY: the caller's promise.
        unsafe { engine::backends_hold(list) };
        HeldList(list)
    }
}

impl Drop for HeldList {
    fn drop(&mut self) {
        // SAFETY: held by `new`.
        unsafe { engine::backends_release(self.0) };
    }
}

/// Backends, in the resolver's order: a slice of [`Backend`]. Cheap to clone. `S` is what
/// [`StatefulPickerFactory::new_backend`](crate::StatefulPickerFactory::new_backend) keeps of each.
pub struct Backends<S: 'static = ()> {
    items: Arc<[Backend<S>]>,
    /// What the items point into.
    lists: Arc<[Arc<HeldList>]>,
}

impl<S> Backends<S> {
    /// # Safety
    /// The list is alive during the call, and the state of its backends is of the type `S`, or NULL
    /// if that is `()`.
    pub(super) unsafe fn new(list: NonNull<steer_backends>) -> Backends<S> {
        // SAFETY: the caller's promise.
        let held = Arc::new(unsafe { HeldList::new(list) });
        // SAFETY: the caller's promise; and it is held.
        let list = unsafe { list.as_ref() };
        // SAFETY: as long as the list, the pointers in it are valid.
        let pointers = unsafe { text::items(list.items, list.count) };
        let items = pointers.iter().enumerate().map(|(index, raw)| {
            let raw = NonNull::new(raw.cast_mut()).expect("the engine's lists have no gaps");
            Backend { raw, index, state: PhantomData }
        });
        Backends { items: items.collect(), lists: Arc::new([held]) }
    }

    /// None.
    pub(super) fn none() -> Backends<S> {
        Backends { items: Arc::new([]), lists: Arc::new([]) }
    }

    /// One of these, to be kept by itself.
    pub(super) fn one(&self, index: usize) -> Option<KeptBackend> {
        let raw = self.items.get(index)?.raw;
        let backend = Backend { raw, index, state: PhantomData };
        Some(KeptBackend { backend, lists: Arc::clone(&self.lists) })
    }
}

/// A backend together with what keeps it alive.
pub(super) struct KeptBackend {
    backend: Backend,
    lists: Arc<[Arc<HeldList>]>,
}

impl KeptBackend {
    pub(super) fn get(&self) -> &Backend {
        &self.backend
    }
}

impl Backends {
    /// Backends of several lists, numbered anew.
    pub(super) fn of<'a>(kept: impl IntoIterator<Item = &'a KeptBackend>) -> Backends {
        let mut lists: Vec<Arc<HeldList>> = Vec::new();
        let items = kept.into_iter().enumerate().map(|(index, kept)| {
            for list in &*kept.lists {
                if !lists.iter().any(|known| Arc::ptr_eq(known, list)) {
                    lists.push(Arc::clone(list));
                }
            }
            Backend { raw: kept.backend.raw, index, state: PhantomData }
        });
        let items = items.collect();
        Backends { items, lists: lists.into() }
    }
}

impl<S> Clone for Backends<S> {
    fn clone(&self) -> Self {
        Backends { items: Arc::clone(&self.items), lists: Arc::clone(&self.lists) }
    }
}

impl<S> Deref for Backends<S> {
    type Target = [Backend<S>];

    #[inline]
    fn deref(&self) -> &[Backend<S>] {
        &self.items
    }
}

impl<'a, S> IntoIterator for &'a Backends<S> {
    type Item = &'a Backend<S>;
    type IntoIter = std::slice::Iter<'a, Backend<S>>;

    fn into_iter(self) -> Self::IntoIter {
        self.items.iter()
    }
}

impl<S> fmt::Debug for Backends<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(&*self.items).finish()
    }
}

/// A backend: what the resolver knows of it, and what the picker keeps of it.
pub struct Backend<S: 'static = ()> {
    /// As long as the `Backends` or `KeptBackend` that this is part of.
    raw: NonNull<steer_backend>,
    index: usize,
    state: PhantomData<fn() -> S>,
}

// SAFETY: a backend is immutable, and shares its state, which comes from and goes to any thread.
unsafe impl<S: Send + Sync> Send for Backend<S> {}
// SAFETY: as for Send.
unsafe impl<S: Send + Sync> Sync for Backend<S> {}

impl<S> Backend<S> {
    /// For the hook that makes the state.
    ///
    /// # Safety
    /// The backend is alive as long as this is used, and `S` is `()`.
    pub(super) unsafe fn without_state(raw: NonNull<steer_backend>) -> Backend<S> {
        Backend { raw, index: 0, state: PhantomData }
    }

    #[inline]
    fn raw(&self) -> &steer_backend {
        // SAFETY: alive, see `raw`; immutable.
        unsafe { self.raw.as_ref() }
    }

    /// Its place in the list that it is part of.
    #[inline]
    pub fn index(&self) -> usize {
        self.index
    }

    /// Its first address, as gRPC writes it: `ipv4:10.0.0.1:80`.
    pub fn address(&self) -> &str {
        self.addresses().next().unwrap_or_default()
    }

    /// All of its addresses, in the order to try them.
    pub fn addresses(&self) -> impl ExactSizeIterator<Item = &str> {
        let raw = self.raw();
        // SAFETY: as long as the backend, its addresses are valid.
        let addresses = unsafe { text::items(raw.addresses, raw.address_count) };
        // SAFETY: as above; all texts of a backend are UTF-8.
        addresses.iter().map(|address| unsafe { text::utf8(*address) })
    }

    /// The weight that the resolver gave it, if it did.
    pub fn weight(&self) -> Option<u32> {
        Some(self.raw().weight).filter(|weight| *weight != 0)
    }

    /// Where it is.
    pub fn locality(&self) -> Locality<'_> {
        let raw = self.raw();
        Locality {
            // SAFETY: as long as the backend, its texts are valid, and UTF-8.
            region: unsafe { text::utf8(raw.region) },
            // SAFETY: as above.
            zone: unsafe { text::utf8(raw.zone) },
            // SAFETY: as above.
            sub_zone: unsafe { text::utf8(raw.sub_zone) },
        }
    }

    /// What consistent hashing should hash: what the resolver says, else the first address.
    pub fn hash_key(&self) -> &str {
        // SAFETY: as long as the backend, its texts are valid, and UTF-8.
        match unsafe { text::utf8(self.raw().hash_key) } {
            "" => self.address(),
            key => key,
        }
    }

    /// Everything else that the resolver attached.
    pub fn attributes(&self) -> impl Iterator<Item = (&str, AttributeValue<'_>)> {
        let raw = self.raw();
        // SAFETY: as long as the backend, its attributes are valid.
        let attributes = unsafe { text::items(raw.attributes, raw.attribute_count) };
        attributes.iter().filter_map(|attribute| {
            // SAFETY: as above.
            let attribute = unsafe { attribute.as_ref() }?;
            // SAFETY: as above; all texts of a backend are UTF-8.
            let key = unsafe { text::utf8(attribute.key) };
            let value = if attribute.kind == steer_attribute_kind::STEER_ATTRIBUTE_TEXT as i32 {
                // SAFETY: as above.
                AttributeValue::Text(unsafe { text::utf8(attribute.text) })
            } else if attribute.kind == steer_attribute_kind::STEER_ATTRIBUTE_INTEGER as i32 {
                AttributeValue::Integer(attribute.integer)
            } else {
                // Of a kind that this crate does not know yet.
                return None;
            };
            Some((key, value))
        })
    }

    /// One of the attributes, by its key.
    pub fn attribute(&self, key: &str) -> Option<AttributeValue<'_>> {
        self.attributes().find(|(name, _)| *name == key).map(|(_, value)| value)
    }

    /// What the picker's factory keeps of it.
    #[inline]
    pub fn state(&self) -> &S {
        match NonNull::new(self.raw().data) {
            // SAFETY: what `backend_new` of the same table made, so an `S`; as long as the backend.
            Some(state) => unsafe { state.cast::<S>().as_ref() },
            None => {
                (&() as &dyn Any).downcast_ref().expect("only the state `()` does without a hook")
            }
        }
    }
}

impl<S> fmt::Debug for Backend<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.index, self.address())
    }
}

/// Where a backend is, as xDS names places. What is not known is empty.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Locality<'a> {
    /// The region.
    pub region: &'a str,
    /// The zone in it.
    pub zone: &'a str,
    /// The part of that.
    pub sub_zone: &'a str,
}

/// The value of an attribute.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum AttributeValue<'a> {
    /// A text.
    Text(&'a str),
    /// An integer.
    Integer(i64),
}
