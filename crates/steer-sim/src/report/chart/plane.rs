//! The plane of a plot: its axes, their grid, and the labels.
//!
//! Must not depend on: what is drawn on it.

use std::ops::Range;

use plotters::chart::ChartContext;
use plotters::coord::ranged1d::{DefaultFormatting, KeyPointHint};
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, VPos};

use super::axis::Axis;
use super::canvas::{self, Area, Drawn, pixels, text_style};

/// Room for half the label of the last tick, which may be `99.9999%`.
const RIGHT: i32 = 34;

/// Positions between two ends, with ticks of our own. The ends may be the other way round.
#[derive(Clone)]
pub struct Ticked {
    ends: (f64, f64),
    ticks: Vec<f64>,
}

impl Ranged for Ticked {
    type FormatOption = DefaultFormatting;
    type ValueType = f64;

    fn map(&self, value: &f64, (first, last): (i32, i32)) -> i32 {
        let share = (value - self.ends.0) / (self.ends.1 - self.ends.0);
        (f64::from(first) + share * f64::from(last - first)).round() as i32
    }

    fn key_points<Hint: KeyPointHint>(&self, hint: Hint) -> Vec<f64> {
        if hint.weight().allow_light_points() { Vec::new() } else { self.ticks.clone() }
    }

    fn range(&self) -> Range<f64> {
        self.ends.0..self.ends.1
    }
}

/// A chart whose axes have our own ticks.
pub type Chart<'a, 'b> = ChartContext<'a, SVGBackend<'b>, Cartesian2d<Ticked, Ticked>>;

/// The vertical axis of a plane.
pub struct Vertical<'a> {
    /// What it shows.
    pub label: &'a str,
    /// The positions at the bottom and at the top.
    pub ends: (f64, f64),
    /// The ticks and their labels.
    pub ticks: &'a [(f64, String)],
}

/// Which ticks have a line across the plane.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Grid {
    /// Those of the horizontal axis.
    X,
    /// Those of the vertical axis.
    Y,
    /// All.
    Both,
}

/// A plane with these axes.
pub fn plane<'a, 'b>(
    area: &'a Area<'b>,
    x: &Axis,
    y: &Vertical,
) -> Result<Chart<'a, 'b>, DrawingAreaErrorKind<std::io::Error>> {
    let left = y.ticks.iter().map(|(_, label)| canvas::width(label)).max().unwrap_or(0);
    let (width, _) = area.dim_in_pixel();
    let room = width as i32 / canvas::SCALE - left - RIGHT;
    ChartBuilder::on(area)
        .margin_top(pixels(26))
        .margin_right(pixels(RIGHT))
        .margin_bottom(pixels(18))
        .x_label_area_size(pixels(22))
        .y_label_area_size(pixels(left + 10))
        .build_cartesian_2d(
            Ticked { ends: x.ends, ticks: fitting(x, room) },
            Ticked { ends: y.ends, ticks: y.ticks.iter().map(|(at, _)| *at).collect() },
        )
}

/// Every tick, or every second one, and so on: as many as have room for their labels.
fn fitting(axis: &Axis, room: i32) -> Vec<f64> {
    let length = axis.ends.1 - axis.ends.0;
    let fits = |pair: &[&(f64, String)]| {
        let distance = (pair[1].0 - pair[0].0) / length * f64::from(room);
        let widths = canvas::width(&pair[0].1) + canvas::width(&pair[1].1);
        distance >= f64::from(widths) / 2.0 + 4.0
    };
    let every = |step: usize| axis.ticks.iter().step_by(step).collect::<Vec<_>>();
    let all_fit = |step: &usize| every(*step).windows(2).all(fits);
    let step = (1..=axis.ticks.len()).find(all_fit).unwrap_or(1);
    every(step).into_iter().map(|(at, _)| *at).collect()
}

/// Draws the grid, the labels of ticks, and what the axes show: y above its axis, x below the end
/// of its axis.
pub fn draw_axes(area: &Area, chart: &mut Chart, x: &Axis, y: &Vertical, grid: Grid) -> Drawn {
    let label = |ticks: &[(f64, String)], at: &f64| {
        let tick = ticks.iter().find(|(tick, _)| tick == at);
        tick.map_or(String::new(), |(_, label)| label.clone())
    };
    let x_label = |at: &f64| label(&x.ticks, at);
    let y_label = |at: &f64| label(y.ticks, at);
    let mut mesh = chart.configure_mesh();
    match grid {
        Grid::X => mesh.disable_y_mesh(),
        Grid::Y => mesh.disable_x_mesh(),
        Grid::Both => &mut mesh,
    };
    let thin = canvas::GRID.stroke_width(canvas::SCALE as u32);
    mesh.bold_line_style(thin)
        .light_line_style(TRANSPARENT)
        .axis_style(thin)
        .label_style(text_style(HPos::Left, VPos::Top))
        .set_all_tick_mark_size(pixels(3))
        .x_label_formatter(&x_label)
        .y_label_formatter(&y_label)
        .draw()?;
    let (width, height) = area.dim_in_pixel();
    let below = (width as i32 - pixels(RIGHT), height as i32 - pixels(4));
    area.draw(&Text::new(x.label.as_str(), below, text_style(HPos::Right, VPos::Bottom)))?;
    area.draw(&Text::new(y.label, (pixels(2), pixels(4)), text_style(HPos::Left, VPos::Top)))
}

/// Says in the middle that there is nothing to draw.
pub fn draw_words(area: &Area, words: &str) -> Drawn {
    let (width, height) = area.dim_in_pixel();
    let middle = (width as i32 / 2, height as i32 / 2);
    area.draw(&Text::new(words, middle, text_style(HPos::Center, VPos::Center)))
}
