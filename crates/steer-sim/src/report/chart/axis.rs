//! Axes: their range, their ticks, and the labels of these.
//!
//! Must not depend on: how an axis is drawn, outcomes.

use crate::report::units;

/// An axis.
#[derive(Clone, Debug, PartialEq)]
pub struct Axis {
    /// What it shows, with the unit.
    pub label: String,
    /// The positions of its ends.
    pub ends: (f64, f64),
    /// The positions of its ticks, and their labels.
    pub ticks: Vec<(f64, String)>,
    scale: Scale,
}

/// How values become positions.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Scale {
    /// A position is the value divided by this.
    Linear(f64),
    /// A position is the logarithm of the value.
    Logarithm,
    /// A position is the logarithm of 1/(1-value).
    Percentile,
}

impl Axis {
    /// The position of a value.
    pub fn position(&self, value: f64) -> f64 {
        match self.scale {
            Scale::Linear(unit) => value / unit,
            Scale::Logarithm => libm::log10(value.max(f64::MIN_POSITIVE)),
            Scale::Percentile => -libm::log10((1.0 - value).max(f64::EPSILON)),
        }
    }

    /// An axis for the time of a simulation.
    pub fn simulated_time(duration: f64) -> Axis {
        let units = [(3600.0, "h"), (60.0, "min"), (1.0, "s"), (1e-3, "ms"), (1e-6, "µs")];
        // At least four units long, so that most ticks are whole numbers.
        let fits = |(unit, _): &&(f64, &str)| duration >= 4.0 * unit;
        let (unit, name) = *units.iter().find(fits).unwrap_or(&units[4]);
        let end = if duration > 0.0 { duration / unit } else { 1.0 };
        let ticks = linear_ticks(0.0, end, 6).into_iter();
        Axis {
            label: format!("time ({name})"),
            ends: (0.0, end),
            ticks: ticks.map(|tick| (tick, units::number(tick))).collect(),
            scale: Scale::Linear(unit),
        }
    }

    /// An axis for counts or rates, from 0 to `most` or a little further.
    pub fn amount(label: &str, most: f64) -> Axis {
        let most = if most > 0.0 && most.is_finite() { most } else { 1.0 };
        let ticks = linear_ticks(0.0, most, 5);
        let step = ticks.get(1).copied().unwrap_or(most);
        let end = libm::ceil(most / step * 0.999) * step;
        let ticks = linear_ticks(0.0, end, 5).into_iter();
        Axis {
            label: label.to_string(),
            ends: (0.0, end),
            ticks: ticks.map(|tick| (tick, short_number(tick))).collect(),
            scale: Scale::Linear(1.0),
        }
    }

    /// An axis for shares, from 0% to `most` or a little further.
    pub fn share(label: &str, most: f64) -> Axis {
        let axis = Axis::amount(label, most.min(1.0) * 100.0);
        let ticks = axis.ticks.into_iter();
        Axis {
            ticks: ticks.map(|(at, _)| (at, format!("{}%", units::number(at)))).collect(),
            scale: Scale::Linear(0.01),
            ..axis
        }
    }

    /// A logarithmic axis for latencies, which covers these.
    pub fn latency(label: &str, latencies: impl Iterator<Item = f64>) -> Axis {
        let positive = latencies.filter(|latency| *latency > 0.0);
        let range = positive.fold(None, |range: Option<(f64, f64)>, latency| {
            let (least, most) = range.unwrap_or((latency, latency));
            Some((least.min(latency), most.max(latency)))
        });
        let (least, most) = range.unwrap_or((1e-3, 1.0));
        let (least, most) = (least / 1.15, most * 1.15);
        let ticks = logarithmic_ticks(least, most).into_iter();
        Axis {
            label: label.to_string(),
            ends: (libm::log10(least), libm::log10(most)),
            ticks: ticks.map(|tick| (libm::log10(tick), units::time(tick))).collect(),
            scale: Scale::Logarithm,
        }
    }

    /// An axis for percentiles, from 0% to the greatest quantile, which is less than 1.
    pub fn percentile(label: &str, greatest: f64) -> Axis {
        let mut axis = Axis {
            label: label.to_string(),
            ends: (0.0, 1.0),
            ticks: Vec::new(),
            scale: Scale::Percentile,
        };
        axis.ends.1 = axis.position(greatest).max(1.0);
        let quantiles =
            ["50%", "90%", "99%", "99.9%", "99.99%", "99.999%", "99.9999%", "99.99999%"];
        for (nines, label) in quantiles.iter().enumerate() {
            let at = if nines == 0 { axis.position(0.5) } else { nines as f64 };
            if at <= axis.ends.1 + 1e-6 {
                axis.ticks.push((at.min(axis.ends.1), label.to_string()));
            }
        }
        axis
    }
}

/// Multiples of 1, 2 or 5 times a power of ten from `from` to `until`, about `count` of them.
fn linear_ticks(from: f64, until: f64, count: usize) -> Vec<f64> {
    let least_step = (until - from) / count as f64;
    if !(least_step > 0.0 && least_step.is_finite()) {
        return vec![from];
    }
    let power = libm::pow(10.0, libm::floor(libm::log10(least_step)));
    let steps = [1.0, 2.0, 5.0, 10.0].map(|multiple| multiple * power);
    let step = steps.into_iter().find(|step| *step >= least_step * 0.999).unwrap_or(steps[3]);
    let first = libm::ceil(from / step - 1e-9);
    let last = libm::floor(until / step + 1e-9);
    (0..=(last - first) as usize).map(|index| (first + index as f64) * step).collect()
}

/// The ticks of a logarithmic axis. A range of less than a decade has linear ticks.
fn logarithmic_ticks(from: f64, until: f64) -> Vec<f64> {
    let decades = libm::log10(until / from);
    let multiples: &[f64] = match decades {
        _ if decades < 0.8 => return linear_ticks(from, until, 4),
        _ if decades < 2.0 => &[1.0, 2.0, 5.0],
        _ if decades < 3.5 => &[1.0, 3.0],
        _ => &[1.0],
    };
    let first = libm::floor(libm::log10(from)) as i32;
    let last = libm::ceil(libm::log10(until)) as i32;
    let powers = (first..=last).map(|exponent| libm::pow(10.0, exponent as f64));
    let ticks = powers.flat_map(|power| multiples.iter().map(move |multiple| multiple * power));
    ticks.filter(|tick| (from..=until).contains(tick)).collect()
}

/// A number that is short enough for an axis, such as `20k`.
fn short_number(value: f64) -> String {
    match value {
        _ if value >= 1e7 => format!("{}M", units::number(value / 1e6)),
        _ if value >= 1e4 => format!("{}k", units::number(value / 1e3)),
        _ => units::number(value),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(axis: &Axis) -> Vec<&str> {
        axis.ticks.iter().map(|(_, label)| label.as_str()).collect()
    }

    #[test]
    fn time_is_in_the_unit_that_fits() {
        let axis = Axis::simulated_time(60.0);
        assert_eq!((axis.label.as_str(), axis.position(30.0)), ("time (s)", 30.0));
        assert_eq!(labels(&axis), ["0", "10", "20", "30", "40", "50", "60"]);
        assert_eq!(Axis::simulated_time(600.0).label, "time (min)");
        assert_eq!(Axis::simulated_time(0.0).ends, (0.0, 1.0));
    }

    #[test]
    fn amounts_start_at_0_and_end_at_a_tick() {
        let axis = Axis::amount("calls", 43_000.0);
        assert_eq!(labels(&axis), ["0", "10k", "20k", "30k", "40k", "50k"]);
        assert_eq!(labels(&Axis::amount("calls", 0.0)), ["0", "0.2", "0.4", "0.6", "0.8", "1"]);
        let axis = Axis::share("share", 0.36);
        assert_eq!(labels(&axis), ["0%", "10%", "20%", "30%", "40%"]);
        assert!((axis.position(0.36) - 36.0).abs() < 1e-9);
    }

    #[test]
    fn latencies_have_ticks_in_any_range() {
        let axis = |range: [f64; 2]| Axis::latency("latency", range.into_iter());
        assert_eq!(labels(&axis([0.01, 0.02])), ["10 ms", "15 ms", "20 ms"]);
        assert_eq!(
            labels(&axis([0.0, 0.0])),
            ["1 ms", "3 ms", "10 ms", "30 ms", "100 ms", "300 ms", "1 s"]
        );
        assert_eq!(labels(&axis([0.009, 0.06])), ["10 ms", "20 ms", "50 ms"]);
        assert!(axis([5.0, 5.0]).ticks.len() > 1);
    }

    #[test]
    fn percentiles_are_a_decade_apart() {
        let axis = Axis::percentile("percentile", 0.9999);
        assert_eq!(labels(&axis), ["50%", "90%", "99%", "99.9%", "99.99%"]);
        assert!((axis.position(0.99) - 2.0).abs() < 1e-9);
    }
}
