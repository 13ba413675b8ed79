//! The program `steer-sim`: see `steer-sim --help` and docs/simulator.md.

mod cli;

fn main() -> std::process::ExitCode {
    cli::run()
}
