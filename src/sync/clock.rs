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
//! Cost of a reading: some 15 instructions, one of which reads the counter. To notice that it is
//! behind is one comparison of them, and a store once a millisecond.
//!
//! Must not depend on: the timed events.

use std::sync::OnceLock;
// Loom's atomics cannot be static, and the clock has no model.
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use super::fork::get_or_init;
use super::nanos::Nanos;

/// A clock that does not go back, except by the time that passes between readings of different
/// threads.
pub struct Clock {
    scale: Scale,
    /// Set at the first reading.
    start: OnceLock<Instant>,
    /// How far the kernel's clock is behind this one. Set when the counter is found to be behind;
    /// [`GOOD`] until then.
    behind: AtomicU64,
}

/// How a reading of the counter becomes a time. All but `seen` and `step` are set once, before
/// `step` is.
struct Scale {
    /// The cycles of [`STEP`]. 0 if the counter is not used: it is not measured yet, or is behind.
    step: AtomicU64,
    /// A reading that some thread made, at most `step` before the latest, and not before `anchor`.
    seen: AtomicU64,
    /// The first reading that is used.
    anchor: AtomicU64,
    /// The nanoseconds of 2³² cycles. So a conversion is a multiplication and a shift, and exact to
    /// 1 part in 10⁹.
    speed: AtomicU64,
    /// What turns the converted reading into a time since `Clock::start`, by a wrapping addition.
    offset: AtomicU64,
}

/// How old the remembered reading may be: 1 ms. All threads that read the clock share its cache
/// line, so it is written rarely.
const STEP: u64 = 1_000_000;

/// How far the counter may be behind the remembered reading: 200 ms, in steps. A thread may be
/// stopped between reading the counter and looking at what other threads remembered. This is twice
/// the longest usual time slice of a scheduler. A counter that is set back by less does no harm.
const SLACK: u64 = 200;

/// The counter was never found to be behind.
const GOOD: u64 = u64::MAX;

static CLOCK: Clock = Clock::new();

impl Clock {
    const fn new() -> Clock {
        let [step, seen, anchor, speed, offset] = [const { AtomicU64::new(0) }; 5];
        let scale = Scale { step, seen, anchor, speed, offset };
        Clock { scale, start: OnceLock::new(), behind: AtomicU64::new(GOOD) }
    }

    /// The process's clock.
    #[inline]
    pub fn global() -> &'static Clock {
        &CLOCK
    }

    /// The time since the clock was first read.
    #[inline]
    pub fn now(&self) -> Duration {
        self.nanos().into()
    }

    /// [`Clock::now`], in nanoseconds.
    #[inline]
    pub fn nanos(&self) -> Nanos {
        self.read(cycles)
    }

    /// [`Clock::nanos`], if it takes just a reading of the counter. `None`: call that one. For
    /// callers that have nothing else to call: they need not save registers.
    #[inline]
    pub fn quick_nanos(&self) -> Option<Nanos> {
        self.read_quickly(cycles)
    }

    /// The time. `raw` reads the counter.
    #[inline]
    fn read(&self, raw: impl Fn() -> u64) -> Nanos {
        match self.read_quickly(&raw) {
            Some(time) => time,
            None => self.slowly(raw),
        }
    }

    #[inline]
    fn read_quickly(&self, raw: impl Fn() -> u64) -> Option<Nanos> {
        // Acquire: pairs with the Release in `use_counter`. A counter that is not used is not read:
        // where the kernel does not trust it, that may be slow.
        let step = self.scale.step.load(Ordering::Acquire);
        if step == 0 {
            return None;
        }
        let raw = raw();
        // Relaxed: a value that is a little older makes no difference. The difference wraps to a
        // great number if the counter is behind.
        let is_new = raw.wrapping_sub(self.scale.seen.load(Ordering::Relaxed)) < step;
        is_new.then(|| Nanos::new(self.scale.time_at(raw)))
    }

    /// The time, if the counter is not used, or if it has to be checked.
    #[cold]
    fn slowly(&self, raw: impl Fn() -> u64) -> Nanos {
        // Acquire: as in `read`, and pairs with the Release in `check`.
        let step = self.scale.step.load(Ordering::Acquire);
        Nanos::new(if step == 0 { self.kernel_time() } else { self.check(raw(), step) })
    }

    /// Remembers a reading, after a millisecond, or finds that the counter is behind. Returns the
    /// time.
    fn check(&self, raw: u64, step: u64) -> u64 {
        // Relaxed: as in `read`.
        let seen = self.scale.seen.fetch_max(raw, Ordering::Relaxed);
        if raw.saturating_add(step * SLACK) >= seen {
            return self.scale.time_at(raw.max(self.scale.anchor.load(Ordering::Relaxed)));
        }
        // The first thread that notices sets the offset. The clock goes on where it was.
        let behind = self.scale.time_at(seen).wrapping_sub(self.kernel_elapsed());
        let _ = self.behind.compare_exchange(GOOD, behind, Ordering::Relaxed, Ordering::Relaxed);
        // Release: who finds the counter unused finds the offset, too.
        self.scale.step.store(0, Ordering::Release);
        self.kernel_time()
    }

    /// The time by the kernel's clock.
    fn kernel_time(&self) -> u64 {
        let elapsed = self.kernel_elapsed();
        match self.behind.load(Ordering::Relaxed) {
            GOOD => elapsed,
            behind => elapsed.wrapping_add(behind),
        }
    }

    fn kernel_elapsed(&self) -> u64 {
        u64::try_from(self.started().elapsed().as_nanos()).unwrap_or(u64::MAX)
    }

    /// When the clock was first read. The first reading has the counter measured.
    fn started(&self) -> Instant {
        let mut is_first = false;
        let start = *get_or_init(&self.start, || {
            is_first = true;
            Instant::now()
        });
        if is_first && std::ptr::eq(self, &CLOCK) && kernel_trusts_the_counter() {
            // Without the thread, the clock stays as it is.
            let measure = || CLOCK.measure();
            let _ = std::thread::Builder::new().name("steer-clock".into()).spawn(measure);
        }
        start
    }

    /// Measures the processor's counter, and begins to use it.
    fn measure(&self) {
        let counter = quanta::Clock::new();
        // quanta uses the kernel's clock instead if the processor does not promise that its counter
        // runs evenly.
        let (before, same, after) = (cycles(), counter.raw(), cycles());
        if (before..=after).contains(&same) {
            self.use_counter(&counter);
        }
    }

    /// Begins to use the counter of `counter`, which tells its speed.
    fn use_counter(&self, counter: &quanta::Clock) {
        let start = self.started();
        // The thread may be stopped between two readings, so the closest of 16 count.
        let readings = (0..16).map(|_| (counter.raw(), start.elapsed(), counter.raw()));
        let closest = readings.min_by_key(|(before, _, after)| after.wrapping_sub(*before));
        let (anchor, elapsed, _) = closest.expect("there are several");
        let elapsed = u64::try_from(elapsed.as_nanos()).unwrap_or(u64::MAX);
        let speed = counter.delta_as_nanos(0, 1 << 32);
        let step = (STEP << 32).checked_div(speed).unwrap_or(0);
        // Relaxed: `step` publishes them.
        self.scale.seen.store(anchor, Ordering::Relaxed);
        self.scale.anchor.store(anchor, Ordering::Relaxed);
        self.scale.speed.store(speed, Ordering::Relaxed);
        let offset = elapsed.wrapping_sub(self.scale.time_at(anchor));
        self.scale.offset.store(offset, Ordering::Relaxed);
        // Release: pairs with the Acquire in `read`.
        self.scale.step.store(step, Ordering::Release);
    }
}

impl Scale {
    /// The time of a reading, in nanoseconds. The reading is not before the anchor.
    #[inline]
    fn time_at(&self, raw: u64) -> u64 {
        // Relaxed: the caller has seen `step`, which publishes these.
        let speed = self.speed.load(Ordering::Relaxed);
        let nanos = ((u128::from(raw) * u128::from(speed)) >> 32) as u64;
        nanos.wrapping_add(self.offset.load(Ordering::Relaxed))
    }
}

/// Reads the processor's cycle counter. Not through quanta, which looks each time whether it uses
/// one: that is half of a reading's instructions.
#[cfg(all(target_arch = "x86_64", not(miri)))]
#[inline(always)]
fn cycles() -> u64 {
    // SAFETY: every x86_64 processor has the instruction. A process may be forbidden to use it.
    // `Clock` does not use it unless the kernel does so in every process, for its vDSO.
    unsafe { std::arch::x86_64::_rdtsc() }
}

/// There is no counter that the kernel could trust.
#[cfg(not(all(target_arch = "x86_64", not(miri))))]
#[inline(always)]
fn cycles() -> u64 {
    0
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
        let clock = Clock::new();
        let before = clock.now();
        if kernel_trusts_the_counter() {
            clock.measure();
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
    struct Mocked {
        clock: Clock,
        counter: quanta::Clock,
    }

    impl Mocked {
        fn now(&self) -> Duration {
            self.clock.read(|| self.counter.raw()).into()
        }
    }

    fn with_counter() -> (Mocked, std::sync::Arc<quanta::Mock>) {
        let (counter, mock) = quanta::Clock::mock();
        mock.increment(Duration::from_secs(3600));
        let clock = Clock::new();
        clock.use_counter(&counter);
        (Mocked { clock, counter }, mock)
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
