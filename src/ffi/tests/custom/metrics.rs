//! Custom metrics, and the calls that pickers follow: what the statistics show of them.

use std::sync::atomic::AtomicPtr;

use super::*;
use crate::Code;
use crate::stats::{self, ChannelStats};

/// The statistics of the channel with this policy.
fn seen(policy: &str) -> ChannelStats {
    stats::snapshot().into_iter().find(|channel| channel.policy == policy).unwrap()
}

/// The custom metrics of that channel, as JSON.
fn metrics(policy: &str) -> String {
    serde_json::to_string(&seen(policy).custom_metrics).unwrap()
}

/// The ctx is an `AtomicPtr`, which gets the channel.
unsafe extern "C" fn channel_noted(
    ctx: *mut c_void,
    channel: *mut steer_channel,
    instance: *mut *mut c_void,
) -> i32 {
    // SAFETY: the ctx of these tests, which is never freed.
    let noted = unsafe { &*ctx.cast::<AtomicPtr<steer_channel>>() };
    noted.store(channel, Ordering::Relaxed);
    // SAFETY: the engine passes a pointer that can be written to.
    unsafe { instance.write(ptr::null_mut()) };
    0
}

/// A channel of a new picker type, and its `steer_channel`.
fn with_channel(name: &'static str) -> (Fixture, *const steer_channel) {
    let noted: &'static AtomicPtr<steer_channel> = Box::leak(Box::default());
    let table = steer_picker_type {
        ctx: ptr::from_ref(noted).cast_mut().cast(),
        instance_new: Some(channel_noted),
        ..bare_picker_type(name)
    };
    // SAFETY: the table's hooks do what its type documents.
    assert_eq!(unsafe { steer_register_picker(&table) }, STEER_OK, "{}", last_error());
    let fixture = Fixture::new(name);
    (fixture, noted.load(Ordering::Relaxed))
}

fn metric(name: &'static str, labels: &'static [steer_str]) -> steer_custom_metric {
    steer_custom_metric {
        struct_size: size_of::<steer_custom_metric>(),
        name: steer_str::borrow(name),
        help: steer_str::borrow("for a test"),
        labels: labels.as_ptr(),
        label_count: labels.len(),
        bounds: ptr::null(),
        bound_count: 0,
        most_series: 2,
        reserved: 0,
    }
}

static ZONE: [steer_str; 1] = [steer_str::borrow("zone")];

fn counter(
    channel: *const steer_channel,
    metric: &steer_custom_metric,
    value: &str,
) -> Result<*mut steer_counter, i32> {
    let (values, mut counter) = ([steer_str::borrow(value)], ptr::null_mut());
    let make = api().counter_new.unwrap();
    // SAFETY: the channel is alive, and there is a value for each label.
    match unsafe { make(channel, metric, values.as_ptr(), &mut counter) } {
        0 => Ok(counter),
        status => Err(status),
    }
}

fn release(counter: *mut steer_counter) {
    // SAFETY: the test owns the handle.
    unsafe { (*counter).release.unwrap()(counter) };
}

#[test]
fn the_statistics_show_what_was_written() {
    let (fixture, channel) = with_channel("shows_metrics");
    assert_eq!(metrics("shows_metrics"), "[]");
    let api = api();
    let bounds = [1.0, 2.0];
    let sized =
        steer_custom_metric { bounds: bounds.as_ptr(), bound_count: 2, ..metric("sizes", &[]) };
    let (mut gauge, mut histogram) = (ptr::null_mut(), ptr::null_mut());
    let a = counter(channel, &metric("calls", &ZONE), "a").unwrap();
    // SAFETY: the channel is alive, the arrays are valid, and the handles are not given back.
    unsafe {
        let none = ptr::null();
        let made = api.gauge_new.unwrap()(channel, &metric("depth", &[]), none, &mut gauge);
        assert_eq!(made, 0);
        assert_eq!(api.histogram_new.unwrap()(channel, &sized, none, &mut histogram), 0);
        (*a).add.unwrap()(a, 3);
        (*gauge).set.unwrap()(gauge, 2.5);
        (*gauge).add.unwrap()(gauge, -1.0);
        (*histogram).record.unwrap()(histogram, 1.5);
    }
    assert_eq!(
        metrics("shows_metrics"),
        concat!(
            r#"[{"name":"calls","kind":"counter","help":"for a test","series":["#,
            r#"{"labels":{"zone":"a"},"value":3}]},"#,
            r#"{"name":"depth","kind":"gauge","help":"for a test","series":["#,
            r#"{"labels":{},"value":1.5}]},"#,
            r#"{"name":"sizes","kind":"histogram","help":"for a test","series":["#,
            r#"{"labels":{},"count":1,"sum":1.5,"cumulative":[[1.0,0],[2.0,1]]}]}]"#
        )
    );
    let text = stats::to_prometheus(vec![seen("shows_metrics")], vec![], &[]);
    let id = seen("shows_metrics").id;
    let labels = format!(r#"channel="{id}",policy="shows_metrics""#);
    for line in [
        "# HELP steer_custom_calls for a test".to_owned(),
        "# TYPE steer_custom_calls counter".to_owned(),
        format!(r#"steer_custom_calls_total{{{labels},zone="a"}} 3"#),
        format!("steer_custom_depth{{{labels}}} 1.5"),
        format!("steer_custom_sizes_sum{{{labels}}} 1.5"),
        format!(r#"steer_custom_sizes_bucket{{le="2.0",{labels}}} 1"#),
    ] {
        assert!(text.lines().any(|one| one == line), "{line}\n{text}");
    }
    // The handles outlive the channel.
    drop(fixture);
    // SAFETY: the test owns the handles, and gives each back once.
    unsafe {
        (*gauge).set.unwrap()(gauge, 1.0);
        (*gauge).release.unwrap()(gauge);
        (*histogram).release.unwrap()(histogram);
    }
    release(a);
}

#[test]
fn errors_say_what_is_wrong() {
    let (_fixture, channel) = with_channel("refuses_metrics");
    let calls = metric("calls", &ZONE);
    let (a, b) = (counter(channel, &calls, "a").unwrap(), counter(channel, &calls, "b").unwrap());
    assert_eq!(counter(channel, &calls, "c"), Err(STEER_TOO_MANY as i32));
    assert!(last_error().contains("2 series already"), "{}", last_error());
    let again = counter(channel, &calls, "a").unwrap();
    let other = steer_custom_metric { most_series: 5, ..calls };
    assert_eq!(counter(channel, &other, "a"), Err(STEER_INVALID_ARGUMENT as i32));
    assert!(last_error().contains("most_series"), "{}", last_error());
    for counter in [a, b, again] {
        release(counter);
    }
    assert_eq!(counter(channel, &metric("Calls", &ZONE), "a"), Err(STEER_INVALID_ARGUMENT as i32));
    let short = steer_custom_metric { struct_size: 8, ..calls };
    assert_eq!(counter(channel, &short, "a"), Err(STEER_BAD_STRUCT_SIZE as i32));
    assert_eq!(counter(ptr::null(), &calls, "a"), Err(STEER_INVALID_ARGUMENT as i32));
    assert!(last_error().contains("in the plugin's entry"), "{}", last_error());
    let make = api().counter_new.unwrap();
    let mut made = ptr::null_mut();
    // SAFETY: NULLs are allowed.
    unsafe {
        assert_eq!(make(channel, &calls, ptr::null(), &mut made), STEER_NULL_ARGUMENT as i32);
        assert_eq!(make(channel, ptr::null(), ptr::null(), &mut made), STEER_NULL_ARGUMENT as i32);
        let none = ptr::null_mut();
        assert_eq!(make(channel, &calls, ptr::null(), none), STEER_NULL_ARGUMENT as i32);
    }
    assert_eq!(metrics("refuses_metrics"), "[]");
}

static OF_PLUGIN: AtomicPtr<steer_counter> = AtomicPtr::new(ptr::null_mut());

unsafe extern "C" fn entry_with_metric(api: *const steer_api) -> i32 {
    let counter = counter(ptr::null(), &metric("loads", &ZONE), "a").unwrap();
    // SAFETY: the handle is not given back.
    unsafe { (*counter).add.unwrap()(counter, 1) };
    let former = OF_PLUGIN.swap(counter, Ordering::Relaxed);
    if !former.is_null() {
        release(former);
    }
    let table = bare_picker_type("plugin_with_metric");
    // SAFETY: the engine's table, and the hooks do what their type documents.
    unsafe { (*api).register_picker.unwrap()(&table) }
}

#[test]
fn a_plugin_keeps_its_metrics_from_release_to_release() {
    let plugin: &'static _ = Box::leak(Box::new(plugin("with metric", entry_with_metric)));
    for _ in 0..2 {
        // SAFETY: the block is never freed.
        assert_eq!(unsafe { steer_register_plugin(plugin) }, STEER_OK, "{}", last_error());
    }
    let plugins = stats::plugin_metrics();
    let seen: Vec<_> = plugins.iter().filter(|plugin| plugin.name == "with metric").collect();
    let json = serde_json::to_string(&seen).unwrap();
    assert!(json.contains(r#""series":[{"labels":{"zone":"a"},"value":2}]"#), "{json}");
    let text = stats::to_prometheus(Vec::new(), vec![], &plugins);
    let line = r#"steer_custom_loads_total{plugin="with metric",zone="a"} 2"#;
    assert!(text.contains(line), "{text}");
    let json = stats::to_json(&[], &[], &plugins);
    assert!(json.starts_with(r#"{"steer":"0.1.0","channels":[],"plugins":[{"name":""#), "{json}");
}

/// Picks once and ends the call with this code.
fn one_call(fixture: &Fixture, code: i32) {
    // SAFETY: the policy and its picker are not freed.
    let picked = unsafe { steer_picker_pick(fixture.seen().picker.unwrap(), ptr::null()) };
    assert_eq!(picked.kind, steer_pick_kind::STEER_PICK_TRACKED as i64);
    let tracker = picked.value.cast::<steer_call_tracker>();
    let finish = steer_call_finish {
        struct_size: size_of::<steer_call_finish>(),
        code,
        message: steer_str::empty(),
        metrics: steer_str::empty(),
        report: ptr::null(),
    };
    // SAFETY: only this thread uses the tracker, and frees it once.
    unsafe {
        steer_call_tracker_finish(tracker, &finish);
        steer_call_tracker_free(tracker);
    }
}

#[test]
fn calls_that_a_picker_follows_are_counted() {
    registered("counted_track");
    let fixture = doing("counted_track", "track");
    let before = seen("counted_track");
    assert!(!before.calls_tracked && before.backends[0].picks.is_none());
    one_call(&fixture, 0);
    one_call(&fixture, 14);
    // SAFETY: the policy and its picker are not freed.
    let picked = unsafe { steer_picker_pick(fixture.seen().picker.unwrap(), ptr::null()) };
    let after = seen("counted_track");
    assert!(after.calls_tracked);
    let [a, b] = &after.backends[..] else { panic!() };
    assert_eq!((a.picks, b.picks, b.in_flight), (Some(0), Some(3), Some(1)));
    assert_eq!(b.finished, Some(vec![(Code::Ok, 1), (Code::Unavailable, 1)]));
    assert_eq!(b.latency_seconds.as_ref().map(|latency| latency.count), Some(2));
    // SAFETY: only this thread uses the tracker, and frees it once.
    unsafe { steer_call_tracker_free(picked.value.cast::<steer_call_tracker>()) };
    assert_eq!(seen("counted_track").backends[1].abandoned, Some(1));
}
