//! A library beside the program, as cargo would build it.

use chrono::NaiveDate;
use indexmap::IndexMap;

pub mod report;

pub struct Entry {
    pub date: NaiveDate,
    pub account: String,
    pub cents: i64,
}

pub fn parse(line: &str) -> Option<Entry> {
    let mut words = line.split_whitespace();
    Some(Entry {
        date: NaiveDate::parse_from_str(words.next()?, "%Y-%m-%d").ok()?,
        account: words.next()?.to_owned(),
        cents: words.next()?.parse().ok()?,
    })
}

pub fn balances<'a>(entries: &'a [Entry]) -> IndexMap<&'a str, i64> {
    let mut sums = IndexMap::new();
    for entry in entries {
        *sums.entry(entry.account.as_str()).or_insert(0) += entry.cents;
    }
    sums
}
