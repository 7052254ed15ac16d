use std::{env, io::{IsTerminal, stdin}, process::ExitCode};

fn main() -> ExitCode {
    let words: Vec<String> = env::args().skip(1).collect();
    println!("{words:?}");
    println!("{:?} {:?}", env::var("GREETING"), env::var("NOT_THERE").is_err());
    println!("{} {}", env::current_dir().unwrap().display(), stdin().is_terminal());
    eprintln!("{} words", words.len());
    ExitCode::from(words.len() as u8)
}
