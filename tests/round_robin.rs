//! `steer_round_robin`: exact sequences of picks.

mod support;

use std::collections::BTreeMap;

use support::Channel;

#[test]
fn picks_rotate_in_the_resolvers_order() {
    let channel = Channel::round_robin();
    channel.update("dbca").unwrap();
    channel.ready("abcd");
    let picks = channel.picks(9);
    assert!("dbcadbcadbca".contains(&picks[..8]), "{picks}");
    assert_eq!(picks[..1], picks[8..]);
}

#[test]
fn the_first_backend_is_as_random_as_the_hosts_randomness() {
    let firsts: Vec<String> = (0..6)
        .map(|random| {
            let channel = Channel::round_robin();
            channel.set_random(random);
            channel.update("abc").unwrap();
            channel.ready("abc");
            channel.pick()
        })
        .collect();
    assert_eq!(firsts[..3], firsts[3..]);
    let mut distinct = firsts[..3].to_vec();
    distinct.sort();
    assert_eq!(distinct, ["a", "b", "c"]);
}

#[test]
fn each_of_many_threads_rotates_and_every_backend_gets_its_share() {
    let channel = Channel::round_robin();
    channel.update("abcde").unwrap();
    channel.ready("abcde");
    let rounds = if cfg!(miri) { 4 } else { 1000 };
    let counts: Vec<BTreeMap<char, usize>> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..4)
            .map(|_| {
                scope.spawn(|| {
                    let mut counts = BTreeMap::new();
                    for pick in channel.picks(5 * rounds).chars() {
                        *counts.entry(pick).or_default() += 1;
                    }
                    counts
                })
            })
            .collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    let mut total: BTreeMap<char, usize> = BTreeMap::new();
    for (backend, count) in counts.into_iter().flatten() {
        *total.entry(backend).or_default() += count;
    }
    // Exact with a slot for each thread. On a machine with fewer slots than threads, threads that
    // share one may lose turns to each other.
    let fair = 4 * rounds;
    for (backend, count) in total {
        assert!(count.abs_diff(fair) <= fair / 4 + 4, "{backend}: {count} of {fair}");
    }
}
