//! The share of the calls that each zone gets.
//!
//! Source: Envoy's documentation: "Priority levels" for the spill-over, "Locality weighted load
//! balancing" for weights, "Panic threshold".
//!
//! Must not depend on: where the numbers come from.

/// One zone.
#[derive(Clone, Copy, Debug)]
pub(super) struct Zone {
    /// Backends that are listed.
    pub(super) listed: usize,
    /// Those of them that work. At most `listed`.
    pub(super) working: usize,
    /// Whether calls can be sent to the zone now.
    pub(super) usable: bool,
    /// Whether the client is in it.
    pub(super) own: bool,
    /// Its weight. Without weights, 1.
    pub(super) weight: f64,
}

/// The rules by which zones share calls.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rule {
    /// Whether the weights count, and not the own zone.
    pub(super) by_weight: bool,
    pub(super) overprovisioning: f64,
    pub(super) panic_threshold: f64,
}

impl Zone {
    /// How much of what is asked of the zone it can serve, from 0 to 1.
    fn health(&self, rule: Rule) -> f64 {
        let working = self.working as f64 / self.listed.max(1) as f64;
        (working * rule.overprovisioning).min(1.0)
    }
}

/// The shares of the zones, not negative. They sum up to more than 0 if a zone is usable.
pub(super) fn shares(zones: &[Zone], rule: Rule) -> Vec<f64> {
    let listed: usize = zones.iter().map(|zone| zone.listed).sum();
    let working: usize = zones.iter().map(|zone| zone.working).sum();
    let panics = (working as f64) < rule.panic_threshold * listed as f64;
    let share_of = |rate: &dyn Fn(&Zone) -> f64| -> Vec<f64> {
        zones.iter().map(|zone| if zone.usable { rate(zone) } else { 0.0 }).collect()
    };
    let shares = if rule.by_weight {
        share_of(&|zone| zone.weight * zone.health(rule))
    } else if panics {
        share_of(&|zone| zone.working as f64)
    } else {
        let own = zones.iter().find(|zone| zone.own && zone.usable);
        let own = own.map_or(0.0, |own| own.health(rule));
        let capacity = |zone: &Zone| zone.listed as f64 * zone.health(rule);
        let others =
            zones.iter().filter(|zone| zone.usable && !zone.own).map(capacity).sum::<f64>();
        share_of(&|zone| match zone.own {
            true => own,
            false if others > 0.0 => (1.0 - own) * capacity(zone) / others,
            false => 0.0,
        })
    };
    if shares.iter().any(|share| *share > 0.0) {
        return shares;
    }
    // No zone works well enough to have a share. Those that can be used are better than none.
    share_of(&|_| 1.0)
}

#[cfg(all(test, not(loom), not(miri)))]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const OWN_FIRST: Rule = Rule { by_weight: false, overprovisioning: 1.4, panic_threshold: 0.5 };

    fn zone(working: usize, listed: usize) -> Zone {
        Zone { listed, working, usable: working > 0, own: false, weight: 1.0 }
    }

    fn own(working: usize, listed: usize) -> Zone {
        Zone { own: true, ..zone(working, listed) }
    }

    fn rounded(zones: &[Zone], rule: Rule) -> Vec<f64> {
        let shares = shares(zones, rule);
        let sum: f64 = shares.iter().sum();
        shares.iter().map(|share| (share / sum * 1000.0).round() / 1000.0).collect()
    }

    #[test]
    fn the_own_zone_keeps_what_it_can_serve() {
        for (working, share) in [(10, 1.0), (8, 1.0), (7, 0.98), (5, 0.7), (1, 0.14), (0, 0.0)] {
            let shares = rounded(&[own(working, 10), zone(10, 10), zone(10, 10)], OWN_FIRST);
            let other = ((1.0 - share) * 500.0_f64).round() / 1000.0;
            assert_eq!(shares, [share, other, other], "{working}");
        }
    }

    #[test]
    fn the_rest_goes_where_there_is_capacity() {
        let shares = rounded(
            &[own(0, 4), zone(10, 10), zone(30, 30), zone(0, 50)],
            Rule { panic_threshold: 0.1, ..OWN_FIRST },
        );
        assert_eq!(shares, [0.0, 0.25, 0.75, 0.0]);
    }

    #[test]
    fn when_few_backends_work_all_zones_are_equal() {
        assert_eq!(rounded(&[own(1, 10), zone(3, 10)], OWN_FIRST), [0.25, 0.75]);
        assert_eq!(rounded(&[own(5, 10), zone(5, 10)], OWN_FIRST), [0.7, 0.3]);
    }

    #[test]
    fn a_client_of_no_zone_uses_all_by_their_capacity() {
        assert_eq!(rounded(&[zone(10, 10), zone(30, 30)], OWN_FIRST), [0.25, 0.75]);
    }

    #[test]
    fn weights_count_as_far_as_zones_work() {
        let weighted = |weight, zone| Zone { weight, ..zone };
        let rule = Rule { by_weight: true, ..OWN_FIRST };
        let shares = rounded(&[weighted(3.0, own(10, 10)), weighted(1.0, zone(10, 10))], rule);
        assert_eq!(shares, [0.75, 0.25]);
        let shares = rounded(&[weighted(3.0, own(5, 10)), weighted(1.0, zone(10, 10))], rule);
        // 3 × 0.7 to 1.
        assert_eq!(shares, [0.677, 0.323]);
        let shares = rounded(&[weighted(0.0, own(5, 10)), weighted(1.0, zone(10, 10))], rule);
        assert_eq!(shares, [0.0, 1.0]);
        let shares = rounded(&[weighted(0.0, own(5, 10)), weighted(1.0, zone(0, 10))], rule);
        assert_eq!(shares, [1.0, 0.0], "a zone of weight 0 is better than none");
    }

    proptest! {
        /// If a zone can be used, calls have a place, and never in a zone that cannot be used.
        #[test]
        fn calls_have_a_place_if_there_is_one(
            zones in prop::collection::vec(
                (0_usize..5, 0_usize..5, any::<bool>(), 0_u8..3), 1..6,
            ),
            by_weight in any::<bool>(),
            own in 0_usize..8,
            panic_threshold in 0.0..1.0,
        ) {
            let zones: Vec<Zone> = zones.into_iter().enumerate().map(|(number, it)| {
                let (failing, working, usable, weight) = it;
                let (listed, weight) = (failing + working, f64::from(weight));
                Zone { listed, working, usable, own: number == own, weight }
            }).collect();
            let rule = Rule { by_weight, overprovisioning: 1.4, panic_threshold };
            let shares = shares(&zones, rule);
            for (zone, share) in zones.iter().zip(&shares) {
                prop_assert!(*share >= 0.0 && (zone.usable || *share == 0.0));
            }
            let usable = zones.iter().any(|zone| zone.usable);
            prop_assert_eq!(shares.iter().sum::<f64>() > 0.0, usable);
        }
    }
}
