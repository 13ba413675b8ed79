//! Loom models of what goes through several modules: a picker is published, threads pick with it, it is replaced, and the
//! last to let go of it frees it, with the connections that nobody else has.
//!
//! What is modelled is the engine's own: [`Connection`], [`PersistentVec`] and what of them one picker shares with the next one,
//! [`TrackedCall`], [`CallCounters`]. The slot that the picker in force is taken from is the host's, here as in gRPC a lock
//! around a reference count.

use std::sync::Arc as Unmodelled;

use loom::sync::atomic::AtomicU32;
use loom::sync::atomic::Ordering::SeqCst;
use loom::sync::{Arc, Mutex};
use loom::thread;

use crate::calls::{CallCounters, CallListener, TrackedBackend, TrackedCall};
use crate::endpoints::{Connection, PersistentVec};
use crate::sync::Handle;
use crate::{Code, Status};

/// Goes through the executions of `model` in which threads are interrupted at most so often. All of them would take
/// minutes where there are many steps.
pub(crate) fn check(interruptions: usize, model: impl Fn() + Send + Sync + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(interruptions);
    builder.check(model);
}

/// How often the host was given each connection back.
type Released = Arc<[AtomicU32; 2]>;

fn connection(number: usize, released: &Released) -> Connection {
    let released = released.clone();
    let release = move |handle: Handle| {
        assert_eq!(released[handle.number()].fetch_add(1, SeqCst), 0, "released twice");
    };
    Connection::new(Handle::from_number(number), Unmodelled::new(release))
}

fn alive(of: &Connection, released: &Released) {
    assert_eq!(released[of.handle().number()].load(SeqCst), 0, "released while it is in use");
}

/// The picker in force, as gRPC keeps it.
struct InForce<P>(Mutex<Arc<P>>);

impl<P> InForce<P> {
    fn new(picker: P) -> Arc<InForce<P>> {
        Arc::new(InForce(Mutex::new(Arc::new(picker))))
    }

    fn get(&self) -> Arc<P> {
        self.0.lock().unwrap().clone()
    }

    /// Publishes a picker, and retires the former one, which is let go without the lock.
    fn publish(&self, picker: P) {
        let former = std::mem::replace(&mut *self.0.lock().unwrap(), Arc::new(picker));
        drop(former);
    }
}

/// Picks go over connections that are there, while what pickers share is changed in place where nobody else has it and
/// copied where somebody does; and each connection is given back once.
#[test]
fn a_pick_holds_its_connection() {
    check(3, || {
        let released = Released::new([AtomicU32::new(0), AtomicU32::new(0)]);
        // What the policy keeps, and publishes clones of.
        let mut places = PersistentVec::new(2);
        places.set(0, Some(connection(0, &released)));
        let in_force = InForce::new(places.clone());
        let picks = {
            let (in_force, released) = (in_force.clone(), released.clone());
            thread::spawn(move || {
                let picker = in_force.get();
                let (_, picked) = picker.next(0).expect("there always is one");
                alive(picked, &released);
                // The pick is over, the picker is still held.
                thread::yield_now();
                alive(picked, &released);
            })
        };
        // Another one becomes READY, then the first one fails.
        places.set(1, Some(connection(1, &released)));
        in_force.publish(places.clone());
        places.set(0, None);
        in_force.publish(places.clone());
        picks.join().unwrap();
        assert_eq!([0, 1].map(|number| released[number].load(SeqCst)), [1, 0]);
        drop(places);
        drop(in_force);
        assert_eq!([0, 1].map(|number| released[number].load(SeqCst)), [1, 1]);
    });
}

/// A tracked call outlives the picker that chose its backend, and the policy: it counts once. Its connection is the
/// picker's: it is there as long as that, and given back once, by whoever lets go of it last.
#[test]
fn a_tracked_call_outlives_its_picker() {
    check(3, || {
        let released = Released::new([AtomicU32::new(0), AtomicU32::new(0)]);
        let observed = Unmodelled::new(CallCounters::new(()));
        let hooks = || Unmodelled::clone(&observed) as Unmodelled<dyn CallListener>;
        let backend = |number| TrackedBackend::new(connection(number, &released), hooks(), number);
        let in_force = InForce::new([backend(0)]);
        let call = {
            let (in_force, released) = (in_force.clone(), released.clone());
            thread::spawn(move || {
                let picker = in_force.get();
                let mut call = TrackedCall::new(&picker[0], Handle::from_number(0));
                alive(call.connection(), &released);
                drop(picker);
                drop(in_force);
                // The connection may be gone from here on.
                call.start();
                call.finish(&Status::OK, None);
            })
        };
        in_force.publish([backend(1)]);
        drop(in_force);
        call.join().unwrap();
        assert_eq!([0, 1].map(|number| released[number].load(SeqCst)), [1, 1]);
        assert_eq!((observed.in_flight(), observed.finished(Code::Ok)), (0, 1));
        assert_eq!(observed.abandoned(), 0);
    });
}
