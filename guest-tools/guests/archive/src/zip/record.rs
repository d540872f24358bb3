//! The records of a zip file: before each member, in the directory at the end, and the end itself.

use std::io::{self, Read, Write};

use calendar::{Civil, Zone};

/// How a member is packed.
pub(crate) const STORED: u16 = 0;
/// As that.
pub(crate) const DEFLATED: u16 = 8;
/// As that.
pub(crate) const BZIPPED: u16 = 12;

/// The flag that sizes stand behind the data.
pub(crate) const FLAG_LATER: u16 = 8;
/// The flag that names are UTF-8.
pub(crate) const FLAG_UTF8: u16 = 1 << 11;
/// The flag of encryption.
pub(crate) const FLAG_SECRET: u16 = 1;

const LOCAL: u32 = 0x0403_4b50;
const CENTRAL: u32 = 0x0201_4b50;
const LATER: u32 = 0x0807_4b50;
pub(crate) const END: u32 = 0x0605_4b50;
pub(crate) const END64: u32 = 0x0606_4b50;
pub(crate) const LOCATOR64: u32 = 0x0706_4b50;
const MAX32: u64 = 0xffff_ffff;

/// A member as the directory has it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Member {
    pub(crate) name: Vec<u8>,
    /// The version of the program that made it, and in the high byte its system.
    pub(crate) made_by: u16,
    pub(crate) needed: u16,
    pub(crate) flags: u16,
    pub(crate) method: u16,
    pub(crate) time: u16,
    pub(crate) date: u16,
    pub(crate) crc: u32,
    pub(crate) packed: u64,
    pub(crate) size: u64,
    /// Bit 0: text.
    pub(crate) internal: u16,
    /// The mode in the upper half.
    pub(crate) external: u32,
    pub(crate) offset: u64,
    /// Extra fields of the directory.
    pub(crate) extra: Vec<u8>,
    pub(crate) comment: Vec<u8>,
    /// The time in seconds, where an extra field has it.
    pub(crate) modified: Option<i64>,
}

/// Reads numbers, lowest byte first.
pub(crate) struct Fields<'a>(pub(crate) &'a [u8]);

impl<'a> Fields<'a> {
    pub(crate) fn bytes(&mut self, count: usize) -> Option<&'a [u8]> {
        let (head, tail) = self.0.split_at_checked(count)?;
        self.0 = tail;
        Some(head)
    }

    pub(crate) fn number(&mut self, count: usize) -> Option<u64> {
        let bytes = self.bytes(count)?;
        Some(
            bytes
                .iter()
                .rev()
                .fold(0, |number, byte| number << 8 | u64::from(*byte)),
        )
    }

    pub(crate) fn short(&mut self) -> Option<u16> {
        self.number(2).and_then(|number| u16::try_from(number).ok())
    }

    pub(crate) fn long(&mut self) -> Option<u32> {
        self.number(4).and_then(|number| u32::try_from(number).ok())
    }
}

fn clipped(number: u64) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

impl Member {
    pub(crate) fn is_folder(&self) -> bool {
        self.name.ends_with(b"/")
    }

    /// Returns the mode, where it is Unix's.
    pub(crate) fn mode(&self) -> Option<u32> {
        let is_unix = self.made_by >> 8 == 3;
        Some(self.external >> 16).filter(|mode| is_unix && *mode != 0)
    }

    pub(crate) fn is_symlink(&self) -> bool {
        self.mode()
            .is_some_and(|mode| mode & 0o170_000 == 0o120_000)
    }

    /// Returns when it was changed, as the clock here has it.
    pub(crate) fn seconds(&self) -> i64 {
        self.modified
            .unwrap_or_else(|| from_dos(self.date, self.time))
    }

    /// Reads a record of the directory.
    pub(crate) fn read(source: &mut impl Read) -> io::Result<Option<Self>> {
        let mut head = [0; 46];
        source.read_exact(&mut head)?;
        let parsed = Self::fields(&head);
        let Some((mut member, [name, extra, comment])) = parsed else {
            return Ok(None);
        };
        let mut part = |length: u16| {
            let mut bytes = vec![0; usize::from(length)];
            source.read_exact(&mut bytes).map(|()| bytes)
        };
        member.name = part(name)?;
        member.extra = part(extra)?;
        member.comment = part(comment)?;
        member.read_extra();
        Ok(Some(member))
    }

    fn fields(head: &[u8]) -> Option<(Self, [u16; 3])> {
        let mut fields = Fields(head);
        if fields.long()? != CENTRAL {
            return None;
        }
        let mut member = Self {
            made_by: fields.short()?,
            needed: fields.short()?,
            flags: fields.short()?,
            method: fields.short()?,
            time: fields.short()?,
            date: fields.short()?,
            crc: fields.long()?,
            packed: fields.number(4)?,
            size: fields.number(4)?,
            ..Self::default()
        };
        let lengths = [fields.short()?, fields.short()?, fields.short()?];
        fields.short()?;
        member.internal = fields.short()?;
        member.external = fields.long()?;
        member.offset = fields.number(4)?;
        Some((member, lengths))
    }

    fn read_extra(&mut self) {
        let extra = std::mem::take(&mut self.extra);
        let mut fields = Fields(&extra);
        while let (Some(id), Some(length)) = (fields.short(), fields.short()) {
            let Some(content) = fields.bytes(usize::from(length)) else {
                break;
            };
            let mut content = Fields(content);
            match id {
                1 => {
                    for number in [&mut self.size, &mut self.packed, &mut self.offset] {
                        if *number == MAX32
                            && let Some(value) = content.number(8)
                        {
                            *number = value;
                        }
                    }
                }
                0x5455 => {
                    let flags = content.number(1).unwrap_or(0);
                    if flags & 1 != 0
                        && let Some(seconds) = content.long()
                    {
                        self.modified = Some(i64::from(seconds.cast_signed()));
                    }
                }
                _ => {}
            }
        }
        self.extra = extra;
    }

    /// Returns the extra fields without that of big numbers, which is made anew.
    fn other_extra(&self) -> Vec<u8> {
        let mut fields = Fields(&self.extra);
        let mut kept = Vec::new();
        while let (Some(id), Some(length)) = (fields.short(), fields.short()) {
            let Some(content) = fields.bytes(usize::from(length)) else {
                break;
            };
            if id != 1 {
                kept.extend(id.to_le_bytes());
                kept.extend(length.to_le_bytes());
                kept.extend(content);
            }
        }
        kept
    }

    /// Writes its record of the directory.
    pub(crate) fn write(&self, out: &mut impl Write) -> io::Result<()> {
        let mut big = Vec::new();
        for number in [self.size, self.packed, self.offset] {
            if number >= MAX32 {
                big.extend(number.to_le_bytes());
            }
        }
        let mut extra = Vec::new();
        if !big.is_empty() {
            extra.extend(1_u16.to_le_bytes());
            extra.extend(u16::try_from(big.len()).unwrap_or(0).to_le_bytes());
            extra.extend(&big);
        }
        extra.extend(self.other_extra());
        let mut record = CENTRAL.to_le_bytes().to_vec();
        record.extend(self.made_by.to_le_bytes());
        self.common(&mut record, &extra);
        record.extend(length(&self.comment).to_le_bytes());
        record.extend(0_u16.to_le_bytes());
        record.extend(self.internal.to_le_bytes());
        record.extend(self.external.to_le_bytes());
        record.extend(clipped(self.offset).to_le_bytes());
        out.write_all(&record)?;
        out.write_all(&self.name)?;
        out.write_all(&extra)?;
        out.write_all(&self.comment)
    }

    /// What both records of a member have: from the version to the lengths of name and extra fields.
    fn common(&self, record: &mut Vec<u8>, extra: &[u8]) {
        for number in [self.needed, self.flags, self.method, self.time, self.date] {
            record.extend(number.to_le_bytes());
        }
        record.extend(self.crc.to_le_bytes());
        record.extend(clipped(self.packed).to_le_bytes());
        record.extend(clipped(self.size).to_le_bytes());
        record.extend(length(&self.name).to_le_bytes());
        record.extend(length(extra).to_le_bytes());
    }

    /// Returns the record before its data. `extra`: the fields that this record has.
    pub(crate) fn local(&self, extra: &[u8], is_big: bool) -> Vec<u8> {
        let mut whole = Vec::new();
        let mut shown = self.clone();
        if is_big {
            whole.extend([1, 0, 16, 0]);
            whole.extend(self.size.to_le_bytes());
            whole.extend(self.packed.to_le_bytes());
            shown.size = MAX32;
            shown.packed = MAX32;
        }
        whole.extend(extra);
        let mut record = LOCAL.to_le_bytes().to_vec();
        shown.common(&mut record, &whole);
        record.extend(&self.name);
        record.extend(whole);
        record
    }

    /// Returns the record behind its data.
    pub(crate) fn later(&self, is_big: bool) -> Vec<u8> {
        let mut record = LATER.to_le_bytes().to_vec();
        record.extend(self.crc.to_le_bytes());
        for number in [self.packed, self.size] {
            if is_big {
                record.extend(number.to_le_bytes());
            } else {
                record.extend(clipped(number).to_le_bytes());
            }
        }
        record
    }
}

fn length(bytes: &[u8]) -> u16 {
    u16::try_from(bytes.len()).unwrap_or(u16::MAX)
}

/// Writes the end of a zip file behind its directory.
pub(crate) fn write_end(
    out: &mut impl Write,
    entries: u64,
    directory_offset: u64,
    directory_size: u64,
    comment: &[u8],
) -> io::Result<()> {
    let is_big = entries > 0xffff || directory_offset >= MAX32 || directory_size >= MAX32;
    let mut record = Vec::new();
    if is_big {
        record.extend(END64.to_le_bytes());
        record.extend(44_u64.to_le_bytes());
        record.extend(0x031e_u16.to_le_bytes());
        record.extend(45_u16.to_le_bytes());
        record.extend([0; 8]);
        for number in [entries, entries, directory_size, directory_offset] {
            record.extend(number.to_le_bytes());
        }
        record.extend(LOCATOR64.to_le_bytes());
        record.extend([0; 4]);
        record.extend((directory_offset + directory_size).to_le_bytes());
        record.extend(1_u32.to_le_bytes());
    }
    let count = u16::try_from(entries).unwrap_or(u16::MAX);
    record.extend(END.to_le_bytes());
    record.extend([0; 4]);
    record.extend(count.to_le_bytes());
    record.extend(count.to_le_bytes());
    record.extend(clipped(directory_size).to_le_bytes());
    record.extend(clipped(directory_offset).to_le_bytes());
    record.extend(length(comment).to_le_bytes());
    record.extend(comment);
    out.write_all(&record)
}

thread_local! {
    static ZONE: Zone = Zone::from_environment();
}

/// Returns the time that DOS's date and time mean here.
pub(crate) fn from_dos(date: u16, time: u16) -> i64 {
    let civil = Civil {
        year: i64::from(date >> 9) + 1980,
        month: i64::from(date >> 5 & 15),
        day: i64::from(date & 31),
        hour: i64::from(time >> 11),
        minute: i64::from(time >> 5 & 63),
        second: i64::from(time & 31) * 2,
    };
    ZONE.with(|zone| zone.seconds(&civil, None)).unwrap_or(0)
}

/// Returns DOS's date and time; seconds are even there, rounded up.
pub(crate) fn to_dos(seconds: i64) -> (u16, u16) {
    const FIRST: (u16, u16) = (33, 0);
    let civil = ZONE.with(|zone| zone.local(seconds + (seconds & 1))).civil;
    if civil.year < 1980 {
        return FIRST;
    }
    let date = (civil.year - 1980) << 9 | civil.month << 5 | civil.day;
    let time = civil.hour << 11 | civil.minute << 5 | (civil.second / 2);
    match (u16::try_from(date), u16::try_from(time)) {
        (Ok(date), Ok(time)) => (date, time),
        _ => FIRST,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::*;

    #[test]
    fn members_come_back_as_they_were() {
        let member = Member {
            name: b"d/f".to_vec(),
            made_by: 0x031e,
            size: 5 << 32,
            packed: 7,
            offset: 6 << 32,
            external: 0o100_644 << 16,
            ..Member::default()
        };
        let mut record = Vec::new();
        member.write(&mut record).unwrap();
        let back = Member::read(&mut record.as_slice()).unwrap().unwrap();
        assert_eq!(
            (
                back.name,
                back.size,
                back.packed,
                back.offset,
                back.external
            ),
            (member.name, 5 << 32, 7, 6 << 32, 0o100_644 << 16)
        );
        let (date, time) = to_dos(1_580_702_706);
        assert_eq!(from_dos(date, time), 1_580_702_706);
    }
}
