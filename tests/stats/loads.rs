//! Weights, estimates and shares.

use super::*;

/// The weight, the EWMA and the share of each backend.
fn load(target: &str) -> Vec<(Option<f64>, Option<f64>, Option<f64>)> {
    backends(target).iter().map(|one| (one.weight, one.ewma_seconds, one.share)).collect()
}

#[test]
fn the_ewma_decays_while_nothing_happens() {
    let channel = channel("ewma", "steer_peak_ewma", json!({"decayTime": "10s"}));
    channel.update("a").unwrap();
    channel.ready("a");
    let mut slot = start(&channel);
    channel.advance(Duration::from_secs(1));
    slot.call_mut().finish(&Status::OK, None);
    assert_eq!(load("ewma"), [(None, Some(1.0), None)]);
    channel.advance(Duration::from_secs(10));
    let (_, ewma, _) = load("ewma")[0];
    assert!((ewma.unwrap() - (-1_f64).exp()).abs() < 1e-6);
}

#[test]
fn weights_are_those_in_use() {
    let _tracking = Tracking::set(false);
    let weights = json!({"weights": {"a": 3, "b": 1}});
    let fixed = channel("fixed weights", "steer_weighted_round_robin", weights);
    fixed.update("ab").unwrap();
    fixed.ready("ab");
    let (a, b) = (load("fixed weights")[0], load("fixed weights")[1]);
    assert_eq!((a.0, b.0), (Some(3.0), Some(1.0)));
    assert!(
        (a.2.unwrap() - 0.75).abs() < 1e-4 && (b.2.unwrap() - 0.25).abs() < 1e-4,
        "{a:?} {b:?}"
    );
    assert_eq!(backends("fixed weights")[0].picks, None, "it needs no reports");

    let config = json!({"blackoutPeriod": "0s"});
    let reported = channel("reported weights", "steer_weighted_round_robin", config);
    reported.update("ab").unwrap();
    reported.ready("ab");
    assert_eq!(load("reported weights"), [(None, None, Some(0.5)); 2]);
    for (utilization, weight) in [(0.5, 200.0), (0.25, 400.0)] {
        for _ in 0..2 {
            let metrics = Metrics {
                rps_fractional: 100.0,
                application_utilization: utilization,
                ..Metrics::default()
            };
            start(&reported).call_mut().finish(&Status::OK, Some(&metrics));
        }
        reported.advance(Duration::from_secs(1));
        assert_eq!(load("reported weights"), [(Some(weight), None, Some(0.5)); 2]);
    }
    assert_eq!(
        backends("reported weights")[0].picks,
        None,
        "it follows calls and does not count them"
    );
}

#[test]
fn rings_and_tables_have_shares_of_idle_backends_too() {
    for policy in ["steer_ring_hash", "steer_maglev"] {
        let target = format!("shares {policy}");
        let channel = channel(&target, policy, json!({}));
        channel.update("abcd").unwrap();
        channel.report_first();
        if !channel.ids('a').is_empty() {
            channel.ready("a");
        }
        let shares: Vec<f64> = load(&target).iter().map(|one| one.2.unwrap()).collect();
        assert_eq!(shares.len(), 4, "{policy}");
        assert!((shares.iter().sum::<f64>() - 1.0).abs() < 1e-9, "{policy}: {shares:?}");
        assert!(shares.iter().all(|share| (0.2..0.3).contains(share)), "{policy}: {shares:?}");
    }
}
