//! Tracked calls.

use super::*;

#[test]
fn tracked_calls_end_once() {
    let world = registered("mine_tracks");
    let fixture = doing("mine_tracks", "track");
    let picker = fixture.seen().picker.unwrap();
    // SAFETY: the policy and its picker are not freed.
    assert_eq!(unsafe { steer_picker_wants(picker) }, STEER_WANTS_METRICS);
    let tracked = || {
        // SAFETY: the picker is not freed, and reads nothing of the call.
        let picked = unsafe { steer_picker_pick(picker, ptr::null()) };
        assert_eq!(picked.kind, steer_pick_kind::STEER_PICK_TRACKED as i64);
        picked.value.cast::<steer_call_tracker>()
    };
    let seen = || {
        let count = |counter| world.count(counter);
        (count(|w| &w.started), count(|w| &w.finished), count(|w| &w.abandoned))
    };
    let finish = steer_call_finish {
        struct_size: size_of::<steer_call_finish>(),
        code: 5,
        message: steer_str::borrow("gone"),
        // rps_fractional = 3.0
        metrics: steer_str { data: b"\x31\0\0\0\0\0\0\x08\x40".as_ptr().cast(), length: 9 },
        report: ptr::null(),
    };
    // SAFETY: only this thread uses the trackers, and frees each once.
    unsafe {
        let tracker = tracked();
        assert_eq!(steer_call_tracker_connection(tracker).addr(), 101);
        assert_eq!(steer_call_tracker_wants(tracker), STEER_WANTS_METRICS);
        steer_call_tracker_start(tracker);
        assert_eq!(seen(), (1, 0, 0));
        steer_call_tracker_finish(tracker, &finish);
        steer_call_tracker_finish(tracker, &finish);
        steer_call_tracker_free(tracker);
        assert_eq!(seen(), (1, 1, 0));
        assert_eq!(world.count(|world| &world.qps), 3);
        let tracker = tracked();
        steer_call_tracker_finish(tracker, &finish);
        steer_call_tracker_free(tracker);
        assert_eq!(seen(), (2, 2, 0), "a call may end without a start");
        steer_call_tracker_free(tracked());
        assert_eq!(seen(), (2, 2, 1));
        steer_call_tracker_free(ptr::null_mut());
        steer_call_tracker_start(ptr::null_mut());
        steer_call_tracker_finish(ptr::null_mut(), &finish);
        assert!(steer_call_tracker_connection(ptr::null()).is_null());
    }
}

#[test]
fn a_report_may_come_decoded() {
    let world = registered("mine_decoded");
    let fixture = doing("mine_decoded", "track");
    // Ends a call with one report in the trailer, unless it is empty, and another one decoded.
    let qps_after = |metrics: &[u8], qps: f64| {
        // SAFETY: the policy and its picker are not freed.
        let picked = unsafe { steer_picker_pick(fixture.seen().picker.unwrap(), ptr::null()) };
        let tracker = picked.value.cast::<steer_call_tracker>();
        with_metrics(&Metrics { rps_fractional: qps, ..Metrics::default() }, |report| {
            let finish = steer_call_finish {
                struct_size: size_of::<steer_call_finish>(),
                code: 0,
                message: steer_str::empty(),
                metrics: steer_str { data: metrics.as_ptr().cast(), length: metrics.len() },
                report,
            };
            // SAFETY: only this thread uses the tracker.
            unsafe { steer_call_tracker_finish(tracker, &finish) };
        });
        // SAFETY: the tracker is freed once.
        unsafe { steer_call_tracker_free(tracker) };
        world.count(|world| &world.qps)
    };
    assert_eq!(qps_after(b"", 7.0), 7);
    assert_eq!(qps_after(b"\x31\0\0\0\0\0\0\x08\x40", 8.0), 3, "the trailer counts first");
    assert_eq!(qps_after(b"", 9.0), 9);
}

#[test]
fn a_tracked_call_outlives_its_picker_and_its_policy() {
    let world = registered("mine_outlived");
    let mut fixture = doing("mine_outlived", "track");
    let picker = fixture.seen().picker.take().unwrap();
    // SAFETY: the policy and its picker are not freed.
    let picked = unsafe { steer_picker_pick(picker, ptr::null()) };
    // SAFETY: the policy is freed once, and replaced by NULL.
    unsafe { steer_policy_free(std::mem::replace(&mut fixture.policy, ptr::null_mut())) };
    // SAFETY: the picker was taken out, so it is freed once.
    unsafe { steer_picker_free(picker) };
    assert_eq!(world.count(|world| &world.pickers), 1);
    // SAFETY: only this thread uses the tracker, and frees it once.
    unsafe { steer_call_tracker_free(picked.value.cast::<steer_call_tracker>()) };
    assert_eq!(world.count(|world| &world.abandoned), 1);
    assert_eq!(world.count(|world| &world.pickers), 0);
    assert_eq!(fixture.seen().freed_connections, 2);
}

#[test]
fn a_fault_of_a_hook_that_returns_nothing_counts() {
    registered("mine_finish_fault");
    let fixture = doing("mine_finish_fault", "finish fault");
    // SAFETY: the policy and its picker are not freed.
    let picked = unsafe { steer_picker_pick(fixture.seen().picker.unwrap(), ptr::null()) };
    let finish = steer_call_finish {
        struct_size: size_of::<steer_call_finish>(),
        code: 0,
        message: steer_str::empty(),
        metrics: steer_str::empty(),
        report: ptr::null(),
    };
    let tracker = picked.value.cast::<steer_call_tracker>();
    // SAFETY: only this thread uses the tracker.
    unsafe { steer_call_tracker_finish(tracker, &finish) };
    // SAFETY: the tracker is freed once.
    unsafe { steer_call_tracker_free(tracker) };
    let logs = &fixture.seen().logs;
    assert!(logs[0].contains("call_finished failed: cannot take it"), "{logs:?}");
    assert_eq!(fixture.seen().runs_asked, 1);
}
