//! diff, diff3, cmp and patch.
