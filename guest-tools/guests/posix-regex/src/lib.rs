//! POSIX and Perl regular expressions over bytes.
