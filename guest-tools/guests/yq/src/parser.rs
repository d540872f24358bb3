//! Words into expressions, by precedence: `,` and `;` bind least, then `:`, `and` and `or`, `|`, assignments and
//! comparisons, arithmetic.

use crate::lexer::{self, Token, unescape};
use crate::mistake::{Mistake, Outcome};
use crate::syntax::{Attribute, Expression, Merge, Operator, Piece};

/// How deep expressions nest, so that the stack holds.
const DEPTH_MAX: usize = 200;

const COMMA: u8 = 10;
const LOGIC: u8 = 20;
const PIPE: u8 = 30;
const ASSIGN: u8 = 40;
const ARITHMETIC: u8 = 42;

/// Functions without arguments.
const PLAIN: &[&str] = &[
    "all",
    "any",
    "array_to_map",
    "ascii_downcase",
    "ascii_upcase",
    "column",
    "di",
    "document_index",
    "documentIndex",
    "downcase",
    "empty",
    "envsubst",
    "error",
    "fi",
    "fileIndex",
    "fileName",
    "file_index",
    "filename",
    "file_name",
    "first",
    "flatten",
    "fromEntries",
    "from_csv",
    "from_entries",
    "from_json",
    "from_props",
    "from_tsv",
    "from_unix",
    "from_xml",
    "from_yaml",
    "fromjson",
    "fromyaml",
    "fromxml",
    "fromprops",
    "input_line_number",
    "is_key",
    "key",
    "keys",
    "kind",
    "last",
    "length",
    "line",
    "max",
    "min",
    "not",
    "now",
    "parent",
    "parents",
    "path",
    "pivot",
    "reverse",
    "shuffle",
    "sort",
    "splitDoc",
    "split_doc",
    "toEntries",
    "to_csv",
    "to_entries",
    "to_json",
    "to_number",
    "to_props",
    "to_string",
    "to_tsv",
    "to_unix",
    "to_xml",
    "to_yaml",
    "tojson",
    "tonumber",
    "toprops",
    "tostring",
    "toxml",
    "toyaml",
    "trim",
    "type",
    "unique",
    "upcase",
    "values",
    "@base64",
    "@base64d",
    "@csv",
    "@csvd",
    "@json",
    "@jsond",
    "@props",
    "@propsd",
    "@sh",
    "@tsv",
    "@tsvd",
    "@uri",
    "@urid",
    "@xml",
    "@xmld",
    "@yaml",
    "@yamld",
    "env",
    "sort_keys",
    "ascii",
    "abs",
    "floor",
    "ceil",
    "round",
    "sqrt",
    "add",
    "ltrim",
    "rtrim",
];

/// Functions with arguments in parentheses.
const CALLS: &[&str] = &[
    "all_c",
    "any_c",
    "capture",
    "collect",
    "contains",
    "del",
    "delpaths",
    "envsubst",
    "error",
    "eval",
    "explode",
    "filter",
    "first",
    "flatten",
    "format_datetime",
    "getpath",
    "groupBy",
    "group_by",
    "has",
    "in",
    "inside",
    "join",
    "load",
    "load_base64",
    "load_props",
    "load_str",
    "load_xml",
    "loadstr",
    "loadxml",
    "load_csv",
    "load_json",
    "load_tsv",
    "load_toml",
    "ltrimstr",
    "rtrimstr",
    "map",
    "map_values",
    "mapValues",
    "match",
    "max_by",
    "min_by",
    "omit",
    "parent",
    "pick",
    "select",
    "setpath",
    "sortKeys",
    "sort_by",
    "sortBy",
    "sort_keys",
    "split",
    "startswith",
    "endswith",
    "strload",
    "sub",
    "gsub",
    "test",
    "to_json",
    "to_xml",
    "to_yaml",
    "tojson",
    "toyaml",
    "toxml",
    "tz",
    "unique_by",
    "uniqueBy",
    "with",
    "withEntries",
    "with_dtf",
    "with_entries",
    "ascii_downcase",
    "range",
    "limit",
    "until",
    "while",
    "recurse",
    "paths",
    "getpath",
    "splits",
    "ltrimstr",
    "rtrimstr",
    "env",
    "index",
    "any",
    "all",
];

/// Parses an expression.
pub fn parse(source: &str) -> Outcome<Expression> {
    let tokens = lexer::words(source)?;
    let mut parser = Parser {
        tokens,
        place: 0,
        depth: 0,
    };
    if *parser.peek() == Token::End {
        return Ok(Expression::Itself);
    }
    let expression = parser.expression(0)?;
    match parser.peek() {
        Token::End => Ok(expression),
        _ => Err(parser.unexpected()),
    }
}

struct Parser {
    tokens: Vec<(Token, usize)>,
    place: usize,
    depth: usize,
}

fn attribute(name: &str) -> Option<Attribute> {
    Some(match name {
        "style" => Attribute::Style,
        "tag" | "type" => Attribute::Tag,
        "anchor" => Attribute::Anchor,
        "alias" => Attribute::Alias,
        "line_comment" | "lineComment" | "linecomment" => Attribute::LineComment,
        "head_comment" | "headComment" | "headcomment" => Attribute::HeadComment,
        "foot_comment" | "footComment" | "footcomment" => Attribute::FootComment,
        "comments" => Attribute::Comments,
        _ => return None,
    })
}

fn merge(letters: &str) -> Merge {
    Merge {
        appends: letters.contains('+'),
        is_deep: letters.contains('d'),
        is_existing_only: letters.contains('?'),
        is_new_only: letters.contains('n'),
        clobbers_tags: letters.contains('c'),
    }
}

impl Parser {
    fn peek(&self) -> &Token {
        self.tokens
            .get(self.place)
            .map_or(&Token::End, |(token, _)| token)
    }

    fn peek_second(&self) -> &Token {
        self.tokens
            .get(self.place + 1)
            .map_or(&Token::End, |(token, _)| token)
    }

    fn next(&mut self) -> Token {
        let token = self.peek().clone();
        self.place += 1;
        token
    }

    fn take(&mut self, sign: &'static str) -> bool {
        let is_there = *self.peek() == Token::Sign(sign);
        self.place += usize::from(is_there);
        is_there
    }

    fn want(&mut self, sign: &'static str) -> Outcome<()> {
        if self.take(sign) {
            Ok(())
        } else {
            Err(self.unexpected())
        }
    }

    fn unexpected(&self) -> Mistake {
        let place = self.tokens.get(self.place).map_or(0, |(_, place)| *place);
        Mistake::new(match self.peek() {
            Token::End => "bad expression, something is missing at its end".to_owned(),
            Token::Sign(sign) => format!(
                "bad expression, unexpected '{sign}' at character {}",
                place + 1
            ),
            Token::Name(name) => {
                format!("invalid input text \"{name}\" at character {}", place + 1)
            }
            _ => format!(
                "bad expression at character {}, please check expression syntax",
                place + 1
            ),
        })
    }

    fn expression(&mut self, least: u8) -> Outcome<Expression> {
        self.depth += 1;
        if self.depth > DEPTH_MAX {
            return Err(Mistake::new("expression nests too deep"));
        }
        let mut left = if let (Token::Name(name), Token::Sign("=" | "|=")) =
            (self.peek(), self.peek_second())
            && attribute(name).is_some()
        {
            Expression::Itself
        } else {
            self.operand()?
        };
        while let Some(new) = self.operator(&left, least)? {
            left = new;
        }
        self.depth -= 1;
        Ok(left)
    }

    /// Takes an operator and its right side, if it binds as tight as `least`.
    fn operator(&mut self, left: &Expression, least: u8) -> Outcome<Option<Expression>> {
        let left = || Box::new(left.clone());
        let token = self.peek().clone();
        let (strength, operator) = match &token {
            Token::Sign("," | ";") => (COMMA, None),
            Token::Sign("|") => (PIPE, None),
            Token::Sign("=" | "=c" | "|=") => (ASSIGN, None),
            Token::Sign("+=") => (ASSIGN, Some(Operator::Add)),
            Token::Sign("-=") => (ASSIGN, Some(Operator::Subtract)),
            Token::Sign("/=") => (ASSIGN, Some(Operator::Divide)),
            Token::Sign("%=") => (ASSIGN, Some(Operator::Remainder)),
            Token::Sign("==") => (ASSIGN, Some(Operator::Equal)),
            Token::Sign("!=") => (ASSIGN, Some(Operator::Unequal)),
            Token::Sign("<") => (ASSIGN, Some(Operator::Less)),
            Token::Sign("<=") => (ASSIGN, Some(Operator::LessOrEqual)),
            Token::Sign(">") => (ASSIGN, Some(Operator::Greater)),
            Token::Sign(">=") => (ASSIGN, Some(Operator::GreaterOrEqual)),
            Token::Sign("+") => (ARITHMETIC, Some(Operator::Add)),
            Token::Sign("-") => (ARITHMETIC, Some(Operator::Subtract)),
            Token::Sign("/") => (ARITHMETIC, Some(Operator::Divide)),
            Token::Sign("%") => (ARITHMETIC, Some(Operator::Remainder)),
            Token::Sign("//") => (ARITHMETIC, Some(Operator::Alternative)),
            Token::Star(letters, has_equal) => (
                if *has_equal { ASSIGN } else { ARITHMETIC },
                Some(Operator::Multiply(merge(letters))),
            ),
            Token::Name(name) => match name.as_str() {
                "and" => (LOGIC, Some(Operator::And)),
                "or" => (LOGIC, Some(Operator::Or)),
                "as" | "ref" => (ASSIGN, None),
                name if attribute(name).is_some()
                    && matches!(self.peek_second(), Token::Sign("=" | "|=")) =>
                {
                    (ASSIGN, None)
                }
                _ => return Ok(None),
            },
            // A number right behind an operand: `.a -1`.
            _ => return Ok(None),
        };
        if strength < least {
            return Ok(None);
        }
        self.place += 1;
        let right = strength + 1;
        Ok(Some(match (&token, operator) {
            (Token::Sign(","), _) => Expression::Union(left(), Box::new(self.expression(right)?)),
            (Token::Sign(";"), _) => {
                // A closing `;` is no mistake.
                if matches!(self.peek(), Token::Sign(")") | Token::End) {
                    return Ok(Some(*left()));
                }
                Expression::Block(left(), Box::new(self.expression(right)?))
            }
            (Token::Sign("|"), _) => Expression::Pipe(left(), Box::new(self.expression(PIPE)?)),
            (Token::Sign(sign @ ("=" | "|=" | "=c")), _) => Expression::Assign {
                target: left(),
                value: Box::new(self.expression(right)?),
                is_relative: *sign == "|=",
                clobbers_tags: *sign == "=c",
            },
            (Token::Name(name), None) => match attribute(name) {
                Some(attribute) => {
                    let is_relative = self.next() == Token::Sign("|=");
                    Expression::AssignAttribute {
                        target: left(),
                        attribute,
                        value: Box::new(self.expression(right)?),
                        is_relative,
                    }
                }
                None => return self.binding(*left(), name == "ref").map(Some),
            },
            (Token::Sign("+=" | "-=" | "/=" | "%=") | Token::Star(_, true), Some(operator)) => {
                Expression::Update(operator, left(), Box::new(self.expression(right)?))
            }
            (_, Some(operator)) => {
                Expression::Binary(operator, left(), Box::new(self.expression(right)?))
            }
            _ => return Err(self.unexpected()),
        }))
    }

    fn binding(&mut self, source: Expression, is_ref: bool) -> Outcome<Expression> {
        let Token::Variable(name) = self.next() else {
            self.place -= 1;
            return Err(Mistake::new(
                "RHS of 'as' operator must be a variable name e.g. $foo",
            ));
        };
        if *self.peek() == Token::Name("ireduce".to_owned())
            || *self.peek() == Token::Name("reduce".to_owned())
        {
            self.place += 1;
            self.want("(")?;
            let block = self.expression(0)?;
            self.want(")")?;
            return match block {
                Expression::Block(start, step) => {
                    Ok(Expression::Reduce(Box::new(source), name, start, step))
                }
                _ => Err(Mistake::new(
                    "reduce must be given a block, got UNION instead",
                )),
            };
        }
        if !self.take("|") {
            return Err(Mistake::new(
                "must use variable with a pipe, e.g. `exp as $x | ...`",
            ));
        }
        let body = self.expression(PIPE)?;
        Ok(Expression::Bind(
            Box::new(source),
            name,
            is_ref,
            Box::new(body),
        ))
    }

    fn operand(&mut self) -> Outcome<Expression> {
        let mut left = self.primary()?;
        loop {
            left = match self.peek().clone() {
                Token::Field(name, is_optional) => {
                    self.place += 1;
                    Expression::Pipe(
                        Box::new(left),
                        Box::new(Expression::Field(name, is_optional)),
                    )
                }
                Token::Sign("[") => {
                    self.place += 1;
                    self.index(left)?
                }
                Token::Dots(1) if *self.peek_second() == Token::Sign("[") => {
                    self.place += 2;
                    self.index(left)?
                }
                Token::Sign("?") => {
                    self.place += 1;
                    left
                }
                _ => return Ok(left),
            };
        }
    }

    fn index(&mut self, base: Expression) -> Outcome<Expression> {
        let base = Box::new(base);
        if self.take("]") {
            let is_optional = self.take("?");
            return Ok(Expression::Index(base, None, is_optional));
        }
        if self.take(":") {
            let to = self.expression(LOGIC)?;
            self.want("]")?;
            return Ok(Expression::Slice(base, None, Some(Box::new(to))));
        }
        let inner = self.expression(COMMA)?;
        if self.take(":") {
            let to = if *self.peek() == Token::Sign("]") {
                None
            } else {
                Some(Box::new(self.expression(LOGIC)?))
            };
            self.want("]")?;
            return Ok(Expression::Slice(base, Some(Box::new(inner)), to));
        }
        self.want("]")?;
        let is_optional = self.take("?");
        Ok(Expression::Index(base, Some(Box::new(inner)), is_optional))
    }

    fn primary(&mut self) -> Outcome<Expression> {
        let token = self.next();
        Ok(match token {
            Token::Field(name, is_optional) => Expression::Field(name, is_optional),
            Token::Dots(1) => Expression::Itself,
            Token::Dots(count) => Expression::Recurse(count == 3),
            Token::Variable(name) => Expression::Variable(name),
            Token::Number(tag, text) => Expression::Literal(tag, text),
            Token::Text(text) => string(&text)?,
            Token::Environment(name, is_text) => {
                let kind = if is_text { "strenv" } else { "env" };
                Expression::Call(kind.to_owned(), vec![Expression::Literal("!!str", name)])
            }
            Token::Sign("(") => {
                let inner = self.expression(0)?;
                self.want(")")?;
                inner
            }
            Token::Sign("[") => {
                if self.take("]") {
                    Expression::Collect(None)
                } else {
                    let inner = self.expression(0)?;
                    self.want("]")?;
                    Expression::Collect(Some(Box::new(inner)))
                }
            }
            Token::Sign("{") => self.object()?,
            Token::Name(name) => self.name(&name)?,
            _ => {
                self.place -= 1;
                return Err(self.unexpected());
            }
        })
    }

    fn name(&mut self, name: &str) -> Outcome<Expression> {
        if name == "if" {
            let choice = self.choice()?;
            return Ok(choice);
        }
        if let Some(attribute) = attribute(name) {
            return Ok(Expression::Attribute(attribute));
        }
        if *self.peek() == Token::Sign("(") && CALLS.contains(&name) {
            self.place += 1;
            if name == "envsubst" {
                // Its options are bare words.
                let mut words = Vec::new();
                while let Token::Name(word) = self.peek().clone() {
                    self.place += 1;
                    self.take(",");
                    words.push(word);
                }
                self.want(")")?;
                return Ok(Expression::Call(
                    name.to_owned(),
                    vec![Expression::Literal("!!str", words.join(","))],
                ));
            }
            // `del()` and the like have nothing to work on.
            let inner = self.expression(0)?;
            self.want(")")?;
            return Ok(Expression::Call(name.to_owned(), arguments(inner)));
        }
        if PLAIN.contains(&name) {
            return Ok(Expression::Call(name.to_owned(), Vec::new()));
        }
        self.place -= 1;
        if CALLS.contains(&name) {
            return Err(Mistake::new(format!(
                "'{name}' expects 1 arg but received none"
            )));
        }
        Err(self.unexpected())
    }

    fn choice(&mut self) -> Outcome<Expression> {
        let condition = self.expression(0)?;
        self.word("then")?;
        let then = self.expression(0)?;
        let otherwise = match self.next() {
            Token::Name(name) if name == "elif" => Some(self.choice()?),
            Token::Name(name) if name == "else" => {
                let otherwise = self.expression(0)?;
                self.word("end")?;
                Some(otherwise)
            }
            Token::Name(name) if name == "end" => None,
            _ => {
                self.place -= 1;
                return Err(self.unexpected());
            }
        };
        Ok(Expression::Choice(
            Box::new(condition),
            Box::new(then),
            otherwise.map(Box::new),
        ))
    }

    fn word(&mut self, word: &str) -> Outcome<()> {
        if matches!(self.peek(), Token::Name(name) if name == word) {
            self.place += 1;
            return Ok(());
        }
        Err(self.unexpected())
    }

    fn object(&mut self) -> Outcome<Expression> {
        let mut pairs = Vec::new();
        while !self.take("}") {
            if !pairs.is_empty() {
                self.want(",")?;
            }
            let key = match (self.peek().clone(), self.peek_second()) {
                (Token::Name(name), Token::Sign(":" | "," | "}")) => {
                    self.place += 1;
                    Expression::Literal("!!str", name)
                }
                (Token::Variable(name), Token::Sign("," | "}")) => {
                    self.place += 1;
                    pairs.push((
                        Expression::Literal("!!str", name.clone()),
                        Expression::Variable(name),
                    ));
                    continue;
                }
                _ => self.expression(LOGIC)?,
            };
            let value = if self.take(":") {
                self.expression(LOGIC)?
            } else if let Expression::Literal(_, name) = &key {
                Expression::Field(name.clone(), false)
            } else {
                return Err(self.unexpected());
            };
            pairs.push((key, value));
        }
        Ok(Expression::Object(pairs))
    }
}

/// Splits what stands in a function's parentheses at `;` and, at the top, `,`.
fn arguments(inner: Expression) -> Vec<Expression> {
    match inner {
        Expression::Block(left, right) => {
            let mut all = arguments(*left);
            all.push(*right);
            all
        }
        inner => vec![inner],
    }
}

fn string(text: &str) -> Outcome<Expression> {
    let mut pieces = Vec::new();
    let mut rest = text;
    let mut from = 0;
    while let Some(place) = rest
        .get(from..)
        .and_then(|part| part.find('\\'))
        .map(|place| place + from)
    {
        if !rest
            .get(place + 1..)
            .is_some_and(|next| next.starts_with('('))
        {
            from = place
                + 1
                + rest
                    .get(place + 1..)
                    .and_then(|next| next.chars().next())
                    .map_or(0, char::len_utf8);
            continue;
        }
        let inner = rest.get(place + 2..).unwrap_or_default();
        let Some(end) = closing(inner) else {
            return Err(Mistake::new("unclosed string interpolation"));
        };
        pieces.push(Piece::Text(unescape(rest.get(..place).unwrap_or_default())));
        pieces.push(Piece::Expression(parse(
            inner.get(..end).unwrap_or_default(),
        )?));
        rest = inner.get(end + 1..).unwrap_or_default();
        from = 0;
    }
    if pieces.is_empty() {
        return Ok(Expression::Literal("!!str", unescape(rest)));
    }
    pieces.push(Piece::Text(unescape(rest)));
    Ok(Expression::Interpolated(pieces))
}

fn closing(text: &str) -> Option<usize> {
    let mut depth = 0_usize;
    let mut is_quoted = false;
    for (place, character) in text.char_indices() {
        match character {
            '"' => is_quoted = !is_quoted,
            '(' if !is_quoted => depth += 1,
            ')' if !is_quoted => {
                if depth == 0 {
                    return Some(place);
                }
                depth -= 1;
            }
            _ => {}
        }
    }
    None
}
