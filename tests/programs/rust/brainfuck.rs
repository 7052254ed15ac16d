use std::io::{self, Read, Write};

fn run(program: &str, mut input: impl Read, mut output: impl Write) -> io::Result<usize> {
    let code: Vec<u8> = program.bytes().filter(|byte| b"+-<>[].,".contains(byte)).collect();
    let (mut jumps, mut open) = (vec![0; code.len()], Vec::new());
    for (at, byte) in code.iter().enumerate() {
        match byte {
            b'[' => open.push(at),
            b']' => {
                let start = open.pop().ok_or(io::Error::other("unmatched ]"))?;
                (jumps[start], jumps[at]) = (at, start);
            }
            _ => {}
        }
    }
    if let Some(at) = open.pop() {
        return Err(io::Error::other(format!("unmatched [ at {at}")));
    }
    let (mut tape, mut place, mut at, mut steps) = (vec![0u8; 30_000], 0usize, 0, 0);
    while at < code.len() {
        match code[at] {
            b'>' => place += 1,
            b'<' => place -= 1,
            b'+' => tape[place] = tape[place].wrapping_add(1),
            b'-' => tape[place] = tape[place].wrapping_sub(1),
            b'.' => output.write_all(&tape[place..=place])?,
            b',' => tape[place] = (&mut input).bytes().next().transpose()?.unwrap_or(0),
            b'[' if tape[place] == 0 => at = jumps[at],
            b']' if tape[place] != 0 => at = jumps[at],
            _ => {}
        }
        at += 1;
        steps += 1;
    }
    Ok(steps)
}

const HELLO: &str = "++++++++[>++++[>++>+++>+++>+<<<<-]>+>+>->>+[<]<-]>>.>---.+++++++..+++.>>.<-.<.+++.------.--------.>>+.>++.";
const REVERSE: &str = ">,[>,]<[.<]";
const ALPHABET: &str = "++++++[>++++++++++>++++<<-]>+++++>++[-<.+>]";

fn main() -> io::Result<()> {
    let mut out = io::stdout().lock();
    let steps = run(HELLO, io::empty(), &mut out)?;
    writeln!(out, "{steps} steps")?;
    run(REVERSE, io::stdin(), &mut out)?;
    writeln!(out)?;
    let mut letters = Vec::new();
    let steps = run(ALPHABET, io::empty(), &mut letters)?;
    writeln!(out, "{} ({steps} steps)", String::from_utf8_lossy(&letters))?;
    writeln!(out, "{}", run("[[]", io::empty(), io::sink()).unwrap_err())
}
