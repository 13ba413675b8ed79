//! Outcomes as people read them: a page, a summary for a terminal, and tables for documents.
//!
//! | module | idea |
//! |---|---|
//! | [`html`](html()) | a self-contained HTML page with plots |
//! | [`text`](text()) | a summary for a terminal of 80 columns |
//! | [`markdown`](markdown()) | tables for documents |
//! | `summary.rs` | the tables that all of these have |
//! | `cases.rs` | outcomes by scenario, policy and seed |
//! | `measures.rs` | what an outcome is measured by, and the spread over seeds |
//! | `limits.rs` | which limits are kept |
//! | `timeline.rs` | numbers over time |
//! | `chart/` | plots as SVG |
//! | `table.rs`, `units.rs`, `escape.rs` | tables, numbers and HTML text |
//!
//! The output depends on the outcomes only: it has no dates and no random numbers.
//!
//! Must not depend on: how outcomes come about, files, the command line.

pub(crate) mod cases;
mod chart;
pub(crate) mod escape;
mod html;
mod limits;
mod markdown;
pub(crate) mod measures;
mod summary;
pub(crate) mod table;
mod text;
mod timeline;
pub mod units;

pub use html::html;
pub(crate) use html::{page, table as html_table};
pub use markdown::markdown;
pub use text::text;
pub(crate) use text::{table as text_table, wrapped};
