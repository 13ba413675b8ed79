//! Simulates fleets of gRPC clients and servers in virtual time, with Steer's own policies.
//!
//! | module | contents | must not depend on |
//! |---|---|---|
//! | [`scenario`] | what a scenario says, as plain values | files, how it is simulated |
//! | [`mod@file`] | reads scenarios from files | how they are simulated |
//! | [`model`] | a model of clients and servers in virtual time | files, reports |
//! | [`outcome`] | what came of a run, as plain values | how it was simulated, how it is shown |
//! | [`compare`] | what became better and worse from one policy to another | how outcomes come about |
//! | [`ready`] | the scenarios that come with the program | how they are simulated |
//! | [`report`] | outcomes as a page, as text and as Markdown | how outcomes come about |

pub mod compare;
pub mod file;
pub mod model;
pub mod outcome;
pub mod ready;
pub mod report;
pub mod scenario;
