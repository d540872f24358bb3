//! tar, gzip, bzip2, xz, zstd, zip and unzip.
