//! The bytes that a terminal is sent: lines in place of the last ones.

use expect_test::expect;
use spanwright::{
    terminal::{Screen, Size},
    view::{Line, Style},
};

/// A terminal of our own. It knows the four commands that may be sent; any other fails the test, and so does a line
/// that reaches the last column, or a way up that is longer than the screen.
pub(crate) struct Terminal {
    pub(crate) size: Size,
    pub(crate) lines: Vec<String>,
    row: usize,
}

impl Terminal {
    pub(crate) fn new(width: usize, height: usize) -> Self {
        Self { size: Size::new(width, height), lines: vec![String::new()], row: 0 }
    }

    pub(crate) fn feed(&mut self, bytes: &str) {
        let mut rest = bytes;
        let mut line = String::new();
        while let Some(c) = rest.chars().next() {
            rest = &rest[c.len_utf8()..];
            match c {
                '\r' => assert!(line.is_empty()),
                '\n' => {
                    assert!(columns(&line) < self.size.width, "{line:?}");
                    self.lines[self.row] = std::mem::take(&mut line);
                    self.row += 1;
                    self.lines.resize(self.lines.len().max(self.row + 1), String::new());
                }
                '\u{1b}' => rest = self.command(rest),
                c => {
                    assert!(!c.is_control(), "{c:?}");
                    line.push(c);
                }
            }
        }
        assert!(line.is_empty(), "the cursor rests at the start of a line");
    }

    fn command<'a>(&mut self, rest: &'a str) -> &'a str {
        let rest = rest.strip_prefix('[').expect("CSI");
        let end = rest.find(|c: char| c.is_ascii_alphabetic()).expect("a command");
        match (&rest[..end], &rest[end..=end]) {
            (lines, "A") => {
                let lines: usize = lines.parse().expect("lines");
                assert!(lines < self.size.height, "out of sight");
                self.row -= lines;
            }
            ("", "J") => {
                self.lines.truncate(self.row);
                self.lines.push(String::new());
            }
            ("", "K") => {}
            ("0" | "1" | "2" | "31" | "32" | "33" | "36", "m") => {}
            other => panic!("unknown command {other:?}"),
        }
        &rest[end + 1..]
    }

    pub(crate) fn text(&self) -> String {
        self.lines.iter().map(|line| format!("{}\n", line.trim_end())).collect()
    }
}

fn columns(text: &str) -> usize {
    Line::new().and(Style::Plain, text).columns()
}

fn lines(texts: &[&str]) -> Vec<Line> {
    texts.iter().map(|text| Line::new().and(Style::Plain, *text)).collect()
}

#[test]
fn a_frame_replaces_the_last_one_and_what_is_settled_stays_above() {
    let (mut screen, mut terminal) = (Screen::new(false), Terminal::new(20, 10));
    let size = terminal.size;
    terminal.feed(&screen.redraw(&[], &lines(&["run a", "├─ one", "└─ two"]), size));
    terminal.feed(&screen.redraw(&[], &lines(&["run a", "└─ one"]), size));
    terminal.feed(&screen.redraw(&lines(&["run a done", "└─ one done"]), &lines(&["run b"]), size));
    terminal.feed(&screen.redraw(&[], &lines(&["run b", "└─ more"]), size));
    expect![[r#"
        run a done
        └─ one done
        run b
        └─ more

    "#]]
    .assert_eq(&terminal.text());
}

#[test]
fn the_bytes_of_a_frame_are_these() {
    let mut screen = Screen::new(true);
    let line = Line::new().and(Style::Good, "✓").and(Style::Dim, " llm").and(Style::Plain, " gpt-5");
    let size = Size::new(20, 10);
    expect![[r#"
        ␍␛[32m✓␛[0m␛[2m llm␛[0m gpt-5␛[K
        ␛[32m✓␛[0m␛[2m llm␛[0m gpt-5␛[K
        ␛[J"#]]
    .assert_eq(&screen.redraw(&[], &[line.clone(), line.clone()], size).replace('\u{1b}', "␛").replace('\r', "␍"));
    assert_eq!(screen.redraw(&[], &[line.clone(), line.clone()], size), "", "nothing changed, nothing is sent");
    expect![[r#"
        ␍␛[2A␛[32m✓␛[0m␛[2m llm␛[0m gpt-5␛[K
        ␛[J"#]]
    .assert_eq(&screen.redraw(&[], &[line], size).replace('\u{1b}', "␛").replace('\r', "␍"));
}

#[test]
fn a_narrower_window_takes_the_lines_that_it_broke_into_account() {
    let mut screen = Screen::new(false);
    screen.redraw(&[], &lines(&["twelve chars", "x"]), Size::new(20, 10));
    let frame = screen.redraw(&[], &lines(&["y"]), Size::new(5, 10));
    assert!(frame.starts_with("\r\u{1b}[4A"), "{frame:?}");
}

#[test]
fn lines_are_cut_by_columns_and_not_by_characters() {
    let line = Line::new().and(Style::Plain, "日本語の").and(Style::Dim, "質問です");
    for (width, cut) in [
        (20, "日本語の質問です"),
        (16, "日本語の質問です"),
        (15, "日本語の質問で…"),
        (8, "日本語…"),
        (2, "…"),
        (1, "…"),
        (0, ""),
    ] {
        let line = line.clone().cut_to(width);
        assert_eq!(line.to_string(), cut, "{width}");
        assert!(line.columns() <= width);
    }
}
