use std::cmp::Reverse;
use std::collections::HashMap;
use std::io::{self, BufRead};

fn main() -> io::Result<()> {
    let mut counts: HashMap<String, usize> = HashMap::new();
    let (mut lines, mut characters) = (0, 0);
    for line in io::stdin().lock().lines() {
        let line = line?;
        lines += 1;
        characters += line.chars().count();
        for word in line.split(|c: char| !c.is_alphanumeric() && c != '\'').filter(|word| !word.is_empty()) {
            *counts.entry(word.to_lowercase()).or_insert(0) += 1;
        }
    }
    let mut ranked: Vec<(&String, &usize)> = counts.iter().collect();
    ranked.sort_by_key(|&(word, count)| (Reverse(count), word));
    println!("{lines} lines, {characters} characters, {} words, {} different", counts.values().sum::<usize>(), counts.len());
    for (word, count) in ranked.iter().take(6) {
        println!("{count:>3} {word:<8} {}", "*".repeat(**count));
    }
    let longest = counts.keys().max_by_key(|word| (word.chars().count(), Reverse(word.as_str()))).unwrap();
    println!("longest: {longest}");
    Ok(())
}
