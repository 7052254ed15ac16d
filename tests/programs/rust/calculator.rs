use std::iter::Peekable;
use std::str::Chars;

#[derive(Debug, Clone)]
enum Expression {
    Number(f64),
    Negative(Box<Expression>),
    Binary { operator: char, left: Box<Expression>, right: Box<Expression> },
}

use Expression::{Binary, Negative, Number};

struct Parser<'a>(Peekable<Chars<'a>>);

impl Parser<'_> {
    fn take(&mut self, wanted: impl Fn(char) -> bool) -> Option<char> {
        while self.0.next_if(|c| c.is_whitespace()).is_some() {}
        self.0.next_if(|&c| wanted(c))
    }

    fn expression(&mut self, binding: u8) -> Result<Expression, String> {
        let mut left = self.operand()?;
        while let Some(&operator) = { self.take(|_| false); self.0.peek() } {
            let (strength, right_strength) = match operator {
                '+' | '-' => (1, 2),
                '*' | '/' => (3, 4),
                '^' => (6, 5),
                _ => break,
            };
            if strength < binding {
                break;
            }
            self.0.next();
            let right = self.expression(right_strength)?;
            left = Binary { operator, left: Box::new(left), right: Box::new(right) };
        }
        Ok(left)
    }

    fn operand(&mut self) -> Result<Expression, String> {
        if self.take(|c| c == '-').is_some() {
            return Ok(Negative(Box::new(self.expression(4)?)));
        }
        if self.take(|c| c == '(').is_some() {
            let inner = self.expression(0)?;
            return self.take(|c| c == ')').map(|_| inner).ok_or_else(|| "missing )".into());
        }
        let mut digits = String::new();
        while let Some(c) = self.0.next_if(|c| c.is_ascii_digit() || *c == '.') {
            digits.push(c);
        }
        digits.parse().map(Number).map_err(|_| format!("expected a number at {:?}", self.0.clone().collect::<String>()))
    }
}

fn evaluate(expression: &Expression) -> Result<f64, String> {
    Ok(match expression {
        Number(value) => *value,
        Negative(inner) => -evaluate(inner)?,
        Binary { operator, left, right } => match (operator, evaluate(left)?, evaluate(right)?) {
            ('+', a, b) => a + b,
            ('-', a, b) => a - b,
            ('*', a, b) => a * b,
            ('/', _, 0.0) => return Err("division by zero".into()),
            ('/', a, b) => a / b,
            ('^', a, b) => a.powf(b),
            _ => unreachable!(),
        },
    })
}

fn calculate(text: &str) -> Result<f64, String> {
    let mut parser = Parser(text.chars().peekable());
    let expression = parser.expression(0)?;
    match parser.0.next() {
        None => evaluate(&expression),
        Some(extra) => Err(format!("unexpected {extra:?}")),
    }
}

fn main() {
    for text in ["1 + 2 * 3", "(1 + 2) * 3", "2 ^ 3 ^ 2", "-2 ^ 2", "10 / 4 - 1", "8 / 2 / 2", "1 / (3 - 3)", "2 * (3", "4 +", "1 2"] {
        match calculate(text) {
            Ok(value) => println!("{text} = {value}"),
            Err(error) => println!("{text}: {error}"),
        }
    }
}
