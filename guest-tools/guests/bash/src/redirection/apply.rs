//! Carrying out redirections.

use std::rc::Rc;

use bash_syntax::ast::{
    Descriptor, Redirection, RedirectionOperator as Operator, RedirectionTarget, Word,
};
use bstr::{BString, ByteSlice};

use super::Saved;
use crate::descriptors::Open;
use crate::expansion::Context;
use crate::runtime::LocalFuture;
use crate::state::{SetOption, Shell, Shopt, Stop};
use crate::sys::{self, Errno, OpenHow};

/// Why a redirection failed, as bash says it.
pub struct Failure(BString);

impl Failure {
    fn new(name: &[u8], error: Errno) -> Self {
        Self(BString::from(format!("{}: {error}", name.as_bstr())))
    }
}

impl Shell {
    /// Carries out redirections; what they change is noted in `saved`. False after a failure, which is said.
    pub async fn redirect(
        &mut self,
        redirections: &[Redirection],
        saved: &mut Saved,
    ) -> Result<bool, Stop> {
        for redirection in redirections {
            let applying: LocalFuture<'_, _> = Box::pin(self.apply(redirection, saved));
            if let Err(Failure(message)) = applying.await? {
                self.report_bytes(&message);
                self.flush(b"").await?;
                return Ok(false);
            }
        }
        Ok(true)
    }

    async fn apply(
        &mut self,
        redirection: &Redirection,
        saved: &mut Saved,
    ) -> Result<Result<(), Failure>, Stop> {
        let word = match &redirection.target {
            RedirectionTarget::HereDocument(document) => {
                let text = if document.is_literal {
                    document.text().to_vec()
                } else {
                    let word = match document.word(&self.parse_options()) {
                        Ok(word) => word.clone(),
                        Err(error) => {
                            let error = error.to_string();
                            return Err(self.abandon(error));
                        }
                    };
                    self.expand(&word, Context::DOCUMENT).await?.joined().into()
                };
                return Ok(self.place(redirection, 0, Some(Open::text(text)), saved));
            }
            RedirectionTarget::Word(word) => word,
        };
        if redirection.operator == Operator::HereString {
            let mut text = self.expand_text(word, Context::SINGLE).await?;
            text.push(b'\n');
            return Ok(self.place(redirection, 0, Some(Open::text(text.into())), saved));
        }
        if matches!(
            redirection.operator,
            Operator::DuplicateInput | Operator::DuplicateOutput
        ) {
            return self.duplicate(redirection, word, saved).await;
        }
        let path = match self.target(word).await? {
            Ok(path) => path,
            Err(failure) => return Ok(Err(failure)),
        };
        let (number, how) = match redirection.operator {
            Operator::Input => (0, OpenHow::READ),
            Operator::ReadWrite => (0, OpenHow::READ_WRITE),
            Operator::Append | Operator::AppendOutputAndError => (1, OpenHow::APPEND),
            _ => (1, OpenHow::WRITE),
        };
        let is_output = matches!(
            redirection.operator,
            Operator::Output | Operator::OutputAndError
        );
        if is_output && self.options.has(SetOption::NoClobber) {
            let stat = sys::stat(self.absolute(&path), true);
            if stat.is_ok_and(|stat| stat.kind == sys::Kind::Regular) {
                let message = format!("{path}: cannot overwrite existing file");
                return Ok(Err(Failure(message.into())));
            }
        }
        let open = match self.open_waiting(&path, how).await {
            Ok(open) => open,
            Err(error) => return Ok(Err(Failure::new(&path, error))),
        };
        let is_both = matches!(
            redirection.operator,
            Operator::OutputAndError | Operator::AppendOutputAndError
        );
        if is_both {
            self.replace_descriptor(2, Some(Rc::clone(&open)), saved);
        }
        Ok(self.place(redirection, number, Some(open), saved))
    }

    /// Expands the word after an operator to one path.
    async fn target(&mut self, word: &Word) -> Result<Result<BString, Failure>, Stop> {
        let mut fields = Vec::new();
        self.expand_fields(word, &mut fields).await?;
        let mut fields = fields.into_iter();
        match (fields.next(), fields.next()) {
            (Some(path), None) => Ok(Ok(path)),
            _ => {
                let mut message = bash_syntax::print_word(word);
                message.extend_from_slice(b": ambiguous redirect");
                Ok(Err(Failure(message)))
            }
        }
    }

    async fn duplicate(
        &mut self,
        redirection: &Redirection,
        word: &Word,
        saved: &mut Saved,
    ) -> Result<Result<(), Failure>, Stop> {
        let text = match self.target(word).await? {
            Ok(text) => text,
            Err(failure) => return Ok(Err(failure)),
        };
        let default = u32::from(redirection.operator == Operator::DuplicateOutput);
        if text == "-" {
            if let Some(Descriptor::Variable(name)) = &redirection.descriptor {
                let number = self
                    .descriptor_variable(name)
                    .and_then(|text| bash_text::arithmetic::parse_integer(&text));
                match number.and_then(|number| u32::try_from(number).ok()) {
                    Some(number) => self.replace_descriptor(number, None, &mut Saved::default()),
                    None => return Ok(Err(Failure::new(name, Errno::BadDescriptor))),
                }
                return Ok(Ok(()));
            }
            return Ok(self.place(redirection, default, None, saved));
        }
        let (digits, moves) = match text.strip_suffix(b"-") {
            Some(digits) => (digits, true),
            None => (text.as_slice(), false),
        };
        let is_number = !digits.is_empty() && digits.iter().all(u8::is_ascii_digit);
        let number = std::str::from_utf8(digits)
            .ok()
            .and_then(|digits| digits.parse::<u32>().ok());
        match number.filter(|_| is_number) {
            Some(source) => {
                let Some(open) = self.descriptors.get(source).map(Rc::clone) else {
                    return Ok(Err(Failure::new(digits, Errno::BadDescriptor)));
                };
                let placed = self.place(redirection, default, Some(open), saved);
                let target = match &redirection.descriptor {
                    Some(Descriptor::Number(number)) => Some(*number),
                    Some(Descriptor::Variable(_)) => None,
                    None => Some(default),
                };
                if moves && target != Some(source) {
                    self.replace_descriptor(source, None, saved);
                }
                Ok(placed)
            }
            None if redirection.operator == Operator::DuplicateOutput
                && matches!(redirection.descriptor, None | Some(Descriptor::Number(1))) =>
            {
                match self.open_waiting(&text, OpenHow::WRITE).await {
                    Ok(open) => {
                        self.replace_descriptor(2, Some(Rc::clone(&open)), saved);
                        Ok(self.place(redirection, 1, Some(open), saved))
                    }
                    Err(error) => Ok(Err(Failure::new(&text, error))),
                }
            }
            None => {
                let mut message = bash_syntax::print_word(word);
                message.extend_from_slice(b": ambiguous redirect");
                Ok(Err(Failure(message)))
            }
        }
    }

    /// Puts a description where the redirection says.
    fn place(
        &mut self,
        redirection: &Redirection,
        default: u32,
        open: Option<Rc<Open>>,
        saved: &mut Saved,
    ) -> Result<(), Failure> {
        match &redirection.descriptor {
            None => self.replace_descriptor(default, open, saved),
            Some(Descriptor::Number(number)) => self.replace_descriptor(*number, open, saved),
            Some(Descriptor::Variable(name)) => {
                let number = self.descriptors.free();
                let text = number.to_string();
                let set = match element(name) {
                    Some((array, inside)) => {
                        self.subscript_of(array, inside).and_then(|subscript| {
                            self.assign_element(array, &subscript, text.as_bytes(), false)
                        })
                    }
                    None => self.set(name, text.as_bytes()),
                };
                if let Err(refusal) = set {
                    return Err(Failure(refusal.to_string().into()));
                }
                // It stays open after the command, unless varredir_close is on.
                let mut own = Saved::default();
                let saved = if self.options.has_shopt(Shopt::VarRedirClose) {
                    saved
                } else {
                    &mut own
                };
                self.replace_descriptor(number, open, saved);
            }
        }
        Ok(())
    }

    /// Returns the value of the `x` or `a[i]` of `{x}>&-`.
    fn descriptor_variable(&mut self, name: &[u8]) -> Option<BString> {
        match element(name) {
            Some((array, inside)) => {
                let subscript = self.subscript_of(array, inside).ok()?;
                self.element(array, &subscript).ok()?
            }
            None => self.get(name).map(|text| BString::from(&*text)),
        }
    }

    /// Opens a path, waiting where a FIFO has no reader yet.
    async fn open_waiting(&self, path: &[u8], how: OpenHow) -> Result<Rc<Open>, Errno> {
        loop {
            match self.open_file(path, how) {
                Err(Errno::NoDevice) if self.is_fifo(path) => {
                    let soon = std::time::Instant::now() + std::time::Duration::from_millis(5);
                    self.runtime.until(crate::runtime::Interest::At(soon)).await;
                }
                outcome => return outcome,
            }
        }
    }

    fn is_fifo(&self, path: &[u8]) -> bool {
        sys::stat(self.absolute(path), true).is_ok_and(|stat| stat.kind == sys::Kind::Fifo)
    }

    /// Opens a path; `/dev/fd/N` and its like mean the shell's own descriptors.
    pub fn open_file(&self, path: &[u8], how: OpenHow) -> Result<Rc<Open>, Errno> {
        let number = match path {
            b"/dev/stdin" => Some(0),
            b"/dev/stdout" => Some(1),
            b"/dev/stderr" => Some(2),
            _ => path
                .strip_prefix(b"/dev/fd/")
                .or_else(|| path.strip_prefix(b"/proc/self/fd/"))
                .and_then(|digits| std::str::from_utf8(digits).ok())
                .and_then(|digits| digits.parse::<u32>().ok()),
        };
        if let Some(number) = number {
            return match self.descriptors.get(number) {
                Some(open) => Ok(Rc::clone(open)),
                None => Err(Errno::NoEntry),
            };
        }
        if path.is_empty() {
            return Err(Errno::NoEntry);
        }
        if path.starts_with(b"/dev/tcp/") || path.starts_with(b"/dev/udp/") {
            return Err(Errno::NotPermitted);
        }
        let mode = 0o666
            & if cfg!(target_family = "wasm") {
                0o777
            } else {
                !self.umask
            };
        let descriptor = sys::open(self.absolute(path), how, mode)?;
        if how.write
            && descriptor
                .stat()
                .is_ok_and(|stat| stat.kind == sys::Kind::Directory)
        {
            return Err(Errno::IsDirectory);
        }
        Ok(Open::new(descriptor))
    }

    /// Reads one line from standard input, without its newline; none at the end.
    pub async fn read_line(&mut self) -> Option<BString> {
        let open = self.descriptors.get(0).map(Rc::clone)?;
        let mut line = BString::default();
        while open.fill(&self.runtime).await.ok()? {
            let mut buffer = open.buffer();
            match buffer.bytes().find_byte(b'\n') {
                Some(end) => {
                    line.extend_from_slice(buffer.bytes().get(..end).unwrap_or_default());
                    buffer.consume(end + 1);
                    return Some(line);
                }
                None => line.extend(buffer.take()),
            }
        }
        (!line.is_empty()).then_some(line)
    }
}

/// Splits `a[i]`.
fn element(name: &[u8]) -> Option<(&[u8], &[u8])> {
    let (array, rest) = name.split_once_str(b"[")?;
    Some((array, rest.strip_suffix(b"]")?))
}
