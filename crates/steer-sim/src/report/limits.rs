//! Which limits of a scenario are kept.
//!
//! Must not depend on: what a report looks like.

use super::cases::{Case, PolicyRuns};
use super::measures::Spread;
use crate::outcome::{LimitOutcome, Outcome};

/// A limit and a policy, with all seeds.
pub struct LimitRow<'a> {
    /// Where the limit stands in the scenario's file.
    pub line: usize,
    /// The limit in words.
    pub words: &'a str,
    /// The policy.
    pub policy: &'a str,
    /// The measured value, in the limit's unit. With several seeds: the median.
    pub measured: String,
    /// The least and the greatest value of several seeds. Empty if they do not differ.
    pub range: String,
    /// Whether it is kept.
    pub verdict: Verdict,
}

/// Whether a limit is kept by all seeds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// By all of them.
    Kept,
    /// Only so many of so many seeds keep it.
    NotKept(usize, usize),
    /// It is known not to be kept yet, for this reason.
    NotYet(String),
    /// All seeds keep it, but the scenario says that they do not yet, for this reason.
    KeptAlready(String),
}

impl Verdict {
    /// Whether this is as the scenario says.
    pub fn is_expected(&self) -> bool {
        matches!(self, Verdict::Kept | Verdict::NotYet(_))
    }

    /// The verdict in words.
    pub fn words(&self) -> String {
        match self {
            Verdict::Kept => "✓ kept".to_string(),
            Verdict::NotKept(0, _) => "✗ not kept".to_string(),
            Verdict::NotKept(kept, seeds) => format!("✗ not kept: {kept} of {seeds} seeds keep it"),
            Verdict::NotYet(reason) => format!("… not yet, because {reason}"),
            Verdict::KeptAlready(reason) => {
                format!("✗ kept, but the scenario says not yet, because {reason}")
            }
        }
    }
}

/// The limits of a scenario with each policy, in the order of the scenario's file.
pub fn rows<'a>(case: &'a Case) -> Vec<LimitRow<'a>> {
    let mut rows = Vec::new();
    for policy in &case.policies {
        rows.extend(policy.plotted().limits.iter().map(|limit| row(limit, policy)));
    }
    rows.sort_by_key(|row| row.line);
    rows
}

/// How many limits a policy keeps, of how many.
pub fn kept(policy: &PolicyRuns) -> (usize, usize) {
    let limits = &policy.plotted().limits;
    let kept = limits.iter().filter(|limit| same(limit, policy).all(|limit| limit.kept));
    (kept.count(), limits.len())
}

/// The outcomes of a limit with each seed.
fn same<'a>(
    limit: &'a LimitOutcome,
    policy: &'a PolicyRuns,
) -> impl Iterator<Item = &'a LimitOutcome> {
    let find = |outcome: &&'a Outcome| {
        let outcome: &'a Outcome = outcome;
        outcome.limits.iter().find(|other| other.line == limit.line && other.words == limit.words)
    };
    policy.outcomes.iter().filter_map(find)
}

fn row<'a>(limit: &'a LimitOutcome, policy: &'a PolicyRuns) -> LimitRow<'a> {
    let unit = limit.unit;
    let measured = Spread::from_values(same(limit, policy).map(|limit| limit.measured));
    let (measured, range) = measured.map_or(("–".to_string(), String::new()), |spread| {
        let median = unit.format(spread.median);
        let range = unit.format_range(spread.least, spread.most);
        if range == median { (median, String::new()) } else { (median, range) }
    });
    let seeds = same(limit, policy).count();
    let kept = same(limit, policy).filter(|limit| limit.kept).count();
    let verdict = match (kept == seeds, limit.not_yet.clone()) {
        (true, reason) if reason.is_empty() => Verdict::Kept,
        (true, reason) => Verdict::KeptAlready(reason),
        (false, reason) if reason.is_empty() => Verdict::NotKept(kept, seeds),
        (false, reason) => Verdict::NotYet(reason),
    };
    LimitRow {
        line: limit.line,
        words: &limit.words,
        policy: &policy.label,
        measured,
        range,
        verdict,
    }
}
