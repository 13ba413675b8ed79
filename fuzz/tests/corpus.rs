//! Runs the corpus: seeds, and inputs that once found a bug.

use std::fs;
use std::path::Path;

fn run(target: &str, body: fn(&[u8])) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus").join(target);
    let mut inputs: Vec<_> =
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    inputs.sort();
    assert!(!inputs.is_empty());
    for input in &inputs {
        body(&fs::read(input).unwrap());
    }
    body(b"");
}

#[test]
fn config() {
    run("config", steer_fuzz::config);
}

#[test]
fn policy() {
    run("policy", steer_fuzz::policy);
}

#[test]
fn metrics() {
    run("metrics", steer_fuzz::metrics);
}

#[test]
fn hash() {
    run("hash", steer_fuzz::hash);
}
