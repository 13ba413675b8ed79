//! The time since an arbitrary moment, for what is measured at every call.
//!
//! Where the kernel takes its time from the processor's cycle counter, reading that counter oneself costs a third
//! of asking the kernel's part in the process. How fast the counter runs has to be measured first (quanta does), which takes
//! milliseconds: a thread does it, and until then the clock is the standard library's. On other systems it always is.
//!
//! Must not know: what is timed.

use std::sync::{LazyLock, OnceLock};
use std::time::{Duration, Instant};

/// A clock that never goes back by more than the threads that read it are apart.
pub struct Clock {
    start: Instant,
    counter: OnceLock<Counter>,
}

/// The cycle counter, its speed, and a moment at which both clocks were read.
struct Counter {
    clock: quanta::Clock,
    anchor: u64,
    /// In nanoseconds since `Clock::start`.
    elapsed: u64,
}

impl Clock {
    /// The process's clock.
    #[inline]
    pub fn global() -> &'static Clock {
        static CLOCK: LazyLock<Clock> = LazyLock::new(|| {
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
        match self.counter.get() {
            Some(counter) => Duration::from_nanos(counter.now()),
            None => self.start.elapsed(),
        }
    }
}

impl Counter {
    fn new(start: Instant) -> Counter {
        let clock = quanta::Clock::new();
        // The thread may have to wait between two readings: the closest ones count.
        let readings = (0..16).map(|_| (clock.raw(), start.elapsed(), clock.raw()));
        let closest = readings.min_by_key(|(before, _, after)| after.wrapping_sub(*before));
        let (anchor, elapsed, _) = closest.expect("there are several");
        Counter { clock, anchor, elapsed: u64::try_from(elapsed.as_nanos()).unwrap_or(u64::MAX) }
    }

    #[inline]
    fn now(&self) -> u64 {
        self.elapsed + self.clock.delta_as_nanos(self.anchor, self.clock.raw())
    }
}

/// Whether the kernel itself reads the counter for its clocks: only then do all processors' counters agree.
fn kernel_trusts_the_counter() -> bool {
    const SOURCE: &str = "/sys/devices/system/clocksource/clocksource0/current_clocksource";
    // Miri knows no such counter.
    !cfg!(miri) && std::fs::read_to_string(SOURCE).is_ok_and(|source| source.trim() == "tsc")
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn agrees_with_the_standard_librarys() {
        let clock = Clock { start: Instant::now(), counter: OnceLock::new() };
        let before = clock.now();
        if kernel_trusts_the_counter() {
            let _ = clock.counter.set(Counter::new(clock.start));
        }
        // Whatever may keep the thread from one reading to the next.
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

    #[test]
    fn the_processs_clock_goes_on() {
        let clock = Clock::global();
        let mut last = clock.now();
        for _ in 0..if cfg!(miri) { 100 } else { 1_000_000 } {
            let now = clock.now();
            // Where the one clock takes over from the other, they may differ by the time it took to read both.
            assert!(now + Duration::from_millis(1) >= last, "{last:?}, then {now:?}");
            last = now;
        }
    }
}
