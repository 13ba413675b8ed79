//! Load reports out of band, for both tables.

use std::sync::atomic::AtomicPtr;

use super::*;

/// What a picker type has seen of its reports.
#[derive(Default)]
struct Loads {
    channel: AtomicPtr<steer_channel>,
    reports: AtomicUsize,
    pickers: AtomicUsize,
    qps: AtomicUsize,
}

fn loads<'a>(pointer: *const c_void) -> &'a Loads {
    // SAFETY: each ctx of these tests is a Loads that is never freed.
    unsafe { &*pointer.cast::<Loads>() }
}

unsafe extern "C" fn ask(
    ctx: *mut c_void,
    channel: *mut steer_channel,
    instance: *mut *mut c_void,
) -> i32 {
    loads(ctx).channel.store(channel, Ordering::Relaxed);
    // SAFETY: the engine passes the channel, and a pointer that can be written to.
    unsafe {
        api().load_reports.unwrap()(channel, 7);
        instance.write(ctx);
    }
    0
}

unsafe extern "C" fn picker_counted(
    instance: *mut c_void,
    _: *const c_void,
    _: *const steer_backends,
    _: *mut steer_wants,
    _: *mut *mut c_void,
) -> i32 {
    count(&loads(instance).pickers);
    0
}

unsafe extern "C" fn load_report(
    instance: *mut c_void,
    backend: *const steer_backend,
    report: *const steer_metrics,
) {
    let loads = loads(instance);
    count(&loads.reports);
    // SAFETY: the engine passes a backend with an address, and a report.
    unsafe {
        assert_eq!(text((*backend).addresses.read()), "a");
        loads.qps.store((*report).qps as usize, Ordering::Relaxed);
        let channel = loads.channel.load(Ordering::Relaxed);
        if loads.reports.load(Ordering::Relaxed) == 2 {
            api().rebuild.unwrap()(channel);
            api().load_reports.unwrap()(channel, 0);
        }
    }
}

#[test]
fn a_picker_type_gets_the_reports_that_it_has_asked_for() {
    let ctx: &'static Loads = Box::leak(Box::default());
    let table = steer_picker_type {
        ctx: ptr::from_ref(ctx).cast_mut().cast(),
        instance_new: Some(ask),
        picker_new: Some(picker_counted),
        load_report: Some(load_report),
        ..bare_picker_type("loads_of_pickers")
    };
    // SAFETY: the table's hooks do what its type documents.
    assert_eq!(unsafe { steer_register_picker(&table) }, STEER_OK, "{}", last_error());
    let fixture = Fixture::new("loads_of_pickers");
    assert_eq!(fixture.seen().load_periods, [] as [u64; 0], "too early");
    assert_eq!(fixture.update(&["a"]).0, STEER_OK);
    assert_eq!(fixture.update(&["a"]).0, STEER_OK);
    assert_eq!(fixture.seen().load_periods, [7], "once, with the first update");
    let endpoint = fixture.seen().endpoints[0].0;
    let report = |qps: f64| {
        with_metrics(&Metrics { rps_fractional: qps, ..Metrics::default() }, |report| {
            // SAFETY: the policy is not freed, and the report is readable.
            unsafe { steer_policy_endpoint_load(fixture.policy, endpoint, report) }
        })
    };
    assert_eq!(report(1.0), STEER_OK);
    assert_eq!(ctx.reports.load(Ordering::Relaxed), 0, "there was no picker, and it has no data");
    fixture.ready(0);
    let pickers = ctx.pickers.load(Ordering::Relaxed);
    assert_eq!(report(2.0), STEER_OK);
    assert_eq!(ctx.qps.load(Ordering::Relaxed), 2);
    assert_eq!(ctx.pickers.load(Ordering::Relaxed), pickers);
    assert_eq!(report(3.0), STEER_OK);
    assert_eq!(ctx.pickers.load(Ordering::Relaxed), pickers + 1, "it has asked for a new picker");
    assert_eq!(fixture.seen().load_periods, [7, 0]);
    // SAFETY: the channel is alive.
    unsafe { api().load_reports.unwrap()(ctx.channel.load(Ordering::Relaxed), 9) };
    assert_eq!(fixture.seen().load_periods, [7, 0], "outside of serialised hooks");
}
