//! An object's bytes as they are stored: one byte that names the form, then the bytes, compressed where that pays.

use std::borrow::Cow;
use std::io;
use std::sync::{Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use zstd::bulk::Compressor;

use super::ContentError;
use crate::store::Hash;

/// As they are.
const PLAIN: u8 = 0;
/// Compressed by zstd, behind the length of the original (four bytes, the lowest first).
const ZSTD: u8 = 1;
/// zstd's fastest level that still halves source text: the disk is spared, not the processor.
const LEVEL: i32 = 1;
/// Objects below this are stored as they are: the frame would cost more than it saves.
const COMPRESSED_BYTES_MIN: usize = 128;
/// A larger object that is stored as it is did not become smaller when it was tried.
const HASTY_BYTES_MAX: usize = 32 << 10;
/// Largest object, so that a damaged length cannot ask for more memory than there is.
pub const OBJECT_BYTES_MAX: usize = 64 << 20;

/// Returns what is stored for a content of at most [`OBJECT_BYTES_MAX`].
pub fn encode(content: &[u8]) -> Bytes {
    if content.len() >= COMPRESSED_BYTES_MIN
        && let Ok(packed) = compress(content)
        // A sixteenth saved is worth the time to read it back.
        && packed.len() + 5 < content.len() - content.len() / 16
    {
        let length = u32::try_from(content.len()).unwrap_or(u32::MAX);
        let mut stored = Vec::with_capacity(packed.len() + 5);
        stored.push(ZSTD);
        stored.extend_from_slice(&length.to_le_bytes());
        stored.extend_from_slice(&packed);
        return stored.into();
    }
    plain(content)
}

/// As [`encode`], without compression.
pub(super) fn plain(content: &[u8]) -> Bytes {
    let mut stored = Vec::with_capacity(content.len() + 1);
    stored.push(PLAIN);
    stored.extend_from_slice(content);
    stored.into()
}

/// Returns what is stored in its smaller form, if it may be one that nobody had the time to compress.
pub(super) fn compact(stored: Bytes) -> Bytes {
    match stored.split_first() {
        Some((&PLAIN, content)) if content.len() <= HASTY_BYTES_MAX => encode(content),
        _ => stored,
    }
}

/// Compressors that wait for the next object: making one costs more than what it does to a small one.
static COMPRESSORS: Mutex<Vec<Compressor<'static>>> = Mutex::new(Vec::new());
/// As many are kept: each holds some hundred kilobytes.
const COMPRESSORS_MAX: usize = 8;

fn compress(content: &[u8]) -> io::Result<Vec<u8>> {
    let kept = lock().pop();
    let mut compressor = match kept {
        Some(compressor) => compressor,
        None => Compressor::new(LEVEL)?,
    };
    let packed = compressor.compress(content)?;
    let mut kept = lock();
    if kept.len() < COMPRESSORS_MAX {
        kept.push(compressor);
    }
    Ok(packed)
}

fn lock() -> MutexGuard<'static, Vec<Compressor<'static>>> {
    COMPRESSORS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Returns the content of what is stored under `hash`, checked against it.
pub(super) fn decode(hash: Hash, stored: &Bytes) -> Result<Bytes, ContentError> {
    let damaged = |reason: &str| ContentError::Damaged {
        hash,
        reason: reason.to_owned(),
    };
    let content = open(stored, OBJECT_BYTES_MAX).map_err(|BadForm(reason)| damaged(&reason))?;
    if Hash::of(&content) != hash {
        return Err(damaged("its hash is another one"));
    }
    Ok(content)
}

/// Why what is stored has no content.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct BadForm(Cow<'static, str>);

/// Returns the content of what is stored, of at most `bytes_max`; it is not yet held against any hash.
pub fn open(stored: &Bytes, bytes_max: usize) -> Result<Bytes, BadForm> {
    let bad = |reason| BadForm(Cow::Borrowed(reason));
    match stored.split_first() {
        Some((&PLAIN, _)) => Ok(stored.slice(1..)),
        Some((&ZSTD, rest)) => {
            let (length, packed) = rest
                .split_first_chunk()
                .ok_or_else(|| bad("it is cut off"))?;
            let length = usize::try_from(u32::from_le_bytes(*length)).unwrap_or(usize::MAX);
            if length > bytes_max {
                return Err(bad("it claims to be larger than any object"));
            }
            let content = zstd::bulk::decompress(packed, length)
                .map_err(|error| BadForm(error.to_string().into()))?;
            Ok(content.into())
        }
        Some(_) => Err(bad("it has an unknown form")),
        None => Err(bad("it is empty")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_stored_is_read_back_and_damage_is_seen() {
        let noise: Vec<u8> = (0..5_000u32)
            .flat_map(|n| *blake3::hash(&n.to_le_bytes()).as_bytes())
            .collect();
        for content in [
            b"".to_vec(),
            b"a".to_vec(),
            vec![7; 127],
            vec![7; 100_000],
            noise,
        ] {
            let hash = Hash::of(&content);
            let stored = encode(&content);
            assert!(stored.len() <= content.len() + 1);
            assert_eq!(decode(hash, &stored).unwrap(), content);
            for at in [0, stored.len() / 2, stored.len() - 1] {
                let mut wrong = stored.to_vec();
                wrong[at] ^= 1;
                let read = decode(hash, &wrong.into());
                assert!(
                    matches!(read, Err(ContentError::Damaged { .. })),
                    "byte {at} of {}: {read:?}",
                    stored.len()
                );
            }
        }
        assert!(encode(&vec![7; 100_000]).len() < 1_000);
        let content = vec![7; 5_000];
        let hasty = plain(&content);
        assert_eq!(hasty.len(), 5_001);
        assert_eq!(decode(Hash::of(&content), &hasty).unwrap(), content);
        assert_eq!(compact(hasty), encode(&content));
        let claims = Bytes::from(vec![ZSTD, 255, 255, 255, 255, 0]);
        assert!(decode(Hash::of(b""), &claims).is_err());
        assert!(decode(Hash::of(b""), &Bytes::new()).is_err());
    }
}
