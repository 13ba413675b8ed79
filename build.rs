//! Sets the SONAME of the shared library, so that programs find it by name, and not by the path
//! where it was built. Its number is 1 as long as nothing is removed from the C interface.

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    let linux = std::env::var("CARGO_CFG_TARGET_OS").is_ok_and(|os| os == "linux");
    if linux {
        println!("cargo:rustc-cdylib-link-arg=-Wl,-soname,libsteer.so.1");
    }
}
