//! A reference count that loom can see: [`std::sync::Arc`], and in a loom model loom's `Arc` with
//! the methods that it lacks.
//!
//! Use it for data that a model is about. Use `std::sync::Arc` elsewhere, and for `dyn` and slices,
//! which loom's cannot hold.
//!
//! Must not depend on: the counted data.

#[cfg(not(loom))]
pub use std::sync::Arc;

#[cfg(loom)]
pub use modelled::Arc;

#[cfg(loom)]
mod modelled {
    use std::ops::Deref;

    /// See [`std::sync::Arc`].
    #[derive(Debug)]
    pub struct Arc<T>(loom::sync::Arc<T>);

    impl<T> Arc<T> {
        /// See [`std::sync::Arc::new`].
        pub fn new(value: T) -> Arc<T> {
            Arc(loom::sync::Arc::new(value))
        }

        /// See [`std::sync::Arc::ptr_eq`].
        pub fn ptr_eq(this: &Arc<T>, other: &Arc<T>) -> bool {
            loom::sync::Arc::ptr_eq(&this.0, &other.0)
        }

        /// See [`std::sync::Arc::make_mut`].
        pub fn make_mut(this: &mut Arc<T>) -> &mut T
        where
            T: Clone,
        {
            if loom::sync::Arc::get_mut(&mut this.0).is_none() {
                *this = Arc::new(T::clone(this));
            }
            loom::sync::Arc::get_mut(&mut this.0).expect("there is no other reference")
        }
    }

    impl<T> Clone for Arc<T> {
        fn clone(&self) -> Arc<T> {
            Arc(loom::sync::Arc::clone(&self.0))
        }
    }

    impl<T> Deref for Arc<T> {
        type Target = T;

        fn deref(&self) -> &T {
            &self.0
        }
    }
}
