//! Making, running and freeing policies.

use super::*;

#[test]
fn a_policy_is_made_of_a_known_name_and_a_complete_table() {
    let seen: *mut Seen = Box::into_raw(Box::default());
    let good = table(seen);
    let mut policy = ptr::null_mut();
    let name = steer_str::borrow(ROUND_ROBIN);
    let mut new = |name, host: *const steer_host| {
        // SAFETY: each argument is NULL or valid.
        unsafe { steer_policy_new(name, host, &mut policy) }
    };
    assert_eq!(new(name, ptr::null()), STEER_NULL_ARGUMENT);
    assert_eq!(new(steer_str::borrow("no"), &good), STEER_UNKNOWN_POLICY);
    assert_eq!(new(steer_str::empty(), &good), STEER_UNKNOWN_POLICY);
    assert_eq!(new(NULL_STR, &good), STEER_INVALID_ARGUMENT);
    for size in [0, 8, std::mem::offset_of!(steer_host, load_reports) - 1] {
        let short = steer_host { struct_size: size, ..good };
        assert_eq!(new(name, &short), STEER_BAD_STRUCT_SIZE);
    }
    for incomplete in [
        steer_host { endpoint_new: None, ..good },
        steer_host { endpoint_connect: None, ..good },
        steer_host { endpoint_free: None, ..good },
        steer_host { connection_free: None, ..good },
        steer_host { update_state: None, ..good },
        steer_host { request_reresolution: None, ..good },
    ] {
        assert_eq!(new(name, &incomplete), STEER_MISSING_CALLBACK);
    }
    // SAFETY: the function takes NULL.
    let status = unsafe { steer_policy_new(name, &good, ptr::null_mut()) };
    assert_eq!(status, STEER_NULL_ARGUMENT);
    assert!(policy.is_null(), "outputs are written only on success");
    assert!(!super::tests::seen(seen.cast()).freed, "the host keeps ctx when nothing was made");
    // SAFETY: it was made above, and nothing else uses it.
    drop(unsafe { Box::from_raw(seen) });
}

/// A table of a later version: longer than the engine knows.
#[repr(C)]
struct LaterHost {
    known: steer_host,
    more: [usize; 4],
}

#[test]
fn the_known_part_of_a_later_versions_struct_is_read() {
    let seen: *mut Seen = Box::into_raw(Box::default());
    let mut later = LaterHost { known: table(seen), more: [usize::MAX; 4] };
    later.known.struct_size = size_of::<LaterHost>();
    let mut policy = ptr::null_mut();
    let name = steer_str::borrow(ROUND_ROBIN);
    // SAFETY: all arguments are valid.
    let status = unsafe { steer_policy_new(name, (&raw const later).cast(), &mut policy) };
    assert_eq!(status, STEER_OK);
    drop(Fixture { seen, policy });
}

#[test]
fn optional_callbacks_may_be_missing() {
    let seen: *mut Seen = Box::into_raw(Box::default());
    let bare = steer_host {
        endpoint_matches: None,
        endpoint_reset_backoff: None,
        run_later: None,
        timer_start: None,
        timer_cancel: None,
        now: None,
        random: None,
        log: None,
        ..table(seen)
    };
    let mut policy = ptr::null_mut();
    let name = steer_str::borrow("test_timers");
    register_test_policies();
    // SAFETY: all arguments are valid.
    let status = unsafe { steer_policy_new(name, &bare, &mut policy) };
    assert_eq!(status, STEER_OK);
    let fixture = Fixture { seen, policy };
    fixture.update(&["ipv4:127.0.0.1:1", "ipv4:127.0.0.1:2"]);
    assert_eq!(fixture.seen().states.len(), 1);

    let fixture = Fixture::new(ROUND_ROBIN);
    fixture.update(&["a", "b"]);
    fixture.seen().matches = 1;
    fixture.update(&["a", "b"]);
    assert_eq!(fixture.seen().endpoints.len(), 2);
    fixture.seen().matches = 0;
    fixture.update(&["a", "b"]);
    assert_eq!(fixture.seen().endpoints.len(), 4, "the host says that they are others");
}

#[test]
fn without_endpoint_matches_descriptors_are_compared() {
    let seen: *mut Seen = Box::into_raw(Box::default());
    let bare = steer_host { endpoint_matches: None, ..table(seen) };
    let mut policy = ptr::null_mut();
    // SAFETY: all arguments are valid.
    let status = unsafe { steer_policy_new(steer_str::borrow(ROUND_ROBIN), &bare, &mut policy) };
    assert_eq!(status, STEER_OK);
    let fixture = Fixture { seen, policy };
    fixture.update(&["a", "b"]);
    fixture.update(&["b", "a"]);
    assert_eq!(fixture.seen().endpoints.len(), 2);
    let address = steer_str::borrow("a");
    let weighted = steer_endpoint { weight: 3, ..endpoint(&address) };
    assert_eq!(fixture.hand_in(&update(&[weighted])).0, STEER_OK);
    assert_eq!(fixture.seen().endpoints.len(), 3);
}

#[test]
fn timers_reach_the_host_and_return() {
    register_test_policies();
    let fixture = Fixture::new("test_timers");
    fixture.update(&["a"]);
    let timers = fixture.seen().timers.clone();
    assert_eq!(timers.iter().map(|(_, after)| *after).collect::<Vec<_>>(), [5, u64::MAX]);
    assert_eq!(fixture.seen().cancelled, [timers[1].0]);
    // SAFETY: the policy and its picker are not freed.
    let status = unsafe { steer_policy_timer(fixture.policy, timers[0].0) };
    assert_eq!(status, STEER_OK);
    assert!(fixture.seen().logs.iter().any(|log| log.contains("timer 1 at 7ns, random 12")));
}

#[test]
fn a_picker_that_panics_is_replaced_when_the_host_runs_the_policy() {
    register_test_policies();
    let fixture = Fixture::new("test_panics");
    let address = steer_str::borrow("a");
    let with = [endpoint(&address)];
    let mut faults = 0;
    // The config's parser panics, also for the defaults.
    assert_eq!(fixture.hand_in(&update(&with)).0, STEER_PANIC);
    let fixture = Fixture::new("test_path");
    fixture.update(&["a"]);
    fixture.ready(0);
    let boom = steer_str::borrow("/boom");
    let call = call_with(size_of::<steer_call>(), boom);
    let (kind, _, code, message) = fixture.pick_with(&call);
    assert_eq!(kind, steer_pick_kind::STEER_PICK_FAIL as i64);
    assert_eq!((code, message.as_str()), (13, "test_path: pick panicked: boom"));
    assert_eq!(fixture.seen().runs_asked, 1);
    // SAFETY: the policy and its picker are not freed.
    assert_eq!(unsafe { steer_policy_run(fixture.policy) }, STEER_OK);
    // SAFETY: the policy and its picker are not freed.
    let status = unsafe { steer_policy_faults(fixture.policy, &mut faults) };
    assert_eq!(status, STEER_OK);
    assert_eq!(faults, 1);
    fixture.ready(1);
    assert_eq!(fixture.pick_with(&call).1, 101);
}

#[test]
fn an_update_before_the_run_gives_the_fallback_its_endpoints() {
    register_test_policies();
    let fixture = Fixture::new("test_path");
    fixture.update(&["a"]);
    fixture.ready(0);
    let boom = steer_str::borrow("/boom");
    fixture.pick_with(&call_with(size_of::<steer_call>(), boom));
    fixture.seen().matches = 1;
    fixture.update(&["a"]);
    let states: Vec<i32> = fixture.seen().states.iter().map(|(state, ..)| *state).collect();
    assert!(!states.contains(&(steer_state::STEER_TRANSIENT_FAILURE as i32)), "{states:?}");
    assert_eq!(fixture.seen().endpoints.len() - fixture.seen().freed_endpoints, 1);
}

#[test]
fn a_policy_may_be_freed_within_its_own_callback() {
    let mut fixture = Fixture::new(ROUND_ROBIN);
    fixture.seen().free_within = Some(fixture.policy);
    assert_eq!(fixture.update(&["a"]).0, STEER_OK);
    fixture.policy = ptr::null_mut();
    assert_eq!(fixture.seen().freed_endpoints, 1);
}

#[test]
fn pickers_and_their_connections_outlive_their_policy() {
    let mut fixture = Fixture::new(ROUND_ROBIN);
    fixture.update(&["a"]);
    fixture.ready(0);
    // SAFETY: the policy is freed once, and replaced by NULL.
    unsafe { steer_policy_free(std::mem::replace(&mut fixture.policy, ptr::null_mut())) };
    assert_eq!(fixture.pick(), 100);
    assert_eq!((fixture.seen().freed_connections, fixture.seen().freed), (0, false));
}

#[test]
fn the_statistics_have_the_channel_and_the_cluster() {
    const CHANNEL: u64 = 0xABCD_EF01_2345_6789;
    let in_channel =
        |channel| Fixture::with_host(ROUND_ROBIN, |table: &mut steer_host| table.channel = channel);
    let in_cluster = |fixture: &Fixture, cluster: &str| {
        let update = steer_update { cluster: steer_str::borrow(cluster), ..update(&[]) };
        assert_eq!(fixture.hand_in(&update).0, STEER_OK);
    };
    let first = in_channel(CHANNEL);
    let (second, other) = (in_channel(CHANNEL), in_channel(CHANNEL + 1));
    in_cluster(&first, "cluster 1");
    in_cluster(&second, "cluster 2");
    in_cluster(&other, "cluster 3");
    let seen = |cluster: &str| {
        let mut all = crate::stats::snapshot().into_iter();
        all.find(|policy| policy.cluster == cluster).expect("no policy has this cluster")
    };
    let number = seen("cluster 1").grpc_channel;
    assert_eq!(number, Some(seen("cluster 1").id));
    assert_eq!(seen("cluster 2").grpc_channel, number);
    assert_eq!(seen("cluster 3").grpc_channel, Some(seen("cluster 3").id));
    // A host of an older version names no channel.
    let older = Fixture::with_host(ROUND_ROBIN, |table: &mut steer_host| {
        table.channel = CHANNEL;
        table.struct_size = std::mem::offset_of!(steer_host, channel);
    });
    in_cluster(&older, "cluster 4");
    assert_eq!(seen("cluster 4").grpc_channel, Some(seen("cluster 4").id));
}
