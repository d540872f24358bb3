//! The AWK language.
