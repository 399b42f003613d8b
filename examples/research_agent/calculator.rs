//! Arithmetic with + - * / ^ and parentheses, read by recursive descent.

use std::iter::Peekable;
use std::str::Chars;

type Input<'a> = Peekable<Chars<'a>>;

// A model may send any string; without a bound a row of "(" would exhaust the stack.
const MAX_LENGTH: usize = 200;

pub(crate) fn evaluate(expression: &str) -> Result<f64, String> {
    if expression.len() > MAX_LENGTH {
        return Err(format!("an expression may have {MAX_LENGTH} characters at most"));
    }
    let mut input = expression.chars().peekable();
    let value = sum(&mut input)?;
    match next_sign(&mut input) {
        Some(rest) => Err(format!("did not expect {rest:?} after a complete expression")),
        None if value.is_finite() => Ok(value),
        None => Err("the result is not a finite number (was something divided by zero?)".to_owned()),
    }
}

fn sum(input: &mut Input<'_>) -> Result<f64, String> {
    let mut value = product(input)?;
    while let Some(sign @ ('+' | '-')) = next_sign(input) {
        input.next();
        let right = product(input)?;
        value = if sign == '+' { value + right } else { value - right };
    }
    Ok(value)
}

fn product(input: &mut Input<'_>) -> Result<f64, String> {
    let mut value = power(input)?;
    while let Some(sign @ ('*' | '/')) = next_sign(input) {
        input.next();
        let right = power(input)?;
        value = if sign == '*' { value * right } else { value / right };
    }
    Ok(value)
}

fn power(input: &mut Input<'_>) -> Result<f64, String> {
    let base = atom(input)?;
    if next_sign(input) == Some('^') {
        input.next();
        return Ok(base.powf(power(input)?));
    }
    Ok(base)
}

fn atom(input: &mut Input<'_>) -> Result<f64, String> {
    match next_sign(input) {
        Some('-') => {
            input.next();
            Ok(-power(input)?)
        }
        Some('(') => {
            input.next();
            let value = sum(input)?;
            match next_sign(input) {
                Some(')') => input.next(),
                _ => return Err("a parenthesis is not closed".to_owned()),
            };
            Ok(value)
        }
        Some(c) if c.is_ascii_digit() || c == '.' => number(input),
        Some(c) => Err(format!("expected a number, found {c:?}")),
        None => Err("the expression ends where a number should be".to_owned()),
    }
}

fn number(input: &mut Input<'_>) -> Result<f64, String> {
    let mut digits = String::new();
    while let Some(c) = input.next_if(|c| c.is_ascii_digit() || *c == '.') {
        digits.push(c);
    }
    digits.parse().map_err(|_| format!("{digits:?} is not a number"))
}

fn next_sign(input: &mut Input<'_>) -> Option<char> {
    while input.next_if(|c| c.is_whitespace()).is_some() {}
    input.peek().copied()
}
