//! Secrets at rest: each is encrypted under a data key of its own, and the data keys under a master key that
//! is not in the database.
//!
//! A [`Secret`] has neither `Debug` nor `Display` nor `Serialize`, and is wiped when it is dropped. What is
//! stored is a [`Sealed`], bound to the workspace and the credential or webhook that it was made for, so that a row
//! copied to another place does not open there. Deliberately absent: who may use a secret, and for what.

mod bundle;
mod envelope;
mod keyring;
mod rotate;
mod secret;
mod source;

pub use bundle::Bundle;
pub use envelope::{Context, SealError, Sealed, open, rewrap, seal};
pub use keyring::{Keyring, KeyringError, MasterKey};
pub use rotate::{
    RotateError, Rotated, SEALED_FIELD, UNIQUE_NAME_FIELD, has_sealed, missing_key, rotate,
    rotate_file,
};
pub use secret::Secret;
pub use source::{MasterKeySource, SourceError, load, load_or_create, write_keys};
