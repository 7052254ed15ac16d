//! The linker that rustc is told to use.
//!
//! It links against a standard library that is linked already, which leaves mold next to nothing
//! to do. What cannot be linked that way is linked as rustc asked for, and whatever that says is
//! what the user sees.

use std::env;
use std::ffi::OsString;
use std::os::unix::process::CommandExt;
use std::process::{Command, ExitCode, Stdio};

const MOLD: &str = "/usr/bin/mold";

// Known when the image is built; lists are separated by colons.
const LOADER: &str = env!("LINK_LOADER");
const DIRECTORIES: &str = env!("LINK_DIRECTORIES");
const BEGIN: &str = env!("LINK_BEGIN");
const END: &str = env!("LINK_END");
const START: &str = env!("LINK_START");
const LINKED_STD: &str = env!("LINK_STD");
const RUSTLIB: &str = env!("LINK_RUSTLIB");

fn main() -> ExitCode {
    let asked: Vec<OsString> = env::args_os().skip(1).collect();
    let quick = mold()
        .args(asked.iter().filter(|word| !is_std(word)))
        .arg("--as-needed")
        .args(list(START))
        .args(list(LINKED_STD))
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    if quick.is_ok_and(|status| status.success()) {
        return ExitCode::SUCCESS;
    }
    let failure = mold().args(list(BEGIN)).args(&asked).args(list(END)).exec();
    eprintln!("{MOLD}: {failure}");
    ExitCode::FAILURE
}

fn mold() -> Command {
    let mut command = Command::new(MOLD);
    // By default a child of mold's does the work, and goes on when mold has ended.
    command.arg("--no-fork").arg(format!("--dynamic-linker={LOADER}"));
    command.args(list(DIRECTORIES).map(|directory| format!("-L{directory}")));
    command
}

/// Whether a word of rustc's command line stands for a part of what is linked already.
fn is_std(word: &OsString) -> bool {
    let Some(word) = word.to_str() else { return false };
    match word {
        "-lc" | "-lm" | "-ldl" | "-lrt" | "-lutil" | "-lpthread" | "-lgcc_s" => true,
        _ => word.starts_with(RUSTLIB) && word.ends_with(".rlib"),
    }
}

fn list(words: &'static str) -> impl Iterator<Item = &'static str> {
    words.split(':').filter(|word| !word.is_empty())
}
