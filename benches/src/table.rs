//! Tables in Markdown.

/// Prints a heading and a table.
pub fn print(title: &str, head: &[&str], rows: &[Vec<String>]) {
    println!("\n### {title}\n");
    println!("| {} |", head.join(" | "));
    println!("|{}", "---|".repeat(head.len()));
    for row in rows {
        println!("| {} |", row.join(" | "));
    }
}

/// The middle of some numbers, without those that are none.
pub fn median(mut numbers: Vec<f64>) -> f64 {
    numbers.retain(|number| !number.is_nan());
    numbers.sort_by(f64::total_cmp);
    numbers.get(numbers.len() / 2).copied().unwrap_or(f64::NAN)
}

/// A number with as many places as it needs.
pub fn number(value: f64) -> String {
    match value {
        v if v.is_nan() => "-".into(),
        v if v.abs() < 0.05 => "0".into(),
        v if v.abs() < 10.0 => format!("{v:.1}"),
        v => format!("{v:.0}"),
    }
}

/// A ratio, two places.
pub fn ratio(value: f64, of: f64) -> String {
    if of == 0.0 || of.is_nan() || value.is_nan() { "-".into() } else { format!("{:.2}", value / of) }
}
