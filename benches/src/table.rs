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

/// The middle of some numbers; 0 where there are none.
pub fn median(mut numbers: Vec<f64>) -> f64 {
    numbers.sort_by(f64::total_cmp);
    numbers.get(numbers.len() / 2).copied().unwrap_or(0.0)
}

/// A number with as many places as it needs.
pub fn number(value: f64) -> String {
    match value {
        v if v.abs() < 0.05 => "0".into(),
        v if v.abs() < 10.0 => format!("{v:.1}"),
        v => format!("{v:.0}"),
    }
}

/// A ratio, two places.
pub fn ratio(value: f64, of: f64) -> String {
    if of == 0.0 { "-".into() } else { format!("{:.2}", value / of) }
}
