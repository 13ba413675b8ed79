//! Outcomes in the order in which a report shows them: by scenario, then by policy, then by seed.
//!
//! Must not depend on: what a report looks like.

use crate::outcome::Outcome;

/// A scenario with the outcomes of its policies.
pub struct Case<'a> {
    /// Its first outcome, which has the scenario's name, title and times.
    pub first: &'a Outcome,
    /// Its policies, in the order of the outcomes. Not empty.
    pub policies: Vec<PolicyRuns<'a>>,
}

/// A policy with a config, in one scenario.
pub struct PolicyRuns<'a> {
    /// The policy's name. If the scenario has several configs of it, also the config.
    pub label: String,
    /// Its outcomes, by seed. Not empty.
    pub outcomes: Vec<&'a Outcome>,
}

impl PolicyRuns<'_> {
    /// The outcome that plots show: that of the least seed.
    pub fn plotted(&self) -> &Outcome {
        self.outcomes[0]
    }
}

impl Case<'_> {
    /// The greatest number of seeds of a policy.
    pub fn seeds(&self) -> usize {
        self.policies.iter().map(|policy| policy.outcomes.len()).max().unwrap_or(0)
    }
}

/// Groups outcomes. Keeps the order in which scenarios and policies first occur.
pub fn cases(outcomes: &[Outcome]) -> Vec<Case<'_>> {
    let mut cases: Vec<Case> = Vec::new();
    for outcome in outcomes {
        let known = cases.iter().position(|case| case.first.scenario == outcome.scenario);
        let index = known.unwrap_or_else(|| {
            cases.push(Case { first: outcome, policies: Vec::new() });
            cases.len() - 1
        });
        add(&mut cases[index].policies, outcome);
    }
    for case in &mut cases {
        for policy in &mut case.policies {
            policy.outcomes.sort_by_key(|outcome| outcome.seed);
        }
        add_configs_to_labels(&mut case.policies);
    }
    cases
}

fn add<'a>(policies: &mut Vec<PolicyRuns<'a>>, outcome: &'a Outcome) {
    let same = |policy: &&mut PolicyRuns| {
        let first = policy.outcomes[0];
        first.policy == outcome.policy && first.config == outcome.config
    };
    match policies.iter_mut().find(same) {
        Some(policy) => policy.outcomes.push(outcome),
        None => {
            policies.push(PolicyRuns { label: outcome.policy.clone(), outcomes: vec![outcome] })
        }
    }
}

/// Policies of the same name differ in their configs, so these become part of the labels.
fn add_configs_to_labels(policies: &mut [PolicyRuns]) {
    let names: Vec<String> = policies.iter().map(|policy| policy.label.clone()).collect();
    for policy in policies {
        if names.iter().filter(|name| **name == policy.label).count() > 1 {
            policy.label = format!("{} {}", policy.label, policy.outcomes[0].config);
        }
    }
}
