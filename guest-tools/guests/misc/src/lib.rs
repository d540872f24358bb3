//! Small programs that agents use and coreutils lacks.
