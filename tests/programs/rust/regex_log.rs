use std::collections::BTreeMap;
use std::sync::LazyLock;

use regex::{Captures, Regex};

static LINE: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(
        r#"(?x)
        ^(?P<host>\d{1,3}(?:\.\d{1,3}){3})\s-\s-\s
        \[(?P<time>[^\]]+)\]\s
        "(?P<method>GET|POST|PUT)\s(?P<path>\S+)[^"]*"\s
        (?P<status>\d{3})\s(?P<size>\d+|-)$"#,
    )
    .unwrap()
});

const LOG: &str = r#"10.0.0.1 - - [01/Feb/2024:10:00:00 +0000] "GET /index.html HTTP/1.1" 200 5120
10.0.0.2 - - [01/Feb/2024:10:00:01 +0000] "POST /api/items?id=7 HTTP/1.1" 201 64
garbage
10.0.0.1 - - [01/Feb/2024:10:00:02 +0000] "GET /missing HTTP/1.1" 404 -
10.0.0.3 - - [01/Feb/2024:10:00:03 +0000] "GET /index.html HTTP/1.1" 200 5120"#;

fn main() {
    let mut bytes_by_host: BTreeMap<&str, u64> = BTreeMap::new();
    for (number, line) in LOG.lines().enumerate() {
        let Some(found) = LINE.captures(line) else {
            println!("line {}: no match", number + 1);
            continue;
        };
        let size = found["size"].parse().unwrap_or(0);
        *bytes_by_host.entry(found.name("host").unwrap().as_str()).or_default() += size;
        println!("{} {} -> {}", &found["method"], &found["path"], &found["status"]);
    }
    println!("{bytes_by_host:?}");

    let dates = Regex::new(r"(\d{4})-(\d{2})-(\d{2})").unwrap();
    println!("{}", dates.replace_all("from 2024-01-31 to 2024-02-29", "$3.$2.$1"));
    let numbers = Regex::new(r"\d+").unwrap();
    let doubled = numbers.replace_all("3 apples, 12 pears", |found: &Captures| {
        (found[0].parse::<u32>().unwrap() * 2).to_string()
    });
    println!("{doubled}");
    let words: Vec<&str> = Regex::new(r"\p{Lu}\p{L}*").unwrap()
        .find_iter("Ärger mit Öl und Übermut").map(|found| found.as_str()).collect();
    println!("{words:?}");
}
