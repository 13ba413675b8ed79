//! An SVG whose colours come from the page's CSS, so that it works on light and dark pages.
//!
//! plotters writes colours as `#RRGGBB`. The colours here are marks, each for a role. `finish`
//! replaces them by `currentColor` or a class of `page.css`.
//!
//! Must not depend on: what is drawn.

use plotters::coord::Shift;
use plotters::prelude::*;
use plotters::style::RGBColor;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use super::{COLOURS, DASHES};
use crate::report::escape::escape;

/// plotters has whole coordinates. So many of them are a pixel, which keeps curves smooth.
pub const SCALE: i32 = 2;
/// The height of text: 12 pixels. Plots are shown at 0.9 to 1.3 times their size.
const TEXT_SIZE: i32 = 12 * SCALE;

/// Text.
pub const TEXT: RGBColor = RGBColor(1, 0, 0);
/// Axes and the lines of the grid.
pub const GRID: RGBColor = RGBColor(2, 0, 0);
/// The time that is not counted.
pub const SHADE: RGBColor = RGBColor(3, 0, 0);
/// A value to compare with.
pub const REFERENCE: RGBColor = RGBColor(4, 0, 0);
const SERIES: u8 = 16;

/// A part of an SVG.
pub type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;
/// The result of drawing. Drawing into a string does not fail.
pub type Drawn = Result<(), DrawingAreaErrorKind<std::io::Error>>;

/// The colour of a series.
pub fn series(index: usize) -> RGBColor {
    RGBColor(SERIES, 0, (index % 256) as u8)
}

/// Pixels in plotters' coordinates.
pub fn pixels(count: i32) -> i32 {
    count * SCALE
}

/// The style of text at this position.
pub fn text_style(horizontal: HPos, vertical: VPos) -> TextStyle<'static> {
    ("sans-serif", TEXT_SIZE)
        .into_text_style(&(1, 1))
        .color(&TEXT)
        .pos(Pos::new(horizontal, vertical))
}

/// The width of a text in pixels, or somewhat more: browsers choose the font.
pub fn width(text: &str) -> i32 {
    let width = |character| match character {
        '%' | 'm' | 'w' | 'M' | 'W' => 12,
        ' ' | '.' | ',' | 'i' | 'j' | 'l' => 4,
        _ => 8,
    };
    text.chars().map(width).sum()
}

/// Draws an SVG of this size in pixels. `description` is for people who do not see it.
pub fn svg(
    (width, height): (i32, i32),
    description: &str,
    draw: impl FnOnce(&Area) -> Drawn,
) -> String {
    let mut text = String::new();
    let size = (pixels(width) as u32, pixels(height) as u32);
    {
        let area = SVGBackend::with_string(&mut text, size).into_drawing_area();
        draw(&area).and_then(|()| area.present()).expect("drawing into a string does not fail");
    }
    finish(&text, size, description)
}

/// Replaces the SVG's first tag, and marks by what they stand for.
fn finish(svg: &str, (width, height): (u32, u32), description: &str) -> String {
    let description = escape(description);
    let mut finished = format!(
        "<svg class=\"plot\" viewBox=\"0 0 {width} {height}\" font-size=\"{TEXT_SIZE}\" \
         role=\"img\" aria-label=\"{description}\"><title>{description}</title>\n"
    );
    let body = svg.split_once(">\n").map_or("", |(_, body)| body);
    // These are the defaults of SVG, or come from page.css.
    let body = body.replace(" opacity=\"1\"", "").replace(" stroke=\"none\"", "");
    let body = without_fonts(&body);
    let mut rest = body.as_str();
    while let Some(start) = rest.find("=\"#") {
        let (before, mark) = rest.split_at(start);
        let attribute_start = before.rfind(' ').map_or(0, |space| space + 1);
        let attribute = &before[attribute_start..];
        finished.push_str(&before[..attribute_start]);
        finished.push_str(&replacement(attribute, &mark[3..9]));
        rest = &mark[10..];
    }
    finished.push_str(rest);
    finished
}

/// Removes the font of each text. The page has the font, and the SVG has the size. No text that is
/// drawn can look like these attributes, because plotters replaces quotes in it.
fn without_fonts(svg: &str) -> String {
    let mut parts = svg.split(" font-family=\"sans-serif\" font-size=\"");
    let mut without = parts.next().unwrap_or_default().to_string();
    for part in parts {
        without.push_str(part.split_once('"').map_or("", |(_, rest)| rest));
    }
    without
}

/// The attribute that replaces a mark.
fn replacement(attribute: &str, mark: &str) -> String {
    let byte = |at: usize| usize::from_str_radix(&mark[at..at + 2], 16).unwrap_or_default();
    let (role, index) = (byte(0) as u8, byte(4));
    if role == SERIES {
        let colour = index % COLOURS;
        return if attribute == "stroke" {
            format!("class=\"s c{colour} d{}\"", index % DASHES)
        } else {
            format!("class=\"f c{colour}\"")
        };
    }
    match role {
        role if role == GRID.0 => "class=\"grid\"".to_string(),
        role if role == SHADE.0 => "class=\"shade\"".to_string(),
        role if role == REFERENCE.0 => "class=\"reference\"".to_string(),
        _ => format!("{attribute}=\"currentColor\""),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_become_classes() {
        let drawn = svg((10, 10), "a <b>", |area| {
            area.draw(&PathElement::new(vec![(0, 0), (5, 5)], series(8)))?;
            area.draw(&Rectangle::new([(0, 0), (5, 5)], series(1).filled()))?;
            area.draw(&PathElement::new(vec![(0, 0), (5, 5)], GRID))?;
            area.draw(&Text::new("x", (0, 0), text_style(HPos::Left, VPos::Top)))
        });
        assert!(drawn.starts_with("<svg class=\"plot\" viewBox=\"0 0 20 20\" font-size=\"24\""));
        assert!(drawn.contains("aria-label=\"a &lt;b&gt;\"><title>a &lt;b&gt;</title>"));
        for expected in ["class=\"s c1 d3\"", "class=\"f c1\"", "class=\"grid\"", "currentColor"] {
            assert!(drawn.contains(expected), "{expected} is not in {drawn}");
        }
        assert!(!drawn.contains('#'), "{drawn}");
        assert!(drawn.trim_end().ends_with("</svg>"));
    }
}
