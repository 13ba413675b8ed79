//! Draws plots as SVG, for use within an HTML page.
//!
//! | file | idea |
//! |---|---|
//! | `axis.rs` | axes and their ticks |
//! | `canvas.rs` | an SVG whose colours come from the page's CSS |
//! | `plane.rs` | axes, grid and labels of a plot |
//! | `lines.rs` | lines, with a dash and a marker for each series |
//! | `bars.rs` | horizontal bars |
//!
//! Must not depend on: outcomes, the page around a plot.

mod axis;
mod bars;
mod canvas;
mod lines;
mod plane;

pub use axis::Axis;
pub use bars::{Bar, Bars, swatch};
pub use lines::{Line, Lines, key};
pub use plane::Grid;

/// The number of colours that `.c0`, `.c1`, … of `page.css` have.
pub const COLOURS: usize = 7;
/// The number of dashes that `.d0`, `.d1`, … of `page.css` have.
pub const DASHES: usize = 5;
