//! The time since an arbitrary moment, for what is measured at every call.
//!
//! Where the kernel takes its time from the processor's cycle counter, reading that counter oneself costs a third
//! of asking the kernel's part in the process. How fast the counter runs has to be measured first (quanta does), which takes
//! milliseconds: a thread does it, and until then the clock is the standard library's. On other systems it always is.
//!
//! A virtual machine that is restored, or moved to another host, may find its counter set back. The
//! clock notices that it does not advance any more, and is the kernel's from then on.
//!
//! Cost of noticing: two loads and two comparisons for each reading; a store once a millisecond.
//!
//! Must not know: what is timed.

use std::sync::OnceLock;
// Loom's atomics cannot be static, and the clock has no model.
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use super::lock::Lazy;

/// A clock that never goes back by more than the threads that read it are apart.
pub struct Clock {
    start: Instant,
    counter: OnceLock<Counter>,
}

/// The cycle counter, its speed, and a moment at which both clocks were read. Times are in
/// nanoseconds since `Clock::start`.
struct Counter {
    clock: quanta::Clock,
    anchor: u64,
    elapsed: u64,
    start: Instant,
    /// A time that was read, at most [`STEP`] before the latest one.
    seen: AtomicU64,
    /// What the kernel's clock is behind this one, since the counter was found to be set back;
    /// until then [`GOOD`].
    behind: AtomicU64,
}

/// How old the latest time that is remembered may be. Threads that read the clock share the line
/// that it is in, so it is written seldom.
const STEP: u64 = 1_000_000;

/// How far the counter may be behind what was seen: a thread may have been stopped between reading
/// the counter and looking at what others have seen meanwhile. Twice a scheduler's longest usual
/// turn; what is set back by less does no harm.
const SLACK: u64 = 200_000_000;

/// The counter has not been set back, as far as is known.
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
        match self.counter.get() {
            Some(counter) => Duration::from_nanos(counter.now()),
            None => self.start.elapsed(),
        }
    }
}

impl Counter {
    fn new(start: Instant) -> Counter {
        Counter::of(quanta::Clock::new(), start)
    }

    fn of(clock: quanta::Clock, start: Instant) -> Counter {
        // The thread may have to wait between two readings: the closest ones count.
        let readings = (0..16).map(|_| (clock.raw(), start.elapsed(), clock.raw()));
        let closest = readings.min_by_key(|(before, _, after)| after.wrapping_sub(*before));
        let (anchor, elapsed, _) = closest.expect("there are several");
        let elapsed = u64::try_from(elapsed.as_nanos()).unwrap_or(u64::MAX);
        let (seen, behind) = (AtomicU64::new(elapsed), AtomicU64::new(GOOD));
        Counter { clock, anchor, elapsed, start, seen, behind }
    }

    #[inline]
    fn now(&self) -> u64 {
        // Relaxed, here and below: each of the two is for itself.
        if self.behind.load(Ordering::Relaxed) != GOOD {
            return self.by_the_kernel();
        }
        let raw = self.clock.raw();
        let now = self.elapsed + self.clock.delta_as_nanos(self.anchor, raw);
        // Also when it wraps: then the counter is behind.
        if now.wrapping_sub(self.seen.load(Ordering::Relaxed)) < STEP && raw >= self.anchor {
            return now;
        }
        self.look(now, raw)
    }

    /// A millisecond has passed, or the counter has been set back.
    #[cold]
    fn look(&self, now: u64, raw: u64) -> u64 {
        let seen = self.seen.fetch_max(now, Ordering::Relaxed);
        // What is below the anchor is no time: how far below is in cycles, of which there are a few
        // in each nanosecond.
        if now.saturating_add(SLACK) >= seen && raw.saturating_add(SLACK) >= self.anchor {
            return now;
        }
        // The first thread that notices decides. The clock goes on where it was.
        let behind = seen.wrapping_sub(self.kernels());
        let _ = self.behind.compare_exchange(GOOD, behind, Ordering::Relaxed, Ordering::Relaxed);
        self.by_the_kernel()
    }

    #[cold]
    fn by_the_kernel(&self) -> u64 {
        self.kernels().wrapping_add(self.behind.load(Ordering::Relaxed))
    }

    fn kernels(&self) -> u64 {
        u64::try_from(self.start.elapsed().as_nanos()).unwrap_or(u64::MAX)
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

    /// A clock of which the test sets the counter. It counts nanoseconds.
    fn with_counter() -> (Clock, std::sync::Arc<quanta::Mock>) {
        let (counter, mock) = quanta::Clock::mock();
        mock.increment(Duration::from_secs(3600));
        let start = Instant::now();
        let clock = Clock { start, counter: OnceLock::new() };
        assert!(clock.counter.set(Counter::of(counter, start)).is_ok());
        (clock, mock)
    }

    #[test]
    fn goes_on_when_the_counter_is_set_back() {
        // To a moment after the calibration, and to one before it.
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
            // The counter is not believed again.
            counter.increment(Duration::from_secs(7200));
            assert!(clock.now() < before + Duration::from_secs(60));
        }
    }

    #[test]
    fn a_thread_that_was_stopped_is_no_sign_of_that() {
        let (clock, counter) = with_counter();
        counter.increment(Duration::from_secs(1));
        let ahead = clock.now();
        counter.decrement(Duration::from_millis(50));
        assert_eq!(clock.now() + Duration::from_millis(50), ahead);
        counter.increment(Duration::from_secs(1));
        assert_eq!(clock.now(), ahead + Duration::from_millis(950));
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
