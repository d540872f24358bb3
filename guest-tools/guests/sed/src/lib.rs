//! The stream editor.
