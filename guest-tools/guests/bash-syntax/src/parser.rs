//! From text to the syntax tree.

mod ansi;
mod assignment;
mod braces;
mod compound;
mod condition;
mod dollar;
mod here;
mod input;
mod list;
mod parts;
mod quoted;
mod reader;
mod reserved;
mod simple;
mod token;
mod unquoted;

use std::rc::Rc;

use bstr::BString;

use crate::ast::{ArrayElement, Backquoted, HereDocument, List, Parameter, Word, WordPart};
use crate::{Aliases, ErrorKind, NoAliases, ParseOptions, Recovery, SyntaxError, Warning};
use input::Input;
use quoted::QuotedStop;
use reader::Reader;
use unquoted::Stop;

/// Reads a script one complete command at a time.
///
/// The parser owns its text and holds no reference to the shell: options are set when they change, aliases
/// come with each call.
#[derive(Debug)]
pub struct Parser {
    input: Input,
    options: ParseOptions,
    is_open: bool,
    warnings: Vec<Warning>,
}

impl Parser {
    /// Makes a parser of a whole script.
    pub fn new(source: impl Into<BString>, options: &ParseOptions) -> Self {
        Self {
            input: Input::new(source.into(), 1),
            options: *options,
            is_open: false,
            warnings: Vec::new(),
        }
    }

    /// Makes the next line to be read be line `line` (the first is 1 when not said).
    pub fn set_line(&mut self, line: u32) {
        self.input.set_line(line);
    }

    /// Sets the options for what is read from now on.
    pub fn set_options(&mut self, options: &ParseOptions) {
        self.options = *options;
    }

    /// Says that more text may come: then a command that is not complete is [`ErrorKind::Incomplete`] and
    /// stays unread, even where bash would accept the end of the file (a last line without newline, a
    /// here-document without end).
    pub fn set_is_open(&mut self, is_open: bool) {
        self.is_open = is_open;
    }

    /// Adds text at the end.
    pub fn push(&mut self, text: &[u8]) {
        self.input.append(text);
    }

    /// Reads the next complete command: all commands up to the end of a line. Blank lines and comments are
    /// passed over. `None` at the end of the text.
    ///
    /// After an error, the position is where bash goes on reading: behind the line of the error; after
    /// [`ErrorKind::Incomplete`] in an open parser, where the command begins.
    pub fn next(&mut self, aliases: &dyn Aliases) -> Result<Option<Rc<List>>, SyntaxError> {
        let start = if self.is_open {
            Some(self.input.clone())
        } else {
            self.input.close();
            None
        };
        let mut reader = Reader::new(self.input.take(), self.options, aliases);
        let result = reader.parse_complete();
        let has_open_document = reader.has_open_document;
        self.input = reader.input;
        let is_cut = match &result {
            Ok(Some(complete)) => has_open_document || !complete.has_newline,
            Ok(None) => false,
            Err(error) => error.kind == ErrorKind::Incomplete,
        };
        if let Some(start) = start.filter(|_| is_cut) {
            let line = self.input.line();
            self.input = start;
            return Err(match result {
                Err(error) => *error,
                Ok(_) => SyntaxError {
                    kind: ErrorKind::Incomplete,
                    line,
                    message: "syntax error: unexpected end of file".into(),
                    source_line: None,
                    recovery: Recovery::Ends,
                },
            });
        }
        self.warnings.append(&mut reader.warnings);
        match result {
            Ok(complete) => Ok(complete.map(|complete| Rc::new(complete.list))),
            Err(error) => {
                self.input.skip_line();
                Err(*error)
            }
        }
    }

    /// Returns how many bytes of the text are read.
    pub fn position(&self) -> usize {
        self.input.position_in_source()
    }

    /// Returns the line at [`Parser::position`].
    pub fn line(&mut self) -> u32 {
        self.input.line()
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
    parse_word_at(text, context, 1, options)
}

fn parse_word_at(
    text: &[u8],
    context: WordContext,
    line: u32,
    options: &ParseOptions,
) -> Result<Word, SyntaxError> {
    let mut reader = Reader::new(Input::new(BString::from(text), line), *options, &NoAliases);
    let result = match context {
        WordContext::Unquoted => reader.read_unquoted(Stop::Everything),
        WordContext::DoubleQuoted | WordContext::HereDocument => {
            reader.read_quoted(QuotedStop::Everything)
        }
        WordContext::Arithmetic => reader.read_quoted(QuotedStop::EverythingQuoting),
    };
    result.map_err(|error| *error)
}

/// Reads the inside of a compound assignment, without the parentheses: for `declare "$text"`.
pub fn parse_array_elements(
    text: &[u8],
    options: &ParseOptions,
) -> Result<Vec<ArrayElement>, SyntaxError> {
    let mut reader = Reader::new(Input::new(BString::from(text), 1), *options, &NoAliases);
    reader.read_elements(None).map_err(|error| *error)
}

/// Reads a parameter, as it may be the value of a reference or the argument of a builtin: `x`, `x[1]`,
/// `x[@]`, `1`, `@`. `None` when it is none.
pub fn parse_parameter(text: &[u8], options: &ParseOptions) -> Option<Parameter> {
    let mut reader = Reader::new(Input::new(BString::from(text), 1), *options, &NoAliases);
    let parameter = reader.read_parameter().ok()??;
    reader.input.is_at_end().then_some(parameter)
}

/// Returns whether bash reserves the word: `if`, `{`, `[[`...
pub fn is_reserved_word(text: &[u8]) -> bool {
    reserved::Reserved::from_text(text).is_some()
}

impl Backquoted {
    /// Returns the commands, parsed once and kept. With aliases, or when it is an error, use a [`Parser`] on
    /// the text instead, so that what stands before the error runs.
    pub fn list(&self, options: &ParseOptions) -> Result<&Rc<List>, &SyntaxError> {
        self.parsed
            .get_or_init(|| {
                let mut parser = Parser::new(self.text.clone(), options);
                parser.set_line(self.line);
                let mut list = List::default();
                while let Some(part) = parser.next(&NoAliases)? {
                    list.items.extend(part.items.iter().cloned());
                }
                Ok(Rc::new(list))
            })
            .as_ref()
    }
}

impl HereDocument {
    /// Returns the text as a word, parsed once and kept: the word of a [`WordContext::HereDocument`], or a
    /// single-quoted part when it is literal.
    pub fn word(&self, options: &ParseOptions) -> Result<&Word, &SyntaxError> {
        self.word
            .get_or_init(|| {
                if self.is_literal {
                    let text = BString::from(self.text());
                    return Ok(Word {
                        parts: vec![WordPart::SingleQuoted(text)],
                    });
                }
                parse_word_at(
                    self.text(),
                    WordContext::HereDocument,
                    self.text_line(),
                    options,
                )
            })
            .as_ref()
    }

    /// Returns the delimiter without its quotes.
    pub fn end(&self) -> BString {
        here::delimiter_text(&self.delimiter)
    }
}
