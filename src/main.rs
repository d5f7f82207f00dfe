//! The `cco` binary: everything is in the library.

fn main() -> std::process::ExitCode {
    cco::cli::main()
}
