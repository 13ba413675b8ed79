//! Names the shared library, so that what is linked with it finds it by name and not by the path
//! where it was built. The number is that of the C interface, which only grows: it stays 1 as long as
//! nothing is taken away.

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    let linux = std::env::var("CARGO_CFG_TARGET_OS").is_ok_and(|os| os == "linux");
    if linux {
        println!("cargo:rustc-cdylib-link-arg=-Wl,-soname,libsteer.so.1");
    }
}
