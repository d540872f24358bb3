//! Feeds as lists: RSS, Atom and JSON Feed.
//!
//! What looks like a feed and is broken in the middle is shown up to there; everything else is no feed.

use http_client::address::Address;
use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};
use serde_json::Value;

use crate::html;

/// Entries shown; feeds have the newest first.
const ENTRIES_MAX: usize = 200;
/// Characters shown of an entry's summary.
const SUMMARY_CHARACTERS_MAX: usize = 500;
/// Bytes looked at of one field, of which far less is shown.
const FIELD_BYTES_MAX: usize = 64 * 1024;

#[derive(Debug, Default)]
struct Feed {
    title: String,
    link: String,
    description: String,
    entries: Vec<Entry>,
    /// Entries that were left out.
    more: usize,
}

#[derive(Debug, Default)]
struct Entry {
    title: String,
    link: String,
    date: String,
    summary: String,
}

/// Returns an RSS or Atom feed as Markdown; none if the XML is something else.
pub fn from_xml(text: &str, address: &Address) -> Option<String> {
    let mut feed = read(text)?;
    let absolute = |link: &mut String| {
        if let Ok(joined) = address.join(link)
            && !link.is_empty()
        {
            *link = joined.to_string();
        }
    };
    absolute(&mut feed.link);
    feed.entries
        .iter_mut()
        .for_each(|entry| absolute(&mut entry.link));
    Some(feed.markdown())
}

/// Returns a JSON Feed as Markdown; none if the JSON is something else.
pub fn from_json(text: &str) -> Option<String> {
    // Only a feed names this version, and to parse everything else would be for nothing.
    let head: String = text.chars().take(1_000).collect();
    if !head.contains("jsonfeed.org/version/") {
        return None;
    }
    let value: Value = serde_json::from_str(text).ok()?;
    let version = value.get("version")?.as_str()?;
    if !version.contains("jsonfeed.org/version/") {
        return None;
    }
    let field = |value: &Value, names: &[&str]| {
        let found = names.iter().find_map(|name| value.get(*name)?.as_str());
        found.unwrap_or_default().to_owned()
    };
    let items = value.get("items")?.as_array()?;
    let entries = items.iter().take(ENTRIES_MAX).map(|item| Entry {
        title: field(item, &["title"]),
        link: field(item, &["url", "external_url", "id"]),
        date: field(item, &["date_published", "date_modified"]),
        summary: field(item, &["summary", "content_text", "content_html"]),
    });
    let feed = Feed {
        title: field(&value, &["title"]),
        link: field(&value, &["home_page_url"]),
        description: field(&value, &["description"]),
        entries: entries.collect(),
        more: items.len().saturating_sub(ENTRIES_MAX),
    };
    Some(feed.markdown())
}

impl Feed {
    fn markdown(&self) -> String {
        let mut text = String::new();
        let title = line(&self.title);
        if !title.is_empty() {
            text.push_str(&format!("# {title}\n\n"));
        }
        for part in [&self.link, &self.description] {
            let part = shortened(&line(part));
            if !part.is_empty() {
                text.push_str(&format!("{part}\n\n"));
            }
        }
        for entry in &self.entries {
            let title = match line(&entry.title) {
                title if title.is_empty() => "(no title)".to_owned(),
                title => shortened(&title),
            };
            text.push_str(&match entry.link.as_str() {
                "" => format!("- {title}"),
                link => format!("- [{title}]({link})"),
            });
            if !entry.date.trim().is_empty() {
                text.push_str(&format!(" ({})", entry.date.trim()));
            }
            text.push('\n');
            let summary = shortened(&line(&entry.summary));
            if !summary.is_empty() && summary != title {
                text.push_str(&format!("  {summary}\n"));
            }
        }
        if self.entries.is_empty() {
            text.push_str("(no entries)\n");
        }
        if self.more > 0 {
            text.push_str(&format!("\n[{} more entries are left out]\n", self.more));
        }
        text.truncate(text.trim_end().len());
        text
    }
}

/// Returns a field's text on one line; feeds have HTML in all of them.
fn line(text: &str) -> String {
    html::plain(text)
}

fn shortened(text: &str) -> String {
    match text.char_indices().nth(SUMMARY_CHARACTERS_MAX) {
        None => text.to_owned(),
        Some((end, _)) => format!("{}...", text.get(..end).unwrap_or_default().trim_end()),
    }
}

/// A field that is being read.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Field {
    Title,
    Link,
    /// An identifier that is a link if there is none.
    Guid,
    Date,
    /// Words that are shown if there are no better ones.
    Content,
    Summary,
}

/// Reads a feed; none if the first element is not that of one.
fn read(text: &str) -> Option<Feed> {
    let mut reader = Reader::from_str(text);
    reader.config_mut().check_end_names = false;
    reader.config_mut().expand_empty_elements = true;
    let mut feed: Option<Feed> = None;
    let mut entry: Option<Entry> = None;
    // The field that is being read, how deep in it the reader is, and its text.
    let mut field: Option<(Field, usize, String)> = None;
    // How deep the reader is in elements that are neither entries nor fields, such as the image of a channel.
    let mut foreign = 0usize;
    loop {
        let event = match reader.read_event() {
            Ok(Event::Eof) | Err(_) => break,
            Ok(event) => event,
        };
        match event {
            Event::Start(start) => {
                let name = start.name();
                let name = name.as_ref();
                let name = name.strip_prefix("atom:").unwrap_or(name);
                if let Some((_, depth, _)) = &mut field {
                    *depth += 1;
                } else if feed.is_none() {
                    matches!(name, "rss" | "feed" | "rdf:RDF" | "RDF").then_some(())?;
                    feed = Some(Feed::default());
                } else if foreign > 0 {
                    foreign += 1;
                } else if matches!(name, "item" | "entry") && entry.is_none() {
                    entry = Some(Entry::default());
                } else if name == "channel" {
                    // Its fields are the feed's.
                } else if let Some(found) = named(name) {
                    if found == Field::Link
                        && let Some(link) = atom_link(&start)
                        && let Some(place) = place(&mut feed, &mut entry, found)
                        && place.is_empty()
                    {
                        *place = link;
                    }
                    field = Some((found, 0, String::new()));
                } else {
                    foreign += 1;
                }
            }
            Event::End(_) => match &mut field {
                Some((_, depth, _)) if *depth > 0 => *depth -= 1,
                Some(_) => {
                    if let Some((found, _, text)) = field.take() {
                        keep(&mut feed, &mut entry, found, &text);
                    }
                }
                None if foreign > 0 => foreign -= 1,
                None => {
                    if let (Some(entry), Some(feed)) = (entry.take(), &mut feed) {
                        match feed.entries.len() < ENTRIES_MAX {
                            true => feed.entries.push(entry),
                            false => feed.more += 1,
                        }
                    }
                }
            },
            Event::Text(piece) => add(&mut field, &piece),
            Event::CData(piece) => add(&mut field, &piece),
            Event::GeneralRef(name) => {
                let text = format!("&{};", &*name);
                match quick_xml::escape::unescape(&text) {
                    Ok(piece) => add(&mut field, &piece),
                    // One of HTML's, which the text is read as later.
                    Err(_) => add(&mut field, &text),
                }
            }
            _ => {}
        }
    }
    feed
}

fn named(name: &str) -> Option<Field> {
    Some(match name {
        "title" => Field::Title,
        "link" => Field::Link,
        "guid" | "id" => Field::Guid,
        "pubDate" | "published" | "updated" | "dc:date" | "lastBuildDate" => Field::Date,
        "description" | "summary" | "subtitle" => Field::Summary,
        "content" | "content:encoded" => Field::Content,
        _ => return None,
    })
}

/// Returns where Atom's link to the thing itself leads.
fn atom_link(start: &BytesStart<'_>) -> Option<String> {
    let value = |name: &str| {
        let mut attributes = start.attributes();
        let attributes = attributes.with_checks(false).flatten();
        let found = attributes.take(16).find(|one| one.key.as_ref() == name)?;
        let value = quick_xml::escape::unescape(&found.value).ok()?;
        Some(value.into_owned())
    };
    let is_itself = value("rel").is_none_or(|rel| rel == "alternate");
    value("href").filter(|_| is_itself)
}

fn add(field: &mut Option<(Field, usize, String)>, piece: &str) {
    if let Some((_, _, text)) = field
        && text.len() + piece.len() <= FIELD_BYTES_MAX
    {
        text.push_str(piece);
    }
}

/// Returns where a field of the entry, or of the feed outside of all entries, is kept.
fn place<'a>(
    feed: &'a mut Option<Feed>,
    entry: &'a mut Option<Entry>,
    field: Field,
) -> Option<&'a mut String> {
    match (entry, feed) {
        (Some(entry), _) => Some(match field {
            Field::Title => &mut entry.title,
            Field::Link | Field::Guid => &mut entry.link,
            Field::Date => &mut entry.date,
            Field::Content | Field::Summary => &mut entry.summary,
        }),
        (None, Some(feed)) => match field {
            Field::Title => Some(&mut feed.title),
            Field::Link => Some(&mut feed.link),
            Field::Summary => Some(&mut feed.description),
            Field::Guid | Field::Date | Field::Content => None,
        },
        (None, None) => None,
    }
}

fn keep(feed: &mut Option<Feed>, entry: &mut Option<Entry>, field: Field, text: &str) {
    let text = text.trim();
    let is_link = text.starts_with("http://") || text.starts_with("https://");
    if text.is_empty() || field == Field::Guid && !is_link {
        return;
    }
    if let Some(place) = place(feed, entry, field) {
        // The shorter of several words on an entry is its summary; of all else the first counts.
        let is_better = matches!(field, Field::Summary) && text.len() < place.len();
        if place.is_empty() || is_better {
            *place = text.to_owned();
        }
    }
}

#[cfg(test)]
mod tests;
