//! The text of PDF files, page by page.
//!
//! A page is drawn onto nothing, and what its glyphs mean is written down in the order in which they are drawn, which
//! is nearly always that in which they are read. Words and lines come from where the glyphs stand.

use hayro_interpret::font::GlyphRun;
use hayro_interpret::hayro_cmap::BfString;
use hayro_interpret::hayro_syntax::{LoadPdfError, Pdf};
use hayro_interpret::kurbo::{Affine, BezPath, Point, Rect, Vec2};
use hayro_interpret::{
    BlendMode, ClipPath, Context, Device, DrawMode, DrawProps, Image, ImageDrawProps,
    InterpreterCache, InterpreterSettings, SoftMask, interpret_page,
};

/// The media type of PDF files.
pub const MEDIA_TYPE: &str = "application/pdf";

/// Pages read. More would take minutes, and what is on them is cut anyway.
const PAGES_MAX: usize = 500;
/// Text kept of one page, in bytes; a page may draw the same part millions of times.
const PAGE_BYTES_MAX: usize = 1024 * 1024;
/// Characters without which a file counts as one of pictures, a page.
const CHARACTERS_PER_PAGE_MIN: usize = 1;
/// Units in which a font measures its glyphs, to the size of the font.
const UNITS: f64 = 1000.0;

/// Returns a PDF file's text, of as many pages as `characters_max` needs; none if there is none. Fails with the reason
/// in words.
pub fn text(bytes: &[u8], characters_max: usize) -> Result<Option<String>, &'static str> {
    let pdf = Pdf::new(bytes.to_vec()).map_err(|error| match error {
        LoadPdfError::Decryption(_) => "it is encrypted",
        LoadPdfError::Invalid => "it is damaged, or none",
    })?;
    let pages = pdf.pages();
    let cache = InterpreterCache::new();
    let count = pages.len();
    let mut text = format!(
        "PDF file, {count} page{}\n",
        if count == 1 { "" } else { "s" }
    );
    let mut characters = 0;
    let mut read = 0;
    for page in pages.iter().take(PAGES_MAX) {
        let mut context = Context::new(
            Affine::IDENTITY,
            Rect::new(0.0, 0.0, 1.0, 1.0),
            &cache,
            pdf.xref(),
            InterpreterSettings::default(),
        );
        let mut reader = Reader::default();
        interpret_page(page, &mut context, &mut reader);
        read += 1;
        let page = reader.finish();
        characters += page.chars().filter(|c| !c.is_whitespace()).count();
        if !page.is_empty() {
            text.push_str(&format!("\n## Page {read}\n\n{page}\n"));
        }
        if characters > characters_max {
            break;
        }
    }
    if characters < read * CHARACTERS_PER_PAGE_MIN || characters == 0 {
        return Ok(None);
    }
    if read < pages.len() {
        text.push_str(&format!("\n[pages from {} on were not read]\n", read + 1));
    }
    text.truncate(text.trim_end().len());
    Ok(Some(text))
}

/// What has been read of a page.
#[derive(Default)]
struct Reader {
    text: String,
    /// Where the last glyph ended, and the size of its font.
    last: Option<(Point, f64)>,
}

impl Reader {
    fn glyph(&mut self, transform: Affine, advance: Option<f32>, piece: &str) {
        if self.text.len() + piece.len() > PAGE_BYTES_MAX {
            return;
        }
        let start = transform * Point::ZERO;
        let [a, b, c, d, ..] = transform.as_coeffs();
        // The glyph's own directions: along the line and across.
        let along = Vec2::new(a, b);
        let size = Vec2::new(c, d).hypot() * UNITS;
        if !size.is_finite() || size <= 0.0 || !start.is_finite() {
            return;
        }
        if let Some((end, last_size)) = self.last {
            let way = start - end;
            let direction = along / along.hypot().max(f64::MIN_POSITIVE);
            let ahead = way.dot(direction);
            let across = way.cross(direction).abs();
            let size = size.min(last_size);
            if across > size * 1.8 {
                self.end_line("\n\n");
            } else if across > size * 0.5 {
                self.end_line("\n");
            } else if !(-size..=size * 0.2).contains(&ahead) {
                self.space();
            }
        }
        match piece.chars().all(char::is_whitespace) {
            true => self.space(),
            false => {
                let piece = piece.chars().filter(|c| !c.is_control());
                self.text.extend(piece);
            }
        }
        let advance = f64::from(advance.unwrap_or(500.0));
        let end = transform * Point::new(if advance.is_finite() { advance } else { 0.0 }, 0.0);
        self.last = Some((end, size));
    }

    fn space(&mut self) {
        if !self.text.is_empty() && !self.text.ends_with([' ', '\n']) {
            self.text.push(' ');
        }
    }

    fn end_line(&mut self, end: &str) {
        self.text.truncate(self.text.trim_end_matches(' ').len());
        if !self.text.is_empty() && !self.text.ends_with('\n') {
            self.text.push_str(end);
        }
    }

    fn finish(self) -> String {
        self.text.trim().to_owned()
    }
}

impl Device<'_> for Reader {
    fn draw_glyph_run(&mut self, run: &GlyphRun<'_, '_>, props: DrawProps<'_>, mode: &DrawMode) {
        // Of what is filled and stroked, the filling was read.
        if matches!(mode, DrawMode::Stroke(_)) && self.is_at_end_of(run, &props) {
            return;
        }
        for glyph in run.glyphs() {
            let advance = match &**glyph {
                hayro_interpret::font::Glyph::Outline(glyph) => glyph.advance_width(),
                hayro_interpret::font::Glyph::Type3(glyph) => glyph.advance_width(),
            };
            let transform = props.transform * glyph.transform();
            match glyph.as_unicode() {
                Some(BfString::Char(c)) => {
                    self.glyph(transform, advance, c.encode_utf8(&mut [0; 4]));
                }
                Some(BfString::String(piece)) => self.glyph(transform, advance, &piece),
                None => {}
            }
        }
    }

    fn draw_path(&mut self, _: &BezPath, _: DrawProps<'_>, _: &DrawMode) {}

    fn push_clip_path(&mut self, _: &ClipPath) {}

    fn push_transparency_group(&mut self, _: f32, _: Option<SoftMask<'_>>, _: BlendMode) {}

    fn draw_image(&mut self, _: Image<'_, '_>, _: ImageDrawProps<'_>) {}

    fn pop_clip(&mut self) {}

    fn pop_transparency_group(&mut self) {}
}

impl Reader {
    /// Tells whether the last glyph read is the last of this run.
    fn is_at_end_of(&self, run: &GlyphRun<'_, '_>, props: &DrawProps<'_>) -> bool {
        let Some(((end, size), glyph)) = self.last.zip(run.glyphs().last()) else {
            return false;
        };
        let start = props.transform * glyph.transform() * Point::ZERO;
        (end - start).hypot() <= size * 1.2
    }
}

#[cfg(test)]
pub(crate) mod tests;
