//! The functions of `wit/world.wit`, handed to ordinary Rust.

use super::counting;

wit_bindgen::generate!({ world: "tool", path: "wit" });

use exports::local::__SNAKE__::text::{Counts, Guest};

struct Component;

impl Guest for Component {
    fn count_words(text: String, min_length: Option<u32>) -> Result<Counts, String> {
        let counts = counting::count_words(&text, min_length.unwrap_or(1))?;
        Ok(Counts {
            lines: counts.lines,
            words: counts.words,
            characters: counts.characters,
            longest: counts.longest.to_owned(),
        })
    }
}

export!(Component);
