//! Commands to text: the layout.
//!
//! Bash prints a tree of binary connections with a handful of states (whether it is inside a function, a
//! substitution, behind a here-document). The states here are the same, because the places of blanks,
//! semicolons and newlines follow from them.

use std::rc::Rc;

use bstr::BString;

use super::word::{push_argument, push_assignment, push_single_quoted, push_word};
use crate::ast::{
    AndOr, ArithmeticFor, Case, CaseEnd, Command, CommandKind, Condition, Descriptor,
    FunctionDefinition, HereDocument, If, List, Loop, Pipeline, Redirection, RedirectionOperator,
    RedirectionTarget, SimpleCommand, TimeFormat, Word,
};

/// How much deeper the inside of a compound command stands.
const INDENTATION: usize = 4;

/// Text that grows, and what decides its layout.
#[derive(Default)]
pub(super) struct Printer {
    pub(super) text: BString,
    indentation: usize,
    /// How many function definitions the printing is in: there, `;` ends lines.
    functions: u32,
    /// Whether the text is that of a substitution: newlines between commands stay.
    is_substituted: bool,
    /// Here-documents whose texts come at the end of the line.
    deferred: Vec<Rc<HereDocument>>,
    /// Whether the text of a here-document has been printed, so that the next `;` is left out.
    was_here_document: bool,
}

impl Printer {
    /// Makes a printer that breaks lines as inside a function.
    pub(super) fn in_function() -> Self {
        Self {
            functions: 1,
            ..Self::default()
        }
    }

    /// Prints the commands of a substitution.
    pub(super) fn print_substituted(list: &List) -> BString {
        let mut printer = Self {
            is_substituted: true,
            ..Self::default()
        };
        printer.list(list);
        printer.flush_documents("");
        printer.text
    }

    fn push(&mut self, text: &str) {
        self.text.extend_from_slice(text.as_bytes());
    }

    fn indent(&mut self) {
        let length = self.text.len() + self.indentation;
        self.text.resize(length, b' ');
    }

    /// Begins a line with `text`.
    fn newline(&mut self, text: &str) {
        self.text.push(b'\n');
        self.indent();
        self.push(text);
    }

    /// Ends a command, unless something has ended it.
    fn semicolon(&mut self) {
        if !matches!(self.text.last(), Some(b'&' | b'\n')) {
            self.text.push(b';');
        }
    }

    /// Prints a list on lines of its own, one level deeper.
    fn body(&mut self, list: &List) {
        self.indentation += INDENTATION;
        if !list.items.is_empty() {
            self.indent();
            self.list(list);
        }
        self.flush_documents("");
        self.indentation -= INDENTATION;
    }

    /// Prints a list; its first line is indented already.
    pub(super) fn list(&mut self, list: &List) {
        let mut items = list.items.iter().peekable();
        let mut is_first = true;
        while let Some(item) = items.next() {
            self.and_or(&item.chain);
            // The right side of a connection ends with its here-documents, the left side does not.
            if !std::mem::replace(&mut is_first, false) && !item.is_background {
                self.flush_documents("");
            }
            let is_last = items.peek().is_none();
            if item.is_background {
                self.flush_documents(" &");
                if !is_last {
                    self.push(" ");
                }
            } else if !is_last {
                self.separate(item.is_line_end);
            }
        }
    }

    /// Prints what stands between two commands.
    fn separate(&mut self, is_line_end: bool) {
        let keeps_newline = self.is_substituted && is_line_end;
        if !self.deferred.is_empty() {
            let separator = if self.functions > 0 { "" } else { ";" };
            self.flush_documents(separator);
        } else if self.was_here_document {
            self.was_here_document = false;
        } else if !keeps_newline {
            self.text.push(b';');
        } else if self.functions > 0 {
            self.text.push(b'\n');
        }
        if self.functions > 0 {
            self.text.push(b'\n');
            self.indent();
        } else if keeps_newline {
            self.text.push(b'\n');
        } else {
            self.text.push(b' ');
        }
    }

    fn and_or(&mut self, chain: &AndOr) {
        self.pipeline(&chain.first);
        for (connector, pipeline) in &chain.rest {
            self.flush_documents(&format!(" {} ", connector.text()));
            self.pipeline(pipeline);
            self.flush_documents("");
        }
    }

    fn pipeline(&mut self, pipeline: &Pipeline) {
        match pipeline.time {
            Some(TimeFormat::Posix) => self.push("time -p "),
            Some(TimeFormat::Shell) => self.push("time "),
            None => {}
        }
        if pipeline.is_negated {
            self.push("! ");
        }
        for (index, command) in pipeline.commands.iter().enumerate() {
            if index > 0 {
                self.flush_documents(" |");
                self.push(" ");
            }
            self.command(command);
        }
        if pipeline.commands.len() > 1 {
            self.flush_documents("");
        }
    }

    /// Prints a separator and the texts of here-documents that wait for the end of the line.
    pub(super) fn flush_documents(&mut self, separator: &str) {
        let has_separator = !separator.is_empty() && separator != ";";
        if has_separator {
            self.push(separator);
        }
        let documents = std::mem::take(&mut self.deferred);
        if documents.is_empty() {
            return;
        }
        self.push("\n");
        for document in documents {
            self.text.extend_from_slice(document.text());
            let end = document.end();
            self.text.extend_from_slice(&end);
            self.push("\n");
        }
        if has_separator {
            self.push(" ");
        }
        self.was_here_document = true;
    }

    pub(super) fn command(&mut self, command: &Command) {
        match &command.kind {
            CommandKind::Simple(simple) => self.simple(simple),
            CommandKind::Group(list) => self.group(list),
            CommandKind::Subshell(list) => {
                self.push("( ");
                self.list(list);
                self.flush_documents("");
                self.push(" )");
            }
            CommandKind::If(branches) => self.conditional(branches, 0),
            CommandKind::While(parts) => self.conditional_loop("while ", parts),
            CommandKind::Until(parts) => self.conditional_loop("until ", parts),
            CommandKind::For(parts) => {
                self.loop_head("for ", &parts.name, parts.words.as_deref());
                self.push(";");
                self.loop_body(&parts.body);
            }
            CommandKind::Select(parts) => {
                self.loop_head("select ", &parts.name, parts.words.as_deref());
                self.push(";");
                self.loop_body(&parts.body);
            }
            CommandKind::ArithmeticFor(parts) => {
                self.arithmetic_for_head(parts);
                self.loop_body(&parts.body);
            }
            CommandKind::Case(case) => self.case(case),
            CommandKind::Arithmetic(word) => {
                self.push("((");
                push_word(word, &mut self.text);
                self.push("))");
            }
            CommandKind::Condition(condition) => {
                self.push("[[ ");
                self.condition(condition, false);
                self.push(" ]]");
            }
            CommandKind::Coprocess(coprocess) => {
                self.push("coproc ");
                self.text.extend_from_slice(&coprocess.name);
                self.push(" ");
                self.command(&coprocess.command);
            }
            CommandKind::Function(function) => self.nested_function(function),
        }
        if !command.redirections.is_empty() {
            let is_empty = matches!(&command.kind, CommandKind::Simple(simple) if *simple == SimpleCommand::default());
            if !is_empty {
                self.push(" ");
            }
            self.redirections(&command.redirections);
        }
    }

    /// Prints what `$BASH_COMMAND` shows of a command: of a loop only its head.
    pub(super) fn command_head(&mut self, command: &Command) {
        match &command.kind {
            CommandKind::For(parts) => self.loop_head("for ", &parts.name, parts.words.as_deref()),
            CommandKind::Select(parts) => {
                self.loop_head("select ", &parts.name, parts.words.as_deref())
            }
            CommandKind::ArithmeticFor(parts) => self.arithmetic_for_head(parts),
            CommandKind::Case(case) => self.case_head(case),
            _ => self.command(command),
        }
    }

    fn simple(&mut self, simple: &SimpleCommand) {
        let mut is_first = true;
        for assignment in &simple.assignments {
            self.blank_unless(&mut is_first);
            push_assignment(assignment, &mut self.text);
        }
        for argument in &simple.arguments {
            self.blank_unless(&mut is_first);
            push_argument(argument, &mut self.text);
        }
    }

    fn blank_unless(&mut self, is_first: &mut bool) {
        if !std::mem::replace(is_first, false) {
            self.text.push(b' ');
        }
    }

    fn group(&mut self, list: &List) {
        self.push("{ ");
        if self.functions > 0 {
            self.push("\n");
            self.body(list);
            self.newline("}");
        } else {
            self.list(list);
            self.flush_documents("");
            self.semicolon();
            self.push(" }");
        }
    }

    /// Prints `if` from one of its branches on: `elif` is printed as an `if` within `else`.
    fn conditional(&mut self, parts: &If, index: usize) {
        let Some(branch) = parts.branches.get(index) else {
            return;
        };
        self.push("if ");
        self.list(&branch.condition);
        self.semicolon();
        self.push(" then\n");
        self.body(&branch.body);
        if index + 1 < parts.branches.len() {
            self.semicolon();
            self.newline("else\n");
            self.indentation += INDENTATION;
            self.indent();
            self.conditional(parts, index + 1);
            self.indentation -= INDENTATION;
        } else if let Some(otherwise) = &parts.otherwise {
            self.semicolon();
            self.newline("else\n");
            self.body(otherwise);
        }
        self.semicolon();
        self.newline("fi");
    }

    fn conditional_loop(&mut self, keyword: &str, parts: &Loop) {
        self.push(keyword);
        self.list(&parts.condition);
        self.flush_documents("");
        self.semicolon();
        self.push(" do\n");
        self.body(&parts.body);
        self.semicolon();
        self.newline("done");
    }

    fn loop_head(&mut self, keyword: &str, name: &[u8], words: Option<&[Word]>) {
        self.push(keyword);
        self.text.extend_from_slice(name);
        self.push(" in ");
        match words {
            Some(words) => self.words(words, " "),
            None => self.push("\"$@\""),
        }
    }

    fn words(&mut self, words: &[Word], separator: &str) {
        for (index, word) in words.iter().enumerate() {
            if index > 0 {
                self.push(separator);
            }
            push_word(word, &mut self.text);
        }
    }

    fn arithmetic_for_head(&mut self, parts: &ArithmeticFor) {
        self.push("for ((");
        for (index, expression) in [&parts.start, &parts.condition, &parts.step]
            .into_iter()
            .enumerate()
        {
            if index > 0 {
                self.push("; ");
            }
            if expression.parts.is_empty() {
                self.push("1");
            }
            push_word(expression, &mut self.text);
        }
        self.push("))");
    }

    fn loop_body(&mut self, body: &List) {
        self.newline("do\n");
        self.body(body);
        self.semicolon();
        self.newline("done");
    }

    fn case_head(&mut self, case: &Case) {
        self.push("case ");
        push_word(&case.subject, &mut self.text);
        self.push(" in ");
    }

    fn case(&mut self, case: &Case) {
        self.case_head(case);
        self.indentation += INDENTATION;
        for clause in &case.clauses {
            self.newline("");
            self.words(&clause.patterns, " | ");
            self.push(")\n");
            self.body(&clause.body);
            self.newline(match clause.end {
                CaseEnd::Leave => ";;",
                CaseEnd::FallThrough => ";&",
                CaseEnd::Continue => ";;&",
            });
        }
        self.indentation -= INDENTATION;
        self.newline("esac");
    }

    fn condition(&mut self, condition: &Condition, is_negated: bool) {
        if let Condition::Not(inner) = condition {
            self.condition(inner, !is_negated);
            return;
        }
        if is_negated {
            self.push("! ");
        }
        match condition {
            Condition::And(terms) => self.conditions(terms, " && "),
            Condition::Or(terms) => self.conditions(terms, " || "),
            Condition::Not(_) => {}
            Condition::Group(inner) => {
                self.push("( ");
                self.condition(inner, false);
                self.push(" )");
            }
            Condition::NotEmpty(word) => {
                self.push("-n ");
                push_word(word, &mut self.text);
            }
            Condition::Unary { test, operand } => {
                self.text.extend_from_slice(&[b'-', test.0, b' ']);
                push_word(operand, &mut self.text);
            }
            Condition::Binary { test, left, right } => {
                push_word(left, &mut self.text);
                self.push(" ");
                self.push(test.text());
                self.push(" ");
                push_word(right, &mut self.text);
            }
        }
    }

    fn conditions(&mut self, terms: &[Condition], separator: &str) {
        for (index, term) in terms.iter().enumerate() {
            if index > 0 {
                self.push(separator);
            }
            self.condition(term, false);
        }
    }

    fn nested_function(&mut self, function: &FunctionDefinition) {
        self.push("function ");
        self.text.extend_from_slice(&function.name);
        self.push(" () \n");
        self.indent();
        self.push("{ \n");
        self.function_body(function);
        self.was_here_document = false;
    }

    /// Prints a function from its opening brace on; the brace is printed.
    pub(super) fn function_body(&mut self, function: &FunctionDefinition) {
        self.functions += 1;
        self.indentation += INDENTATION;
        self.indent();
        let mut redirections: &[Redirection] = &[];
        if let CommandKind::Group(list) = &function.body.kind {
            self.list(list);
            redirections = &function.body.redirections;
        } else {
            self.command(&function.body);
        }
        self.flush_documents("");
        self.indentation -= INDENTATION;
        self.functions -= 1;
        self.newline("}");
        if !redirections.is_empty() {
            self.push(" ");
            self.redirections(redirections);
        }
    }

    fn redirections(&mut self, redirections: &[Redirection]) {
        self.was_here_document = false;
        for (index, redirection) in redirections.iter().enumerate() {
            if index > 0 {
                self.push(" ");
            }
            self.redirection(redirection);
        }
    }

    pub(super) fn redirection(&mut self, redirection: &Redirection) {
        let (operator, default) = operator_and_default(redirection.operator);
        match &redirection.descriptor {
            Some(Descriptor::Variable(name)) => {
                self.push("{");
                self.text.extend_from_slice(name);
                self.push("}");
            }
            descriptor => {
                let number = match descriptor {
                    Some(Descriptor::Number(number)) => *number,
                    _ => default,
                };
                if number != hidden(redirection) {
                    self.push(&number.to_string());
                }
            }
        }
        match &redirection.target {
            RedirectionTarget::HereDocument(document) => {
                self.push(if document.strips_tabs { "<<-" } else { "<<" });
                if document.is_literal {
                    push_single_quoted(&document.end(), &mut self.text);
                } else {
                    push_word(&document.delimiter, &mut self.text);
                }
                self.deferred.push(Rc::clone(document));
            }
            RedirectionTarget::Word(word) if is_duplication(redirection.operator) => {
                let is_closing = word.as_literal().is_some_and(|text| text == "-");
                self.push(if is_closing { ">&" } else { operator });
                push_word(word, &mut self.text);
            }
            RedirectionTarget::Word(word) => {
                self.push(operator);
                self.push(" ");
                push_word(word, &mut self.text);
            }
        }
    }
}

fn is_duplication(operator: RedirectionOperator) -> bool {
    matches!(
        operator,
        RedirectionOperator::DuplicateInput | RedirectionOperator::DuplicateOutput
    )
}

/// Returns the operator and the descriptor that it redirects when none is written.
fn operator_and_default(operator: RedirectionOperator) -> (&'static str, u32) {
    match operator {
        RedirectionOperator::Input => ("<", 0),
        RedirectionOperator::Output => (">", 1),
        RedirectionOperator::Append => (">>", 1),
        RedirectionOperator::Clobber => (">|", 1),
        RedirectionOperator::ReadWrite => ("<>", 0),
        RedirectionOperator::DuplicateInput => ("<&", 0),
        RedirectionOperator::DuplicateOutput => (">&", 1),
        RedirectionOperator::OutputAndError => ("&>", 1),
        RedirectionOperator::AppendOutputAndError => ("&>>", 1),
        RedirectionOperator::HereString => ("<<<", 0),
        RedirectionOperator::HereDocument => ("<<", 0),
    }
}

/// Returns the descriptor whose number is not printed: `u32::MAX` when every number is.
fn hidden(redirection: &Redirection) -> u32 {
    let (_, default) = operator_and_default(redirection.operator);
    match &redirection.target {
        _ if redirection.operator == RedirectionOperator::ReadWrite => 1,
        RedirectionTarget::Word(word) if is_duplication(redirection.operator) => {
            // `-`, `3` and `3-` are known when bash parses them, other words are not.
            let is_number = word.as_literal().is_some_and(|text| {
                let digits = text.strip_suffix(b"-").unwrap_or(text);
                digits.iter().all(u8::is_ascii_digit)
            });
            if is_number { u32::MAX } else { default }
        }
        _ => default,
    }
}
