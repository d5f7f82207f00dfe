mod json;
mod order;

use std::process::ExitCode;

fn main() -> ExitCode {
    let (mut as_json, mut sorted, mut files) = (false, false, Vec::new());
    for word in std::env::args().skip(1) {
        match word.as_str() {
            "--json" => as_json = true,
            "--sort" => sorted = true,
            _ if word.starts_with("--") => {
                eprintln!("lines: unknown option {word}");
                return ExitCode::from(2);
            }
            _ => files.push(word),
        }
    }
    let mut status = ExitCode::SUCCESS;
    let mut counts = Vec::new();
    for name in files {
        match std::fs::read_to_string(&name) {
            Ok(text) => counts.push((name, text.lines().count())),
            Err(error) => {
                eprintln!("lines: {name}: {error}");
                status = ExitCode::FAILURE;
            }
        }
    }
    if sorted {
        order::longest_first(&mut counts);
    }
    if as_json {
        println!("{}", json::array(&counts));
    } else {
        counts.iter().for_each(|(name, lines)| println!("{lines:6} {name}"));
    }
    status
}
