//! PDF files made here.

use super::text;

/// Returns a file with a page for each of the contents, which may use the fonts `F1` (Helvetica) and `F2` (Courier).
pub(crate) fn file(contents: &[&str]) -> Vec<u8> {
    let kids: Vec<String> = (0..contents.len())
        .map(|n| format!("{} 0 R", 5 + 2 * n))
        .collect();
    let mut objects = vec![
        "<</Type/Catalog/Pages 2 0 R>>".to_owned(),
        format!(
            "<</Type/Pages/Count {}/Kids[{}]>>",
            contents.len(),
            kids.join(" ")
        ),
        "<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>".to_owned(),
        "<</Type/Font/Subtype/Type1/BaseFont/Courier>>".to_owned(),
    ];
    for (number, content) in contents.iter().enumerate() {
        objects.push(format!(
            "<</Type/Page/Parent 2 0 R/MediaBox[0 0 600 800]/Contents {} 0 R\
             /Resources<</Font<</F1 3 0 R/F2 4 0 R>>>>>>",
            6 + 2 * number
        ));
        objects.push(format!(
            "<</Length {}>>stream\n{content}\nendstream",
            content.len()
        ));
    }
    let mut file = "%PDF-1.4\n".to_owned();
    let mut places = Vec::new();
    for (number, object) in objects.iter().enumerate() {
        places.push(file.len());
        file.push_str(&format!("{} 0 obj{object}endobj\n", number + 1));
    }
    let start = file.len();
    file.push_str(&format!(
        "xref\n0 {}\n0000000000 65535 f \n",
        places.len() + 1
    ));
    for place in &places {
        file.push_str(&format!("{place:010} 00000 n \n"));
    }
    file.push_str(&format!(
        "trailer<</Size {}/Root 1 0 R>>\nstartxref\n{start}\n%%EOF",
        places.len() + 1
    ));
    file.into_bytes()
}

fn read(contents: &[&str]) -> String {
    text(&file(contents), 10_000).unwrap().unwrap()
}

#[test]
fn words_lines_and_pages() {
    let text = read(&[
        "BT /F1 12 Tf 50 700 Td (Hello world) Tj 0 -14 Td (second line) Tj 0 -30 Td (apart) Tj ET",
        "BT /F2 10 Tf 50 700 Td [(spa)-10(ced)-700(by)-700(moves)] TJ ET \
         BT /F2 10 Tf 300 700 Td (column) Tj ET",
    ]);
    assert_eq!(
        text,
        "PDF file, 2 pages\n\n## Page 1\n\nHello world\nsecond line\n\napart\n\n\
         ## Page 2\n\nspaced by moves column"
    );
}

#[test]
fn what_is_filled_and_stroked_or_invisible_is_read_once() {
    let text = read(&["BT /F1 12 Tf 2 Tr 50 700 Td (bold) Tj 3 Tr 0 -14 Td (scanned) Tj ET"]);
    assert_eq!(text, "PDF file, 1 page\n\n## Page 1\n\nbold\nscanned");
}

#[test]
fn size_and_direction_do_not_matter() {
    let text = read(&["q 0 2 -2 0 100 100 cm BT /F1 6 Tf 10 20 Td (turned) Tj ( text) Tj ET Q"]);
    assert!(text.ends_with("turned text"), "{text}");
}

#[test]
fn no_more_pages_than_needed() {
    let page = "BT /F1 12 Tf 50 700 Td (0123456789) Tj ET";
    let text = text(&file(&[page; 5]), 15).unwrap().unwrap();
    assert!(
        text.contains("## Page 2") && !text.contains("## Page 3"),
        "{text}"
    );
    assert!(text.ends_with("[pages from 3 on were not read]"), "{text}");
}

#[test]
fn a_file_without_text_has_none() {
    assert_eq!(text(&file(&["0 0 100 100 re f"]), 100), Ok(None));
    assert_eq!(text(&file(&[]), 100).ok().flatten(), None);
}

#[test]
fn broken_files_are_no_reason_to_panic() {
    assert!(text(b"%PDF-1.7 nothing", 100).is_err());
    let whole = file(&["BT /F1 12 Tf 50 700 Td (Hello) Tj ET"]);
    for end in 0..whole.len() {
        let _ = text(&whole[..end], 100);
    }
    for place in 0..whole.len() {
        let mut broken = whole.clone();
        for byte in [0, b'<', b'[', b'9', 0xff] {
            broken[place] = byte;
            let _ = text(&broken, 100);
        }
    }
}

#[test]
fn deep_and_looping_files_end() {
    let thread = std::thread::Builder::new().stack_size(1024 * 1024);
    let read = move || {
        for content in [
            "[".repeat(100_000),
            "<<".repeat(100_000),
            "<</A ".repeat(100_000),
            "q ".repeat(100_000),
            "BT ".repeat(100_000),
            format!("BT /F1 12 Tf {} ET", "(x) Tj ".repeat(10_000)),
            format!("/X {} TJ", "(".repeat(100_000)),
        ] {
            let _ = text(&file(&[&content]), 100);
        }
        let whole = String::from_utf8(file(&["0 0 1 1 re f"])).unwrap();
        // The pages hold themselves.
        let _ = text(whole.replace("5 0 R", "2 0 R").as_bytes(), 100);
        // The page holds itself as its contents.
        let _ = text(whole.replace("6 0 R", "5 0 R").as_bytes(), 100);
    };
    thread.spawn(read).unwrap().join().unwrap();
}
