//! Custom sections of a component: read, replace and disarm them without touching anything else.
//!
//! Works on the bytes of the section framing alone, so a component keeps every other byte.

use std::borrow::Cow;

use wasm_encoder::{Encode, Section};
use wasmparser::{Parser, Payload};

/// The first eight bytes: magic number, version and layer.
const HEADER_BYTES: usize = 8;
const CUSTOM_SECTION: u8 = 0;

/// Returns whether the bytes begin as a component does; a core module does not.
pub(super) fn is_component(wasm: &[u8]) -> bool {
    Parser::is_component(wasm)
}

/// Returns the data of the last custom section of this name at the top level.
///
/// The last one counts because sections are appended: it is the newest.
pub(super) fn read<'a>(wasm: &'a [u8], name: &str) -> Option<&'a [u8]> {
    top_level(wasm)
        .ok()?
        .into_iter()
        .rev()
        .find_map(|section| section.custom(name))
}

/// Returns the component with its custom sections of this name replaced by one at the end.
///
/// # Errors
///
/// Fails where the section framing is broken.
pub(super) fn replace(wasm: &[u8], name: &str, data: &[u8]) -> Result<Vec<u8>, BadFraming> {
    let sections = top_level(wasm)?;
    let header = wasm.get(..HEADER_BYTES).ok_or(BadFraming)?;
    let mut out = Vec::with_capacity(wasm.len() + data.len() + name.len() + 16);
    out.extend_from_slice(header);
    for section in sections {
        if section.custom(name).is_none() {
            out.extend_from_slice(section.bytes);
        }
    }
    let section = wasm_encoder::CustomSection {
        name: name.into(),
        data: data.into(),
    };
    out.push(section.id());
    section.encode(&mut out);
    Ok(out)
}

/// Returns the component with every custom section of this name, at any depth, under another name.
///
/// A reader that would fail on such a section then passes it by. The name changes in place, since
/// removing a nested section would change the sizes of all that enclose it.
pub(super) fn disarm<'a>(wasm: &'a [u8], name: &str) -> Cow<'a, [u8]> {
    let mut out = Cow::Borrowed(wasm);
    // What does not parse stays as it is, for the real parser to refuse with a reason.
    for payload in Parser::new(0).parse_all(wasm).map_while(Result::ok) {
        if let Payload::CustomSection(section) = payload
            && section.name() == name
            && let Some(last) = section.data_offset().checked_sub(1)
            && let Some(byte) = out.to_mut().get_mut(last)
        {
            *byte = b'!';
        }
    }
    out
}

/// The section framing of a component is broken.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct BadFraming;

/// One section with its framing.
struct RawSection<'a> {
    id: u8,
    bytes: &'a [u8],
    body: &'a [u8],
}

impl<'a> RawSection<'a> {
    /// The data of a custom section of this name.
    fn custom(&self, name: &str) -> Option<&'a [u8]> {
        if self.id != CUSTOM_SECTION {
            return None;
        }
        let (length, rest) = leb_u32(self.body)?;
        let (found, data) = rest.split_at_checked(usize::try_from(length).ok()?)?;
        (found == name.as_bytes()).then_some(data)
    }
}

fn top_level(wasm: &[u8]) -> Result<Vec<RawSection<'_>>, BadFraming> {
    let mut sections = Vec::new();
    let mut rest = wasm.get(HEADER_BYTES..).ok_or(BadFraming)?;
    while let Some((&id, after_id)) = rest.split_first() {
        let (size, body_on) = leb_u32(after_id).ok_or(BadFraming)?;
        let size = usize::try_from(size).map_err(|_| BadFraming)?;
        let (body, next) = body_on.split_at_checked(size).ok_or(BadFraming)?;
        let bytes = rest.get(..rest.len() - next.len()).ok_or(BadFraming)?;
        sections.push(RawSection { id, bytes, body });
        rest = next;
    }
    Ok(sections)
}

/// Reads an unsigned LEB128 number of at most 32 bits, and returns it with what follows.
fn leb_u32(bytes: &[u8]) -> Option<(u32, &[u8])> {
    let mut value = 0_u64;
    for (index, &byte) in bytes.iter().take(5).enumerate() {
        value |= u64::from(byte & 0x7f) << (7 * index);
        if byte & 0x80 == 0 {
            return Some((u32::try_from(value).ok()?, bytes.get(index + 1..)?));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

    use super::*;

    /// A component that holds a module and a component, each with a custom section of its own.
    fn nested() -> Vec<u8> {
        wat::parse_str(
            r#"(component
                (@custom "mine" "outer")
                (core module (@custom "mine" "inner"))
                (component (@custom "mine" "inner") (@custom "other" "kept"))
            )"#,
        )
        .unwrap()
    }

    fn custom_names(wasm: &[u8]) -> Vec<String> {
        Parser::new(0)
            .parse_all(wasm)
            .filter_map(|payload| match payload.unwrap() {
                Payload::CustomSection(section) => Some(section.name().to_owned()),
                _ => None,
            })
            .collect()
    }

    #[test]
    fn replaces_only_at_the_top() {
        let wasm = nested();
        let once = replace(&wasm, "mine", b"first").unwrap();
        let twice = replace(&once, "mine", b"second").unwrap();
        assert_eq!(read(&wasm, "mine").unwrap(), b"outer");
        assert_eq!(read(&twice, "mine").unwrap(), b"second");
        assert_eq!(custom_names(&twice), ["mine", "mine", "other", "mine"]);
        assert_eq!(twice.len(), once.len() + 1, "the first section is gone");
    }

    #[test]
    fn disarms_at_every_depth() {
        let wasm = nested();
        let disarmed = disarm(&wasm, "mine");
        assert_eq!(custom_names(&disarmed), ["min!", "min!", "min!", "other"]);
        assert_eq!(disarmed.len(), wasm.len());
        assert!(matches!(disarm(&wasm, "absent"), Cow::Borrowed(_)));
    }

    #[test]
    fn broken_framing_is_an_error() {
        let wasm = nested();
        for length in 0..wasm.len() {
            let cut = wasm.get(..length).unwrap();
            let _ = (
                read(cut, "mine"),
                replace(cut, "mine", b""),
                disarm(cut, "mine"),
            );
        }
        assert_eq!(replace(b"\0asm", "mine", b"").unwrap_err(), BadFraming);
        let oversized = [&wasm[..8], &[0, 0xff, 0xff, 0xff, 0xff, 0x0f]].concat();
        assert_eq!(replace(&oversized, "mine", b"").unwrap_err(), BadFraming);
    }
}
