//! The random part of gRFC A68.
//!
//! Must not depend on: what becomes of the part.

use twox_hash::XxHash64;

/// The numbers of the backends with the `size` lowest hashes of their addresses. Another client,
/// with another seed, gets others. When backends come or go, few others do.
pub(super) fn part(addresses: &[&str], size: usize, seed: u64) -> Vec<usize> {
    if size >= addresses.len() {
        return (0..addresses.len()).collect();
    }
    let hashes = addresses.iter().map(|address| XxHash64::oneshot(seed, address.as_bytes()));
    let mut by_hash: Vec<(u64, usize)> = hashes.zip(0..).collect();
    // Backends with equal hashes, which are rare, keep the resolver's order.
    by_hash.select_nth_unstable(size - 1);
    by_hash.truncate(size);
    by_hash.into_iter().map(|(_, number)| number).collect()
}

#[cfg(all(test, not(loom), not(miri)))]
mod tests {
    use super::*;

    fn fleet(size: usize) -> Vec<String> {
        (0..size).map(|number| format!("ipv4:10.0.{}.{}:80", number / 256, number % 256)).collect()
    }

    fn chosen(fleet: &[String], size: usize, seed: u64) -> Vec<usize> {
        let addresses: Vec<&str> = fleet.iter().map(String::as_str).collect();
        let mut part = part(&addresses, size, seed);
        part.sort_unstable();
        part
    }

    #[test]
    fn servers_get_about_as_many_clients_as_others() {
        let fleet = fleet(100);
        let mut clients = [0_u32; 100];
        for seed in 0..1000 {
            chosen(&fleet, 20, seed).into_iter().for_each(|server| clients[server] += 1);
        }
        // Binomial: 200 ± 6 σ.
        assert!(clients.iter().all(|count| count.abs_diff(200) < 76), "{clients:?}");
    }

    #[test]
    fn a_server_that_leaves_moves_one_choice() {
        let all = fleet(50);
        for seed in 0..100 {
            let before = chosen(&all, 10, seed);
            // Without the last one.
            let after = chosen(&all[..49], 10, seed);
            let kept = before.iter().filter(|server| after.contains(server)).count();
            assert_eq!(kept, before.iter().filter(|server| **server != 49).count());
        }
    }

    #[test]
    fn a_small_fleet_is_taken_whole() {
        assert_eq!(chosen(&fleet(3), 3, 1), [0, 1, 2]);
        assert_eq!(chosen(&fleet(3), 20, 1), [0, 1, 2]);
        assert_eq!(chosen(&[], 20, 1), [0; 0]);
    }
}
