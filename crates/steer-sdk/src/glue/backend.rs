//! `steer_backend`, `steer_backends`: backends as pickers see them.

use std::any::Any;
use std::fmt;
use std::marker::PhantomData;
use std::ops::Deref;
use std::ptr::NonNull;
use std::sync::Arc;

use super::{engine, text};
use crate::State;
use crate::abi::{steer_attribute_kind, steer_backend, steer_backends};

/// A reference to one of the engine's lists.
pub(super) struct HeldList(NonNull<steer_backends>);

// SAFETY: lists are immutable, and any thread may call the functions that count references.
unsafe impl Send for HeldList {}
// SAFETY: as for Send.
unsafe impl Sync for HeldList {}

impl HeldList {
    /// # Safety
    /// The list is alive during the call.
    unsafe fn new(list: NonNull<steer_backends>) -> HeldList {
        // SAFETY: the caller's contract.
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

/// Backends in the resolver's order: dereferences to a slice of [`Backend`]. Cheap to clone. `S` is
/// the state of a backend, made by
/// [`StatefulPickerFactory::new_backend`](crate::StatefulPickerFactory::new_backend).
pub struct Backends<S: 'static = ()> {
    items: Arc<[Backend<S>]>,
    /// Of a picker's list: all backends of the channel's list.
    all: Arc<[Backend<S>]>,
    /// The lists that the items point into.
    lists: Arc<[Arc<HeldList>]>,
}

impl<S> Backends<S> {
    /// # Safety
    /// The list is alive during the call. The state of its backends has the type `S`; it is NULL if
    /// `S` is `()`.
    pub(super) unsafe fn new(list: NonNull<steer_backends>) -> Backends<S> {
        // SAFETY: the caller's contract.
        let held = Arc::new(unsafe { HeldList::new(list) });
        // SAFETY: the list is alive, as `held` refers to it.
        let list = unsafe { list.as_ref() };
        // SAFETY: as above, for its pointers.
        let items = unsafe { backends_of(list) };
        // SAFETY: NULL, or valid as long as the list.
        let all = match unsafe { list.all.as_ref() } {
            // SAFETY: as above, for its pointers.
            Some(all) => unsafe { backends_of(all) },
            None => Arc::new([]),
        };
        Backends { items, all, lists: Arc::new([held]) }
    }

    /// Returns an empty list.
    pub(super) fn none() -> Backends<S> {
        Backends { items: Arc::new([]), all: Arc::new([]), lists: Arc::new([]) }
    }

    /// Returns one of these backends, with a reference to its list.
    pub(super) fn one(&self, index: usize) -> Option<KeptBackend> {
        let raw = self.items.get(index)?.raw;
        let backend = Backend { raw, index, connectivity: State::Idle, state: PhantomData };
        Some(KeptBackend { backend, lists: Arc::clone(&self.lists) })
    }
}

/// The backends of one list of the engine.
///
/// # Safety
/// The pointers in the list are valid, and the backends are alive as long as the result is used.
unsafe fn backends_of<S>(list: &steer_backends) -> Arc<[Backend<S>]> {
    // SAFETY: the caller's contract.
    let pointers = unsafe { text::items(list.items, list.count) };
    let counted = |pointer: bool| if pointer { list.count } else { 0 };
    // SAFETY: NULL, or one for each backend.
    let states = unsafe { text::items(list.states, counted(!list.states.is_null())) };
    // SAFETY: NULL, or one for each backend.
    let ready = unsafe { text::items(list.ready, counted(!list.ready.is_null())) };
    let items = pointers.iter().enumerate().map(|(place, raw)| {
        let raw = NonNull::new(raw.cast_mut()).expect("the engine's lists have no gaps");
        let index = ready.get(place).copied().unwrap_or(place);
        let connectivity = states.get(place).and_then(|state| State::from_number(*state));
        let connectivity = connectivity.unwrap_or(State::Ready);
        Backend { raw, index, connectivity, state: PhantomData }
    });
    items.collect()
}

/// A backend, and the references that keep it alive.
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
    /// Makes a list of backends from several lists, with new indices.
    pub(super) fn of<'a>(kept: impl IntoIterator<Item = &'a KeptBackend>) -> Backends {
        let mut lists: Vec<Arc<HeldList>> = Vec::new();
        let items = kept.into_iter().enumerate().map(|(index, kept)| {
            for list in &*kept.lists {
                if !lists.iter().any(|known| Arc::ptr_eq(known, list)) {
                    lists.push(Arc::clone(list));
                }
            }
            let connectivity = State::Ready;
            Backend { raw: kept.backend.raw, index, connectivity, state: PhantomData }
        });
        let items = items.collect();
        Backends { items, all: Arc::new([]), lists: lists.into() }
    }
}

impl<S> Backends<S> {
    /// Returns all backends of the channel's list, READY or not, in the resolver's order, in a list
    /// for a picker factory's `build`. In other lists, nothing.
    ///
    /// A picker may complete with those that are READY ([`Backend::is_ready`]).
    ///
    /// ```
    /// use steer_sdk::Backends;
    ///
    /// /// Whether less than half of the backends are connected.
    /// fn is_panic(backends: &Backends) -> bool {
    ///     backends.len() * 2 < backends.all().len()
    /// }
    /// ```
    pub fn all(&self) -> &[Backend<S>] {
        &self.all
    }
}

impl<S> Clone for Backends<S> {
    fn clone(&self) -> Self {
        let (items, all) = (Arc::clone(&self.items), Arc::clone(&self.all));
        Backends { items, all, lists: Arc::clone(&self.lists) }
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

/// A backend: the resolver's description, and the picker's state `S`.
pub struct Backend<S: 'static = ()> {
    /// Valid as long as the `Backends` or `KeptBackend` that this is part of.
    raw: NonNull<steer_backend>,
    index: usize,
    connectivity: State,
    state: PhantomData<fn() -> S>,
}

// SAFETY: a backend is immutable, and its state is `Send` and `Sync`.
unsafe impl<S: Send + Sync> Send for Backend<S> {}
// SAFETY: as for Send.
unsafe impl<S: Send + Sync> Sync for Backend<S> {}

impl<S> Backend<S> {
    /// Makes a `Backend` for the hook that makes the state.
    ///
    /// # Safety
    /// The backend is alive as long as the result is used, and `S` is `()`.
    pub(super) unsafe fn without_state(raw: NonNull<steer_backend>) -> Backend<S> {
        Backend { raw, index: 0, connectivity: State::Idle, state: PhantomData }
    }

    /// Makes a `Backend` for a hook that gets one backend.
    ///
    /// # Safety
    /// The backend is alive as long as the result is used, and its state is what `backend_new` of
    /// the table made.
    pub(super) unsafe fn of_hook(raw: NonNull<steer_backend>) -> Backend<S> {
        Backend { raw, index: 0, connectivity: State::Idle, state: PhantomData }
    }

    #[inline]
    fn raw(&self) -> &steer_backend {
        // SAFETY: `self.raw` is valid as long as `self`, and immutable.
        unsafe { self.raw.as_ref() }
    }

    /// Returns its index in the list that it is part of. In [`Backends::all`], its index among the
    /// READY backends, or `usize::MAX` if it is not READY: no picker may complete with it.
    #[inline]
    pub fn index(&self) -> usize {
        self.index
    }

    /// Returns its state, in a list for a picker factory's `build`: READY, except in
    /// [`Backends::all`]. There, a failure lasts until the backend is READY, and a backend that has
    /// not reported yet is IDLE.
    #[inline]
    pub fn connectivity(&self) -> State {
        self.connectivity
    }

    /// Returns whether it is READY, so that a picker may complete with it.
    #[inline]
    pub fn is_ready(&self) -> bool {
        self.connectivity == State::Ready
    }

    /// Returns its first address, as gRPC writes it: `ipv4:10.0.0.1:80`.
    pub fn address(&self) -> &str {
        self.addresses().next().unwrap_or_default()
    }

    /// Returns all its addresses, in the order to try them.
    pub fn addresses(&self) -> impl ExactSizeIterator<Item = &str> {
        let raw = self.raw();
        // SAFETY: the addresses are valid as long as the backend.
        let addresses = unsafe { text::items(raw.addresses, raw.address_count) };
        // SAFETY: as above; all texts of a backend are UTF-8.
        addresses.iter().map(|address| unsafe { text::utf8(*address) })
    }

    /// Returns the weight from the resolver; `None` if it gave none.
    pub fn weight(&self) -> Option<u32> {
        Some(self.raw().weight).filter(|weight| *weight != 0)
    }

    /// Returns its xDS locality.
    pub fn locality(&self) -> Locality<'_> {
        let raw = self.raw();
        Locality {
            // SAFETY: the texts are valid as long as the backend, and UTF-8.
            region: unsafe { text::utf8(raw.region) },
            // SAFETY: as above.
            zone: unsafe { text::utf8(raw.zone) },
            // SAFETY: as above.
            sub_zone: unsafe { text::utf8(raw.sub_zone) },
        }
    }

    /// Returns the key for consistent hashing: the resolver's key, or else the first address.
    pub fn hash_key(&self) -> &str {
        // SAFETY: the texts are valid as long as the backend, and UTF-8.
        match unsafe { text::utf8(self.raw().hash_key) } {
            "" => self.address(),
            key => key,
        }
    }

    /// Returns all other attributes from the resolver, as keys and values.
    pub fn attributes(&self) -> impl Iterator<Item = (&str, AttributeValue<'_>)> {
        let raw = self.raw();
        // SAFETY: the attributes are valid as long as the backend.
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
                // A newer engine may have other kinds.
                return None;
            };
            Some((key, value))
        })
    }

    /// Returns the attribute with this key.
    pub fn attribute(&self, key: &str) -> Option<AttributeValue<'_>> {
        self.attributes().find(|(name, _)| *name == key).map(|(_, value)| value)
    }

    /// Returns its state, made by
    /// [`StatefulPickerFactory::new_backend`](crate::StatefulPickerFactory::new_backend).
    #[inline]
    pub fn state(&self) -> &S {
        match NonNull::new(self.raw().data) {
            // SAFETY: `backend_new` of the same table made it, so it is an `S`; it is valid as long
            // as the backend.
            Some(state) => unsafe { state.cast::<S>().as_ref() },
            None => (&() as &dyn Any).downcast_ref().expect("only the state `()` has no hook"),
        }
    }
}

impl<S> fmt::Debug for Backend<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.index, self.address())
    }
}

/// The xDS locality of a backend. Unknown parts are empty.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Locality<'a> {
    /// The region.
    pub region: &'a str,
    /// The zone of the region.
    pub zone: &'a str,
    /// The sub-zone of the zone.
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
