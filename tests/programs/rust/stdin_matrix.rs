use std::io::{self, Read, Write};

/// Reads numbers as judges give them: separated by whatever white space there is.
struct Scanner<'a> {
    words: std::str::SplitAsciiWhitespace<'a>,
}

impl<'a> Scanner<'a> {
    fn next<T: std::str::FromStr>(&mut self) -> T
    where
        T::Err: std::fmt::Debug,
    {
        self.words.next().expect("no more input").parse().expect("bad input")
    }
}

fn main() {
    let mut text = String::new();
    io::stdin().read_to_string(&mut text).unwrap();
    let mut input = Scanner { words: text.split_ascii_whitespace() };
    let mut out = io::BufWriter::new(io::stdout().lock());

    let cases: usize = input.next();
    for case in 1..=cases {
        let (rows, columns): (usize, usize) = (input.next(), input.next());
        let grid: Vec<Vec<i64>> = (0..rows).map(|_| (0..columns).map(|_| input.next()).collect()).collect();
        let mut sums = vec![vec![0i64; columns + 1]; rows + 1];
        for row in 0..rows {
            for column in 0..columns {
                sums[row + 1][column + 1] =
                    grid[row][column] + sums[row][column + 1] + sums[row + 1][column] - sums[row][column];
            }
        }
        let mut best = (i64::MIN, 0, 0, 0, 0);
        for top in 0..rows {
            for left in 0..columns {
                for bottom in top..rows {
                    for right in left..columns {
                        let sum = sums[bottom + 1][right + 1] - sums[top][right + 1] - sums[bottom + 1][left]
                            + sums[top][left];
                        if sum > best.0 {
                            best = (sum, top, left, bottom, right);
                        }
                    }
                }
            }
        }
        writeln!(out, "case {case}: largest sum {} at ({}, {})-({}, {})", best.0, best.1, best.2, best.3, best.4).unwrap();
    }
    let name: String = input.next();
    writeln!(out, "bye, {name}").unwrap();
}
