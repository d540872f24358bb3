//! Frames, written and read one at a time.

use std::io::{Read, Write};

use bytes::Bytes;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::PortableError;
use super::format::{HASH_BYTES, MAGIC, VERSION, payload_bytes_max};
use crate::content::{encode, open};
use crate::store::Hash;

/// Kind and length.
const START_BYTES: usize = 5;
/// Bytes that are made room for before they have come.
const ROOM_BYTES_MAX: usize = 256 << 10;

fn hash(before: Hash, start: &[u8], payload: &[u8]) -> Hash {
    let mut hasher = blake3::Hasher::new();
    hasher.update(&before.0);
    hasher.update(start);
    hasher.update(payload);
    Hash(*hasher.finalize().as_bytes())
}

fn header() -> [u8; MAGIC.len() + 4] {
    let mut header = [0; MAGIC.len() + 4];
    let version = VERSION.to_le_bytes();
    let all = MAGIC.iter().chain(&version).copied();
    header.iter_mut().zip(all).for_each(|(to, from)| *to = from);
    header
}

/// Writes frames.
pub(super) struct FrameWriter<W> {
    out: W,
    last: Hash,
}

impl<W: Write> FrameWriter<W> {
    /// Writes the header.
    pub(super) fn begin(mut out: W) -> Result<Self, PortableError> {
        let header = header();
        out.write_all(&header)?;
        Ok(Self {
            out,
            last: Hash::of(&header),
        })
    }

    pub(super) fn frame(&mut self, kind: u8, payload: &[u8]) -> Result<(), PortableError> {
        let stored = encode(payload);
        let length = u32::try_from(stored.len()).unwrap_or(u32::MAX);
        let mut start = [kind; START_BYTES];
        if let Some(rest) = start.last_chunk_mut() {
            *rest = length.to_le_bytes();
        }
        self.last = hash(self.last, &start, &stored);
        self.out.write_all(&start)?;
        self.out.write_all(&stored)?;
        self.out.write_all(&self.last.0)?;
        Ok(())
    }

    pub(super) fn fields(
        &mut self,
        kind: u8,
        fields: &impl Serialize,
    ) -> Result<(), PortableError> {
        let payload = serde_json::to_vec(fields).map_err(std::io::Error::other)?;
        self.frame(kind, &payload)
    }

    /// Sends on what is still held back.
    pub(super) fn end(mut self) -> Result<(), PortableError> {
        Ok(self.out.flush()?)
    }
}

/// A frame that is as it was written.
pub(super) struct Frame {
    pub(super) kind: u8,
    pub(super) payload: Bytes,
}

/// Reads frames.
pub(super) struct FrameReader<R> {
    input: R,
    last: Hash,
    /// Frames read, and where the newest begins.
    number: u64,
    begins: u64,
    /// Bytes read.
    at: u64,
    bytes_max: u64,
    /// The last event read, to tell where something is wrong.
    pub(super) event: u64,
}

impl<R: Read> FrameReader<R> {
    /// Reads the header of a file of at most `bytes_max`.
    pub(super) fn begin(input: R, bytes_max: u64) -> Result<Self, PortableError> {
        let mut reader = Self {
            input,
            last: Hash([0; HASH_BYTES]),
            number: 0,
            begins: 0,
            at: 0,
            bytes_max,
            event: 0,
        };
        let expected = header();
        let found = reader.bytes(expected.len())?;
        let Some((magic, version)) = found.split_last_chunk::<4>() else {
            return Err(reader.damaged("it is cut off"));
        };
        if magic != MAGIC {
            return Err(reader.damaged("this is no exported session"));
        }
        match u32::from_le_bytes(*version) {
            VERSION => {}
            other => return Err(PortableError::Version(other)),
        }
        reader.last = Hash::of(&expected);
        Ok(reader)
    }

    /// Returns the next frame.
    pub(super) fn next(&mut self) -> Result<Frame, PortableError> {
        self.number += 1;
        self.begins = self.at;
        let start = self.bytes(START_BYTES)?;
        let (kind, length) = match start.split_first() {
            Some((kind, [a, b, c, d])) => (*kind, u32::from_le_bytes([*a, *b, *c, *d])),
            _ => return Err(self.damaged("it is cut off")),
        };
        let Some(payload_max) = payload_bytes_max(kind) else {
            return Err(self.damaged(format!("no frame is of kind {kind}")));
        };
        let length = usize::try_from(length).unwrap_or(usize::MAX);
        if length > payload_max + 1 {
            return Err(self.damaged(format!(
                "it claims to have {length} bytes, which is too much"
            )));
        }
        let payload = self.bytes(length)?;
        let expected = hash(self.last, &start, &payload);
        if self.bytes(HASH_BYTES)? != expected.0 {
            return Err(self.damaged("its hash is not the one of what stands there"));
        }
        self.last = expected;
        let payload = open(&payload.into(), payload_max);
        match payload {
            Ok(payload) => Ok(Frame { kind, payload }),
            Err(error) => Err(self.damaged(error)),
        }
    }

    /// Makes sure that nothing follows.
    pub(super) fn end(&mut self) -> Result<(), PortableError> {
        self.number += 1;
        self.begins = self.at;
        match self.input.read(&mut [0])? {
            0 => Ok(()),
            _ => Err(self.damaged("something stands behind the file's end")),
        }
    }

    /// Reads a payload of fields.
    pub(super) fn fields<T: DeserializeOwned>(&self, payload: &[u8]) -> Result<T, PortableError> {
        serde_json::from_slice(payload).map_err(|error| self.damaged(error))
    }

    /// Returns the error that something is wrong with the newest frame.
    pub(super) fn damaged(&self, what: impl ToString) -> PortableError {
        PortableError::Damaged {
            frame: self.number,
            byte: self.begins,
            event: self.event,
            what: what.to_string(),
        }
    }

    /// Memory is taken as the bytes come, whatever length was claimed.
    fn bytes(&mut self, length: usize) -> Result<Vec<u8>, PortableError> {
        if self.at.saturating_add(length as u64) > self.bytes_max {
            let what = format!("the file is larger than {} bytes", self.bytes_max);
            return Err(self.damaged(what));
        }
        let mut found = Vec::with_capacity(length.min(ROOM_BYTES_MAX));
        let input = Read::by_ref(&mut self.input);
        input.take(length as u64).read_to_end(&mut found)?;
        self.at += found.len() as u64;
        match found.len() == length {
            true => Ok(found),
            false => Err(self.damaged("the file ends within it")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::format::{END, HEAD, OBJECT};
    use super::*;

    fn file() -> Vec<u8> {
        let mut out = Vec::new();
        let mut writer = FrameWriter::begin(&mut out).unwrap();
        writer.frame(HEAD, b"first").unwrap();
        writer.frame(OBJECT, &[7; 5_000]).unwrap();
        writer.frame(END, b"").unwrap();
        writer.end().unwrap();
        out
    }

    /// Reads all frames up to the last one.
    fn read(file: &[u8]) -> Result<Vec<(u8, Bytes)>, PortableError> {
        let mut reader = FrameReader::begin(file, 1 << 30)?;
        let mut frames = Vec::new();
        loop {
            let frame = reader.next()?;
            let is_end = frame.kind == END;
            frames.push((frame.kind, frame.payload));
            if is_end {
                reader.end()?;
                return Ok(frames);
            }
        }
    }

    #[test]
    fn frames_are_read_as_they_are_written() {
        let frames = read(&file()).unwrap();
        let expected: Vec<(u8, Bytes)> = vec![
            (HEAD, Bytes::from_static(b"first")),
            (OBJECT, vec![7; 5_000].into()),
            (END, Bytes::new()),
        ];
        assert_eq!(frames, expected);
    }

    #[test]
    fn every_change_is_seen_and_told_where_it_is() {
        let good = file();
        for at in 0..good.len() {
            for mask in [1, 0x80, 0xff] {
                let mut wrong = good.clone();
                wrong[at] ^= mask;
                let error = read(&wrong).unwrap_err();
                match error {
                    PortableError::Damaged { byte, .. } => {
                        assert!(byte <= at as u64, "{at}: {error}")
                    }
                    PortableError::Version(_) => assert!((12..16).contains(&at), "{at}: {error}"),
                    other => panic!("{at}: {other}"),
                }
            }
            assert!(read(&good[..at]).is_err(), "cut at {at}");
            let mut longer = good.clone();
            longer.insert(at, good[at]);
            assert!(read(&longer).is_err(), "longer at {at}");
            let mut shorter = good.clone();
            shorter.remove(at);
            assert!(read(&shorter).is_err(), "shorter at {at}");
        }
        let behind = [&*good, b"x"].concat();
        assert!(
            read(&behind)
                .unwrap_err()
                .to_string()
                .contains("behind the file's end")
        );
    }

    #[test]
    fn frames_cannot_change_places_and_claims_take_no_memory() {
        let mut out = Vec::new();
        let mut writer = FrameWriter::begin(&mut out).unwrap();
        let mut ends = vec![16];
        for content in [b"a", b"b", b"c"] {
            writer.frame(OBJECT, content).unwrap();
            ends.push(ends[ends.len() - 1] + START_BYTES + 2 + HASH_BYTES);
        }
        let swapped = [
            &out[..ends[0]],
            &out[ends[1]..ends[2]],
            &out[ends[0]..ends[1]],
            &out[ends[2]..],
        ];
        let error = read(&swapped.concat()).unwrap_err().to_string();
        assert!(error.contains("frame 1,"), "{error}");
        let twice = [&out[..ends[1]], &out[ends[0]..]].concat();
        assert!(read(&twice).unwrap_err().to_string().contains("frame 2,"));
        let claims = [&header()[..], &[OBJECT, 0, 0, 0, 4]].concat();
        assert!(
            read(&claims)
                .unwrap_err()
                .to_string()
                .contains("ends within it")
        );
        let claims = [&header()[..], &[OBJECT, 255, 255, 255, 255]].concat();
        assert!(read(&claims).unwrap_err().to_string().contains("too much"));
        let mut reader = FrameReader::begin(&*out, 40).unwrap();
        assert!(matches!(reader.next(), Err(PortableError::Damaged { .. })));
    }
}
