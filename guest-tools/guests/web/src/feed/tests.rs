//! Feeds of each kind, and what is none.

use http_client::address::Address;

use super::{from_json, from_xml};

fn xml(text: &str) -> Option<String> {
    from_xml(text, &Address::parse("https://a.example/feed").unwrap())
}

#[test]
fn rss() {
    let text = r#"<?xml version="1.0"?><rss version="2.0"><channel><title>News</title>
        <link>https://a.example/</link><description>All &amp; more</description>
        <image><title>Logo</title><link>https://no.example/</link></image>
        <atom:link href="https://a.example/feed" rel="self"/>
        <item><title><![CDATA[One <b>two</b>]]></title><link>/1</link>
          <pubDate>Mon, 02 Jan 2006</pubDate><media:group><title>no</title></media:group>
          <content:encoded>long text that is longer</content:encoded>
          <description>&lt;p&gt;short&amp;nbsp;text&lt;/p&gt;</description></item>
        <item><guid>https://a.example/2</guid></item>
        </channel></rss>"#;
    assert_eq!(
        xml(text).unwrap(),
        "# News\n\nhttps://a.example/\n\nAll & more\n\n\
         - [One two](https://a.example/1) (Mon, 02 Jan 2006)\n  short text\n\
         - [(no title)](https://a.example/2)"
    );
}

#[test]
fn atom_and_rdf() {
    let text = r#"<feed xmlns="http://www.w3.org/2005/Atom"><title>F</title>
        <entry><title>A</title><link rel="self" href="/no"/><link href="/a"/><id>urn:x</id>
        <updated>2026-01-02</updated><published>2026-01-01</published>
        <content type="xhtml"><div>some <b>words</b></div></content></entry></feed>"#;
    assert_eq!(
        xml(text).unwrap(),
        "# F\n\n- [A](https://a.example/a) (2026-01-02)\n  some words"
    );
    let text = "<rdf:RDF><channel><title>R</title></channel><item><title>B</title>\
        <link>https://b.example/</link><dc:date>2026</dc:date></item></rdf:RDF>";
    assert_eq!(
        xml(text).unwrap(),
        "# R\n\n- [B](https://b.example/) (2026)"
    );
}

#[test]
fn json_feed() {
    let text = r#"{"version": "https://jsonfeed.org/version/1.1", "title": "J",
        "items": [{"id": "1", "url": "https://a.example/1", "content_html": "<p>x</p>",
                   "date_published": "2026-01-01"}, {"title": "T"}, 5]}"#;
    assert_eq!(
        from_json(text).unwrap(),
        "# J\n\n- [(no title)](https://a.example/1) (2026-01-01)\n  x\n- T\n- (no title)"
    );
}

#[test]
fn what_is_no_feed_stays_what_it_is() {
    for text in [
        "<svg/>",
        "<urlset><url/></urlset>",
        "",
        "no xml",
        "<",
        "<!DOCTYPE x><html/>",
    ] {
        assert_eq!(xml(text), None, "{text}");
    }
    for text in ["{}", "[1]", r#"{"version": "jsonfeed.org/version/1"#, "5"] {
        assert_eq!(from_json(text), None, "{text}");
    }
}

#[test]
fn hostile_feeds_are_bounded() {
    let deep = format!("<rss><channel><item><title>{}x", "<a>".repeat(300_000));
    assert!(xml(&deep).is_some());
    let many = format!(
        "<rss>{}</rss>",
        "<item><title>t</title></item>".repeat(1_000)
    );
    let text = xml(&many).unwrap();
    assert!(text.ends_with("[800 more entries are left out]"), "{text}");
    let large = format!(
        "<rss><item><title>{}</title></item></rss>",
        "x".repeat(1 << 20)
    );
    assert!(xml(&large).unwrap().len() < 1_000);
    // An entity is not replaced by what the document says.
    let entities =
        "<!DOCTYPE r [<!ENTITY a 'aaaa'>]><rss><item><title>&a;&#65;&lt;</title></item></rss>";
    assert_eq!(xml(entities).unwrap(), "- &a;A<");
    assert!(xml("<rss><item></item></item></rss></rss><item>").is_some());
}
