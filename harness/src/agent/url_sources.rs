//! `url_sources` of `web_fetch`: whether a URL stands in a part of the conversation that may contribute URLs.

use std::collections::HashMap;

use serde_json::Value;
use url::Url;

use crate::hands::is_of_web;
use crate::json::Fields as _;
use crate::session::{State, Thread, Turn};

/// Longest URL that is looked for in a text, in bytes.
const URL_BYTES_MAX: usize = 2 << 10;

/// Tells whether `web_fetch` may be called with this URL, as far as the sources in its settings say.
pub(super) fn is_contributed(state: &State, thread: &Thread, settings: &Value, url: &str) -> bool {
    let sources = settings.at("url_sources");
    if sources.is_null() {
        return true;
    }
    // The tool puts the scheme before what has none.
    let url = url.trim();
    let with_scheme = || normal(&format!("https://{url}"));
    let Some(wanted) = normal(url).or_else(with_scheme) else {
        return false;
    };
    let is_in = |text: &str| urls_in(text).any(|url| url == wanted);
    let is_open = |source: &str| *sources.at(source).at("type") != "none";
    let user = |content: &[Value]| {
        let mut texts = content.iter().filter_map(|block| block.at("text").as_str());
        is_open("user_input") && texts.any(&is_in)
    };
    if state.user_words.iter().any(|words| user(words)) {
        return true;
    }
    let mut tools: HashMap<&str, &str> = HashMap::new();
    for turn in &thread.conversation {
        match &**turn {
            // The user's own words were looked at; such a turn may be a summary of other things.
            Turn::User(_) | Turn::System(_) => {}
            Turn::Assistant(blocks) => {
                let calls = blocks.iter().filter(|block| block.at("type") == "tool_use");
                tools.extend(
                    calls.filter_map(|call| {
                        Some((call.at("id").as_str()?, call.at("name").as_str()?))
                    }),
                );
            }
            Turn::ToolResults(results) => {
                for result in results {
                    let id = result.at("tool_use_id").as_str().unwrap_or_default();
                    let tool = tools.get(id).copied().unwrap_or_default();
                    if is_source(sources, tool) && texts_of(result.at("content")).any(&is_in) {
                        return true;
                    }
                }
            }
        }
    }
    false
}

/// Tells whether results of a tool may contribute URLs.
fn is_source(sources: &Value, tool: &str) -> bool {
    let filter = match is_of_web(tool) {
        true => sources.at("server_tool_results"),
        false => sources.at("client_tool_results"),
    };
    let names = |name: &str| {
        let mut named = filter.at("tools").as_array().into_iter().flatten();
        named.any(|tool| *tool.at("name") == name)
    };
    match filter.at("type").as_str() {
        Some("none") => false,
        Some("only") => names(tool),
        Some("except") => !names(tool),
        _ => true,
    }
}

fn texts_of(content: &Value) -> impl Iterator<Item = &str> {
    let whole = content.as_str();
    let blocks = content.as_array().into_iter().flatten();
    let texts = blocks.filter_map(|block| block.at("text").as_str());
    whole.into_iter().chain(texts)
}

/// Returns the URLs in a text, as they are compared.
fn urls_in(text: &str) -> impl Iterator<Item = String> {
    let starts = text.match_indices("http").map(|(at, _)| at);
    starts
        .filter_map(|at| text.get(at..))
        .filter(|rest| rest.starts_with("http://") || rest.starts_with("https://"))
        .flat_map(|rest| {
            let mut most = rest.len().min(URL_BYTES_MAX + 1);
            while !rest.is_char_boundary(most) {
                most -= 1;
            }
            let rest = rest.get(..most).unwrap_or_default();
            let is_end = |c: char| c.is_whitespace() || "<>\"'`|\\^{}".contains(c);
            let end = rest.find(is_end).unwrap_or(rest.len());
            let url = rest.get(..end).filter(|url| url.len() <= URL_BYTES_MAX);
            let url = url.unwrap_or_default();
            // Of prose and Markdown around it: with and without what may belong to either.
            let bare = url.trim_end_matches(['.', ',', ';', ':', '!', '?', ')', ']', '*', '_']);
            let inner = url.split([')', ']']).next().unwrap_or_default();
            [url, bare, inner].map(normal).into_iter().flatten()
        })
}

/// Returns a URL as it is compared: without its fragment, and written in one way.
fn normal(url: &str) -> Option<String> {
    // Not everybody reads it in the same way.
    if url.contains('\\') {
        return None;
    }
    let mut url = Url::parse(url).ok()?;
    if !matches!(url.scheme(), "http" | "https") {
        return None;
    }
    url.set_fragment(None);
    Some(url.into())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn urls_are_found_in_prose_and_markdown() {
        for text in [
            "see https://a.org/x?y=1.",
            "[x](https://a.org/x?y=1)",
            "<https://A.org:443/x?y=1#part>",
            "(at https://a.org/x?y=1)",
            "{\"url\":\"https://a.org/x?y=1\"}",
            "https://a.org/x?y=1",
        ] {
            let found = urls_in(text).any(|url| url == "https://a.org/x?y=1");
            assert!(found, "{text}");
        }
        let brackets = urls_in("https://a.org/x_(y)").any(|url| url == "https://a.org/x_(y)");
        assert!(brackets);
        assert!(!urls_in("https://a.org/x?y=12").any(|url| url == "https://a.org/x?y=1"));
        assert_eq!(urls_in("http httphttp:// ftp://a").count(), 0);
    }

    #[test]
    fn sources_are_tools_by_name() {
        let only = json!({"client_tool_results": {"type": "only", "tools": [{"name": "lookup"}]},
                          "server_tool_results": {"type": "none"}, "user_input": null});
        assert!(is_source(&only, "lookup"));
        assert!(!is_source(&only, "bash"));
        assert!(!is_source(&only, "web_search"));
        let except =
            json!({"server_tool_results": {"type": "except", "tools": [{"name": "web_search"}]}});
        assert!(is_source(&except, "web_fetch") && is_source(&except, "bash"));
        assert!(!is_source(&except, "web_search"));
    }
}
