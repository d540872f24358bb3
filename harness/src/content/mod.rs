//! Content by its hash: what sessions' files are kept as, whichever session needs them.
//!
//! An object is immutable and named by the BLAKE3 hash of its bytes, so it is stored once, and whoever reads it
//! knows that it is whole. Small objects are rows of the store and become durable with the append that needs
//! them, at no further cost; others are written to a pack, one file for all that a call changed, before that
//! append. Packs lie in an object store: a folder of this machine, or a bucket.
//! Not here: what objects mean (`tree`), and which of them are needed (`collect`).

mod batch;
mod codec;
mod error;
mod examine;
mod packs;
mod pins;
mod reader;

pub use batch::{Batch, Finished};
pub use codec::{BadForm, OBJECT_BYTES_MAX, encode, open};
pub use error::ContentError;
pub use examine::Found;
pub use packs::{Claim, PackFile, PackWriter, Packs, remove_unfinished};
pub use pins::{Pins, Removal};
pub use reader::{Blocking, Content};
