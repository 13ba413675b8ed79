//! Wakes, rebuilds and timers that are asked for outside of serialised hooks, as at the end of a
//! call or on a thread of the application.

use std::sync::atomic::AtomicPtr;
use std::sync::atomic::Ordering::Relaxed;

use super::*;

/// What a table's hooks have seen.
#[derive(Default)]
struct Woken {
    channel: AtomicPtr<steer_channel>,
    pickers: AtomicUsize,
    /// The numbers that the hook `timer` got.
    timers: Mutex<Vec<u64>>,
}

fn woken<'a>(pointer: *const c_void) -> &'a Woken {
    // SAFETY: each ctx of these tests is a Woken that is never freed.
    unsafe { &*pointer.cast::<Woken>() }
}

impl Woken {
    fn new() -> &'static Woken {
        Box::leak(Box::default())
    }

    fn ctx(&self) -> *mut c_void {
        ptr::from_ref(self).cast_mut().cast()
    }

    fn channel(&self) -> *mut steer_channel {
        self.channel.load(Relaxed)
    }

    fn wake(&self) -> i32 {
        // SAFETY: `hold` holds the channel.
        unsafe { api().wake.unwrap()(self.channel()) }
    }

    fn rebuild(&self) {
        // SAFETY: `hold` holds the channel.
        unsafe { api().rebuild.unwrap()(self.channel()) }
    }

    fn start(&self, after: u64) -> u64 {
        // SAFETY: `hold` holds the channel.
        unsafe { api().timer_start.unwrap()(self.channel(), after) }
    }

    fn cancel(&self, timer: u64) {
        // SAFETY: `hold` holds the channel.
        unsafe { api().timer_cancel.unwrap()(self.channel(), timer) }
    }

    fn release(&self) {
        // SAFETY: `hold` has added the reference.
        unsafe { api().channel_release.unwrap()(self.channel.swap(ptr::null_mut(), Relaxed)) }
    }

    fn timers(&self) -> Vec<u64> {
        std::mem::take(&mut self.timers.lock().unwrap())
    }
}

unsafe extern "C" fn hold(
    ctx: *mut c_void,
    channel: *mut steer_channel,
    made: *mut *mut c_void,
) -> i32 {
    woken(ctx).channel.store(channel, Relaxed);
    // SAFETY: the engine passes its channel and a pointer that can be written to.
    unsafe {
        api().channel_hold.unwrap()(channel);
        made.write(ctx);
    }
    0
}

unsafe extern "C" fn picker_new(
    instance: *mut c_void,
    _: *const c_void,
    _: *const steer_backends,
    _: *mut steer_wants,
    _: *mut *mut c_void,
) -> i32 {
    count(&woken(instance).pickers);
    0
}

unsafe extern "C" fn timer(instance: *mut c_void, timer: u64) {
    woken(instance).timers.lock().unwrap().push(timer);
}

/// A picker type. `timer` is its hook.
fn pickers(
    name: &'static str,
    ctx: &'static Woken,
    timer: Option<unsafe extern "C" fn(*mut c_void, u64)>,
) {
    let table = steer_picker_type {
        ctx: ctx.ctx(),
        instance_new: Some(hold),
        picker_new: Some(picker_new),
        timer,
        ..bare_picker_type(name)
    };
    // SAFETY: the table's hooks do what its type documents.
    assert_eq!(unsafe { steer_register_picker(&table) }, STEER_OK, "{}", last_error());
}

/// Does what the engine has asked to be done later. Returns how often it asked.
fn run(fixture: &Fixture) -> usize {
    let asked = std::mem::take(&mut fixture.seen().runs_asked);
    for _ in 0..asked {
        // SAFETY: the policy is not freed.
        unsafe { steer_policy_run(fixture.policy) };
    }
    asked
}

/// Frees the fixture's policy.
fn end(fixture: &mut Fixture) {
    // SAFETY: the policy is freed once, and replaced by NULL.
    unsafe { steer_policy_free(std::mem::replace(&mut fixture.policy, ptr::null_mut())) };
}

#[test]
fn a_wake_leads_to_the_hook_timer() {
    let mine = Woken::new();
    pickers("wakes_timer", mine, Some(timer));
    let mut fixture = Fixture::new("wakes_timer");
    // Before the first update the host may not be asked.
    assert_eq!((mine.wake(), mine.wake()), (1, 1));
    let early = mine.start(10);
    assert!(early != 0 && fixture.seen().runs_asked == 0);
    assert_eq!(fixture.update(&["a"]).0, STEER_OK);
    assert_eq!(fixture.seen().timers, [(early, 10)]);
    assert_eq!((run(&fixture), mine.timers()), (1, vec![0]));
    fixture.ready(0);
    // One turn for many.
    assert_eq!((mine.wake(), mine.wake(), mine.wake()), (1, 1, 1));
    assert!(mine.timers().is_empty(), "not at once");
    assert_eq!((run(&fixture), mine.timers()), (1, vec![0]));
    assert_eq!((run(&fixture), mine.timers()), (0, vec![]));
    assert_eq!(mine.pickers.load(Relaxed), 1);
    // After the end.
    end(&mut fixture);
    assert_eq!((mine.wake(), mine.start(1)), (0, 0));
    mine.rebuild();
    mine.cancel(early);
    assert_eq!(fixture.seen().runs_asked, 0);
    assert_eq!(fixture.seen().logs, [] as [String; 0]);
    mine.release();
}

#[test]
fn a_rebuild_and_a_wake_without_a_hook_lead_to_a_new_picker() {
    let mine = Woken::new();
    pickers("wakes_rebuild", mine, None);
    let fixture = Fixture::new("wakes_rebuild");
    assert_eq!(fixture.update(&["a"]).0, STEER_OK);
    mine.rebuild();
    assert_eq!(run(&fixture), 1);
    assert_eq!(mine.pickers.load(Relaxed), 0, "no backend is READY");
    fixture.ready(0);
    assert_eq!(mine.pickers.load(Relaxed), 1);
    (0..3).for_each(|_| mine.rebuild());
    assert_eq!((run(&fixture), mine.pickers.load(Relaxed)), (1, 2));
    assert_eq!(mine.wake(), 1);
    assert_eq!((run(&fixture), mine.pickers.load(Relaxed)), (1, 3));
    mine.release();
}

#[test]
fn timers_are_started_and_cancelled_from_anywhere() {
    let mine = Woken::new();
    pickers("wakes_start", mine, Some(timer));
    let fixture = Fixture::new("wakes_start");
    assert_eq!(fixture.update(&["a"]).0, STEER_OK);
    let (first, second) = (mine.start(100), mine.start(200));
    mine.cancel(first);
    assert!(first != second && fixture.seen().timers.is_empty());
    assert_eq!(run(&fixture), 1);
    assert_eq!(fixture.seen().timers, [(first, 100), (second, 200)]);
    assert_eq!(fixture.seen().cancelled, [first]);
    // SAFETY: the policy is not freed.
    unsafe { steer_policy_timer(fixture.policy, second) };
    assert_eq!(mine.timers(), [second]);
    mine.release();
}

#[test]
fn a_host_that_cannot_call_later_is_no_help() {
    let mine = Woken::new();
    pickers("wakes_never", mine, Some(timer));
    let fixture = Fixture::with_host("wakes_never", |host| host.run_later = None);
    assert_eq!(fixture.update(&["a"]).0, STEER_OK);
    assert_eq!((mine.wake(), mine.start(1)), (0, 0));
    mine.rebuild();
    let logs = &fixture.seen().logs;
    assert!(logs[0].contains("steer_api.rebuild") && logs[0].contains("this host"), "{logs:?}");
    mine.release();
}

unsafe extern "C" fn update(_: *mut c_void, _: *const steer_resolved) -> i32 {
    0
}

unsafe extern "C" fn report(_: *mut c_void, _: u64, _: i32, _: i32, _: steer_str) {}

#[test]
fn a_policy_is_woken_too() {
    let mine = Woken::new();
    let table = steer_policy_type {
        ctx: mine.ctx(),
        policy_new: Some(hold),
        update: Some(update),
        endpoint_report: Some(report),
        timer: Some(timer),
        ..bare_policy_type("wakes_policy")
    };
    // SAFETY: the table's hooks do what its type documents.
    assert_eq!(unsafe { steer_register_policy(&table) }, STEER_OK, "{}", last_error());
    let mut fixture = Fixture::new("wakes_policy");
    assert_eq!(fixture.update(&["a"]).0, STEER_OK);
    assert_eq!(mine.wake(), 1);
    mine.rebuild();
    let number = mine.start(5);
    assert_eq!((run(&fixture), mine.timers()), (1, vec![0]));
    assert_eq!(fixture.seen().timers, [(number, 5)]);
    end(&mut fixture);
    assert_eq!(mine.wake(), 0);
    mine.release();
}
