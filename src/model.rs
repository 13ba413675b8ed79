//! Loom models of several modules together: a picker is published, threads pick with it, and it is
//! replaced. The last thread that holds it frees it, with the connections that only it holds.
//!
//! The models cover [`Connection`], [`PersistentVec`] and the parts that successive pickers share,
//! [`TrackedCall`] and [`CallCounters`]. The published picker is the host's part: here, as in gRPC,
//! a lock around a reference count.

use std::sync::Arc as Unmodelled;

use loom::sync::atomic::AtomicU32;
use loom::sync::atomic::Ordering::SeqCst;
use loom::sync::{Arc, Mutex};
use loom::thread;

use crate::calls::{CallCounters, CallListener, TrackedBackend, TrackedCall};
use crate::endpoints::{Connection, PersistentVec};
use crate::sync::Handle;
use crate::{Code, Status};

/// Runs all executions of `model` with at most this many interruptions of threads. All executions
/// of a model with many steps would take minutes.
pub(crate) fn check(interruptions: usize, model: impl Fn() + Send + Sync + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(interruptions);
    builder.check(model);
}

/// How many times each connection was given back to the host.
type Released = Arc<[AtomicU32; 2]>;

fn connection(number: usize, released: &Released) -> Connection {
    let released = released.clone();
    let release = move |handle: Handle| {
        assert_eq!(released[handle.number()].fetch_add(1, SeqCst), 0, "released twice");
    };
    Connection::new(Handle::from_number(number), Unmodelled::new(release))
}

fn check_alive(connection: &Connection, released: &Released) {
    assert_eq!(
        released[connection.handle().number()].load(SeqCst),
        0,
        "released while it is in use"
    );
}

/// The published picker, as gRPC stores it.
struct Published<P>(Mutex<Arc<P>>);

impl<P> Published<P> {
    fn new(picker: P) -> Arc<Published<P>> {
        Arc::new(Published(Mutex::new(Arc::new(picker))))
    }

    fn get(&self) -> Arc<P> {
        self.0.lock().unwrap().clone()
    }

    /// Publishes a picker. Drops the former one without the lock.
    fn publish(&self, picker: P) {
        let former = std::mem::replace(&mut *self.0.lock().unwrap(), Arc::new(picker));
        drop(former);
    }
}

/// A pick gets a connection that is alive, while the shared vector changes: in place if no picker
/// shares a node, and by copy if one does. Each connection is given back once.
#[test]
fn a_pick_holds_its_connection() {
    check(3, || {
        let released = Released::new([AtomicU32::new(0), AtomicU32::new(0)]);
        // The policy keeps this, and publishes clones of it.
        let mut slots = PersistentVec::new(2);
        slots.set(0, Some(connection(0, &released)));
        let published = Published::new(slots.clone());
        let picks = {
            let (published, released) = (published.clone(), released.clone());
            thread::spawn(move || {
                let picker = published.get();
                let (_, picked) = picker.next(0).expect("one connection is always READY");
                check_alive(picked, &released);
                // After the pick, while the picker is held.
                thread::yield_now();
                check_alive(picked, &released);
            })
        };
        // Another endpoint becomes READY, then the first one fails.
        slots.set(1, Some(connection(1, &released)));
        published.publish(slots.clone());
        slots.set(0, None);
        published.publish(slots.clone());
        picks.join().unwrap();
        assert_eq!([0, 1].map(|number| released[number].load(SeqCst)), [1, 0]);
        drop(slots);
        drop(published);
        assert_eq!([0, 1].map(|number| released[number].load(SeqCst)), [1, 1]);
    });
}

/// A tracked call that outlives its picker and the policy counts once. Its connection is alive as
/// long as the picker, and is given back once, by the last thread that holds it.
#[test]
fn a_tracked_call_outlives_its_picker() {
    check(3, || {
        let released = Released::new([AtomicU32::new(0), AtomicU32::new(0)]);
        let counters = Unmodelled::new(CallCounters::new(()));
        let listener = || Unmodelled::clone(&counters) as Unmodelled<dyn CallListener>;
        let backend =
            |number| TrackedBackend::new(connection(number, &released), listener(), number);
        let published = Published::new([backend(0)]);
        let call = {
            let (published, released) = (published.clone(), released.clone());
            thread::spawn(move || {
                let picker = published.get();
                let mut call = TrackedCall::new(&picker[0], Handle::from_number(0));
                check_alive(call.connection(), &released);
                drop(picker);
                drop(published);
                // From here on, the connection may be released.
                call.start();
                call.finish(&Status::OK, None);
            })
        };
        published.publish([backend(1)]);
        drop(published);
        call.join().unwrap();
        assert_eq!([0, 1].map(|number| released[number].load(SeqCst)), [1, 1]);
        assert_eq!((counters.in_flight(), counters.finished(Code::Ok)), (0, 1));
        assert_eq!(counters.abandoned(), 0);
    });
}
