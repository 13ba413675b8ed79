use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;

fn values(slots: &PersistentVec<u32>) -> Vec<(usize, u32)> {
    slots.iter().map(|(index, value)| (index, *value)).collect()
}

#[test]
fn sizes_from_none_to_many_slots() {
    for count in [0, 1, 31, 32, 33, 1024, 1025, 5000] {
        let mut slots = PersistentVec::new(count);
        (0..count).for_each(|index| slots.set(index, Some(index as u32)));
        assert_eq!(slots.count(), count);
        assert!((0..count).all(|index| slots.get(index) == Some(&(index as u32))));
        assert_eq!(slots.get(count), None);
        assert_eq!(slots.next(count), None);
        assert_eq!(slots.next(usize::MAX), None);
        assert_eq!(values(&slots).len(), count);
    }
}

#[test]
#[should_panic(expected = "slot 3 of 3")]
fn setting_a_missing_slot_panics() {
    PersistentVec::new(3).set(3, Some(1));
}

#[test]
fn clones_share_everything_except_the_changed_path() {
    let mut new = PersistentVec::new(1024);
    (0..1024).for_each(|index| new.set(index, Some(index)));
    let old = new.clone();
    new.set(0, None);
    let (Children::Nodes(new), Children::Nodes(old)) = (&new.root.children, &old.root.children)
    else {
        unreachable!()
    };
    let shared = |(new, old): (&Option<Arc<Node<_>>>, &Option<Arc<Node<_>>>)| {
        Arc::ptr_eq(new.as_ref().unwrap(), old.as_ref().unwrap())
    };
    let shared: Vec<bool> = new.iter().zip(old).map(shared).collect();
    assert!(!shared[0] && shared[1..].iter().all(|shared| *shared));
}

#[test]
fn differences_visits_only_changed_leaves() {
    let mut new = PersistentVec::new(100_000);
    (0..100_000).for_each(|index| new.set(index, Some(index)));
    let old = new.clone();
    let visited = |new: &PersistentVec<usize>, old: &PersistentVec<usize>| {
        let mut visited = Vec::new();
        new.differences(old, |index, _, _| visited.push(index));
        visited
    };
    assert!(visited(&new, &old).is_empty());
    new.set(70_000, None);
    assert_eq!(visited(&new, &old), (69_984..70_016).collect::<Vec<_>>());
    assert_eq!(visited(&PersistentVec::new(3), &old).len(), 100_000);
}

#[test]
fn empty_nodes_are_removed() {
    let mut slots = PersistentVec::new(100_000);
    slots.set(77_777, Some(1));
    slots.set(77_777, None);
    slots.set(5, None);
    assert_eq!(slots.count(), 0);
    let Children::Nodes(nodes) = &slots.root.children else { unreachable!() };
    assert!(nodes.iter().all(Option::is_none));
}

proptest! {
    #[test]
    fn behaves_like_a_map_whose_clones_do_not_change(
        count in 1_usize..700,
        changes in prop::collection::vec(
            (any::<prop::sample::Index>(), any::<Option<u32>>()),
            0..200,
        ),
    ) {
        let mut slots = PersistentVec::new(count);
        let mut model: BTreeMap<usize, u32> = BTreeMap::new();
        let mut clones = Vec::new();
        for (index, value) in changes {
            let index = index.index(count);
            clones.push((slots.clone(), model.clone()));
            slots.set(index, value);
            match value {
                Some(value) => model.insert(index, value),
                None => model.remove(&index),
            };
            prop_assert_eq!(slots.count(), model.len());
            let next = slots.next(index).map(|(index, value)| (index, *value));
            let expected = model.range(index..).next().map(|(index, value)| (*index, *value));
            prop_assert_eq!(next, expected);
            let free = (0..count).find(|index| !model.contains_key(index));
            prop_assert_eq!(slots.first_free(), free);
        }
        for (clone, model) in &clones {
            prop_assert_eq!(values(clone), model.clone().into_iter().collect::<Vec<_>>());
            // The differences turn the clone into this.
            let mut changed = clone.clone();
            slots.differences(clone, |index, new, former| {
                assert_eq!(former, clone.get(index));
                changed.set(index, new.copied());
            });
            prop_assert_eq!(values(&changed), values(&slots));
        }
    }
}
