//! Reads `s` and `y`.

use super::{Parser, SANDBOX, end_of_command, file_name};
use crate::{
    escape,
    pattern::Pattern,
    reader::Reader,
    replacement::{self, Part},
    script::{Action, Substitution, Translation},
};

impl Parser<'_> {
    pub(super) fn substitution(&mut self, reader: &mut Reader) -> Result<Action, String> {
        const UNTERMINATED: &str = "unterminated `s' command";
        let delimiter = reader.next();
        let halves = delimiter.and_then(|delimiter| {
            let pattern = reader.delimited(delimiter, true)?;
            Some((pattern, reader.delimited(delimiter, false)?))
        });
        let (pattern, right) = halves.ok_or_else(|| reader.error(UNTERMINATED))?;
        let parts = replacement::parse(&right);
        let groups = parts.iter().map(|part| match part {
            Part::Group(group) => *group,
            _ => 0,
        });
        let groups_max = groups.max().unwrap_or(0);
        let mut substitution = Substitution {
            pattern: Pattern::Last,
            parts,
            needs_groups: groups_max > 0,
            groups_max,
            number: 0,
            all: false,
            print: 0,
            execute: false,
            write: None,
        };
        let (ignore_case, multi_line) = self.flags(reader, &mut substitution)?;
        substitution.number = substitution.number.max(1);
        substitution.pattern = Pattern::new(&pattern, ignore_case, multi_line, self.settings)
            .map_err(|error| reader.error(&error))?;
        if let Pattern::Compiled(regex) = &substitution.pattern
            && regex.groups() < groups_max
        {
            return Err(reader.error(&format!(
                "invalid reference \\{groups_max} on `s' command's RHS"
            )));
        }
        Ok(Action::Substitute(Box::new(substitution)))
    }

    fn flags(
        &mut self,
        reader: &mut Reader,
        substitution: &mut Substitution,
    ) -> Result<(bool, bool), String> {
        let (mut ignore_case, mut multi_line) = (false, false);
        loop {
            match reader.next() {
                Some(b'g') if substitution.all => {
                    return Err(reader.error("multiple `g' options to `s' command"));
                }
                Some(b'g') => substitution.all = true,
                Some(b'p') if substitution.print > 0 => {
                    return Err(reader.error("multiple `p' options to `s' command"));
                }
                // With `e` the place tells whether printing comes before or after it.
                Some(b'p') => substitution.print = if substitution.execute { 2 } else { 1 },
                Some(b'i' | b'I') => ignore_case = true,
                Some(b'm' | b'M') => multi_line = true,
                Some(b'e') => {
                    if self.settings.sandbox {
                        return Err(reader.error(SANDBOX));
                    }
                    substitution.execute = true;
                }
                Some(digit @ b'0'..=b'9') => {
                    if substitution.number > 0 {
                        return Err(reader.error("multiple number options to `s' command"));
                    }
                    let number = reader.number(digit);
                    if number == 0 {
                        return Err(reader.error("number option to `s' command may not be zero"));
                    }
                    substitution.number = usize::try_from(number).unwrap_or(usize::MAX);
                }
                Some(b'w') => {
                    if self.settings.sandbox {
                        return Err(reader.error(SANDBOX));
                    }
                    let name = file_name(reader)?;
                    substitution.write = Some(self.output(name));
                    break;
                }
                Some(b' ' | b'\t') => {}
                None | Some(b'\n' | b';') => break,
                other @ Some(b'}' | b'#') => {
                    reader.back(other);
                    break;
                }
                Some(b'\r') if matches!(reader.rest(), [] | [b'\n', ..]) => {}
                Some(_) => return Err(reader.error("unknown option to `s'")),
            }
        }
        Ok((ignore_case, multi_line))
    }

    pub(super) fn translation(&mut self, reader: &mut Reader) -> Result<Action, String> {
        const LENGTHS: &str = "strings for `y' command are different lengths";
        let delimiter = reader.next();
        let halves = delimiter.and_then(|delimiter| {
            let from = reader.delimited(delimiter, false)?;
            Some((from, reader.delimited(delimiter, false)?))
        });
        let (from, to) = halves.ok_or_else(|| reader.error("unterminated `y' command"))?;
        let (from, to) = (unquote(&from), unquote(&to));
        let from = characters(&from, self.settings.utf8);
        let to = characters(&to, self.settings.utf8);
        if from.len() != to.len() {
            // Its end is looked at first.
            end_of_command(reader).ok();
            return Err(reader.error(LENGTHS));
        }
        let mut bytes = Box::new([0_u8; 256]);
        for (byte, place) in (0..=u8::MAX).zip(bytes.iter_mut()) {
            *place = byte;
        }
        let mut translation = Translation {
            bytes,
            characters: Vec::new(),
        };
        for (from, to) in from.iter().zip(&to) {
            match (from, to) {
                ([from], [to]) => {
                    if let Some(place) = translation.bytes.get_mut(usize::from(*from)) {
                        *place = *to;
                    }
                }
                _ => translation.characters.push((from.to_vec(), to.to_vec())),
            }
        }
        Ok(Action::Translate(translation))
    }
}

fn unquote(text: &[u8]) -> Vec<u8> {
    let mut result = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((first, behind)) = rest.split_first() {
        rest = behind;
        if *first == b'\\' {
            if let Some((byte, length)) = escape::byte(behind) {
                result.push(byte);
                rest = behind.get(length..).unwrap_or_default();
                continue;
            }
            if let Some((b'\\', further)) = behind.split_first() {
                rest = further;
            }
        }
        result.push(*first);
    }
    result
}

/// Splits a text into characters; bytes that are none stand alone.
pub fn characters(text: &[u8], utf8: bool) -> Vec<&[u8]> {
    let mut result = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let length = if utf8 {
            crate::character::length(rest)
        } else {
            1
        };
        let (character, further) = rest.split_at_checked(length).unwrap_or((rest, b""));
        result.push(character);
        rest = further;
    }
    result
}
