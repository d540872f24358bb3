//! `/dev/random` and `/dev/urandom`: the host's random bytes, or such as follow from a seed.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use super::FsError;

/// Where the random devices of one file system get their bytes.
#[derive(Clone, Default)]
pub(super) struct RandomDevice(Arc<Mutex<Option<blake3::OutputReader>>>);

impl fmt::Debug for RandomDevice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RandomDevice")
    }
}

impl RandomDevice {
    /// Lets the bytes follow from a seed from now on; none for the host's.
    pub(super) fn fix(&self, seed: Option<[u8; 32]>) {
        let bytes = seed.map(|seed| {
            let mut hasher = blake3::Hasher::new_keyed(&seed);
            hasher.update(b"/dev/random");
            hasher.finalize_xof()
        });
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = bytes;
    }

    pub(super) fn read(&self, buffer: &mut [u8]) -> Result<usize, FsError> {
        let mut fixed = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match fixed.as_mut() {
            Some(bytes) => {
                bytes.fill(buffer);
                Ok(buffer.len())
            }
            None => Ok(rustix::rand::getrandom(
                buffer,
                rustix::rand::GetRandomFlags::empty(),
            )?),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_gives_the_same_bytes_again() {
        let device = RandomDevice::default();
        let read = |seed: Option<[u8; 32]>| {
            device.fix(seed);
            let (mut first, mut second) = ([0; 5], [0; 11]);
            assert_eq!(device.read(&mut first).ok(), Some(5));
            assert_eq!(device.read(&mut second).ok(), Some(11));
            (first, second)
        };
        assert_eq!(read(Some([1; 32])), read(Some([1; 32])));
        assert_ne!(read(Some([1; 32])), read(Some([2; 32])));
        assert_ne!(read(None), read(None));
    }
}
