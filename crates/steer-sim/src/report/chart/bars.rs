//! Horizontal bars, each with its name.
//!
//! Must not depend on: outcomes, the page around a plot.

use plotters::prelude::*;

use super::axis::Axis;
use super::canvas::{self, Area, Drawn, pixels};
use super::plane::{self, Grid, Vertical};

/// A plot of bars.
pub struct Bars {
    /// What it shows, for people who do not see it.
    pub description: String,
    /// The width in pixels. The height follows from the number of bars.
    pub width: i32,
    /// The axis of values.
    pub x: Axis,
    /// What the names are.
    pub names: String,
    /// A value to compare with.
    pub reference: Option<f64>,
    /// The bars, from top to bottom.
    pub bars: Vec<Bar>,
}

/// A bar.
pub struct Bar {
    /// Its name.
    pub name: String,
    /// Which colour it has. `None`: that of text.
    pub series: Option<usize>,
    /// Its value.
    pub value: f64,
}

/// The height of a bar with its distance to the next, in pixels.
const ROW: i32 = 15;
/// The most characters of a name.
const NAME_LENGTH: usize = 18;

impl Bars {
    /// Draws it.
    pub fn svg(&self) -> String {
        let rows = self.bars.len().max(3) as i32;
        let height = rows * ROW + 64;
        canvas::svg((self.width, height), &self.description, |area| self.draw(area))
    }

    fn draw(&self, area: &Area) -> Drawn {
        let names: Vec<_> = self.bars.iter().map(|bar| shortened(&bar.name)).collect();
        let rows = self.bars.len().max(1) as f64;
        let middles = (0..names.len()).map(|row| row as f64 + 0.5);
        let ticks: Vec<_> = middles.zip(names).collect();
        let y = Vertical { label: &self.names, ends: (rows, 0.0), ticks: &ticks };
        let mut chart = plane::plane(area, &self.x, &y)?;
        plane::draw_axes(area, &mut chart, &self.x, &y, Grid::X)?;
        for (row, bar) in self.bars.iter().enumerate() {
            let (top, bottom) = (row as f64 + 0.15, row as f64 + 0.85);
            let corners = [(0.0, top), (self.x.position(bar.value), bottom)];
            let colour = bar.series.map_or(canvas::TEXT, canvas::series);
            chart.draw_series([Rectangle::new(corners, colour.filled())])?;
        }
        if let Some(reference) = self.reference {
            let at = self.x.position(reference);
            let style = canvas::REFERENCE.stroke_width(pixels(2) as u32);
            chart.draw_series([PathElement::new(vec![(at, 0.0), (at, rows)], style)])?;
        }
        if self.bars.is_empty() {
            plane::draw_words(area, "no servers")?;
        }
        Ok(())
    }
}

/// The name, or its start and its end if it is long: ends often have the number of a server.
fn shortened(name: &str) -> String {
    let letters: Vec<char> = name.chars().collect();
    if letters.len() <= NAME_LENGTH {
        return name.to_string();
    }
    let end = letters.len() - NAME_LENGTH / 2;
    let start = NAME_LENGTH - 1 - NAME_LENGTH / 2;
    letters[..start].iter().chain(&['…']).chain(&letters[end..]).collect()
}

/// A square of a series' colour, for a legend.
pub fn swatch(series: usize) -> String {
    let colour = series % super::COLOURS;
    format!(
        "<svg class=\"swatch\" viewBox=\"0 0 24 24\" aria-hidden=\"true\">\
         <rect width=\"24\" height=\"24\" class=\"f c{colour}\"/></svg>"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_names_keep_start_and_end() {
        assert_eq!(shortened("frontend-12"), "frontend-12");
        let short = shortened("frontend-of-the-shop-in-europe-12");
        assert_eq!(short, "frontend…europe-12");
        assert_eq!(short.chars().count(), NAME_LENGTH);
    }
}
