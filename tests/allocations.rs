//! Calls of policies that use load reports allocate nothing.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::sync::Arc;
use std::time::Duration;

use prost::Message;
use serde_json::json;
use steer::Status;
use steer::calls::{Call, Metrics};
use steer::endpoints::{Connectivity, EndpointDescriptor};
use steer::policy::{GuardedPicker, Pick, Update};
use steer::virtual_host::{Chance, VirtualChannel, VirtualClock, VirtualHost};

/// The system's allocator, which counts.
struct Counting;

thread_local! {
    static ALLOCATIONS: Cell<usize> = const { Cell::new(0) };
}

// SAFETY: passes everything on to the system's allocator.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.set(ALLOCATIONS.get() + 1);
        // SAFETY: the caller's contract is that of the function.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: the caller's contract is that of the function.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static COUNTING: Counting = Counting;

/// The allocations of this thread during `run`.
fn allocations(run: impl FnOnce()) -> usize {
    let before = ALLOCATIONS.get();
    run();
    ALLOCATIONS.get() - before
}

/// A channel with this policy and config, and three READY backends.
fn channel(policy: &str, config: &serde_json::Value) -> VirtualChannel {
    let factory = steer::policies::registry().find(policy).unwrap();
    let host = VirtualHost::new(VirtualClock::default(), Chance::seeded(1));
    let channel = VirtualChannel::new(Arc::clone(&factory), steer::policies::fallback(), host);
    let endpoint = |name: &str| EndpointDescriptor {
        addresses: vec![name.to_owned()],
        ..EndpointDescriptor::default()
    };
    let endpoints: Vec<_> =
        ["a", "b", "c"].into_iter().map(|name| Arc::new(endpoint(name))).collect();
    let update = Update {
        endpoints: Ok(endpoints.into()),
        config: factory.parse_config(config, steer::policies::registry()).unwrap(),
        factory,
        common: Arc::default(),
        resolution_note: String::new(),
        target: String::new(),
        cluster: String::new(),
    };
    channel.update(update).unwrap();
    for endpoint in channel.host().endpoints() {
        channel.report(endpoint.id, Connectivity::Ready);
    }
    channel
}

/// A report with several metrics that have names.
fn report() -> Vec<u8> {
    let named = |names: &[&str]| names.iter().map(|&name| (name.to_owned(), 0.5)).collect();
    let report = Metrics {
        rps_fractional: 100.0,
        eps: 1.0,
        cpu_utilization: 0.25,
        request_cost: named(&["database", "cache"]),
        utilization: named(&["disk", "network"]),
        named_metrics: named(&["latency", "queue", "rif", "threads"]),
        ..Metrics::default()
    };
    report.encode_to_vec()
}

/// Makes a call that ends with this load report.
fn call(picker: &GuardedPicker, report: &[u8]) {
    let Pick::Tracked(mut slot) = picker.pick(Call::UNKNOWN) else { panic!("not a tracked call") };
    slot.call_mut().finish_encoded(&Status::OK, report);
}

#[test]
fn calls_of_weighted_round_robin_allocate_nothing() {
    let metrics = ["named_metrics.queue", "utilization.disk", "cpu_utilization"];
    for config in [
        json!({"blackoutPeriod": "0s"}),
        json!({"blackoutPeriod": "0s", "metricNamesForComputingUtilization": metrics}),
    ] {
        let channel = channel("steer_weighted_round_robin", &config);
        let report = report();
        let picker = channel.host().picker().unwrap();
        let call = || call(&picker, &report);
        // The first calls make what the others use again.
        (0..10).for_each(|_| call());
        assert_eq!(allocations(|| (0..100).for_each(|_| call())), 0, "{config}");
        assert!(allocations(|| drop(Metrics::read(&report))) > 0, "the test counts");
        // The reports were used: there are weights, and so another picker.
        channel.advance(Duration::from_secs(1));
        assert!(!Arc::ptr_eq(&picker, &channel.host().picker().unwrap()), "{config}");
    }
}

#[test]
fn calls_below_a_parent_allocate_nothing() {
    let child = json!([{"steer_subset": {"childPolicy": [{"steer_weighted_round_robin": {}}]}}]);
    for parent in ["steer_locality", "steer_priority", "steer_slow_start"] {
        let channel = channel(parent, &json!({ "childPolicy": child }));
        let report = report();
        let picker = channel.host().picker().unwrap();
        (0..10).for_each(|_| call(&picker, &report));
        assert_eq!(allocations(|| (0..100).for_each(|_| call(&picker, &report))), 0, "{parent}");
    }
}

#[test]
fn calls_of_prequal_allocate_nothing() {
    let channel = channel("steer_prequal", &json!({}));
    let report = report();
    let picker = channel.host().picker().unwrap();
    let call = || call(&picker, &report);
    (0..10).for_each(|_| call());
    let calls = || {
        for _ in 0..100 {
            call();
            // Each report counts among the recent ones.
            channel.host().clock().advance(Duration::from_millis(20));
        }
    };
    assert_eq!(allocations(calls), 0);
}
