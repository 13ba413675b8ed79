//! Many simulations at the same time, and their progress.
//!
//! Must not depend on: where scenarios come from, what is done with outcomes.

use std::io::IsTerminal;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use parking_lot::Mutex;
use steer_sim::model::{RunError, simulate};
use steer_sim::outcome::Outcome;
use steer_sim::scenario::{PolicyChoice, Scenario};

use super::Failure;

/// A simulation to run.
pub(super) struct Job<'s> {
    pub(super) scenario: &'s Scenario,
    pub(super) policy: PolicyChoice,
    pub(super) seed: u64,
}

/// The steps of the progress bar for each job.
const STEPS: u64 = 100;

/// Runs all jobs, as many at a time as there are processors. The outcomes have the order of the
/// jobs.
pub(super) fn run(jobs: &[Job<'_>]) -> Result<Vec<Outcome>, Failure> {
    let bar = progress_bar(jobs.len() as u64 * STEPS);
    let next = AtomicUsize::new(0);
    let done: Mutex<Vec<Option<Result<Outcome, RunError>>>> =
        Mutex::new(jobs.iter().map(|_| None).collect());
    let work = || {
        // Relaxed: only uniqueness matters.
        while let Some((number, job)) = at(jobs, next.fetch_add(1, Ordering::Relaxed)) {
            bar.set_message(format!("{} {}", job.scenario.name, job.policy.name));
            let shown = AtomicUsize::new(0);
            let progress = |share: f64| {
                let steps = (share * STEPS as f64) as usize;
                let before = shown.swap(steps, Ordering::Relaxed);
                bar.inc(steps.saturating_sub(before) as u64);
            };
            let outcome = simulate(job.scenario, &job.policy, job.seed, &progress);
            bar.inc(STEPS - shown.load(Ordering::Relaxed).min(STEPS as usize) as u64);
            done.lock()[number] = Some(outcome);
        }
    };
    let workers = thread::available_parallelism().map_or(1, usize::from).min(jobs.len());
    thread::scope(|scope| {
        for _ in 0..workers {
            scope.spawn(work);
        }
    });
    bar.finish_and_clear();
    let outcomes = done.into_inner().into_iter().flatten();
    outcomes.map(|outcome| outcome.map_err(|error| error.to_string())).collect()
}

fn at<'j, 's>(jobs: &'j [Job<'s>], number: usize) -> Option<(usize, &'j Job<'s>)> {
    jobs.get(number).map(|job| (number, job))
}

/// A bar on a terminal. Nothing in a pipe.
fn progress_bar(steps: u64) -> ProgressBar {
    let target = if std::io::stderr().is_terminal() {
        ProgressDrawTarget::stderr()
    } else {
        ProgressDrawTarget::hidden()
    };
    let bar = ProgressBar::with_draw_target(Some(steps), target);
    let style = ProgressStyle::with_template("{bar:30} {percent:>3} %  {eta} left  {wide_msg}");
    bar.with_style(style.expect("the template is valid"))
}
