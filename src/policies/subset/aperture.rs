//! The part of a client in the deterministic aperture.
//!
//! Servers and clients stand on a ring. Each server covers an equal arc of it, and each client
//! begins at an equal distance from the one before. A client's part is the arc from its beginning,
//! as long as all clients together cover each point of the ring equally often. Where the arc covers
//! only a part of a server's, the server gets a share of the client's calls in proportion.
//!
//! Source: Finagle, "Deterministic Aperture": `Ring` and `DeterministicApertureDistributor`.
//!
//! Must not depend on: what becomes of the part.

use twox_hash::XxHash64;

use super::config::ClientPlace;

/// One backend of a client's part.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Member {
    /// The backend's number.
    pub(super) number: usize,
    /// The share of its arc that the client covers: above 0, and at most 1.
    pub(super) share: f64,
}

/// The part of the client with this place: at least `size` backends, if there are so many.
pub(super) fn part(addresses: &[&str], size: usize, place: ClientPlace) -> Vec<Member> {
    let servers = addresses.len();
    if size >= servers {
        return (0..servers).map(|number| Member { number, share: 1.0 }).collect();
    }
    // The same order in all clients, whatever the order of the resolver. By hash, so that
    // neighbours on the ring are not neighbours in a rack.
    let mut order: Vec<usize> = (0..servers).collect();
    order.sort_by_cached_key(|&number| {
        (XxHash64::oneshot(0, addresses[number].as_bytes()), addresses[number])
    });
    // The ring has servers × clients points. A server covers `clients` of them, and clients begin
    // `servers` points apart. An arc of a multiple of that covers each point equally often.
    let (servers, clients) = (servers as u128, u128::from(place.count));
    let ring = servers * clients;
    let steps = (size as u128 * clients).div_ceil(servers);
    let length = (steps * servers).min(ring);
    let begin = u128::from(place.index) * servers;
    let end = begin + length;
    let (first, last) = (begin / clients, (end - 1) / clients);
    let mut part: Vec<Member> = Vec::with_capacity((last - first + 1) as usize);
    for turn in first..=last {
        let covered = end.min((turn + 1) * clients) - begin.max(turn * clients);
        let number = order[(turn % servers) as usize];
        let share = covered as f64 / clients as f64;
        // The end of an arc around the whole ring may lie in the server where it begins.
        match part.first_mut().filter(|member| turn - first == servers && member.number == number) {
            Some(member) => member.share = (member.share + share).min(1.0),
            None => part.push(Member { number, share }),
        }
    }
    part
}

#[cfg(all(test, not(loom), not(miri)))]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The parts of all clients.
    fn parts(servers: usize, clients: u32, size: usize) -> Vec<Vec<Member>> {
        let fleet: Vec<String> = (0..servers).map(|number| format!("server-{number}")).collect();
        let addresses: Vec<&str> = fleet.iter().map(String::as_str).collect();
        (0..clients)
            .map(|index| part(&addresses, size, ClientPlace { index, count: clients }))
            .collect()
    }

    /// The fewest and the most clients of a server, and the least and the greatest sum of shares.
    fn extremes(servers: usize, parts: &[Vec<Member>]) -> ((u32, u32), (f64, f64)) {
        let (mut clients, mut load) = (vec![0_u32; servers], vec![0.0_f64; servers]);
        for member in parts.iter().flatten() {
            clients[member.number] += 1;
            load[member.number] += member.share;
        }
        let counts = (*clients.iter().min().unwrap(), *clients.iter().max().unwrap());
        let loads = load
            .iter()
            .fold((f64::MAX, 0.0_f64), |(least, most), load| (least.min(*load), most.max(*load)));
        (counts, loads)
    }

    #[test]
    fn a_thousand_clients_of_a_thousand_servers_are_spread_evenly() {
        for (servers, clients, size) in [(1000, 1000, 20), (1000, 999, 20), (997, 1000, 20)] {
            let parts = parts(servers, clients, size);
            assert!(parts.iter().all(|part| (20..=22).contains(&part.len())));
            let connections: usize = parts.iter().map(Vec::len).sum();
            let even = connections as f64 / servers as f64;
            let ((fewest, most), (least, greatest)) = extremes(servers, &parts);
            assert!(even - f64::from(fewest) <= 1.0 && f64::from(most) - even <= 1.0, "{even}");
            assert!(greatest - least < 1e-9, "{least} to {greatest}");
        }
    }

    proptest! {
        /// Each server has an equal share of all clients' calls, and each client enough servers,
        /// each once.
        #[test]
        fn every_fleet_is_covered_evenly(
            servers in 1_usize..60, clients in 1_u32..60, size in 1_usize..20,
        ) {
            let parts = parts(servers, clients, size);
            for part in &parts {
                let mut numbers: Vec<usize> = part.iter().map(|member| member.number).collect();
                numbers.sort_unstable();
                numbers.dedup();
                prop_assert_eq!(numbers.len(), part.len());
                prop_assert!(part.len() >= size.min(servers));
                prop_assert!(part.iter().all(|it| it.share > 0.0 && it.share <= 1.0));
            }
            let ((fewest, most), (least, greatest)) = extremes(servers, &parts);
            prop_assert!(greatest - least < 1e-9, "{} to {}", least, greatest);
            prop_assert!(most - fewest <= 2, "{} to {}", fewest, most);
        }
    }

    #[test]
    fn the_order_of_the_list_does_not_matter() {
        let place = ClientPlace { index: 2, count: 7 };
        let mut addresses: Vec<&str> =
            "abcdefghijklm".split("").filter(|it| !it.is_empty()).collect();
        let names = |addresses: &[&str]| -> std::collections::BTreeSet<String> {
            part(addresses, 4, place).iter().map(|it| addresses[it.number].to_owned()).collect()
        };
        let before = names(&addresses);
        addresses.reverse();
        assert_eq!(names(&addresses), before);
    }
}
