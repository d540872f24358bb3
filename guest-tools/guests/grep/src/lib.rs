//! grep, egrep, fgrep and rg.
