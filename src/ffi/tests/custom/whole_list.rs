//! All backends of the channel's list with their states, as `picker_new` gets them.

use super::*;

/// What the latest picker was made of: for each backend of the whole list its address, its state,
/// and its index among the READY ones.
static SEEN: Mutex<Vec<(String, i32, usize)>> = Mutex::new(Vec::new());

unsafe extern "C" fn look(
    _: *mut c_void,
    _: *const c_void,
    ready: *const steer_backends,
    _: *mut steer_wants,
    picker: *mut *mut c_void,
) -> i32 {
    // SAFETY: the engine passes backends with valid pointers, and a pointer that can be written to.
    unsafe {
        let ready = &*ready;
        let all = &*ready.all;
        assert!(ready.states.is_null() && ready.ready.is_null() && all.all.is_null());
        let seen = |place| {
            let backend = all.items.add(place).read();
            let (state, index) = (all.states.add(place).read(), all.ready.add(place).read());
            if index != usize::MAX {
                assert_eq!(ready.items.add(index).read(), backend, "the same backend");
            }
            (text((*backend).addresses.read()), state, index)
        };
        *SEEN.lock().unwrap() = (0..all.count).map(seen).collect();
        // It may outlive the list that it is part of.
        api().backends_hold.unwrap()(ready.all);
        picker.write(ready.all.cast_mut().cast());
    }
    0
}

unsafe extern "C" fn release(picker: *mut c_void) {
    // SAFETY: `look` holds the list.
    unsafe {
        assert_eq!((*picker.cast::<steer_backends>()).count, 3);
        api().backends_release.unwrap()(picker.cast());
    }
}

fn seen(expected: [(&str, steer_state, usize); 3]) {
    let expected =
        expected.map(|(address, state, index)| (address.to_owned(), state as i32, index));
    assert_eq!(*SEEN.lock().unwrap(), expected);
}

#[test]
fn a_picker_gets_all_backends_with_their_states() {
    use steer_state::*;
    let table = steer_picker_type {
        picker_new: Some(look),
        picker_free: Some(release),
        ..bare_picker_type("whole_list")
    };
    // SAFETY: the table's hooks do what its type documents.
    assert_eq!(unsafe { steer_register_picker(&table) }, STEER_OK, "{}", last_error());
    let fixture = Fixture::new("whole_list");
    assert_eq!(fixture.update(&["a", "b", "c"]).0, STEER_OK);
    // Connections begin at a random place of the list.
    let place = |address: &str| {
        let endpoints = &fixture.seen().endpoints;
        endpoints.iter().position(|(_, index)| ["a", "b", "c"][*index as usize] == address).unwrap()
    };
    let becomes = |address: &str, state: steer_state| {
        let place = place(address);
        let id = fixture.seen().endpoints[place].0;
        assert_eq!(fixture.report(id, &report(state as i32, ptr::null_mut())), STEER_OK);
    };
    fixture.ready(place("c"));
    const NO: usize = usize::MAX;
    seen([("a", STEER_IDLE, NO), ("b", STEER_IDLE, NO), ("c", STEER_READY, 0)]);
    becomes("a", STEER_TRANSIENT_FAILURE);
    becomes("b", STEER_CONNECTING);
    seen([("a", STEER_TRANSIENT_FAILURE, NO), ("b", STEER_CONNECTING, NO), ("c", STEER_READY, 0)]);
    // A failure lasts until the backend is READY.
    becomes("a", STEER_CONNECTING);
    fixture.ready(place("b"));
    seen([("a", STEER_TRANSIENT_FAILURE, NO), ("b", STEER_READY, 0), ("c", STEER_READY, 1)]);
    fixture.ready(place("a"));
    seen([("a", STEER_READY, 0), ("b", STEER_READY, 1), ("c", STEER_READY, 2)]);
}
