//! The bytes that a terminal is sent: lines in place of the last ones.

use expect_test::expect;
use spanwright::{
    terminal::{Screen, Size},
    view::{Line, Style},
};

/// A terminal of our own: characters in cells, at the cursor, wrapped as terminals wrap. It knows the four commands that
/// may be sent; any other fails the test, and so does a line of ours that reaches the last column, or a way up that is
/// longer than the screen. What the program prints goes where the cursor is.
pub(crate) struct Terminal {
    pub(crate) size: Size,
    pub(crate) lines: Vec<Vec<String>>,
    row: usize,
    /// Behind the last column when that has just been filled: only the next character goes to the next line.
    column: usize,
}

impl Terminal {
    pub(crate) fn new(width: usize, height: usize) -> Self {
        Self { size: Size::new(width, height), lines: vec![Vec::new()], row: 0, column: 0 }
    }

    /// Bytes of ours.
    pub(crate) fn feed(&mut self, bytes: &str) {
        let mut rest = bytes;
        while let Some(c) = rest.chars().next() {
            rest = &rest[c.len_utf8()..];
            match c {
                '\n' => {
                    assert!(self.column < self.size.width, "{:?}", self.lines[self.row]);
                    self.put(c);
                }
                '\u{1b}' => rest = self.command(rest),
                c => self.put(c),
            }
        }
        assert!(bytes.is_empty() || self.column == 0, "the cursor rests at the start of a line");
    }

    /// What the program prints.
    pub(crate) fn print(&mut self, text: &str) {
        text.chars().for_each(|c| self.put(c));
    }

    fn put(&mut self, c: char) {
        match c {
            '\r' => self.column = 0,
            '\n' => self.next_line(),
            c => {
                assert!(!c.is_control(), "{c:?}");
                self.put_in_cell(c, columns(&c.to_string()));
            }
        }
    }

    fn put_in_cell(&mut self, c: char, width: usize) {
        if self.column > 0 && self.column + width > self.size.width {
            self.next_line();
        }
        let line = &mut self.lines[self.row];
        line.resize(line.len().max(self.column + width.max(1)), " ".to_owned());
        if width == 0 {
            line[self.column.saturating_sub(1)].push(c);
        }
        for at in 0..width {
            line[self.column + at] = if at == 0 { c.to_string() } else { String::new() };
        }
        self.column += width;
    }

    fn next_line(&mut self) {
        (self.row, self.column) = (self.row + 1, 0);
        self.lines.resize(self.lines.len().max(self.row + 1), Vec::new());
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
                self.lines[self.row].truncate(self.column);
                self.lines.truncate(self.row + 1);
            }
            ("", "K") => self.lines[self.row].truncate(self.column),
            ("0" | "1" | "2" | "31" | "32" | "33" | "36", "m") => {}
            other => panic!("unknown command {other:?}"),
        }
        &rest[end + 1..]
    }

    pub(crate) fn text(&self) -> String {
        self.lines.iter().map(|line| format!("{}\n", line.concat().trim_end())).collect()
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
fn a_first_frame_begins_on_a_line_of_its_own_wherever_the_program_has_left_the_cursor() {
    for (printed, above) in
        [("", ""), ("a\n", "a\n"), ("> ", ">\n"), ("twenty columns, full", "twenty columns, full\n")]
    {
        let (mut screen, mut terminal) = (Screen::new(false), Terminal::new(20, 10));
        terminal.print(printed);
        terminal.feed(&screen.redraw(&lines(&["run a done"]), &lines(&["run b"]), Size::new(20, 10)));
        terminal.feed(&screen.redraw(&[], &lines(&["run b", "└─ more"]), Size::new(20, 10)));
        assert_eq!(terminal.text(), format!("{above}run a done\nrun b\n└─ more\n\n"));
    }
}

#[test]
fn a_cleared_screen_has_no_frame_and_the_next_one_goes_below_what_was_printed() {
    let (mut screen, mut terminal) = (Screen::new(false), Terminal::new(20, 10));
    let size = terminal.size;
    terminal.feed(&screen.redraw(&[], &lines(&["run a", "└─ one"]), size));
    terminal.feed(&screen.clear(size));
    assert_eq!(terminal.text(), "\n");
    assert_eq!(screen.clear(size), "", "there is nothing left to clear");
    assert_eq!(screen.redraw(&[], &[], size), "");
    terminal.print("the answer\n");
    terminal.feed(&screen.redraw(&[], &lines(&["run a", "└─ one"]), size));
    assert_eq!(terminal.text(), "the answer\nrun a\n└─ one\n\n");
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
