//! A vector with empty slots, whose clones share the parts that did not change. A policy publishes
//! one with each picker, so a report must not copy all of it.
//!
//! It is a radix tree over the indices. A change copies the nodes on the path to the slot, if a
//! clone shares them (path copying: Driscoll et al., "Making Data Structures Persistent", 1989).
//! The crates with persistent vectors (imbl, rpds) have no empty slots: there, elements move when
//! others are removed, and a rotation would lose its place.
//!
//! Cost, with n slots:
//! - a clone: O(1);
//! - a change: O(log n), at most 32 reference counts for each of the log₃₂ n levels;
//! - a look-up: O(log n), one load for each level;
//! - the differences of two that were cloned from one another and then changed in k slots:
//!   O(k log n).
//!
//! Must not depend on: the values in it.

use crate::sync::Arc;

/// Children of a node. Few, so that copying a path stays cheap; a power of two, so that the bits of
/// an index select the child.
const FAN_OUT: usize = 32;
const BITS: u32 = FAN_OUT.trailing_zeros();

/// A fixed number of slots, each with a value or empty.
#[derive(Clone, Debug)]
pub struct PersistentVec<T> {
    root: Arc<Node<T>>,
    /// The level of the root. Leaves have level 0.
    depth: u32,
    slots: usize,
}

#[derive(Clone, Debug)]
struct Node<T> {
    children: Children<T>,
    /// The number of values below this node.
    count: usize,
}

#[derive(Clone, Debug)]
// Not `expect`: whether clippy complains depends on its version.
#[allow(clippy::large_enum_variant, reason = "clippy takes the size of a `T` as 0")]
enum Children<T> {
    Values([Option<T>; FAN_OUT]),
    Nodes([Option<Arc<Node<T>>>; FAN_OUT]),
}

impl<T> Node<T> {
    fn empty(level: u32) -> Node<T> {
        let children = if level == 0 {
            Children::Values(std::array::from_fn(|_| None))
        } else {
            Children::Nodes(std::array::from_fn(|_| None))
        };
        Node { children, count: 0 }
    }
}

/// Which child of a node of this level has the slot at `index`.
fn child_of(index: usize, level: u32) -> usize {
    (index >> (level * BITS)) & (FAN_OUT - 1)
}

impl<T: Clone> PersistentVec<T> {
    /// This many empty slots.
    pub fn new(slots: usize) -> PersistentVec<T> {
        let mut depth = 0;
        while slots > FAN_OUT << (depth * BITS) {
            depth += 1;
        }
        PersistentVec { root: Arc::new(Node::empty(depth)), depth, slots }
    }

    /// The number of slots, empty ones included.
    pub fn slots(&self) -> usize {
        self.slots
    }

    /// The number of values.
    pub fn count(&self) -> usize {
        self.root.count
    }

    /// Puts a value into a slot, or empties it.
    ///
    /// # Panics
    /// If there is no such slot.
    pub fn set(&mut self, index: usize, value: Option<T>) {
        assert!(index < self.slots, "slot {index} of {}", self.slots);
        if value.is_none() && self.get(index).is_none() {
            return;
        }
        set(Arc::make_mut(&mut self.root), self.depth, index, value);
    }

    /// The value at `index`. `None` if the slot is empty or does not exist.
    #[inline]
    pub fn get(&self, index: usize) -> Option<&T> {
        if index >= self.slots {
            return None;
        }
        let (mut node, mut level) = (&*self.root, self.depth);
        loop {
            match &node.children {
                Children::Values(values) => return values[child_of(index, 0)].as_ref(),
                Children::Nodes(nodes) => node = nodes[child_of(index, level)].as_ref()?,
            }
            level -= 1;
        }
    }

    /// The first value at `from` or after it, with its index.
    #[inline]
    pub fn next(&self, from: usize) -> Option<(usize, &T)> {
        if let Some(value) = self.get(from) {
            return Some((from, value));
        }
        next(&self.root, self.depth, from.checked_add(1)?)
    }

    /// The index of the first empty slot.
    pub fn first_free(&self) -> Option<usize> {
        if self.count() == self.slots {
            return None;
        }
        let (mut node, mut level, mut first) = (&*self.root, self.depth, 0);
        loop {
            // The count of this node says that there is one. A slot after the last index is never
            // found: a free slot before it is found first.
            let child = match &node.children {
                Children::Values(values) => {
                    return Some(first + values.iter().position(Option::is_none)?);
                }
                Children::Nodes(nodes) => {
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

    /// Visits, in order, each slot where this and `former` may differ, with the new and the former
    /// value. It visits all slots that differ, and a few beside them. If the numbers of slots
    /// differ, it visits all slots of both.
    pub fn differences<'a>(
        &'a self,
        former: &'a PersistentVec<T>,
        mut visit: impl FnMut(usize, Option<&'a T>, Option<&'a T>),
    ) {
        if self.slots == former.slots {
            differences(Some(&self.root), Some(&former.root), 0, self.depth, &mut visit);
        } else {
            let mut all = |index| visit(index, self.get(index), former.get(index));
            (0..self.slots.max(former.slots)).for_each(&mut all);
        }
    }

    /// All values with their indices, in order.
    pub fn iter(&self) -> impl Iterator<Item = (usize, &T)> {
        let mut from = 0;
        std::iter::from_fn(move || {
            let found = self.next(from)?;
            from = found.0 + 1;
            Some(found)
        })
    }
}

fn set<T: Clone>(node: &mut Node<T>, level: u32, index: usize, value: Option<T>) {
    let child = child_of(index, level);
    match &mut node.children {
        Children::Values(values) => {
            node.count += usize::from(value.is_some());
            let former = std::mem::replace(&mut values[child], value);
            node.count -= usize::from(former.is_some());
        }
        Children::Nodes(nodes) => {
            let below = nodes[child].get_or_insert_with(|| Arc::new(Node::empty(level - 1)));
            let below = Arc::make_mut(below);
            node.count -= below.count;
            set(below, level - 1, index, value);
            node.count += below.count;
            if below.count == 0 {
                nodes[child] = None;
            }
        }
    }
}

/// As [`PersistentVec::next`], with `from` relative to the first slot of this node.
fn next<T>(node: &Node<T>, level: u32, from: usize) -> Option<(usize, &T)> {
    // After the last slot of this node.
    if from >> (level * BITS) >= FAN_OUT {
        return None;
    }
    let first = from >> (level * BITS);
    match &node.children {
        Children::Values(values) => {
            let mut rest = values.iter().enumerate().skip(first);
            rest.find_map(|(index, value)| Some((index, value.as_ref()?)))
        }
        Children::Nodes(nodes) => {
            let mut rest = nodes.iter().enumerate().skip(first);
            rest.find_map(|(child, node)| {
                let begins = child << (level * BITS);
                let within = from.saturating_sub(begins);
                let (index, value) = next(node.as_ref()?, level - 1, within)?;
                Some((begins + index, value))
            })
        }
    }
}

/// As [`PersistentVec::differences`], for two nodes of one level whose first slot is `first`.
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
    let value = |node: Option<&'a Arc<Node<T>>>, child: usize| match &node?.children {
        Children::Values(values) => values[child].as_ref(),
        Children::Nodes(_) => None,
    };
    let node = |node: Option<&'a Arc<Node<T>>>, child: usize| match &node?.children {
        Children::Nodes(nodes) => nodes[child].as_ref(),
        Children::Values(_) => None,
    };
    for child in 0..FAN_OUT {
        if level == 0 {
            let (new, former) = (value(new, child), value(former, child));
            if new.is_some() || former.is_some() {
                visit(first + child, new, former);
            }
        } else {
            let begins = first + (child << (level * BITS));
            differences(node(new, child), node(former, child), begins, level - 1, visit);
        }
    }
}

#[cfg(all(test, not(miri)))]
mod tests;
