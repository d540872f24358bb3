//! Where lines are written: colours, tabs and the prefix of a line, as the options want them.

use std::io::{self, Write};

/// What a piece of output is, for its colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Paint {
    Plain,
    Header,
    Numbers,
    Deleted,
    Added,
}

/// The colours, as SGR parameters.
#[derive(Clone, Debug)]
pub(crate) struct Palette {
    reset: String,
    header: String,
    numbers: String,
    deleted: String,
    added: String,
}

impl Default for Palette {
    fn default() -> Self {
        Self {
            reset: "0".to_owned(),
            header: "1".to_owned(),
            numbers: "36".to_owned(),
            deleted: "31".to_owned(),
            added: "32".to_owned(),
        }
    }
}

impl Palette {
    /// Reads a list as `--palette` has it: `hd=1:ad=32`.
    pub(crate) fn set(&mut self, text: &str) {
        for (name, value) in text.split(':').filter_map(|part| part.split_once('=')) {
            let place = match name {
                "rs" => &mut self.reset,
                "hd" => &mut self.header,
                "ln" => &mut self.numbers,
                "de" => &mut self.deleted,
                "ad" => &mut self.added,
                _ => continue,
            };
            value.clone_into(place);
        }
    }
}

/// How lines look.
#[derive(Clone, Debug, Default)]
pub(crate) struct Look {
    pub(crate) palette: Option<Palette>,
    pub(crate) expand_tabs: bool,
    pub(crate) initial_tab: bool,
    pub(crate) suppress_blank_empty: bool,
    pub(crate) tab: usize,
}

/// The output with its colour now.
pub(crate) struct Pen<'a> {
    out: &'a mut dyn Write,
    pub(crate) look: &'a Look,
    now: Paint,
}

impl<'a> Pen<'a> {
    pub(crate) fn new(out: &'a mut dyn Write, look: &'a Look) -> Self {
        Self {
            out,
            look,
            now: Paint::Plain,
        }
    }

    /// Changes the colour.
    pub(crate) fn paint(&mut self, paint: Paint) -> io::Result<()> {
        let Some(palette) = &self.look.palette else {
            return Ok(());
        };
        if self.now == paint {
            return Ok(());
        }
        self.now = paint;
        let code = match paint {
            Paint::Plain => &palette.reset,
            Paint::Header => &palette.header,
            Paint::Numbers => &palette.numbers,
            Paint::Deleted => &palette.deleted,
            Paint::Added => &palette.added,
        };
        write!(self.out, "\x1b[{code}m")
    }

    /// Writes a line behind `prefix` and, if it is not empty, a blank or tab.
    pub(crate) fn line(&mut self, paint: Paint, prefix: &str, text: &[u8]) -> io::Result<()> {
        self.prefixed(
            paint,
            prefix,
            if prefix.is_empty() { "" } else { " " },
            text,
        )
    }

    /// Writes a line of a unified diff: the tab that `-T` wants stands behind the mark, or for the blank.
    pub(crate) fn unified(&mut self, paint: Paint, mark: &str, text: &[u8]) -> io::Result<()> {
        if mark == " " {
            return self.prefixed(paint, "", " ", text);
        }
        let gap = if self.look.initial_tab { " " } else { "" };
        self.prefixed(paint, mark, gap, text)
    }

    fn prefixed(&mut self, paint: Paint, prefix: &str, gap: &str, text: &[u8]) -> io::Result<()> {
        self.paint(paint)?;
        let omit = self.look.suppress_blank_empty && text == b"\n";
        let gap = match gap {
            _ if omit => "",
            " " if self.look.initial_tab => "\t",
            gap => gap,
        };
        let prefix = if omit { prefix.trim_end() } else { prefix };
        self.out.write_all(prefix.as_bytes())?;
        self.out.write_all(gap.as_bytes())?;
        let (content, ended) = match text.strip_suffix(b"\n") {
            Some(content) => (content, true),
            None => (text, false),
        };
        self.content(content, prefix, gap)?;
        self.paint(Paint::Plain)?;
        if ended {
            self.out.write_all(b"\n")
        } else {
            self.out.write_all(b"\n\\ No newline at end of file\n")
        }
    }

    /// Writes the text of a line, its tabs as blanks if that is wanted.
    pub(crate) fn content(&mut self, text: &[u8], prefix: &str, gap: &str) -> io::Result<()> {
        if !self.look.expand_tabs {
            return self.out.write_all(text);
        }
        let tab = self.look.tab.max(1);
        let mut column = 0;
        for (place, byte) in text.iter().enumerate() {
            match byte {
                b'\t' => {
                    let width = tab - column % tab;
                    column += width;
                    self.out.write_all(&vec![b' '; width])?;
                }
                b'\r' => {
                    self.out.write_all(b"\r")?;
                    if !prefix.is_empty() && place + 1 < text.len() {
                        self.out.write_all(prefix.as_bytes())?;
                        self.out.write_all(gap.as_bytes())?;
                        column = 0;
                    }
                }
                8 => {
                    if column > 0 {
                        column -= 1;
                        self.out.write_all(b"\x08")?;
                    }
                }
                _ => {
                    if !byte.is_ascii_control() && byte & 0xc0 != 0x80 {
                        column += 1;
                    }
                    self.out.write_all(&[*byte])?;
                }
            }
        }
        Ok(())
    }
}

impl Write for Pen<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.out.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}
