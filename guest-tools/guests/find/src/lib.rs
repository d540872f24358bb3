//! find and xargs.
