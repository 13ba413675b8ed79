//! Lines, with a colour, a dash and a marker for each series.
//!
//! Must not depend on: outcomes, the page around a plot.

use plotters::prelude::*;

use super::axis::Axis;
use super::canvas::{self, Area, Drawn, pixels};
use super::plane::{self, Chart, Grid, Vertical};

/// A plot of lines.
pub struct Lines {
    /// What it shows, for people who do not see it.
    pub description: String,
    /// The size in pixels.
    pub size: (i32, i32),
    /// The horizontal axis.
    pub x: Axis,
    /// The vertical axis.
    pub y: Axis,
    /// Which ticks have a line.
    pub grid: Grid,
    /// The part of the horizontal axis that is shaded.
    pub shaded: Option<(f64, f64)>,
    /// The lines.
    pub lines: Vec<Line>,
}

/// A line.
pub struct Line {
    /// Which colour, dash and marker it has.
    pub series: usize,
    /// Its points. A point without a value interrupts the line.
    pub points: Vec<(f64, Option<f64>)>,
}

/// The markers of a line: enough to recognize it, and few enough to see its course.
const MARKERS: usize = 5;
/// Half the width of a marker, in pixels.
const MARKER_SIZE: i32 = 4;
/// The shapes of markers.
const SHAPES: usize = 6;

impl Lines {
    /// Draws it.
    pub fn svg(&self) -> String {
        canvas::svg(self.size, &self.description, |area| self.draw(area))
    }

    fn draw(&self, area: &Area) -> Drawn {
        let y = Vertical { label: &self.y.label, ends: self.y.ends, ticks: &self.y.ticks };
        let mut chart = plane::plane(area, &self.x, &y)?;
        if let Some((from, until)) = self.shaded {
            let corners = [(from, self.y.ends.0), (until, self.y.ends.1)];
            let corners = corners.map(|(x, y)| (self.x.position(x), y));
            chart.draw_series([Rectangle::new(corners, canvas::SHADE.filled())])?;
        }
        plane::draw_axes(area, &mut chart, &self.x, &y, self.grid)?;
        let mut empty = true;
        for line in &self.lines {
            for points in self.runs(line) {
                empty = false;
                let style = canvas::series(line.series).stroke_width(pixels(2) as u32);
                let path = PathElement::new(points, style);
                chart.draw_series([path])?;
            }
            self.draw_markers(&chart, area, line)?;
        }
        if empty { plane::draw_words(area, "no data") } else { Ok(()) }
    }

    /// The positions of the line's points, split where there is no value. Points alone become
    /// short lines.
    fn runs(&self, line: &Line) -> Vec<Vec<(f64, f64)>> {
        let mut runs = Vec::new();
        for part in line.points.split(|(_, value)| value.is_none()) {
            let point = |(x, y): &(f64, Option<f64>)| {
                (self.x.position(*x), self.y.position(y.unwrap_or_default()))
            };
            let mut run: Vec<_> = part.iter().map(point).collect();
            if let [(x, y)] = run[..] {
                run.push((x + (self.x.ends.1 - self.x.ends.0) * 0.01, y));
            }
            if !run.is_empty() {
                runs.push(run);
            }
        }
        runs
    }

    /// Draws the line's markers. Lines have them at different places, so that markers of equal
    /// lines do not hide each other.
    fn draw_markers(&self, chart: &Chart, area: &Area, line: &Line) -> Drawn {
        let known = line.points.iter().filter_map(|(x, y)| y.map(|y| (*x, y)));
        let known: Vec<_> = known.map(|(x, y)| (self.x.position(x), self.y.position(y))).collect();
        let (Some(first), Some(last)) = (known.first(), known.last()) else {
            return Ok(());
        };
        let offset = 0.15 + 0.14 * (line.series % SHAPES) as f64;
        let mut drawn = None;
        for marker in 0..MARKERS {
            let share = (marker as f64 + offset) / MARKERS as f64;
            let wanted = first.0 + (last.0 - first.0) * share;
            let index = known.partition_point(|(x, _)| *x < wanted).min(known.len() - 1);
            if drawn.replace(index) != Some(index) {
                let place = chart.backend_coord(&known[index]);
                draw_marker(area, line.series, place)?;
            }
        }
        Ok(())
    }
}

/// Draws the marker of a series.
fn draw_marker(area: &Area, series: usize, (x, y): (i32, i32)) -> Drawn {
    let style = canvas::series(series).filled();
    let size = pixels(MARKER_SIZE);
    if series % SHAPES == 0 {
        return area.draw(&Circle::new((x, y), size, style));
    }
    let corner = |(dx, dy): &(i32, i32)| (x + dx * size / 8, y + dy * size / 8);
    let corners: Vec<_> = shape(series).iter().map(corner).collect();
    area.draw(&Polygon::new(corners, style))
}

/// The corners of a marker that is 16 wide. The first shape is a circle.
fn shape(series: usize) -> &'static [(i32, i32)] {
    match series % SHAPES {
        1 => &[(-7, -7), (7, -7), (7, 7), (-7, 7)],
        2 => &[(0, -9), (9, 7), (-9, 7)],
        3 => &[(0, -10), (10, 0), (0, 10), (-10, 0)],
        4 => &[(0, 9), (9, -7), (-9, -7)],
        _ => &[
            (-3, -9),
            (3, -9),
            (3, -3),
            (9, -3),
            (9, 3),
            (3, 3),
            (3, 9),
            (-3, 9),
            (-3, 3),
            (-9, 3),
            (-9, -3),
            (-3, -3),
        ],
    }
}

/// A piece of the line of a series, for a legend.
pub fn key(series: usize) -> String {
    let (colour, dash) = (series % super::COLOURS, series % super::DASHES);
    let marker = if series % SHAPES == 0 {
        format!("<circle cx=\"36\" cy=\"12\" r=\"8\" class=\"f c{colour}\"/>")
    } else {
        let corner = |(x, y): &(i32, i32)| format!("{},{} ", 36 + x, 12 + y);
        let corners: String = shape(series).iter().map(corner).collect();
        format!("<polygon points=\"{}\" class=\"f c{colour}\"/>", corners.trim_end())
    };
    format!(
        "<svg class=\"key\" viewBox=\"0 0 72 24\" aria-hidden=\"true\">\
         <line x1=\"0\" y1=\"12\" x2=\"72\" y2=\"12\" stroke-width=\"4\" \
         class=\"s c{colour} d{dash}\"/>{marker}</svg>"
    )
}
