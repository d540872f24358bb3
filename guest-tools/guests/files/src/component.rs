//! The component: the exports of `sinew:files`, each a call of the tool's function.

use crate::error::Error;
use crate::path::Workdir;
use crate::{edit, glob, grep, read, write};

use bindings::exports::sinew::files::files::{Block, Guest};
use bindings::sinew::tool::content::Media;

#[allow(
    unsafe_code,
    missing_docs,
    clippy::all,
    reason = "generated; the only unsafe code of the guest"
)]
mod bindings {
    use super::Files;

    wit_bindgen::generate!({
        path: ["../../../tools-wit/tool", "../../../tools-wit/files"],
        world: "sinew:files/tools",
        with: { "sinew:tool/content@0.1.0": generate },
    });
    export!(Files);
}

struct Files;

impl Guest for Files {
    fn read(file_path: String, view_range: Option<(i64, i64)>) -> Result<Vec<Block>, String> {
        let media = |media_type: &str, data| Media {
            media_type: media_type.to_owned(),
            data,
        };
        let block = match answer(read::read(&Workdir::from_env(), &file_path, view_range))? {
            read::Content::Text(text) => Block::Text(text),
            read::Content::Image(media_type, data) => Block::Image(media(media_type, data)),
            read::Content::Document(media_type, data) => Block::Document(media(media_type, data)),
        };
        Ok(vec![block])
    }

    fn write(file_path: String, content: String) -> Result<String, String> {
        answer(write::write(&Workdir::from_env(), &file_path, &content))
    }

    fn edit(
        file_path: String,
        old: String,
        new: String,
        replace_all: Option<bool>,
    ) -> Result<String, String> {
        let replace_all = replace_all.unwrap_or(false);
        answer(edit::edit(
            &Workdir::from_env(),
            &file_path,
            &old,
            &new,
            replace_all,
        ))
    }

    fn glob(pattern: String, path: Option<String>) -> Result<String, String> {
        answer(glob::glob(&Workdir::from_env(), &pattern, path.as_deref()))
    }

    fn grep(pattern: String, path: Option<String>) -> Result<String, String> {
        answer(grep::grep(&Workdir::from_env(), &pattern, path.as_deref()))
    }
}

fn answer<T>(outcome: Result<T, Error>) -> Result<T, String> {
    outcome.map_err(|error| error.to_string())
}
