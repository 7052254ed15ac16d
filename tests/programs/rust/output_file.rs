use std::fs::{self, File};
use std::io::{BufWriter, Write};

use serde::Serialize;

#[derive(Serialize)]
struct Row {
    n: u32,
    square: u32,
    kind: &'static str,
}

fn main() -> anyhow::Result<()> {
    fs::create_dir("out")?;
    let mut table = csv::Writer::from_path("out/table.csv")?;
    for n in 1..=4 {
        table.serialize(Row { n, square: n * n, kind: if n % 2 == 0 { "even" } else { "odd, not even" } })?;
    }
    table.flush()?;

    // A picture without any library: a disc as a portable grey map.
    let mut picture = BufWriter::new(File::create("out/disc.pgm")?);
    writeln!(picture, "P2 9 9 9")?;
    for y in -4i32..=4 {
        let row: Vec<String> = (-4i32..=4).map(|x| if x * x + y * y <= 16 { "9" } else { "0" }.into()).collect();
        writeln!(picture, "{}", row.join(" "))?;
    }
    picture.flush()?;

    let mut names: Vec<_> = fs::read_dir("out")?.map(|entry| entry.unwrap().file_name()).collect();
    names.sort();
    println!("{names:?}");
    print!("{}", fs::read_to_string("out/table.csv")?);
    Ok(())
}
