//! Pages and what becomes of them.

use std::thread;

use http_client::address::Address;

use super::{markdown, plain};

/// A stack no larger than a part of what a component has.
const STACK_BYTES: usize = 256 * 1024;

fn read(page: &str) -> String {
    let address = Address::parse("https://a.example/docs/page").unwrap();
    markdown(page, &address)
}

fn check(page: &str, expected: &str) {
    assert_eq!(read(page), expected, "{page}");
}

#[test]
fn the_title_comes_first_unless_the_text_has_it() {
    check(
        "<title>Page &amp; more\n</title><p>Text",
        "# Page & more\n\nText",
    );
    check(
        "<title>Page | Site</title><h1>Page</h1>Text",
        "# Page\n\nText",
    );
    check("<title>One</title><h1>Other</h1>", "# One\n\n# Other");
    check("<title>Only</title>", "# Only");
    check("<svg><title>x</title></svg><p>Text", "Text");
    check("", "");
}

#[test]
fn blocks_and_words() {
    check("<p>one\n  two<p>three<br>four", "one two\n\nthree\nfour");
    check("<div>one</div><div>two</div>", "one\ntwo");
    check(
        "a<b> bold </b>b <i>it</i>, <s>no</s>",
        "a **bold** b *it*, ~~no~~",
    );
    check("<b>one <b>two</b></b>", "**one two**");
    check("<b></b>x<em> </em>y", "x y");
    check("<h2>A <b>b</b><br>c</h2>d", "## A b c\n\nd");
    check("one<hr>two", "one\n\n---\n\ntwo");
    check("<blockquote><p>a<p>b</blockquote>c", "> a\n>\n> b\n\nc");
    check("<q>said</q> x<sup>2</sup>", "\"said\" x2");
    check(
        "<dl><dt>Term<dd>Words<dd>More</dl>",
        "**Term**\n: Words\n: More",
    );
}

#[test]
fn lists() {
    check("<ul><li>a<li>b</ul>c", "- a\n- b\n\nc");
    check("<ol start=9><li>a<li>b</ol>", "9. a\n10. b");
    check(
        "<ul><li>a<ul><li>b<ol><li>c</ol></ul><li><li>d</ul>",
        "- a\n  - b\n    1. c\n- d",
    );
    check("<ul><li><p>a<p>b<li><p>c</ul>", "- a\n\n  b\n\n- c");
    check("<li>alone", "- alone");
}

#[test]
fn links_and_images() {
    check(
        "<a href='../x?y=1#z'>to <b>x</b></a>.",
        "[to **x**](https://a.example/x?y=1#z).",
    );
    check("<a href='javascript:x()'>run</a>", "run");
    check("<a href='#here'>here</a>", "here");
    check("<h2>Head<a href='#head'>#</a></h2>", "## Head");
    check(
        "<a href='https://b.example/'>https://b.example/</a>",
        "https://b.example/",
    );
    check(
        "<a href=/card><div><h3>Head</h3><p>Words</div></a>",
        "[Head Words](https://a.example/card)",
    );
    check(
        "<img src=i.png alt='A cat'>",
        "![A cat](https://a.example/docs/i.png)",
    );
    check(
        "<a href=/x><img src=i.png alt=Logo></a>",
        "[Logo](https://a.example/x)",
    );
    check(
        "<img src='data:image/png;base64,AA' alt=Dot><img src=i.png>",
        "Dot",
    );
    check(
        "<head><base href='https://c.example/d/'></head><a href=e>f</a>",
        "[f](https://c.example/d/e)",
    );
    let long = "x".repeat(5_000);
    check(&format!("<a href='/{long}'>long</a>"), "long");
}

#[test]
fn code() {
    check("Use <code>a  b</code>.", "Use `a b`.");
    check("<code>a`b</code>", "``a`b``");
    check(
        "<pre><code class='x language-rust'>fn f() {\n    1 &lt; 2\n}\n</code></pre>after",
        "```rust\nfn f() {\n    1 < 2\n}\n```\n\nafter",
    );
    check("<pre>\n\n```\n</pre>", "````\n```\n````");
    check(
        "<pre><span>a</span> <b>b</b><br>c</pre>",
        "```\na b\nc\n```",
    );
    check(
        "<ul><li>x<pre>a\n\n  b</pre></ul>",
        "- x\n\n  ```\n  a\n\n    b\n  ```",
    );
}

#[test]
fn tables() {
    check(
        "<table><caption>Cap</caption><tr><th>A<th>B|C<tr><td>1<td>2<br>3<tr><td colspan=2>x</table>y",
        "Cap\n\n| A | B\\|C |\n| --- | --- |\n| 1 | 2 3 |\n| x | |\n\ny",
    );
    check(
        "<table><tr><td>a<td><ul><li>b<li>c</ul></table>",
        "| a | b; c |\n| --- | --- |",
    );
    check("<table><tr><td>one<tr><td>two</table>", "one\ntwo");
    check(
        "<table><tr><td><h2>Head</h2><p>text<td><table><tr><td>a<td>b</table></table>",
        "## Head\n\ntext\n\n| a | b |\n| --- | --- |",
    );
    check("<table><tr><td colspan=99999999>a<td>b</table>", "a");
}

#[test]
fn noise_is_left_out() {
    check(
        "<header>Top</header><nav>Menu</nav><script>x</script><style>y</style><p>Text\
         <button>Go</button><p hidden>a<p style='display: none'>b<span aria-hidden=true>c</span>\
         <template><p>d</template><svg><text>e</text></svg><footer>End</footer>",
        "Text",
    );
    // Where that is all there is, it is shown.
    check("<nav><a href=/a>A</a></nav>", "[A](https://a.example/a)");
    check("<noscript>Turn it on</noscript>", "Turn it on");
    check("<script>let a = '<p>x</p>'</script>", "");
}

#[test]
fn the_main_part_is_shown_if_it_holds_most() {
    let long = "words of the page ".repeat(10);
    let long = long.trim();
    check(
        &format!("<div>Other</div><main><header><h1>T</h1></header><p>{long}</main>"),
        &format!("# T\n\n{long}"),
    );
    check(
        &format!("<div role=main>Few</div><p>{long}"),
        &format!("Few\n\n{long}"),
    );
    check(
        "<article>The first one</article><article>The second one</article>",
        "The first one\n\nThe second one",
    );
}

#[test]
fn formulas() {
    check(
        "<p>It is <math><semantics><mi>x</mi><annotation encoding='application/x-tex'>x^2\
         </annotation></semantics></math>.",
        "It is $x^2$.",
    );
    check("<math alttext='a+b'><mi>a</mi></math>", "$a+b$");
}

#[test]
fn plain_text_has_no_markup() {
    assert_eq!(plain("<strong>a</strong> &amp; b&#x27;s<br>c"), "a & b's c");
    assert_eq!(plain("1 < 2"), "1 < 2");
    assert_eq!(plain("<p>a</p><p>b</p><script>c</script>"), "a b");
}

/// Reads a page with little stack.
fn read_with_little_stack(page: String) -> String {
    let thread = thread::Builder::new().stack_size(STACK_BYTES);
    thread.spawn(move || read(&page)).unwrap().join().unwrap()
}

#[test]
fn no_page_is_nested_too_deep() {
    for tag in [
        "div",
        "b",
        "ul><li",
        "blockquote",
        "table><tr><td",
        "a href=x",
        "font",
        "span",
        "q",
        "pre",
        "svg",
    ] {
        let name = tag.split(['>', ' ']).next().unwrap();
        // All nest by the same rules, so one of them shows the size.
        let bytes = if tag == "div" { 1024 * 1024 } else { 64 * 1024 };
        let count = bytes / (tag.len() + 2);
        let open = format!("<{tag}>").repeat(count);
        let text = read_with_little_stack(format!("{open}deep"));
        assert!(
            name == "svg" || text.contains("deep"),
            "{tag}: {}",
            text.len()
        );
        let close = format!("</{name}>").repeat(count);
        let text = read_with_little_stack(format!("<p>before</p>{open}deep{close}<p>after"));
        assert!(text.contains("before"), "{tag}");
    }
}

#[test]
fn small_pages_do_not_become_large() {
    let marks: String = (0..4_000).map(|n| format!("<font size={n}>")).collect();
    let page = format!("{marks}{}", "<p>x".repeat(20_000));
    assert!(read_with_little_stack(page).len() < 1_000_000);
    let quotes = "<blockquote>".repeat(400);
    let page = format!("{quotes}{}", "x<br>".repeat(50_000));
    assert!(read_with_little_stack(page).len() < 10_000_000);
    let base = "x".repeat(1_900);
    let links = "<a href=y>z</a>".repeat(50_000);
    let page = format!("<base href='/{base}/'>{links}");
    assert!(read_with_little_stack(page).len() < 10_000_000);
}

#[test]
fn broken_pages_are_read_as_far_as_they_go() {
    for page in [
        "<",
        "<p",
        "<a href='",
        "<!--",
        "</p></div></table>",
        "<table>x<tr>y<td>z</table>",
        "<b><p></b></p><table><b><tr><i></table>",
        "<select><table><option><optgroup></select>",
        "<template><tr><td></template><template>",
        "<svg><foreignObject><p><math><mi><table></svg>",
        "<frameset><frame></frameset>",
        "<body><html lang=x><head><body class=y>",
        "&#xffffffff;&#0;&nosuch;&amp",
        "\u{0}<\u{0}p\u{0}>",
        "<plaintext><p>x",
        "<a><table><a><form><form></a></table><a>",
        "<ruby><rb>a<rt>b</ruby><select><hr><button>",
    ] {
        read(page);
        read(&page.repeat(50));
    }
}
