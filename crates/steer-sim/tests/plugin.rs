//! Custom pickers in C, C++ and Rust: the program loads them, and scenarios name them.
//!
//! Compiles `tests/plugin/one_backend.c` with `cc`, or with what `CC` names, and the examples in
//! the other languages. Without a compiler, a test checks nothing and says so.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// Two servers. The second one fails every call.
const SCENARIO: &str = r#"
duration = "2s"
policies = ["one_backend"]

[[servers]]
name = "server"
count = 2

[[clients]]
name = "client"
rate = "200/s"

[[events]]
at = "0s"
servers = ["server-2"]
fail = "UNAVAILABLE"
"#;

/// The folder of steer-sim.
fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Compiles the plugin in C, and returns the library's path. `None`: there is no compiler.
fn compile(folder: &Path, name: &str, options: &[&str]) -> Option<PathBuf> {
    let options = [&["-std=c11"], options].concat();
    compile_with("CC", "cc", &options, "tests/plugin/one_backend.c", folder.join(name))
}

/// Compiles a source with the compiler that the variable names, or else with this one.
fn compile_with(
    variable: &str,
    compiler: &str,
    options: &[&str],
    source: &str,
    library: PathBuf,
) -> Option<PathBuf> {
    let compiler = env::var_os(variable).unwrap_or_else(|| compiler.into());
    let compiled = Command::new(&compiler)
        .args(["-shared", "-fPIC", "-Wall", "-Wextra", "-Werror", "-I"])
        .arg(root().join("../../include"))
        .args(options)
        .arg(root().join(source))
        .arg("-o")
        .arg(&library)
        .output();
    let Ok(compiled) = compiled else {
        eprintln!("skipped: there is no compiler {compiler:?}");
        return None;
    };
    assert!(compiled.status.success(), "{}", stderr(&compiled));
    Some(library)
}

/// Runs the program in this folder, which has the scenario.
fn steer_sim(folder: &Path, arguments: &[&str]) -> Output {
    fs::write(folder.join("two.toml"), SCENARIO).unwrap();
    let program = env!("CARGO_BIN_EXE_steer-sim");
    Command::new(program).args(arguments).current_dir(folder).output().unwrap()
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn a_scenario_names_a_custom_picker() {
    let folder = tempfile::tempdir().unwrap();
    if compile(folder.path(), "one_backend.so", &[]).is_none() {
        return;
    }
    // The library's name is relative, and has no '/'.
    let arguments = ["run", "two.toml", "--plugin", "one_backend.so", "--json", "numbers.json"];
    let run = steer_sim(folder.path(), &arguments);
    assert!(run.status.success(), "{}", stderr(&run));

    let numbers = fs::read_to_string(folder.path().join("numbers.json")).unwrap();
    let outcomes: serde_json::Value = serde_json::from_str(&numbers).unwrap();
    let attempts = |server: usize| outcomes[0]["servers"][server]["attempts"].as_u64().unwrap();
    assert_eq!(outcomes[0]["policy"], "one_backend");
    assert!(attempts(0) > 300, "{numbers}");
    assert_eq!(attempts(1), 0);
}

/// How many attempts each server of a scenario gets with this plugin and policy.
fn attempts_with(folder: &Path, scenario: &str, library: &Path, policy: &str) -> Vec<u64> {
    fs::write(folder.join("scenario.toml"), scenario).unwrap();
    let library = library.to_str().unwrap();
    let arguments = ["run", "scenario.toml", "--plugin", library, "--policy", policy];
    let run = steer_sim(folder, &[&arguments[..], &["--json", "numbers.json"]].concat());
    assert!(run.status.success(), "{}", stderr(&run));
    let numbers = fs::read_to_string(folder.join("numbers.json")).unwrap();
    let outcomes: serde_json::Value = serde_json::from_str(&numbers).unwrap();
    let servers = outcomes[0]["servers"].as_array().unwrap();
    servers.iter().map(|server| server["attempts"].as_u64().unwrap()).collect()
}

/// The example zone-spillover: calls stay in the client's zone.
#[test]
fn a_picker_in_cpp_chooses() {
    let folder = tempfile::tempdir().unwrap();
    let source = "../../examples/zone-spillover/zone_spillover.cc";
    let library = folder.path().join("zone_spillover.so");
    let Some(library) = compile_with("CXX", "c++", &["-std=c++17"], source, library) else {
        return;
    };
    let scenario = r#"
duration = "2s"
servers = [{ name = "server", count = 4, zones = ["a", "b"] }]
clients = [{ name = "client", rate = "200/s" }]
"#;
    let policy = r#"zone_spillover={"zone": "b"}"#;
    let attempts = attempts_with(folder.path(), scenario, &library, policy);
    assert!(attempts[0] == 0 && attempts[2] == 0, "{attempts:?}");
    assert!(attempts[1] > 100 && attempts[3] > 100, "{attempts:?}");
}

/// The example sticky-session: all calls of a session go to one server.
#[test]
fn a_picker_in_rust_chooses() {
    let folder = tempfile::tempdir().unwrap();
    let target = root().join("../../target/pickers");
    let built = Command::new(env!("CARGO"))
        .args(["rustc", "--lib", "--crate-type", "cdylib", "--locked", "--quiet", "--target-dir"])
        .arg(&target)
        .current_dir(root().join("../../examples/sticky-session"))
        .output()
        .unwrap();
    assert!(built.status.success(), "{}", stderr(&built));
    let name = format!("{}sticky_session{}", env::consts::DLL_PREFIX, env::consts::DLL_SUFFIX);
    let scenario = r#"
duration = "2s"
servers = [{ name = "server", count = 4 }]

[[clients]]
name = "client"
rate = "500/s"
keys = { header = "session-id", count = 1 }
"#;
    let policy = r#"sticky_session={"header": "session-id"}"#;
    let library = target.join("debug").join(name);
    let attempts = attempts_with(folder.path(), scenario, &library, policy);
    let used: Vec<_> = attempts.iter().filter(|attempts| **attempts > 0).collect();
    assert!(matches!(used[..], [calls] if *calls > 800), "{attempts:?}");
}

#[test]
fn without_the_plugin_its_policy_is_not_known() {
    let folder = tempfile::tempdir().unwrap();
    let run = steer_sim(folder.path(), &["run", "two.toml"]);
    assert_eq!(run.status.code(), Some(2));
    assert!(stderr(&run).contains("expected the name of a policy"), "{}", stderr(&run));
}

#[test]
fn two_releases_of_a_plugin_are_compared() {
    let folder = tempfile::tempdir().unwrap();
    let Some(old) = compile(folder.path(), "old.so", &[]) else { return };
    let Some(new) = compile(folder.path(), "new.so", &["-DLAST"]) else { return };
    let (old, new) = (old.to_str().unwrap(), new.to_str().unwrap());
    let compare = steer_sim(
        folder.path(),
        &[
            "compare",
            "two.toml",
            "--first",
            "one_backend",
            "--first-plugin",
            old,
            "--second",
            "one_backend",
            "--second-plugin",
            new,
            "--json",
            "numbers.json",
        ],
    );
    assert!(compare.status.success(), "{}", stderr(&compare));

    let numbers = fs::read_to_string(folder.path().join("numbers.json")).unwrap();
    let comparison: serde_json::Value = serde_json::from_str(&numbers).unwrap();
    let measures = comparison["scenarios"][0]["measures"].as_array().unwrap();
    let errors = measures.iter().find(|measure| measure["name"] == "errors").unwrap();
    assert_eq!(errors["first"], 0.0, "{errors}");
    assert_eq!(errors["second"], 1.0, "{errors}");
}
