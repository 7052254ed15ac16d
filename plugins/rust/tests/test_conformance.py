"""Rust against the running service at SOULBOX_URL."""

import pytest

from soulbox_core.testing import Programs, conformance
from soulbox_rust import RUST

pytestmark = pytest.mark.integration


def _main(body: str) -> str:
    return f"fn main() {{\n    {body}\n}}\n"


TestRust = conformance(
    RUST,
    Programs(
        echo_stdin=_main("std::io::copy(&mut std::io::stdin(), &mut std::io::stdout()).unwrap();"),
        print_args=_main('std::env::args().skip(1).for_each(|word| println!("{word}"));'),
        print_env=_main('println!("{}", std::env::var("GREETING").unwrap());'),
        exit_code_3=_main("std::process::exit(3);"),
        stderr=_main('eprintln!("oops");'),
        unicode=_main('println!("Grüße, 世界 🌍");'),
        compile_error=_main("let n: u32 = nowhere;"),
        runtime_error=_main('let none: Option<u8> = None; none.expect("no");'),
        large_output=_main('println!("{}", "x".repeat(1 << 20));'),
        sleep_forever=_main("std::thread::sleep(std::time::Duration::from_secs(3600));"),
        busy_loop=_main("loop {}"),
        eat_memory=_main("let mut hoard = Vec::new(); loop { hoard.push(vec![1u8; 1 << 20]); }"),
        many_processes=_main("loop { std::thread::spawn(|| std::thread::park()); }"),
        big_file=_main(
            "use std::io::Write;\n"
            '    let mut file = std::fs::File::create("big").unwrap();\n'
            "    loop { file.write_all(&[0; 1 << 16]).unwrap(); }"
        ),
        fill_scratch=_main(
            "for n in 0.. { std::fs::write(n.to_string(), vec![0; 1 << 20]).unwrap(); }"
        ),
    ),
)
