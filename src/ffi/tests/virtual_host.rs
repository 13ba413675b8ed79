//! Virtual hosts.

use super::*;

/// What a test passes as `ctx`.
#[repr(C)]
struct Kit {
    host: *mut steer_virtual_host,
    freed: usize,
}

unsafe extern "C" fn ctx_free(ctx: *mut c_void) {
    // SAFETY: the ctx of these tests is a kit.
    unsafe { (*ctx.cast::<Kit>()).freed += 1 };
}

/// A virtual host, and a policy with it.
struct Channel {
    kit: *mut Kit,
    host: *mut steer_virtual_host,
    policy: *mut steer_policy,
}

impl Channel {
    fn new() -> Channel {
        let mut host = ptr::null_mut();
        // SAFETY: all arguments are valid.
        let status = unsafe { steer_virtual_host_new(1_000, 1, &mut host) };
        assert_eq!(status, STEER_OK);
        let kit = Box::into_raw(Box::new(Kit { host, freed: 0 }));
        // SAFETY: the table is static.
        let mut table = unsafe { *steer_virtual_host_callbacks() };
        table.ctx = kit.cast();
        table.ctx_free = Some(ctx_free);
        let mut policy = ptr::null_mut();
        // SAFETY: all arguments are valid.
        let status =
            unsafe { steer_policy_new(steer_str::borrow(ROUND_ROBIN), &table, &mut policy) };
        assert_eq!(status, STEER_OK);
        Channel { kit, host, policy }
    }

    fn resolve(&self, addresses: &[&str]) {
        let texts: Vec<steer_str> = addresses.iter().map(|text| steer_str::borrow(text)).collect();
        let endpoints: Vec<steer_endpoint> = texts.iter().map(endpoint).collect();
        // SAFETY: all arguments are valid.
        let status =
            unsafe { steer_virtual_host_list(self.host, endpoints.as_ptr(), endpoints.len()) };
        assert_eq!(status, STEER_OK);
        let update = update(&endpoints);
        // SAFETY: all arguments are valid.
        let status =
            unsafe { steer_policy_update(self.policy, &update, ptr::null_mut(), ptr::null_mut()) };
        assert_eq!(status, STEER_OK);
    }

    fn endpoints(&self) -> Vec<steer_virtual_endpoint> {
        let mut found: Vec<steer_virtual_endpoint> = Vec::new();
        loop {
            let after = found.last().map_or(0, |last| last.number);
            let mut next = no_endpoint();
            // SAFETY: all arguments are valid.
            match unsafe { steer_virtual_host_endpoint(self.host, after, &mut next) } {
                STEER_OK => found.push(next),
                status => {
                    assert_eq!(status, STEER_UNKNOWN_ENDPOINT);
                    // A list is made from a random endpoint on.
                    found.sort_by_key(|endpoint| text(endpoint.address));
                    return found;
                }
            }
        }
    }

    fn report(&self, endpoint: u64, state: steer_state) -> steer_status {
        let why = steer_str::borrow("refused");
        // SAFETY: all arguments are valid.
        unsafe {
            steer_virtual_host_report(self.host, self.policy, endpoint, state as i32, 14, why)
        }
    }

    /// The kinds of the requests since the last call.
    fn requests(&self) -> Vec<i32> {
        let mut request = no_request();
        let mut kinds = Vec::new();
        // SAFETY: all arguments are valid.
        while unsafe { steer_virtual_host_request(self.host, &mut request) } == 1 {
            kinds.push(request.kind);
        }
        kinds
    }
}

impl Drop for Channel {
    fn drop(&mut self) {
        // SAFETY: the policy is not freed.
        unsafe { steer_policy_free(self.policy) };
        // SAFETY: the host is not freed.
        assert_eq!(unsafe { steer_virtual_host_free(self.host) }, 0);
        // SAFETY: `new` made it, and the engine has freed its ctx.
        let kit = unsafe { Box::from_raw(self.kit) };
        assert_eq!(kit.freed, 1);
    }
}

fn no_endpoint() -> steer_virtual_endpoint {
    // SAFETY: zeros are valid (`Versioned`).
    let mut endpoint: steer_virtual_endpoint = unsafe { std::mem::zeroed() };
    endpoint.struct_size = size_of::<steer_virtual_endpoint>();
    endpoint
}

fn no_request() -> steer_virtual_request {
    // SAFETY: zeros are valid (`Versioned`).
    let mut request: steer_virtual_request = unsafe { std::mem::zeroed() };
    request.struct_size = size_of::<steer_virtual_request>();
    request
}

#[test]
fn a_virtual_host_carries_a_policy_through_its_life() {
    let channel = Channel::new();
    channel.resolve(&["a", "b"]);
    let made = channel.endpoints();
    assert_eq!(made.len(), 2);
    assert_eq!(text(made[1].address), "b");
    assert_eq!((made[0].state, made[0].asked, made[0].connected), (-1, 0, 0));
    assert_eq!(channel.report(made[0].number, steer_state::STEER_IDLE), STEER_OK);
    assert_eq!(channel.endpoints()[0].asked, 1);
    use steer_virtual_request_kind::*;
    let asked = channel.requests();
    assert!(asked.contains(&(STEER_REQUEST_NEW as i32)));
    assert!(asked.contains(&(STEER_REQUEST_CONNECT as i32)));

    assert_eq!(channel.report(made[0].number, steer_state::STEER_READY), STEER_OK);
    assert_eq!(channel.report(made[1].number, steer_state::STEER_TRANSIENT_FAILURE), STEER_OK);
    let now = channel.endpoints();
    assert_eq!((now[0].state, now[0].asked, now[1].state, now[1].asked), (2, 0, 3, 0));
    // SAFETY: the host is not freed.
    assert_eq!(unsafe { steer_virtual_host_held(channel.host) }, 3);

    // SAFETY: the host is not freed.
    let picker = unsafe { steer_virtual_host_picker(channel.host) };
    // SAFETY: the picker is held, and needs no call.
    let picked = unsafe { steer_picker_pick(picker.cast_mut(), ptr::null()) };
    assert_eq!(picked.value, now[0].connection);
    // SAFETY: the host is not freed.
    let address = unsafe { steer_virtual_host_address(channel.host, picked.value) };
    // SAFETY: the address is not freed.
    assert_eq!(text(unsafe { steer_string_text(address) }), "a");
    // SAFETY: it came from the engine.
    unsafe { steer_string_free(address) };

    // The picker outlives the connection's endpoint.
    channel.resolve(&["b"]);
    // SAFETY: the picker is held.
    unsafe { steer_virtual_host_picker_free(picker) };
    // SAFETY: the host is not freed.
    unsafe { steer_virtual_host_drop_picker(channel.host) };
}

#[test]
fn a_second_endpoint_of_an_address_knows_of_the_connection() {
    let channel = Channel::new();
    channel.resolve(&["a"]);
    assert_eq!(channel.report(channel.endpoints()[0].number, steer_state::STEER_READY), STEER_OK);
    channel.resolve(&["a", "a"]);
    assert_eq!(channel.endpoints()[1].connected, 1);
}

#[test]
fn reports_of_unknown_endpoints_and_states_leave_nothing() {
    let channel = Channel::new();
    channel.resolve(&["a"]);
    assert_eq!(channel.report(u64::MAX, steer_state::STEER_READY), STEER_UNKNOWN_ENDPOINT);
    let (none, number) = (steer_str::empty(), channel.endpoints()[0].number);
    // SAFETY: all arguments are valid.
    let status =
        unsafe { steer_virtual_host_report(channel.host, channel.policy, number, 7, 0, none) };
    assert_eq!(status, STEER_INVALID_ARGUMENT);
    // SAFETY: NULL is allowed for the policy.
    let status =
        unsafe { steer_virtual_host_report(channel.host, ptr::null_mut(), number, 2, 0, none) };
    assert_eq!(status, STEER_NULL_ARGUMENT);
    // SAFETY: the host is not freed.
    assert_eq!(unsafe { steer_virtual_host_held(channel.host) }, 1);
}

#[test]
fn timers_end_in_their_order_and_move_the_clock() {
    let channel = Channel::new();
    // SAFETY: the table is static.
    let table = unsafe { &*steer_virtual_host_callbacks() };
    let ctx = channel.kit.cast();
    for (timer, after) in [(7, 50), (8, 20), (9, 5_000)] {
        // SAFETY: `ctx` is that of a table.
        unsafe { table.timer_start.unwrap()(ctx, timer, after) };
    }
    // SAFETY: the host is not freed.
    let end = |until| unsafe { steer_virtual_host_timer(channel.host, until) };
    // SAFETY: `ctx` is that of a table.
    let now = || unsafe { table.now.unwrap()(ctx) };
    assert_eq!((end(2_000), now()), (8, 1_020));
    assert_eq!((end(2_000), now()), (7, 1_050));
    assert_eq!((end(2_000), now()), (0, 2_000));
    // The clock never goes back.
    assert_eq!((end(1_000), now()), (0, 2_000));
    // SAFETY: `ctx` is that of a table.
    unsafe { table.timer_cancel.unwrap()(ctx, 9) };
    assert_eq!(end(u64::MAX), 0);
}

#[test]
fn the_random_numbers_are_those_of_the_seed() {
    let channel = Channel::new();
    // SAFETY: the table is static.
    let table = unsafe { &*steer_virtual_host_callbacks() };
    // SAFETY: the ctx is that of a table.
    let draw = || unsafe { table.random.unwrap()(channel.kit.cast()) };
    let first = [draw(), draw()];
    // SAFETY: the host is not freed.
    unsafe { steer_virtual_host_seed(channel.host, 1) };
    assert_eq!([draw(), draw()], first);
}

#[test]
fn virtual_hosts_take_nulls_and_other_sizes() {
    let host = ptr::null_mut();
    // SAFETY: NULL is allowed, here and below.
    assert_eq!(unsafe { steer_virtual_host_new(0, 0, ptr::null_mut()) }, STEER_NULL_ARGUMENT);
    // SAFETY: as above.
    assert_eq!(unsafe { steer_virtual_host_free(host) }, 0);
    // SAFETY: as above.
    assert_eq!(unsafe { steer_virtual_host_held(host) }, 0);
    // SAFETY: as above.
    assert_eq!(unsafe { steer_virtual_host_list(host, ptr::null(), 0) }, STEER_NULL_ARGUMENT);
    // SAFETY: as above.
    assert_eq!(unsafe { steer_virtual_host_timer(host, 1) }, 0);
    // SAFETY: as above.
    assert!(unsafe { steer_virtual_host_picker(host) }.is_null());
    // SAFETY: as above.
    assert!(unsafe { steer_virtual_host_address(host, ptr::null()) }.is_null());
    // SAFETY: as above.
    unsafe { steer_virtual_host_picker_free(ptr::null()) };

    let channel = Channel::new();
    channel.resolve(&["a"]);
    let (mut endpoint, mut request) = (no_endpoint(), no_request());
    endpoint.struct_size -= 1;
    // SAFETY: all arguments are valid.
    let status = unsafe { steer_virtual_host_endpoint(channel.host, 0, &mut endpoint) };
    assert_eq!(status, STEER_BAD_STRUCT_SIZE);
    // SAFETY: NULL is allowed.
    let status = unsafe { steer_virtual_host_endpoint(channel.host, 0, ptr::null_mut()) };
    assert_eq!(status, STEER_NULL_ARGUMENT);
    request.struct_size = 0;
    // SAFETY: all arguments are valid.
    assert_eq!(unsafe { steer_virtual_host_request(channel.host, &mut request) }, 0);
    // SAFETY: NULL is allowed.
    assert_eq!(unsafe { steer_virtual_host_request(channel.host, ptr::null_mut()) }, 0);
}
