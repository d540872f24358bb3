//! The header block: fields at fixed places, numbers in octal text or, where that is too short, in base 256.

use super::entry::{Entry, Kind, Piece, Time};

/// Archives are made of blocks of this size.
pub(crate) const BLOCK: usize = 512;

/// A block.
pub(crate) type Block = [u8; BLOCK];

/// The dialects.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    V7,
    OldGnu,
    Gnu,
    Ustar,
    Pax,
}

impl Format {
    pub(crate) fn is_gnu(self) -> bool {
        matches!(self, Self::Gnu | Self::OldGnu)
    }
}

type Field = std::ops::Range<usize>;

const NAME: Field = 0..100;
const MODE: Field = 100..108;
const USER: Field = 108..116;
const GROUP: Field = 116..124;
const SIZE: Field = 124..136;
const TIME: Field = 136..148;
const SUM: Field = 148..156;
const KIND: Field = 156..157;
const LINK: Field = 157..257;
const MAGIC: Field = 257..265;
const USER_NAME: Field = 265..297;
const GROUP_NAME: Field = 297..329;
const MAJOR: Field = 329..337;
const MINOR: Field = 337..345;
const PREFIX: Field = 345..500;
/// Of GNU's old files with holes.
const SPARSE: Field = 386..482;
const SPARSE_MORE: usize = 482;
const SPARSE_SIZE: Field = 483..495;

/// What a block is.
pub(crate) enum Read {
    /// All zeros: two of them end an archive.
    Zeros,
    /// No header.
    Bad,
    /// A header of this kind; the entry is the block's own, without what other blocks say of it.
    Header(u8, Box<Entry>),
}

fn field(block: &Block, field: Field) -> &[u8] {
    block.get(field).unwrap_or_default()
}

/// Returns a text up to its zero.
fn text(bytes: &[u8]) -> &[u8] {
    let end = bytes.iter().position(|byte| *byte == 0);
    bytes.get(..end.unwrap_or(bytes.len())).unwrap_or_default()
}

/// Reads a number; none if it is none.
fn number(bytes: &[u8]) -> Option<i64> {
    match bytes.split_first() {
        Some((first, rest)) if first & 0x80 != 0 => {
            // Two's complement of all bits but the first, which only marks it.
            let is_negative = *first == 0xff;
            let start = if is_negative {
                -1
            } else {
                i64::from(first & 0x7f)
            };
            rest.iter().try_fold(start, |number: i64, byte| {
                number.checked_mul(256)?.checked_add(i64::from(*byte))
            })
        }
        _ => {
            let digits = std::str::from_utf8(bytes).ok()?;
            let digits =
                digits.trim_matches(|character: char| character == ' ' || character == '\0');
            let digits = digits.split([' ', '\0']).next().unwrap_or_default();
            if digits.is_empty() {
                return Some(0);
            }
            i64::from_str_radix(digits, 8).ok()
        }
    }
}

fn unsigned(bytes: &[u8]) -> Option<u64> {
    number(bytes).and_then(|number| u64::try_from(number).ok())
}

fn sums(block: &Block) -> (i64, i64) {
    let mut sums = (0, 0);
    for (place, byte) in block.iter().enumerate() {
        let byte = if SUM.contains(&place) { b' ' } else { *byte };
        sums.0 += i64::from(byte);
        // Some old programs took bytes for signed.
        sums.1 += i64::from(i8::from_ne_bytes([byte]));
    }
    sums
}

/// Returns whether a block is a header.
pub(crate) fn is_header(block: &Block) -> bool {
    let (unsigned, signed) = sums(block);
    number(field(block, SUM)).is_some_and(|sum| sum == unsigned || sum == signed)
}

pub(crate) fn decode(block: &Block) -> Read {
    if block.iter().all(|byte| *byte == 0) {
        return Read::Zeros;
    }
    if !is_header(block) {
        return Read::Bad;
    }
    match entry(block) {
        Some((letter, entry)) => Read::Header(letter, Box::new(entry)),
        None => Read::Bad,
    }
}

fn entry(block: &Block) -> Option<(u8, Entry)> {
    let magic = field(block, MAGIC);
    let is_gnu = magic == b"ustar  \0";
    let is_posix = magic.starts_with(b"ustar\0");
    let mut name = text(field(block, NAME)).to_vec();
    let prefix = text(field(block, PREFIX));
    if is_posix && !prefix.is_empty() {
        let mut whole = prefix.to_vec();
        whole.push(b'/');
        whole.extend_from_slice(&name);
        name = whole;
    }
    let letter = field(block, KIND).first().copied().unwrap_or(0);
    let kind = Kind::of_letter(letter, &name);
    let mut entry = Entry::new(name, kind);
    entry.mode = u32::try_from(number(field(block, MODE))? & 0o7777).ok()?;
    entry.user = unsigned(field(block, USER)).unwrap_or(0);
    entry.group = unsigned(field(block, GROUP)).unwrap_or(0);
    entry.size = unsigned(field(block, SIZE))?;
    entry.stored = entry.size;
    entry.modified = Time {
        seconds: number(field(block, TIME))?,
        nanoseconds: 0,
    };
    entry.link = text(field(block, LINK)).to_vec();
    if is_gnu || is_posix {
        entry.user_name = text(field(block, USER_NAME)).to_vec();
        entry.group_name = text(field(block, GROUP_NAME)).to_vec();
        entry.device = (
            unsigned(field(block, MAJOR)).unwrap_or(0),
            unsigned(field(block, MINOR)).unwrap_or(0),
        );
    }
    if letter == b'S' {
        entry.pieces = Some(pieces(field(block, SPARSE))?);
        entry.size = unsigned(field(block, SPARSE_SIZE))?;
    }
    Some((letter, entry))
}

/// Reads the pieces that one block of GNU's old files with holes tells.
fn pieces(bytes: &[u8]) -> Option<Vec<Piece>> {
    let mut pieces = Vec::new();
    for pair in bytes.chunks_exact(24) {
        let (offset, length) = pair.split_at_checked(12)?;
        if length.first() == Some(&0) {
            break;
        }
        pieces.push(Piece {
            offset: unsigned(offset)?,
            length: unsigned(length)?,
        });
    }
    Some(pieces)
}

/// Returns whether another block of pieces follows the header.
pub(crate) fn has_more_pieces(block: &Block) -> bool {
    block.get(SPARSE_MORE).is_some_and(|more| *more != 0)
}

/// Reads such a block: its pieces, and whether yet another follows.
pub(crate) fn more_pieces(block: &Block) -> Option<(Vec<Piece>, bool)> {
    let more = block.get(504).is_some_and(|more| *more != 0);
    Some((pieces(block.get(..504)?)?, more))
}

/// Why a member has no header in a dialect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unfit {
    /// The name is too long and has no slash at the right place.
    Name,
    /// The name is longer than this.
    NameMax(usize),
    /// What a link leads to is too long.
    Link,
    /// A number does not fit.
    Number(i128),
}

fn put(block: &mut Block, field: Field, bytes: &[u8]) {
    if let Some(place) = block.get_mut(field) {
        for (place, byte) in place.iter_mut().zip(bytes) {
            *place = *byte;
        }
    }
}

/// Writes a number, in base 256 if the dialect has that and it needs it.
fn put_number(block: &mut Block, field: Field, number: i64, format: Format) -> Result<(), Unfit> {
    let width = field.len();
    let digits = width - 1;
    let octal = u64::try_from(number)
        .ok()
        .map(|number| format!("{number:o}"));
    if let Some(octal) = octal.filter(|octal| octal.len() <= digits) {
        put(block, field, format!("{octal:0>digits$}\0").as_bytes());
        return Ok(());
    }
    match format {
        Format::Gnu | Format::OldGnu => {
            let mut bytes = vec![if number < 0 { 0xff } else { 0x80 }];
            let filler = if number < 0 { 0xff } else { 0 };
            let number = number.to_be_bytes();
            if width == 8 {
                bytes.extend(number.iter().skip(1));
            } else {
                bytes.resize(width - number.len(), filler);
                bytes.extend(number);
            }
            put(block, field, &bytes);
            Ok(())
        }
        // The records before the header have the number.
        Format::Pax => {
            put(block, field, format!("{:0>digits$}\0", 0).as_bytes());
            Ok(())
        }
        Format::Ustar | Format::V7 => Err(Unfit::Number(i128::from(number))),
    }
}

/// Returns the length of the part of a name that goes into ustar's prefix; 0 for none.
fn split(name: &[u8]) -> Option<usize> {
    if name.len() <= NAME.len() {
        return Some(0);
    }
    // The slash itself is stored nowhere, and one at the end is no place to split.
    let reach = (PREFIX.len() + 1).min(name.len().saturating_sub(1));
    let place = name.get(..reach)?.iter().rposition(|byte| *byte == b'/')?;
    let rest = name.len() - place - 1;
    (place > 0 && rest > 0 && rest <= NAME.len()).then_some(place)
}

/// Makes the header block of a member. `letter` stands for its kind.
pub(crate) fn encode(entry: &Entry, letter: u8, format: Format) -> Result<Block, Unfit> {
    let mut block = [0; BLOCK];
    let name = entry.name.as_slice();
    match format {
        Format::Ustar => {
            let prefix = split(name).ok_or(Unfit::Name)?;
            if prefix > 0 {
                put(&mut block, PREFIX, name.get(..prefix).unwrap_or_default());
                put(&mut block, NAME, name.get(prefix + 1..).unwrap_or_default());
            } else {
                put(&mut block, NAME, name);
            }
        }
        Format::V7 if name.len() > NAME.len() - 1 => {
            return Err(Unfit::NameMax(NAME.len() - 1));
        }
        Format::OldGnu => put(&mut block, NAME.start..NAME.end - 1, name),
        Format::V7 | Format::Gnu | Format::Pax => put(&mut block, NAME, name),
    }
    if matches!(format, Format::Ustar | Format::V7) && entry.link.len() > LINK.len() {
        return Err(Unfit::Link);
    }
    put_number(&mut block, MODE, i64::from(entry.mode), format)?;
    let signed = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
    put_number(&mut block, USER, signed(entry.user), format)?;
    put_number(&mut block, GROUP, signed(entry.group), format)?;
    put_number(&mut block, SIZE, signed(entry.stored), format)?;
    put_number(&mut block, TIME, entry.modified.seconds, format)?;
    // The oldest dialect has no letter for plain files.
    let is_old_plain = format == Format::V7 && letter == b'0';
    put(&mut block, KIND, &[if is_old_plain { 0 } else { letter }]);
    put(&mut block, LINK, &entry.link);
    if format != Format::V7 {
        let magic = if format.is_gnu() {
            b"ustar  \0"
        } else {
            b"ustar\x0000"
        };
        put(&mut block, MAGIC, magic);
        put(
            &mut block,
            USER_NAME.start..USER_NAME.end - 1,
            &entry.user_name,
        );
        put(
            &mut block,
            GROUP_NAME.start..GROUP_NAME.end - 1,
            &entry.group_name,
        );
    }
    if !format.is_gnu() || matches!(entry.kind, Kind::CharacterDevice | Kind::BlockDevice) {
        put_number(&mut block, MAJOR, signed(entry.device.0), format)?;
        put_number(&mut block, MINOR, signed(entry.device.1), format)?;
    }
    let (sum, _) = sums(&block);
    put(&mut block, SUM, format!("{sum:06o}\0 ").as_bytes());
    Ok(block)
}

/// Makes the header of pax records, which has no owner.
pub(crate) fn encode_records(name: &[u8], size: u64, seconds: i64) -> Block {
    let mut block = [0; BLOCK];
    put(&mut block, NAME, name);
    let numbers = [
        (MODE, 0o644),
        (USER, 0),
        (GROUP, 0),
        (SIZE, i64::try_from(size).unwrap_or(i64::MAX)),
        (TIME, seconds),
    ];
    for (field, number) in numbers {
        // pax takes every number, if need be as 0.
        let _ = put_number(&mut block, field, number, Format::Pax);
    }
    put(&mut block, KIND, b"x");
    put(&mut block, MAGIC, b"ustar\x0000");
    let (sum, _) = sums(&block);
    put(&mut block, SUM, format!("{sum:06o}\0 ").as_bytes());
    block
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

    use super::*;

    fn back(entry: &Entry, format: Format) -> Entry {
        let block = encode(entry, entry.kind.letter(), format).unwrap();
        match decode(&block) {
            Read::Header(_, entry) => *entry,
            _ => panic!("no header"),
        }
    }

    #[test]
    fn headers_come_back_as_they_were() {
        let mut entry = Entry::new(b"d/f".to_vec(), Kind::Regular);
        entry.mode = 0o4755;
        entry.stored = 10;
        entry.modified.seconds = -5;
        entry.user = 1 << 40;
        entry.user_name = b"agent".to_vec();
        let read = back(&entry, Format::Gnu);
        assert_eq!(
            (
                read.name,
                read.mode,
                read.size,
                read.modified,
                read.user,
                read.user_name
            ),
            (
                entry.name.clone(),
                0o4755,
                10,
                entry.modified,
                1 << 40,
                entry.user_name.clone()
            )
        );
        assert_eq!(
            encode(&entry, b'0', Format::Ustar),
            Err(Unfit::Number(1 << 40))
        );
        let long = [[b'm'; 60].as_slice(), b"/", &[b'n'; 60]].concat();
        let entry = Entry::new(long.clone(), Kind::Regular);
        assert_eq!(back(&entry, Format::Ustar).name, long);
        let entry = Entry::new(vec![b'n'; 120], Kind::Regular);
        assert_eq!(encode(&entry, b'0', Format::Ustar), Err(Unfit::Name));
    }
}
