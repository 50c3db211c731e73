//! The form people read.
