use proptest::prelude::*;

use super::{BackendCache, DenseBackendCache};
use crate::endpoints::{Connection, PersistentVec};
use crate::sync::Handle;

fn connection(number: usize) -> Connection {
    Connection::new(Handle::from_number(number), std::sync::Arc::new(|_| {}))
}

/// Reports: the place of each, and whether it is READY.
fn reports(places: usize) -> impl Strategy<Value = Vec<(usize, bool)>> {
    prop::collection::vec((0..places, any::<bool>()), 0..60)
}

fn made(place: usize, connection: &Connection) -> (usize, Handle) {
    (place, connection.handle())
}

proptest! {
    /// Each READY backend has a value, made of its connection, and no other backend has one. A
    /// backend that stays READY keeps its value.
    #[test]
    fn each_ready_backend_has_one_value(
        (places, reports) in
            (1_usize..80).prop_flat_map(|places| (Just(places), reports(places))),
        picker_each in 1_usize..4,
    ) {
        let (mut by_place, mut dense) = (BackendCache::new(), DenseBackendCache::new());
        let mut backends = PersistentVec::new(places);
        let (mut makes, mut balance) = (0, 0);
        for (number, (place, ready)) in reports.into_iter().enumerate() {
            backends.set(place, ready.then(|| connection(number)));
            if number % picker_each != 0 {
                continue;
            }
            let expected: Vec<_> =
                backends.iter().map(|(place, connection)| made(place, connection)).collect();
            let values = by_place.update(
                &backends,
                |place, connection| { makes += 1; made(place, connection) },
                |_, is_made| balance += if is_made { 1 } else { -1_isize },
            );
            let values: Vec<_> = values.iter().map(|(_, value)| *value).collect();
            prop_assert_eq!(&values, &expected);
            prop_assert_eq!(balance, expected.len() as isize);
            let values = dense.update(&backends, made);
            let count = values.count();
            let mut values: Vec<_> =
                (0..count).filter_map(|position| values.get(position)).copied().collect();
            values.sort_unstable_by_key(|(place, _)| *place);
            prop_assert_eq!(&values, &expected);
            prop_assert!(makes <= number + 1);
        }
    }

    /// With another list, valid values stay, and the others are made again.
    #[test]
    fn another_list_keeps_valid_values(
        before in prop::collection::vec(any::<bool>(), 1..80),
        after in prop::collection::vec(any::<bool>(), 1..80),
        invalid in any::<u8>(),
    ) {
        let backends = |ready: &[bool]| {
            let mut backends = PersistentVec::new(ready.len());
            for (place, ready) in ready.iter().enumerate() {
                backends.set(place, ready.then(|| connection(place)));
            }
            backends
        };
        let (before, mut now) = (backends(&before), backends(&after));
        // A backend that is READY in both lists has the same connection in both.
        for (place, connection) in before.iter() {
            if now.get(place).is_some() {
                now.set(place, Some(connection.clone()));
            }
        }
        let still_valid = |place: usize| place % 8 != usize::from(invalid % 8);
        let (mut by_place, mut dense) = (BackendCache::new(), DenseBackendCache::new());
        by_place.update(&before, made, |_, _| {});
        dense.update(&before, made);
        by_place.update_list(now.slots(), |place, _| still_valid(place));
        dense.update_list(now.slots(), |place, _| still_valid(place));
        let expected: Vec<_> = now
            .iter()
            .filter(|(place, _)| !still_valid(*place) || before.get(*place).is_none())
            .map(|(place, _)| place)
            .collect();
        let (mut made_by_place, mut made_dense) = (Vec::new(), Vec::new());
        let values = by_place.update(
            &now,
            |place, connection| { made_by_place.push(place); made(place, connection) },
            |_, _| {},
        );
        prop_assert_eq!(values.count(), now.count());
        let values = dense.update(
            &now,
            |place, connection| { made_dense.push(place); made(place, connection) },
        );
        prop_assert_eq!(values.count(), now.count());
        prop_assert_eq!(&made_by_place, &expected);
        prop_assert_eq!(&made_dense, &expected);
    }
}
