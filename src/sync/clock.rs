//! The time since an arbitrary moment, cheap enough to read at every call.
//!
//! If the kernel takes its time from the processor's cycle counter, the clock reads that counter
//! directly. This costs a third of a call of the vDSO. quanta first measures how fast the counter
//! runs, which takes milliseconds. A thread does that, and until it is done the clock is the
//! standard library's. On other systems it always is.
//!
//! The counter of a virtual machine may be set back when the machine is restored or moved to
//! another host. The clock notices that the counter is behind, and uses the kernel's time from then
//! on.
//!
//! Cost of noticing: two loads and two comparisons for each reading; a store once a millisecond.
//!
//! Must not depend on: the timed events.

use std::sync::OnceLock;
// Loom's atomics cannot be static, and the clock has no model.
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use super::lock::Lazy;

/// A clock that does not go back, except by the time that passes between readings of different
/// threads.
pub struct Clock {
    start: Instant,
    counter: OnceLock<Counter>,
}

/// The cycle counter, its speed, and a moment at which both clocks were read. Times are in
/// nanoseconds since `Clock::start`.
struct Counter {
    clock: quanta::Clock,
    /// The nanoseconds of 2³² cycles. So a conversion is a multiplication and a shift, and exact to
    /// 1 part in 10⁹.
    speed: u64,
    anchor: u64,
    elapsed: u64,
    start: Instant,
    /// A time that some thread read, at most [`STEP`] before the latest.
    seen: AtomicU64,
    /// How far the kernel's clock is behind this one. Set when the counter is found to be behind;
    /// [`GOOD`] until then.
    behind: AtomicU64,
}

/// How old the remembered time may be: 1 ms. All threads that read the clock share its cache line,
/// so it is written rarely.
const STEP: u64 = 1_000_000;

/// How far the counter may be behind the remembered time: 200 ms. A thread may be stopped between
/// reading the counter and reading the time that other threads remembered. This is twice the
/// longest usual time slice of a scheduler. A counter that is set back by less does no harm.
const SLACK: u64 = 200_000_000;

/// The counter was never found to be behind.
const GOOD: u64 = u64::MAX;

impl Clock {
    /// The process's clock.
    #[inline]
    pub fn global() -> &'static Clock {
        static CLOCK: Lazy<Clock> = Lazy::new(|| {
            if kernel_trusts_the_counter() {
                let calibrate = || drop(CLOCK.counter.set(Counter::new(CLOCK.start)));
                // Without the thread, the clock stays as it is.
                let _ = std::thread::Builder::new().name("steer-clock".into()).spawn(calibrate);
            }
            Clock { start: Instant::now(), counter: OnceLock::new() }
        });
        &CLOCK
    }

    /// The time since the clock was made.
    #[inline]
    pub fn now(&self) -> Duration {
        match self.counter.get().and_then(Counter::quickly) {
            Some(now) => Duration::from_nanos(now),
            None => self.slowly(),
        }
    }

    /// The time, if the counter has no usable time, or if it has to be checked.
    #[cold]
    fn slowly(&self) -> Duration {
        match self.counter.get() {
            Some(counter) => Duration::from_nanos(counter.now()),
            None => self.start.elapsed(),
        }
    }
}

impl Counter {
    fn new(start: Instant) -> Counter {
        Counter::from_clock(quanta::Clock::new(), start)
    }

    fn from_clock(clock: quanta::Clock, start: Instant) -> Counter {
        // The thread may be stopped between two readings, so the closest of 16 count.
        let readings = (0..16).map(|_| (clock.raw(), start.elapsed(), clock.raw()));
        let closest = readings.min_by_key(|(before, _, after)| after.wrapping_sub(*before));
        let (anchor, elapsed, _) = closest.expect("there are several");
        let elapsed = u64::try_from(elapsed.as_nanos()).unwrap_or(u64::MAX);
        let (seen, behind) = (AtomicU64::new(elapsed), AtomicU64::new(GOOD));
        let speed = clock.delta_as_nanos(0, 1 << 32);
        Counter { clock, speed, anchor, elapsed, start, seen, behind }
    }

    /// The time. `None`: ask [`Counter::now`].
    #[inline]
    fn quickly(&self) -> Option<u64> {
        // Relaxed, here and below: the two values are independent.
        if self.behind.load(Ordering::Relaxed) != GOOD {
            return None;
        }
        let raw = self.clock.raw();
        let now = self.elapsed.wrapping_add(self.to_nanos(raw.wrapping_sub(self.anchor)));
        // The difference wraps to a great number if the counter is behind.
        let is_new = now.wrapping_sub(self.seen.load(Ordering::Relaxed)) < STEP;
        (is_new && raw >= self.anchor).then_some(now)
    }

    fn now(&self) -> u64 {
        if self.behind.load(Ordering::Relaxed) != GOOD {
            return self.kernel_time();
        }
        let raw = self.clock.raw();
        self.check(self.elapsed + self.to_nanos(raw.saturating_sub(self.anchor)), raw)
    }

    #[inline]
    fn to_nanos(&self, cycles: u64) -> u64 {
        ((u128::from(cycles) * u128::from(self.speed)) >> 32) as u64
    }

    /// Remembers a time, after a millisecond, or finds that the counter is behind.
    fn check(&self, now: u64, raw: u64) -> u64 {
        let seen = self.seen.fetch_max(now, Ordering::Relaxed);
        // A counter below the anchor gives no time. Compared in cycles, of which there are a few in
        // each nanosecond.
        if now.saturating_add(SLACK) >= seen && raw.saturating_add(SLACK) >= self.anchor {
            return now;
        }
        // The first thread that notices sets the offset. The clock goes on where it was.
        let behind = seen.wrapping_sub(self.kernel_elapsed());
        let _ = self.behind.compare_exchange(GOOD, behind, Ordering::Relaxed, Ordering::Relaxed);
        self.kernel_time()
    }

    fn kernel_time(&self) -> u64 {
        self.kernel_elapsed().wrapping_add(self.behind.load(Ordering::Relaxed))
    }

    fn kernel_elapsed(&self) -> u64 {
        u64::try_from(self.start.elapsed().as_nanos()).unwrap_or(u64::MAX)
    }
}

/// Whether the kernel reads the counter for its clocks. Only then do the counters of all processors
/// agree.
fn kernel_trusts_the_counter() -> bool {
    const SOURCE: &str = "/sys/devices/system/clocksource/clocksource0/current_clocksource";
    // Miri has no such counter.
    !cfg!(miri) && std::fs::read_to_string(SOURCE).is_ok_and(|source| source.trim() == "tsc")
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn agrees_with_the_standard_library() {
        let clock = Clock { start: Instant::now(), counter: OnceLock::new() };
        let before = clock.now();
        if kernel_trusts_the_counter() {
            let _ = clock.counter.set(Counter::new(clock.start));
        }
        // The thread may be stopped between two readings, so each is between two of the standard's.
        let read = || (Instant::now(), clock.now(), Instant::now());
        let begin = read();
        assert!(begin.1 >= before);
        std::thread::sleep(Duration::from_millis(50));
        let end = read();
        let (least, here, most) = (end.0 - begin.2, end.1 - begin.1, end.2 - begin.0);
        assert!(
            least.mul_f64(0.999) <= here && here <= most.mul_f64(1.001),
            "{least:?} {here:?} {most:?}"
        );
    }

    /// A clock whose counter the test sets. It counts nanoseconds.
    fn with_counter() -> (Clock, std::sync::Arc<quanta::Mock>) {
        let (counter, mock) = quanta::Clock::mock();
        mock.increment(Duration::from_secs(3600));
        let start = Instant::now();
        let clock = Clock { start, counter: OnceLock::new() };
        assert!(clock.counter.set(Counter::from_clock(counter, start)).is_ok());
        (clock, mock)
    }

    #[test]
    fn goes_on_when_the_counter_is_set_back() {
        // Set back to a time after the calibration, and to times before it.
        for (passed, back) in [(1800, 900), (1800, 3600), (0, 1)] {
            let (clock, counter) = with_counter();
            counter.increment(Duration::from_secs(passed));
            let before = clock.now();
            assert!(before >= Duration::from_secs(passed));
            counter.decrement(Duration::from_secs(back));
            let after = clock.now();
            std::thread::sleep(Duration::from_millis(20));
            let later = clock.now();
            // By the kernel's clock, from where it was.
            assert!(after + Duration::from_millis(2) >= before, "{before:?}, then {after:?}");
            assert!(later >= after + Duration::from_millis(20), "{after:?}, then {later:?}");
            assert!(later < before + Duration::from_secs(60), "{before:?}, then {later:?}");
            // The counter is not used again.
            counter.increment(Duration::from_secs(7200));
            assert!(clock.now() < before + Duration::from_secs(60));
        }
    }

    #[test]
    fn a_stopped_thread_does_not_count_as_a_counter_behind() {
        let (clock, counter) = with_counter();
        counter.increment(Duration::from_secs(1));
        let ahead = clock.now();
        counter.decrement(Duration::from_millis(50));
        assert_eq!(clock.now() + Duration::from_millis(50), ahead);
        counter.increment(Duration::from_secs(1));
        assert_eq!(clock.now(), ahead + Duration::from_millis(950));
    }

    #[test]
    fn the_global_clock_goes_on() {
        let clock = Clock::global();
        let mut last = clock.now();
        for _ in 0..if cfg!(miri) { 100 } else { 1_000_000 } {
            let now = clock.now();
            // When the counter replaces the standard clock, they may differ by the time between
            // their readings.
            assert!(now + Duration::from_millis(1) >= last, "{last:?}, then {now:?}");
            last = now;
        }
    }
}
