//! The contract suite of [`super::Store`].
