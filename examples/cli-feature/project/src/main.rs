use std::process::ExitCode;

fn main() -> ExitCode {
    let mut status = ExitCode::SUCCESS;
    for name in std::env::args().skip(1) {
        match std::fs::read_to_string(&name) {
            Ok(text) => println!("{:6} {name}", text.lines().count()),
            Err(error) => {
                eprintln!("lines: {name}: {error}");
                status = ExitCode::FAILURE;
            }
        }
    }
    status
}
