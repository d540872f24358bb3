//! Lines of Markdown as they are written: paragraphs apart, the marks of quotes and lists before each line.

/// The longest that marks before a line become, in bytes. Deeper quotes and lists look like the last one that had
/// room; otherwise a page of nested quotes would become larger with every line.
const MARKS_BYTES_MAX: usize = 60;

/// What stands before lines.
struct Mark {
    /// Before the next line, if none was written with it yet.
    first: Option<String>,
    /// Before all others.
    rest: String,
}

/// Text in the making.
#[derive(Default)]
pub(super) struct Writer {
    text: String,
    marks: Vec<Mark>,
    marks_bytes: usize,
    /// Line ends due before the next text.
    due: usize,
    /// Marks that all the lines since the last text have had.
    due_marks: usize,
    /// A space is due before the next text of the line.
    has_space: bool,
    /// A space came before all text.
    has_leading_space: bool,
}

impl Writer {
    /// Ends the line.
    pub(super) fn line(&mut self) {
        self.end(1);
    }

    /// Ends the paragraph.
    pub(super) fn paragraph(&mut self) {
        self.end(2);
    }

    fn end(&mut self, lines: usize) {
        // The line of a new mark has not begun, so there is nothing to end.
        if self.due > 0 && self.marks.last().is_some_and(|mark| mark.first.is_some()) {
            return;
        }
        self.due_marks = match self.due {
            0 => self.marks.len(),
            _ => self.due_marks.min(self.marks.len()),
        };
        self.due = self.due.max(lines);
        self.has_space = false;
    }

    /// Makes sure that there is a space before the next text of the line.
    pub(super) fn gap(&mut self) {
        self.has_space = true;
        self.has_leading_space |= self.text.is_empty();
    }

    /// Tells whether there was a space before the text, and one after it.
    pub(super) fn spaces(&self) -> (bool, bool) {
        (self.has_leading_space, self.has_space)
    }

    /// Ends one of several parts of a line.
    pub(super) fn part(&mut self) {
        if !self.text.is_empty() && !self.text.ends_with(';') {
            self.text.push(';');
        }
        self.gap();
    }

    /// Writes text of a page: white space is one space, and none at the ends of lines.
    pub(super) fn flowing(&mut self, text: &str) {
        if text.starts_with(char::is_whitespace) {
            self.gap();
        }
        let mut is_first = true;
        for word in text.split_whitespace() {
            if !is_first {
                self.has_space = true;
            }
            is_first = false;
            self.exact(word);
        }
        if !is_first && text.ends_with(char::is_whitespace) {
            self.has_space = true;
        }
    }

    /// Writes a piece of a line as it is.
    pub(super) fn exact(&mut self, piece: &str) {
        if piece.is_empty() {
            return;
        }
        if self.text.is_empty() || self.due > 0 {
            self.start();
        } else if self.has_space {
            self.text.push(' ');
        }
        self.has_space = false;
        self.text.push_str(piece);
    }

    /// Writes whole lines as they are, empty ones too.
    pub(super) fn lines<'a>(&mut self, lines: impl Iterator<Item = &'a str>) {
        for line in lines {
            self.line();
            if self.text.is_empty() || self.due > 0 {
                self.start();
            }
            self.text.push_str(line);
        }
        self.line();
    }

    /// Begins a line with its marks.
    fn start(&mut self) {
        if !self.text.is_empty() {
            self.text.truncate(self.text.trim_end_matches(' ').len());
            for number in 0..self.due {
                self.text.push('\n');
                if number + 1 < self.due {
                    let marks = self.marks.iter().take(self.due_marks);
                    let marks: String = marks.map(|mark| mark.rest.as_str()).collect();
                    self.text.push_str(marks.trim_end());
                }
            }
        }
        self.due = 0;
        self.has_space = false;
        for mark in &mut self.marks {
            match mark.first.take() {
                Some(first) => self.text.push_str(&first),
                None => self.text.push_str(&mark.rest),
            }
        }
    }

    /// Puts a mark before the next lines: `first` before the first of them, `rest` before the others.
    pub(super) fn open(&mut self, first: &str, rest: &str) {
        let has_room = self.marks_bytes + rest.len() <= MARKS_BYTES_MAX;
        let mark = match has_room {
            true => Mark {
                first: Some(first.to_owned()),
                rest: rest.to_owned(),
            },
            false => Mark {
                first: None,
                rest: String::new(),
            },
        };
        self.marks_bytes += mark.rest.len();
        self.marks.push(mark);
    }

    /// Ends the last mark.
    pub(super) fn close(&mut self) {
        if let Some(mark) = self.marks.pop() {
            self.marks_bytes -= mark.rest.len();
        }
        self.due_marks = self.due_marks.min(self.marks.len());
    }

    /// Returns what was written.
    pub(super) fn finish(self) -> String {
        self.text
    }
}
