//! The component: the exports of `sinew:web`, each a call of the tool's function.

use http_client::transport;

use crate::content::Content;
use crate::error::Error;
use crate::settings::Settings;
use crate::{fetch, search};

use bindings::exports::sinew::web::web::{Block, Guest};
use bindings::sinew::tool::content::Media;

#[allow(
    unsafe_code,
    missing_docs,
    clippy::all,
    reason = "generated; the only unsafe code of the guest"
)]
mod bindings {
    use super::Web;

    wit_bindgen::generate!({
        path: ["../../../tools-wit/tool", "../../../tools-wit/web"],
        world: "sinew:web/tools",
        with: { "sinew:tool/content@0.1.0": generate },
    });
    export!(Web);
}

struct Web;

impl Guest for Web {
    fn web_fetch(url: String) -> Result<Vec<Block>, String> {
        answer(|settings| fetch::fetch(&mut *transport::own(), settings, &url))
    }

    fn web_search(query: String) -> Result<Vec<Block>, String> {
        answer(|settings| search::search(&mut *transport::own(), settings, &query))
    }
}

fn answer(tool: impl FnOnce(&Settings) -> Result<Content, Error>) -> Result<Vec<Block>, String> {
    let media = |media_type: &str, data| Media {
        media_type: media_type.to_owned(),
        data,
    };
    let block = Settings::from_env()
        .and_then(|settings| tool(&settings))
        .map_err(|error| error.to_string())?;
    Ok(vec![match block {
        Content::Text(text) => Block::Text(text),
        Content::Image(media_type, data) => Block::Image(media(media_type, data)),
        Content::Document(media_type, data) => Block::Document(media(media_type, data)),
    }])
}
