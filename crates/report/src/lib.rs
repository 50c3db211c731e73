//! What a period holds: operations, what they used and what is paid for it, folded from the events in
//! one pass.
//!
//! Every figure is a count or a sum over entries of the log and nothing else, so that anybody who has
//! the log counts the same. An operation belongs to the period and the month in which it was opened;
//! every other event to its own.
//!
//! Never: opens a log, reads a clock, estimates.
#![forbid(unsafe_code)]

mod period; // civil days and months of the domain
mod figures; // the counts of some operations
mod account; // events → figures by operator, licence, scenario and month
mod fees; // what is paid, to the cent
mod statement; // one licence over one period
mod annual; // one year, of one operator or all
mod anomalies; // probing, bursts of refusals, unusual volume
mod chart; // bars as inline SVG
mod page; // a report as Markdown and HTML

pub use self::{
    account::{Account, Whose},
    annual::{Annual, Licensed, Made, Part, Stored},
    anomalies::{Anomalies, Anomaly, Limits},
    fees::{Class, Fees, Line, Money, Unpriced},
    figures::Figures,
    page::{html, markdown, statement_markdown},
    period::{Month, Period},
    statement::Statement,
};
