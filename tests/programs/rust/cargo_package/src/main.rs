use std::io;

use chrono::Datelike;
use clap::Parser;
use ledger_tool::{balances, parse, report::money};

#[derive(Parser)]
#[command(version, about = "Adds up accounts.")]
struct Options {
    /// Only this month.
    #[arg(long)]
    month: Option<u32>,
    title: String,
}

fn main() {
    let options = Options::parse();
    let (good, bad): (Vec<_>, Vec<_>) = io::stdin().lines().map(|line| parse(&line.unwrap())).partition(Option::is_some);
    let entries: Vec<_> = good.into_iter().flatten()
        .filter(|entry| options.month.is_none_or(|month| month == entry.date.month())).collect();
    println!("{} by {} {}", options.title, env!("CARGO_PKG_NAME"), env!("CARGO_PKG_VERSION"));
    for (account, cents) in balances(&entries) {
        println!("{account:<8}{:>10}", money(cents));
    }
    println!("{} lines skipped", bad.len());
}
