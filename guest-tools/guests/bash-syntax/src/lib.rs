//! The grammar of bash: tokens, syntax tree, printing.
