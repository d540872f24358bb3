//! The pure parts of bash: patterns, arithmetic, printf, quoting, splitting.
