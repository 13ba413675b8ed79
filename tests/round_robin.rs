//! `steer_round_robin`: exact sequences of picks.

mod support;

use std::collections::BTreeMap;
use std::sync::{Barrier, Mutex};

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
fn the_hosts_random_number_decides_the_first_backend() {
    let firsts: Vec<String> = (0..6)
        .map(|random| {
            let channel = Channel::round_robin();
            channel.set_random(u64::MAX / 3 * (random % 3) + 3);
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

/// More backends than a picker keeps in one array.
#[test]
fn of_very_many_backends_the_ready_ones_rotate_in_the_resolvers_order() {
    let names: String = (0..1500).map(|i| char::from_u32(0x4e00 + i).unwrap()).collect();
    // Some at the beginning, in the middle, and at the end are not READY.
    let ready: String =
        names.chars().enumerate().filter(|(i, _)| i % 5 != 0).map(|(_, name)| name).collect();
    let channel = Channel::round_robin();
    channel.seed(1);
    channel.update(&names).unwrap();
    channel.ready(&ready);
    let round = channel.picks(1200);
    assert!(format!("{ready}{ready}").contains(&round));
    assert_eq!(channel.picks(1200), round);
    // With fewer, it goes on from another random one.
    let fewer: String = ready.chars().skip(100).collect();
    channel.fail(&ready.chars().take(100).collect::<String>());
    let round = channel.picks(1100);
    assert!(format!("{fewer}{fewer}").contains(&round));
    assert_eq!(channel.picks(1100), round);
}

#[test]
fn threads_that_pick_without_a_pause_give_every_backend_its_share() {
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
    // Threads that pick without a pause may lose turns to each other.
    let fair = 4 * rounds;
    for (backend, count) in total {
        assert!(count.abs_diff(fair) <= fair / 4 + 4, "{backend}: {count} of {fair}");
    }
}

/// As a retry meets a backend: picks of different threads, one after the other.
#[test]
fn successive_picks_of_different_threads_go_to_successive_backends() {
    let channel = Channel::round_robin();
    channel.update("abcd").unwrap();
    channel.ready("abcd");
    let mut picked = String::new();
    for _ in 0..40 {
        // Each thread that has ended gives its number to the next one. So one picks meanwhile.
        picked += &channel.pick();
        let other = || std::thread::scope(|scope| scope.spawn(|| channel.pick()).join().unwrap());
        picked += &other();
    }
    let rounds: Vec<&str> = (0..20).map(|round| &picked[4 * round..4 * round + 4]).collect();
    assert!(rounds.iter().all(|round| *round == rounds[0]), "{picked}");
}

/// 32 of 64 threads pick, again and again, and the host serialises their picks. An exact rotation
/// gives each of eight backends 4 calls each time.
#[test]
#[cfg_attr(miri, ignore = "takes minutes")]
fn bursts_of_many_threads_spread_evenly() {
    const BURSTS: usize = 100;
    let channel = Channel::round_robin();
    channel.update("abcdefgh").unwrap();
    channel.ready("abcdefgh");
    let (start, end) = (Barrier::new(65), Barrier::new(65));
    let picked = Mutex::new(String::new());
    std::thread::scope(|scope| {
        for thread in 0..64 {
            let (channel, start, end, picked) = (&channel, &start, &end, &picked);
            scope.spawn(move || {
                for burst in 0..BURSTS {
                    start.wait();
                    if (thread + burst) % 64 < 32 {
                        let mut picked = picked.lock().unwrap();
                        picked.push_str(&channel.pick());
                    }
                    end.wait();
                }
            });
        }
        for _ in 0..BURSTS {
            start.wait();
            end.wait();
            let names = std::mem::take(&mut *picked.lock().unwrap());
            for backend in 'a'..='h' {
                assert_eq!(names.matches(backend).count(), 4, "{backend}: {names}");
            }
        }
    });
}
