//! A policy with a host that notes what it sees, and the structs to call it with.

use super::*;

pub(super) fn call_with(struct_size: usize, path: steer_str) -> steer_call {
    steer_call {
        struct_size,
        path,
        ctx: ptr::null_mut(),
        header: None,
        add_header: None,
        request_hash: 7,
        has_request_hash: 1,
        reserved: 0,
    }
}

/// A policy and its host. Dropping it frees the policy and its picker, and checks that the engine
/// gave everything back.
pub(super) struct Fixture {
    pub(super) seen: *mut Seen,
    pub(super) policy: *mut steer_policy,
}

impl Fixture {
    pub(super) fn new(name: &str) -> Fixture {
        Fixture::with_host(name, |_| {})
    }

    /// A policy of a host whose table is changed.
    pub(super) fn with_host(name: &str, change: impl FnOnce(&mut steer_host)) -> Fixture {
        let seen = Box::into_raw(Box::default());
        let mut table = table(seen);
        change(&mut table);
        let mut policy = ptr::null_mut();
        // SAFETY: all arguments are valid.
        let status = unsafe { steer_policy_new(steer_str::borrow(name), &table, &mut policy) };
        assert_eq!(status, STEER_OK);
        Fixture { seen, policy }
    }

    pub(super) fn seen(&self) -> &mut Seen {
        seen(self.seen.cast())
    }

    pub(super) fn update(&self, addresses: &[&str]) -> (steer_status, i32, String) {
        let texts: Vec<steer_str> = addresses.iter().map(|text| steer_str::borrow(text)).collect();
        let endpoints: Vec<steer_endpoint> = texts.iter().map(endpoint).collect();
        self.hand_in(&update(&endpoints))
    }

    pub(super) fn hand_in(&self, update: &steer_update) -> (steer_status, i32, String) {
        let (mut code, mut message) = (-1, ptr::null_mut());
        // SAFETY: all arguments are valid.
        let status = unsafe { steer_policy_update(self.policy, update, &mut code, &mut message) };
        // SAFETY: the string is NULL or was made above.
        let words = text(unsafe { steer_string_text(message) });
        // SAFETY: the string is NULL or was made above, and its text was copied.
        unsafe { steer_string_free(message) };
        (status, code, words)
    }

    pub(super) fn report(&self, endpoint: u64, report: &steer_endpoint_report) -> steer_status {
        // SAFETY: all arguments are valid.
        unsafe { steer_policy_endpoint_report(self.policy, endpoint, report) }
    }

    pub(super) fn ready(&self, endpoint: usize) {
        let id = self.seen().endpoints[endpoint].0;
        let connection = ptr::without_provenance_mut(100 + endpoint);
        let status = self.report(id, &report(steer_state::STEER_READY as i32, connection));
        assert_eq!(status, STEER_OK);
    }

    /// A pick's kind, connection, code and message.
    pub(super) fn pick_with(&self, call: *const steer_call) -> (i64, usize, i32, String) {
        let picker = self.seen().picker.unwrap();
        // SAFETY: all arguments are valid.
        let picked = unsafe { steer_picker_pick(picker, call) };
        match picked.kind {
            2 | 3 => {
                let failure = picked.value.cast::<steer_pick_failure>();
                // SAFETY: the kinds FAIL and DROP come with one.
                let failure = unsafe { failure.read() };
                assert_eq!(failure.struct_size, size_of::<steer_pick_failure>());
                (picked.kind, 0, failure.code, text(failure.message))
            }
            kind => (kind, picked.value.addr(), 0, String::new()),
        }
    }

    /// The address of the connection picked.
    pub(super) fn pick(&self) -> usize {
        let (kind, connection, ..) = self.pick_with(ptr::null());
        assert_eq!(kind, steer_pick_kind::STEER_PICK_COMPLETE as i64);
        connection
    }

    /// Picks. The caller frees a tracker in the result.
    pub(super) fn pick_raw(&self) -> steer_picked {
        let picker = self.seen().picker.unwrap();
        // SAFETY: the picker is not freed, and the call may be NULL.
        unsafe { steer_picker_pick(picker, ptr::null()) }
    }

    /// Kind, code and message of a pick that chose no connection.
    pub(super) fn no_pick(&self) -> (steer_pick_kind, i32, String) {
        let (kind, connection, code, message) = self.pick_with(ptr::null());
        assert_eq!(connection, 0);
        let kind = match kind {
            1 => steer_pick_kind::STEER_PICK_QUEUE,
            2 => steer_pick_kind::STEER_PICK_FAIL,
            3 => steer_pick_kind::STEER_PICK_DROP,
            other => panic!("kind {other}"),
        };
        (kind, code, message)
    }
}

impl Drop for Fixture {
    fn drop(&mut self) {
        // SAFETY: the policy is NULL or not freed.
        unsafe { steer_policy_free(self.policy) };
        let picker = self.seen().picker.take().unwrap_or(ptr::null_mut());
        // SAFETY: the host owns the picker, and nobody picks any more.
        unsafe { steer_picker_free(picker) };
        let seen = self.seen();
        assert_eq!(seen.freed_endpoints, seen.endpoints.len());
        assert!(seen.freed, "ctx_free is the last callback");
        // SAFETY: `new` made it, and no callback comes after `ctx_free`.
        drop(unsafe { Box::from_raw(self.seen) });
    }
}

pub(super) fn endpoint(address: &steer_str) -> steer_endpoint {
    steer_endpoint {
        struct_size: size_of::<steer_endpoint>(),
        addresses: address,
        address_count: 1,
        weight: 0,
        region: steer_str::empty(),
        zone: steer_str::empty(),
        sub_zone: steer_str::empty(),
        hash_key: steer_str::empty(),
        attributes: ptr::null(),
        attribute_count: 0,
    }
}

pub(super) fn update(endpoints: &[steer_endpoint]) -> steer_update {
    steer_update {
        struct_size: size_of::<steer_update>(),
        config: ptr::null(),
        endpoints: endpoints.as_ptr(),
        endpoint_count: endpoints.len(),
        code: 0,
        message: steer_str::empty(),
        resolution_note: steer_str::borrow("why"),
        target: steer_str::borrow("dns:///here"),
        former: ptr::null(),
        former_count: 0,
        made_with: 0,
        cluster: steer_str::empty(),
    }
}

pub(super) fn report(state: i32, connection: *mut c_void) -> steer_endpoint_report {
    steer_endpoint_report {
        struct_size: size_of::<steer_endpoint_report>(),
        state,
        code: 14,
        message: steer_str::borrow("refused"),
        connection,
    }
}

pub(super) const ROUND_ROBIN: &str = "steer_round_robin";
pub(super) const NULL_STR: steer_str = steer_str { data: ptr::null(), length: 5 };

pub(super) fn parse(name: &str, json: &str) -> Result<*mut steer_config, (steer_status, String)> {
    let (mut config, mut error) = (ptr::null_mut(), ptr::null_mut());
    let name = steer_str::borrow(name);
    // SAFETY: all arguments are valid.
    let status = unsafe {
        steer_config_parse(name, steer_str::borrow(json), &raw mut config, &raw mut error)
    };
    if status == STEER_OK {
        return Ok(config);
    }
    // SAFETY: the string is NULL or was made above.
    let words = text(unsafe { steer_string_text(error) });
    // SAFETY: the string is NULL or was made above, and its text was copied.
    unsafe { steer_string_free(error) };
    assert!(config.is_null(), "outputs are written only on success");
    Err((status, words))
}
