//! Sets STEER_SDK_BUILD: the SDK's version, compiler, target and profile. Plugins carry it in their
//! `steer_plugin` block, for logs and statistics.

use std::env;
use std::process::Command;

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    let rustc = env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let version = Command::new(rustc).arg("--version").output().ok();
    let version = version.and_then(|output| String::from_utf8(output.stdout).ok());
    let version = version.as_deref().map_or("rustc", str::trim);
    let sdk = env::var("CARGO_PKG_VERSION").unwrap_or_default();
    let target = env::var("TARGET").unwrap_or_default();
    let profile = env::var("PROFILE").unwrap_or_default();
    println!("cargo:rustc-env=STEER_SDK_BUILD=steer-sdk {sdk}, {version}, {target}, {profile}");
}
