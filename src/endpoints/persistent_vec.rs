//! Things at the places of a list, in a structure whose clones share what they have alike: what is published
//! at every report must not be copied at every report.
//!
//! A radix tree over the places, whose changed path is copied if a clone still holds it (path copying: Driscoll
//! et al., "Making Data Structures Persistent", 1989). Crates with persistent vectors (imbl, rpds) have no places
//! that stay when others become empty, which is what the rotation needs.
//!
//! Cost, with n places: a clone O(1); a change O(log n), at most 32 reference counts for each of the log₃₂ n levels;
//! a look-up O(log n), one load for each level; what differs between two that have been cloned from one another and
//! changed in k places since: O(k log n).
//!
//! Must not know: what is at the places.

use crate::sync::Arc;

/// Children of a node. Few, so that copying a path stays cheap.
const FAN_OUT: usize = 32;
const BITS: u32 = FAN_OUT.trailing_zeros();

/// Something, or nothing, at each of the places from 0 on.
#[derive(Clone, Debug)]
pub struct PersistentVec<T> {
    root: Arc<Node<T>>,
    /// Levels below the root.
    depth: u32,
    places: usize,
}

#[derive(Clone, Debug)]
struct Node<T> {
    below: Below<T>,
    /// At how many places of it there is something.
    count: usize,
}

#[derive(Clone, Debug)]
// Not `expect`: whether clippy says so depends on its version.
#[allow(clippy::large_enum_variant, reason = "it takes the size of a thing as 0")]
enum Below<T> {
    Things([Option<T>; FAN_OUT]),
    Nodes([Option<Arc<Node<T>>>; FAN_OUT]),
}

impl<T> Node<T> {
    fn empty(level: u32) -> Node<T> {
        let below = if level == 0 {
            Below::Things(std::array::from_fn(|_| None))
        } else {
            Below::Nodes(std::array::from_fn(|_| None))
        };
        Node { below, count: 0 }
    }
}

/// Which child of a node of this level has the place.
fn child_of(place: usize, level: u32) -> usize {
    (place >> (level * BITS)) & (FAN_OUT - 1)
}

impl<T: Clone> PersistentVec<T> {
    /// Nothing at any of so many places.
    pub fn new(places: usize) -> PersistentVec<T> {
        let mut depth = 0;
        while places > FAN_OUT << (depth * BITS) {
            depth += 1;
        }
        PersistentVec { root: Arc::new(Node::empty(depth)), depth, places }
    }

    /// How many places there are.
    pub fn slots(&self) -> usize {
        self.places
    }

    /// At how many of them there is something.
    pub fn count(&self) -> usize {
        self.root.count
    }

    /// Puts something, or nothing, at a place.
    ///
    /// # Panics
    /// When there is no such place.
    pub fn set(&mut self, place: usize, thing: Option<T>) {
        assert!(place < self.places, "place {place} of {}", self.places);
        if thing.is_none() && self.get(place).is_none() {
            return;
        }
        set(Arc::make_mut(&mut self.root), self.depth, place, thing);
    }

    /// What is at a place.
    #[inline]
    pub fn get(&self, place: usize) -> Option<&T> {
        if place >= self.places {
            return None;
        }
        let (mut node, mut level) = (&*self.root, self.depth);
        loop {
            match &node.below {
                Below::Things(things) => return things[child_of(place, 0)].as_ref(),
                Below::Nodes(nodes) => node = nodes[child_of(place, level)].as_ref()?,
            }
            level -= 1;
        }
    }

    /// The first place from this one on with something at it.
    #[inline]
    pub fn next(&self, from: usize) -> Option<(usize, &T)> {
        if let Some(thing) = self.get(from) {
            return Some((from, thing));
        }
        next(&self.root, self.depth, from.checked_add(1)?)
    }

    /// The first place with nothing at it.
    pub fn first_free(&self) -> Option<usize> {
        if self.count() == self.places {
            return None;
        }
        let (mut node, mut level, mut first) = (&*self.root, self.depth, 0);
        loop {
            // There is one, or its count would say so; what lies beyond the last place comes after it.
            let child = match &node.below {
                Below::Things(things) => {
                    return Some(first + things.iter().position(Option::is_none)?);
                }
                Below::Nodes(nodes) => {
                    level -= 1;
                    let full = FAN_OUT << (level * BITS);
                    let has_free = |node: &Option<Arc<Node<T>>>| {
                        node.as_ref().is_none_or(|node| node.count < full)
                    };
                    let child = nodes.iter().position(has_free)?;
                    first += child * full;
                    &nodes[child]
                }
            };
            match child {
                Some(child) => node = child,
                None => return Some(first),
            }
        }
    }

    /// Visits, in order, the places where this and `former` may differ, with what is there and what was: all where
    /// they do, and a few beside them. Both have as many places, or all are visited.
    pub fn differences<'a>(
        &'a self,
        former: &'a PersistentVec<T>,
        mut visit: impl FnMut(usize, Option<&'a T>, Option<&'a T>),
    ) {
        if self.places == former.places {
            differences(Some(&self.root), Some(&former.root), 0, self.depth, &mut visit);
        } else {
            let mut all = |place| visit(place, self.get(place), former.get(place));
            (0..self.places.max(former.places)).for_each(&mut all);
        }
    }

    /// All that there is, by place.
    pub fn iter(&self) -> impl Iterator<Item = (usize, &T)> {
        let mut from = 0;
        std::iter::from_fn(move || {
            let found = self.next(from)?;
            from = found.0 + 1;
            Some(found)
        })
    }
}

fn set<T: Clone>(node: &mut Node<T>, level: u32, place: usize, thing: Option<T>) {
    let child = child_of(place, level);
    match &mut node.below {
        Below::Things(things) => {
            node.count += usize::from(thing.is_some());
            let former = std::mem::replace(&mut things[child], thing);
            node.count -= usize::from(former.is_some());
        }
        Below::Nodes(nodes) => {
            let below = nodes[child].get_or_insert_with(|| Arc::new(Node::empty(level - 1)));
            let below = Arc::make_mut(below);
            node.count -= below.count;
            set(below, level - 1, place, thing);
            node.count += below.count;
            if below.count == 0 {
                nodes[child] = None;
            }
        }
    }
}

fn next<T>(node: &Node<T>, level: u32, from: usize) -> Option<(usize, &T)> {
    // Beyond what this node has.
    if from >> (level * BITS) >= FAN_OUT {
        return None;
    }
    let first = from >> (level * BITS);
    match &node.below {
        Below::Things(things) => {
            let mut rest = things.iter().enumerate().skip(first);
            rest.find_map(|(place, thing)| Some((place, thing.as_ref()?)))
        }
        Below::Nodes(nodes) => {
            let mut rest = nodes.iter().enumerate().skip(first);
            rest.find_map(|(child, node)| {
                let begins = child << (level * BITS);
                let within = from.saturating_sub(begins);
                let (place, thing) = next(node.as_ref()?, level - 1, within)?;
                Some((begins + place, thing))
            })
        }
    }
}

/// As [`PersistentVec::differences`], of nodes of one level whose places begin at `first`.
fn differences<'a, T>(
    new: Option<&'a Arc<Node<T>>>,
    former: Option<&'a Arc<Node<T>>>,
    first: usize,
    level: u32,
    visit: &mut impl FnMut(usize, Option<&'a T>, Option<&'a T>),
) {
    let same = match (new, former) {
        (Some(new), Some(former)) => Arc::ptr_eq(new, former),
        (new, former) => new.is_none() && former.is_none(),
    };
    if same {
        return;
    }
    let things = |node: Option<&'a Arc<Node<T>>>, child: usize| match &node?.below {
        Below::Things(things) => things[child].as_ref(),
        Below::Nodes(_) => None,
    };
    let nodes = |node: Option<&'a Arc<Node<T>>>, child: usize| match &node?.below {
        Below::Nodes(nodes) => nodes[child].as_ref(),
        Below::Things(_) => None,
    };
    for child in 0..FAN_OUT {
        if level == 0 {
            let (new, former) = (things(new, child), things(former, child));
            if new.is_some() || former.is_some() {
                visit(first + child, new, former);
            }
        } else {
            let begins = first + (child << (level * BITS));
            differences(nodes(new, child), nodes(former, child), begins, level - 1, visit);
        }
    }
}

#[cfg(all(test, not(miri)))]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    fn things(places: &PersistentVec<u32>) -> Vec<(usize, u32)> {
        places.iter().map(|(place, thing)| (place, *thing)).collect()
    }

    #[test]
    fn places_are_there_from_none_to_many() {
        for count in [0, 1, 31, 32, 33, 1024, 1025, 5000] {
            let mut places = PersistentVec::new(count);
            (0..count).for_each(|place| places.set(place, Some(place as u32)));
            assert_eq!(places.count(), count);
            assert!((0..count).all(|place| places.get(place) == Some(&(place as u32))));
            assert_eq!(places.get(count), None);
            assert_eq!(places.next(count), None);
            assert_eq!(places.next(usize::MAX), None);
            assert_eq!(things(&places).len(), count);
        }
    }

    #[test]
    #[should_panic(expected = "place 3 of 3")]
    fn a_place_that_is_not_there_cannot_be_set() {
        PersistentVec::new(3).set(3, Some(1));
    }

    #[test]
    fn clones_share_all_but_the_changed_path() {
        let mut new = PersistentVec::new(1024);
        (0..1024).for_each(|place| new.set(place, Some(place)));
        let old = new.clone();
        new.set(0, None);
        let (Below::Nodes(new), Below::Nodes(old)) = (&new.root.below, &old.root.below) else {
            unreachable!()
        };
        let shared = |(new, old): (&Option<Arc<Node<_>>>, &Option<Arc<Node<_>>>)| {
            Arc::ptr_eq(new.as_ref().unwrap(), old.as_ref().unwrap())
        };
        let shared: Vec<bool> = new.iter().zip(old).map(shared).collect();
        assert!(!shared[0] && shared[1..].iter().all(|shared| *shared));
    }

    #[test]
    fn differences_are_looked_for_only_where_something_has_changed() {
        let mut new = PersistentVec::new(100_000);
        (0..100_000).for_each(|place| new.set(place, Some(place)));
        let old = new.clone();
        let visited = |new: &PersistentVec<usize>, old: &PersistentVec<usize>| {
            let mut visited = Vec::new();
            new.differences(old, |place, _, _| visited.push(place));
            visited
        };
        assert!(visited(&new, &old).is_empty());
        new.set(70_000, None);
        assert_eq!(visited(&new, &old), (69_984..70_016).collect::<Vec<_>>());
        assert_eq!(visited(&PersistentVec::new(3), &old).len(), 100_000);
    }

    #[test]
    fn what_is_empty_takes_no_memory() {
        let mut places = PersistentVec::new(100_000);
        places.set(77_777, Some(1));
        places.set(77_777, None);
        places.set(5, None);
        assert_eq!(places.count(), 0);
        let Below::Nodes(nodes) = &places.root.below else { unreachable!() };
        assert!(nodes.iter().all(Option::is_none));
    }

    proptest! {
        #[test]
        fn it_is_a_map_whose_clones_stay_as_they_were(
            count in 1_usize..700,
            changes in prop::collection::vec((any::<prop::sample::Index>(), any::<Option<u32>>()), 0..200),
        ) {
            let mut places = PersistentVec::new(count);
            let mut model: BTreeMap<usize, u32> = BTreeMap::new();
            let mut clones = Vec::new();
            for (place, thing) in changes {
                let place = place.index(count);
                clones.push((places.clone(), model.clone()));
                places.set(place, thing);
                match thing {
                    Some(thing) => model.insert(place, thing),
                    None => model.remove(&place),
                };
                prop_assert_eq!(places.count(), model.len());
                let next = places.next(place).map(|(place, thing)| (place, *thing));
                let expected = model.range(place..).next().map(|(place, thing)| (*place, *thing));
                prop_assert_eq!(next, expected);
                let free = (0..count).find(|place| !model.contains_key(place));
                prop_assert_eq!(places.first_free(), free);
            }
            for (clone, model) in &clones {
                prop_assert_eq!(things(clone), model.clone().into_iter().collect::<Vec<_>>());
                // What differs leads from the one to the other.
                let mut changed = clone.clone();
                places.differences(clone, |place, new, former| {
                    assert_eq!(former, clone.get(place));
                    changed.set(place, new.copied());
                });
                prop_assert_eq!(things(&changed), things(&places));
            }
        }
    }
}
