//! From text to the syntax tree.

use std::rc::Rc;

use bstr::BString;

use crate::ast::{ArrayElement, Backquoted, HereDocument, List, Parameter, Word};
use crate::{Aliases, ParseOptions, SyntaxError, Warning};

/// Reads a script one complete command at a time.
///
/// The parser owns its text and holds no reference to the shell: options are set when they change, aliases
/// come with each call.
#[derive(Debug)]
pub struct Parser {
    source: Rc<BString>,
    options: ParseOptions,
    position: usize,
    line: u32,
    warnings: Vec<Warning>,
}

impl Parser {
    /// Makes a parser of a whole script.
    pub fn new(source: impl Into<BString>, options: &ParseOptions) -> Self {
        Self {
            source: Rc::new(source.into()),
            options: *options,
            position: 0,
            line: 1,
            warnings: Vec::new(),
        }
    }

    /// Makes the first line of the text be line `line` (1 when not said).
    pub fn set_line(&mut self, line: u32) {
        self.line = line;
    }

    /// Sets the options for what is read from now on.
    pub fn set_options(&mut self, options: &ParseOptions) {
        self.options = *options;
    }

    /// Says that more text may come: then a command that is not complete is
    /// [`crate::ErrorKind::Incomplete`] and stays unread, even where bash would accept the end of the file
    /// (a last line without newline, a here-document without end).
    pub fn set_is_open(&mut self, is_open: bool) {
        let _ = is_open;
    }

    /// Adds text at the end.
    pub fn push(&mut self, text: &[u8]) {
        let _ = text;
    }

    /// Reads the next complete command: all commands up to the end of a line. Blank lines and comments are
    /// passed over. `None` at the end of the text.
    ///
    /// After an error, the position is where bash goes on reading: behind the line of the error; after
    /// [`crate::ErrorKind::Incomplete`] in an open parser, where the command begins.
    pub fn next(&mut self, aliases: &dyn Aliases) -> Result<Option<Rc<List>>, SyntaxError> {
        let _ = aliases;
        Ok(None)
    }

    /// Returns how many bytes of the text are read.
    pub fn position(&self) -> usize {
        self.position
    }

    /// Returns the line at [`Parser::position`].
    pub fn line(&self) -> u32 {
        self.line
    }

    /// Takes the warnings since the last call.
    pub fn take_warnings(&mut self) -> Vec<Warning> {
        std::mem::take(&mut self.warnings)
    }
}

/// What a text is the word of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum WordContext {
    /// A word in which blanks and operators are ordinary text: values of assignments, patterns, subscripts.
    Unquoted,
    /// The inside of double quotes, in which `"` is an ordinary character: PS4, prompts.
    DoubleQuoted,
    /// The text of a here-document: as `DoubleQuoted`.
    HereDocument,
    /// An arithmetic expression: as `DoubleQuoted`, but `"` quotes.
    Arithmetic,
}

/// Reads all of `text` as one word.
pub fn parse_word(
    text: &[u8],
    context: WordContext,
    options: &ParseOptions,
) -> Result<Word, SyntaxError> {
    let _ = (context, options);
    Ok(Word::literal(text))
}

/// Reads the inside of a compound assignment, without the parentheses: for `declare "$text"`.
pub fn parse_array_elements(
    text: &[u8],
    options: &ParseOptions,
) -> Result<Vec<ArrayElement>, SyntaxError> {
    let _ = (text, options);
    Ok(Vec::new())
}

/// Reads a parameter, as it may be the value of a reference or the argument of a builtin: `x`, `x[1]`,
/// `x[@]`, `1`, `@`. `None` when it is none.
pub fn parse_parameter(text: &[u8], options: &ParseOptions) -> Option<Parameter> {
    let _ = (text, options);
    None
}

impl Backquoted {
    /// Returns the commands, parsed once and kept. With aliases, or when it is an error, use a
    /// [`Parser`] on the text instead, so that what stands before the error runs.
    pub fn list(&self, options: &ParseOptions) -> Result<&Rc<List>, &SyntaxError> {
        let _ = options;
        self.parsed
            .get_or_init(|| Ok(Rc::new(List::default())))
            .as_ref()
    }
}

impl HereDocument {
    /// Returns the text as a word, parsed once and kept: the word of a [`WordContext::HereDocument`], or a
    /// single-quoted part when it is literal.
    pub fn word(&self, options: &ParseOptions) -> Result<&Word, &SyntaxError> {
        self.word
            .get_or_init(|| parse_word(self.text(), WordContext::HereDocument, options))
            .as_ref()
    }
}
