//! Serial forms of shared values: as if each holder had its own.

use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Writes what is shared.
pub(super) fn serialize<T: Serialize, S: Serializer>(
    value: &Arc<T>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    value.as_ref().serialize(serializer)
}

/// Reads it for one holder.
pub(super) fn deserialize<'de, T: Deserialize<'de>, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Arc<T>, D::Error> {
    T::deserialize(deserializer).map(Arc::new)
}

/// Lists, and options, of shared values.
pub(super) mod each {
    use super::{Arc, Deserialize, Deserializer, Serialize, Serializer};

    /// What holds shared values.
    pub(in crate::session) trait Holder<T>: Sized {
        type Plain<'a>: Serialize
        where
            Self: 'a,
            T: 'a;
        type Owned: for<'de> Deserialize<'de>;

        fn plain(&self) -> Self::Plain<'_>;
        fn share(owned: Self::Owned) -> Self;
    }

    impl<T: Serialize + for<'de> Deserialize<'de>> Holder<T> for Vec<Arc<T>> {
        type Plain<'a>
            = Vec<&'a T>
        where
            T: 'a;
        type Owned = Vec<T>;

        fn plain(&self) -> Vec<&T> {
            self.iter().map(AsRef::as_ref).collect()
        }

        fn share(owned: Vec<T>) -> Self {
            owned.into_iter().map(Arc::new).collect()
        }
    }

    impl<T: Serialize + for<'de> Deserialize<'de>> Holder<T> for Option<Arc<T>> {
        type Plain<'a>
            = Option<&'a T>
        where
            T: 'a;
        type Owned = Option<T>;

        fn plain(&self) -> Option<&T> {
            self.as_deref()
        }

        fn share(owned: Option<T>) -> Self {
            owned.map(Arc::new)
        }
    }

    pub(in crate::session) fn serialize<T, H: Holder<T>, S: Serializer>(
        holder: &H,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        holder.plain().serialize(serializer)
    }

    pub(in crate::session) fn deserialize<'de, T, H: Holder<T>, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<H, D::Error> {
        H::Owned::deserialize(deserializer).map(H::share)
    }
}
