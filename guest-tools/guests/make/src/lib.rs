//! POSIX make.
