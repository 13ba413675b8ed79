//! Write load-balancing policies for gRPC C++ in Rust.

pub mod abi;
